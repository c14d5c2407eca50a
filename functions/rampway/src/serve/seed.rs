//! What a suite on this desk begins with: signing keys, a transcoder, and a client with two domains' worth of permissions.

use std::{collections::HashMap, path::Path};

use cloud::{
    identity::admin::{Admin, Side},
    setting::{Environment, now},
};
use shared::{
    crypto::jwe::PrivateKey,
    identity::{Direction, scope::Order},
};

use super::{Error, state};
use crate::client::{Connection, Credentials, Given};

/// The demonstration's client.
pub const CLIENT: &str = "demo";
/// Its domain, whose ids it translates.
pub const FROM: &str = "1005";
/// Into these, which are partners'.
pub const TO: [&str; 2] = ["1006", "1007"];
const PARTNER: &str = "partner";

/// Prepares the authority's tables and the transcoder's model directory, where that has not been done, and leaves the way in.
pub async fn seed(environment: &HashMap<String, String>, directory: &Path, model: &Path, url: &str) -> Result<Credentials, Error> {
    let admin = Admin::from_env(&Environment::over(environment.clone())).await.map_err(Error::seed)?;
    let credentials = match Connection::find(Given::default(), directory) {
        Ok(left) => left.credentials,
        Err(_) => first(&admin, model).await?,
    };
    // The signing keys may have changed since.
    let keys = admin.verification_keys().await.map_err(Error::seed)?;
    state::write(&model.join("verification_keys.json"), keys.as_bytes())?;
    let connection = Connection { url: url.into(), credentials };
    connection.leave(directory).map_err(|cause| state::failed(directory, &cause))?;
    Ok(connection.credentials)
}

async fn first(admin: &Admin, model: &Path) -> Result<Credentials, Error> {
    let failed = Error::seed;
    admin.create_signing_key(now()).await.map_err(failed)?;
    let client_secret = admin.create_client(CLIENT, false).await.map_err(failed)?;
    admin.create_client(PARTNER, false).await.map_err(failed)?;
    let key = PrivateKey::generate().map_err(|cause| failed(cause.into()))?;
    let public = key.public().map_err(|cause| failed(cause.into()))?;
    state::write(&model.join("private_key.pem"), key.to_pem().as_bytes())?;
    admin.register_transcoder(CLIENT, public.to_pem()).await.map_err(failed)?;
    let domain = |text: &str| text.parse().map_err(|_| Error::Client);
    admin.create_domain(domain(FROM)?, CLIENT).await.map_err(failed)?;
    for to in TO {
        admin.create_domain(domain(to)?, PARTNER).await.map_err(failed)?;
        let there = Direction { from: domain(FROM)?, to: domain(to)? };
        admin.order(CLIENT, there, Side::Grant, CLIENT, Order::Standing).await.map_err(failed)?;
        admin.order(CLIENT, there, Side::Accept, PARTNER, Order::Standing).await.map_err(failed)?;
    }
    // And back again from the first partner.
    let back = Direction { from: domain(TO[0])?, to: domain(FROM)? };
    admin.order(CLIENT, back, Side::Grant, PARTNER, Order::Standing).await.map_err(failed)?;
    admin.order(CLIENT, back, Side::Accept, CLIENT, Order::Standing).await.map_err(failed)?;
    Ok(Credentials { client_id: CLIENT.into(), client_secret })
}
