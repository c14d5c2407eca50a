//! What a suite on this desk begins with: signing keys, a transcoder, and a client with two domains' worth of permissions.

use std::{collections::HashMap, fs, path::Path};

use cloud::{
    identity::admin::{Admin, Side},
    setting::{Environment, now},
};
use serde::{Deserialize, Serialize};
use shared::{
    crypto::jwe::PrivateKey,
    identity::{Direction, scope::Order},
    secret::SecretText,
};

use super::{Error, state};

/// The demonstration's client.
pub const CLIENT: &str = "demo";
/// Its domain, whose ids it translates.
pub const FROM: &str = "1005";
/// Into these, which are partners'.
pub const TO: [&str; 2] = ["1006", "1007"];
const PARTNER: &str = "partner";

/// Working credentials.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretText,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    url: String,
    client_id: String,
    client_secret: String,
}

/// Prepares the authority's tables and the transcoder's model directory, where that has not been done, and keeps the credentials in `demo.json`.
pub async fn seed(environment: &HashMap<String, String>, directory: &Path, model: &Path, url: &str) -> Result<Seed, Error> {
    let admin = Admin::from_env(&Environment::over(environment.clone())).await.map_err(Error::seed)?;
    let file = directory.join("demo.json");
    let seed = match fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str::<Kept>(&text).ok()) {
        Some(kept) => Seed { client_id: kept.client_id, client_secret: SecretText::new(kept.client_secret) },
        None => first(&admin, model).await?,
    };
    // The signing keys may have changed since.
    let keys = admin.verification_keys().await.map_err(Error::seed)?;
    state::write(&model.join("verification_keys.json"), keys.as_bytes())?;
    let kept =
        Kept { url: url.into(), client_id: seed.client_id.clone(), client_secret: seed.client_secret.expose().into() };
    state::write(&file, serde_json::to_string_pretty(&kept).unwrap_or_default().as_bytes())?;
    Ok(seed)
}

async fn first(admin: &Admin, model: &Path) -> Result<Seed, Error> {
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
    Ok(Seed { client_id: CLIENT.into(), client_secret })
}
