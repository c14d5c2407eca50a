//! The first contents of a local cloud: signing keys, a transcoder, and a demo client that may
//! translate between its domain and a partner's.

use client::{Connection, ConnectionArgs, Credentials};
use cloud::{
    clock::now,
    identity::{
        admin::{self, Admin, Side},
        setting::Table,
    },
    setting::Environment,
};
use local::Provisioned;
use shared::{
    crypto::{jwe::PrivateKey, sha256},
    identity::{Direction, Domain, Id, Kind, scope::Approval},
};

use crate::error::Error;

/// The id of the demo client.
pub const CLIENT: &str = "demo";
/// The domain of the demo client.
pub const FROM: &str = "1005";
/// The partner's domains, into which the demo client may translate. It may also translate back from
/// the first.
pub const TO: [&str; 2] = ["1006", "1007"];

const PARTNER: &str = "partner";

/// What a client of the local cloud needs to start.
#[derive(Debug)]
pub struct Seed {
    /// The demo client's credentials.
    pub credentials: Credentials,
    /// An id of the demo client's domain. `None` if the domain has no current key.
    pub id: Option<Id>,
}

/// Creates the first contents of the authority's tables and the transcoder's model directory unless
/// they exist, and saves the demo client's connection in the state directory.
///
/// Returns `None` if the template lacks the authority.
pub(super) async fn seed(provisioned: &Provisioned) -> Result<Option<Seed>, Error> {
    let (environment, state) = (provisioned.environment(), provisioned.state());
    if !environment.contains_key(Table::Clients.variable()) {
        return Ok(None);
    }
    let admin = Admin::from_env(&Environment::with_defaults(environment.clone())).await.map_err(failed)?;
    let credentials = match Connection::find(ConnectionArgs::default(), state.path()) {
        Ok(saved) => saved.credentials,
        Err(_) => create(&admin, provisioned).await?,
    };
    // The signing keys may have changed since the last start.
    let keys = admin.verification_keys().await.map_err(failed)?;
    state.write(&provisioned.model().join("verification_keys.json"), keys.as_bytes())?;
    let connection = Connection { url: provisioned.api().into(), credentials };
    connection.save(state.path()).map_err(|error| state.problem(error))?;
    let from = domain(FROM);
    let minted = async { admin.mint(&[from]).await?.id(Kind::Maintained, from, &sha256(b"person 0")[..16]) };
    Ok(Some(Seed { credentials: connection.credentials, id: minted.await.ok() }))
}

async fn create(admin: &Admin, provisioned: &Provisioned) -> Result<Credentials, Error> {
    let key = PrivateKey::generate().map_err(|error| Error::Seed(error.to_string()))?;
    let public = key.public().map_err(|error| Error::Seed(error.to_string()))?;
    provisioned.state().write(&provisioned.model().join("private_key.pem"), key.to_pem().as_bytes())?;
    let parties = async {
        admin.create_signing_key(now()).await?;
        let client_secret = admin.create_client(CLIENT, false).await?;
        admin.create_client(PARTNER, false).await?;
        admin.register_transcoder(CLIENT, public.to_pem()).await?;
        admin.create_domain(domain(FROM), CLIENT).await?;
        for to in TO {
            admin.create_domain(domain(to), PARTNER).await?;
            permit(admin, Direction { from: domain(FROM), to: domain(to) }, CLIENT, PARTNER).await?;
        }
        permit(admin, Direction { from: domain(TO[0]), to: domain(FROM) }, PARTNER, CLIENT).await?;
        Ok(Credentials { client_id: CLIENT.into(), client_secret })
    };
    parties.await.map_err(failed)
}

async fn permit(admin: &Admin, direction: Direction, source_owner: &str, target_owner: &str) -> Result<(), admin::Error> {
    admin.approve(CLIENT, direction, Side::Grant, source_owner, Approval::Indefinite).await?;
    admin.approve(CLIENT, direction, Side::Accept, target_owner, Approval::Indefinite).await
}

fn domain(text: &str) -> Domain {
    text.parse().expect("the seed's domains are valid")
}

#[expect(clippy::needless_pass_by_value, reason = "map_err passes it by value")]
fn failed(error: admin::Error) -> Error {
    Error::Seed(error.to_string())
}
