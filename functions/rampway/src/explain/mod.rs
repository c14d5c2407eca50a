//! Explains ids: what they are, what is wrong with them, and where they may go. It takes no key, so it cannot say whom an id means, nor
//! whether it is genuine.

mod form;
mod show;

use std::collections::BTreeSet;

use shared::identity::{Code, Direction, Domain, Kind, Scopes, token::Smart};

use client::{Client, Health};
pub use form::{Fault, Form};

/// The most characters of a text that are shown.
const SHOWN: usize = 100;

/// What a client may do, as its token says, and what the transcoder holds keys for.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    client_id: String,
    scopes: Scopes,
    /// The domains that every variant holds keys for; `None` where nobody said.
    keys: Option<BTreeSet<Domain>>,
}

/// What there is to say of a text.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The text, as far as it is shown.
    pub text: String,
    /// What its form tells.
    pub form: Form,
    /// Where it may go and where not; empty where the permissions or the domain are not known.
    pub ways: Vec<Way>,
}

/// A domain that an id might go to.
#[derive(Clone, Debug)]
pub struct Way {
    /// The domain.
    pub to: Domain,
    /// What a translation would be refused with, and why; `None` when it may go there.
    pub refusal: Option<(Code, String)>,
}

impl Permissions {
    /// Asks for them, by the client's credentials.
    pub async fn ask(client: &Client) -> Result<Self, client::Error> {
        let token = client.token().await?;
        let unreadable = || client::Error::InvalidResponse("its token has no valid scopes".into());
        let claims: Smart = token.claims().ok_or_else(unreadable)?;
        let scopes = claims.scopes().map_err(|_| unreadable())?;
        // Without it there is less to say, and no less right.
        let keys = client.health().await.ok().and_then(|health| domains(&health, &claims.registered.sub));
        Ok(Self { client_id: claims.registered.sub, scopes, keys })
    }

    /// Where an id of `from` may go: every domain that the client has to do with, and those that are `asked` about.
    fn ways(&self, from: Domain, asked: &[Domain]) -> Vec<Way> {
        let mut targets = self.scopes.domains();
        targets.remove(&from);
        targets.extend(asked);
        targets.into_iter().map(|to| Way { to, refusal: self.refusal(Direction { from, to }) }).collect()
    }

    /// What stands in the way, in the order in which the transcoder looks.
    fn refusal(&self, direction: Direction) -> Option<(Code, String)> {
        let (Direction { from, to }, client) = (direction, &self.client_id);
        if from == to {
            return Some((Code::I000, format!("it is in {to} already")));
        }
        match self.scopes.check(direction) {
            Err(Code::S009) => {
                return Some((
                    Code::S009,
                    format!(
                        "client {client} may take ids of {from} nowhere: the owner of {from} has to grant it, and the target's to accept"
                    ),
                ));
            }
            Err(code) => {
                let why =
                    format!("client {client} may take ids of {from} elsewhere, but not to {to}: both owners have to order this direction");
                return Some((code, why));
            }
            Ok(()) => {}
        }
        let lacks = |domain| self.keys.as_ref().is_some_and(|keys| !keys.contains(&domain));
        let why = |domain| format!("the transcoder holds no key of {domain}: initialise it (POST /auth/init), or wait for its daily time");
        [(from, Code::S007), (to, Code::S008)].into_iter().find(|(domain, _)| lacks(*domain)).map(|(domain, code)| (code, why(domain)))
    }
}

/// The domains that every variant holds this client's keys for.
fn domains(health: &Health, client_id: &str) -> Option<BTreeSet<Domain>> {
    let of = |keys: Option<&client::KeyPacket>| keys.map(|keys| keys.key_ids.keys().copied().collect()).unwrap_or_default();
    health
        .for_client(client_id)
        .map(|(_, keys)| of(keys))
        .reduce(|all: BTreeSet<Domain>, these| all.intersection(&these).copied().collect())
}

/// Explains a text; `asked` are targets to tell of besides those that the client has to do with.
#[must_use]
pub fn explain(text: &str, permissions: Option<&Permissions>, asked: &[Domain]) -> Explanation {
    let form = form::of(text);
    let ways = permissions.zip(form.domain).map_or_else(Vec::new, |(permissions, from)| permissions.ways(from, asked));
    let mut shown: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    Explanation { text: shown, form, ways }
}

/// A kind in words.
#[must_use]
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Maintained => "maintained",
        Kind::Derived => "derived",
        Kind::Household => "household",
        Kind::Cookie => "cookie placeholder",
        Kind::Mobile => "mobile placeholder",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs";

    fn permissions(keys: Option<&[&str]>) -> Permissions {
        let direction = |from: &str, to: &str| Direction { from: from.parse().unwrap(), to: to.parse().unwrap() };
        Permissions {
            client_id: "demo".into(),
            scopes: [direction("1005", "1006"), direction("1005", "1007"), direction("1006", "1005")].into_iter().collect(),
            keys: keys.map(|keys| keys.iter().map(|key| key.parse().unwrap()).collect()),
        }
    }

    fn ways(text: &str, keys: Option<&[&str]>, asked: &[&str]) -> Vec<String> {
        let asked: Vec<Domain> = asked.iter().map(|domain| domain.parse().unwrap()).collect();
        let found = explain(text, Some(&permissions(keys)), &asked).ways;
        found.iter().map(|way| format!("{} {}", way.to, way.refusal.as_ref().map_or("ok", |(code, _)| code.code()))).collect()
    }

    #[test]
    fn every_refusal_is_the_transcoder_s() {
        assert_eq!(ways(ID, None, &["1009"]), ["1006 ok", "1007 ok", "1009 S010"]);
        assert_eq!(ways(&ID.replace("1005", "1007"), None, &[]), ["1005 S009", "1006 S009"]);
        assert_eq!(ways(ID, Some(&["1005", "1006"]), &["1005"]), ["1005 I000", "1006 ok", "1007 S008"]);
        assert_eq!(ways(ID, Some(&[]), &[]), ["1006 S007", "1007 S007"]);
        assert_eq!(ways("no id", Some(&[]), &["1006"]), [""; 0]);
    }

    #[test]
    fn a_text_is_shown_in_one_line_of_bounded_length() {
        let shown = explain(&format!("a\u{1b}[2J\n{}", "b".repeat(1000)), None, &[]).text;
        assert!(!shown.contains(['\u{1b}', '\n']) && shown.chars().count() == SHOWN + 1);
    }
}
