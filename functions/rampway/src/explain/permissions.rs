//! The directions in which a client may translate, by its token and the transcoder's keys.

use std::collections::BTreeSet;

use client::{Client, Error, Health, KeyPacket};
use shared::identity::{Code, Direction, Domain, Scopes, token::Smart};

/// The permissions of a client.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    pub(super) client_id: String,
    pub(super) scopes: Scopes,
    /// The domains whose keys every variant holds. `None` if the transcoder did not report them.
    pub(super) keys: Option<BTreeSet<Domain>>,
}

/// A target domain of an id.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The domain.
    pub to: Domain,
    /// The code of the refusal, and why. `None` if the id can be translated.
    pub refusal: Option<(Code, String)>,
}

impl Permissions {
    /// Fetches a client's permissions.
    pub async fn fetch(client: &Client) -> Result<Self, Error> {
        let token = client.token().await?;
        let invalid = || Error::InvalidResponse("its token has no valid scopes".into());
        let claims: Smart = token.claims().ok_or_else(invalid)?;
        let scopes = claims.scopes().map_err(|_| invalid())?;
        // Without the health report, only refusals for missing keys are not predicted.
        let keys = client.health().await.ok().and_then(|health| common_domains(&health, &claims.registered.sub));
        Ok(Self { client_id: claims.registered.sub, scopes, keys })
    }

    /// Returns the domains of the client's permissions, and the `additional` ones, as targets of an
    /// id of `from`.
    pub(super) fn destinations(&self, from: Domain, additional: &[Domain]) -> Vec<Destination> {
        let mut targets = self.scopes.domains();
        targets.remove(&from);
        targets.extend(additional);
        targets.into_iter().map(|to| Destination { to, refusal: self.refusal(Direction { from, to }) }).collect()
    }

    /// Returns the refusal of a direction. The order of the checks is the transcoder's.
    fn refusal(&self, direction: Direction) -> Option<(Code, String)> {
        let (Direction { from, to }, client) = (direction, &self.client_id);
        if from == to {
            return Some((Code::I000, format!("it is of domain {to} already")));
        }
        match self.scopes.check(direction) {
            Err(code @ Code::S009) => {
                return Some((
                    code,
                    format!("client {client} may not translate from {from}; ask the owners of {from} and {to} to approve this direction"),
                ));
            }
            Err(code) => {
                return Some((
                    code,
                    format!("client {client} may translate from {from}, but not to {to}; ask the owners of both to approve this direction"),
                ));
            }
            Ok(()) => {}
        }
        let is_missing = |domain| self.keys.as_ref().is_some_and(|keys| !keys.contains(&domain));
        let reason = |domain| {
            format!("the transcoder holds no key of {domain}; initialise it (POST /auth/init), or wait for the daily initialisation")
        };
        let checks = [(from, Code::S007), (to, Code::S008)];
        checks.into_iter().find(|(domain, _)| is_missing(*domain)).map(|(domain, code)| (code, reason(domain)))
    }
}

/// Returns the domains whose keys every variant holds for a client.
fn common_domains(health: &Health, client_id: &str) -> Option<BTreeSet<Domain>> {
    let domains = |packet: Option<&KeyPacket>| packet.map(|packet| packet.key_ids.keys().copied().collect()).unwrap_or_default();
    health
        .for_client(client_id)
        .map(|(_, packet)| domains(packet))
        .reduce(|all: BTreeSet<Domain>, these| all.intersection(&these).copied().collect())
}
