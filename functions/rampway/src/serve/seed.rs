//! What a suite begins with: signing keys, a transcoder, and a client with permissions between its domain and two partners'.

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
    identity::{Direction, Id, Kind, scope::Approval},
};

use super::Error;

/// The demonstration's client.
pub const CLIENT: &str = "demo";
/// Its domain.
pub const FROM: &str = "1005";
/// The domains that it translates into, which are a partner's. From the first it may also translate back.
pub const TO: [&str; 2] = ["1006", "1007"];

const PARTNER: &str = "partner";

/// What there is to begin with.
#[derive(Debug)]
pub struct Seed {
    /// Working credentials.
    pub credentials: Credentials,
    /// An id of the client's domain, while that has a key.
    pub id: Option<Id>,
}

/// Prepares the authority's tables and the transcoder's model directory, where that has not been done, and leaves the way in.
/// Where there is no authority's side there is nothing to begin with.
pub(super) async fn seed(provisioned: &Provisioned) -> Result<Option<Seed>, Error> {
    let (environment, state) = (provisioned.environment(), provisioned.state());
    if !environment.contains_key(Table::Clients.variable()) {
        return Ok(None);
    }
    let admin = Admin::from_env(&Environment::with_defaults(environment.clone())).await.map_err(|error| problem(&error))?;
    let credentials = match Connection::find(ConnectionArgs::default(), state.path()) {
        Ok(left) => left.credentials,
        Err(_) => first(&admin, provisioned).await?,
    };
    // The signing keys may have changed since.
    let keys = admin.verification_keys().await.map_err(|error| problem(&error))?;
    state.write(&provisioned.model().join("verification_keys.json"), keys.as_bytes())?;
    let connection = Connection { url: provisioned.api().into(), credentials };
    connection.save(state.path()).map_err(|error| state.problem(error))?;
    let from = FROM.parse().expect("the seed's domains are domains");
    let minted = async { admin.mint(&[from]).await?.id(Kind::Maintained, from, &sha256(b"somebody")[..16]) };
    Ok(Some(Seed { credentials: connection.credentials, id: minted.await.ok() }))
}

async fn first(admin: &Admin, provisioned: &Provisioned) -> Result<Credentials, Error> {
    let key = PrivateKey::generate().map_err(|error| Error::Seed(error.to_string()))?;
    let public = key.public().map_err(|error| Error::Seed(error.to_string()))?;
    provisioned.state().write(&provisioned.model().join("private_key.pem"), key.to_pem().as_bytes())?;
    let parties = async {
        admin.create_signing_key(now()).await?;
        let client_secret = admin.create_client(CLIENT, false).await?;
        admin.create_client(PARTNER, false).await?;
        admin.register_transcoder(CLIENT, public.to_pem()).await?;
        let domain = |text: &str| text.parse().expect("the seed's domains are domains");
        admin.create_domain(domain(FROM), CLIENT).await?;
        for to in TO {
            admin.create_domain(domain(to), PARTNER).await?;
            permit(admin, Direction { from: domain(FROM), to: domain(to) }, CLIENT, PARTNER).await?;
        }
        permit(admin, Direction { from: domain(TO[0]), to: domain(FROM) }, PARTNER, CLIENT).await?;
        Ok(Credentials { client_id: CLIENT.into(), client_secret })
    };
    parties.await.map_err(|error: admin::Error| problem(&error))
}

async fn permit(admin: &Admin, direction: Direction, grants: &str, accepts: &str) -> Result<(), admin::Error> {
    admin.approve(CLIENT, direction, Side::Grant, grants, Approval::Indefinite).await?;
    admin.approve(CLIENT, direction, Side::Accept, accepts, Approval::Indefinite).await
}

fn problem(error: &admin::Error) -> Error {
    Error::Seed(error.to_string())
}
