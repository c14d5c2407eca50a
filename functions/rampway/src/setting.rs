//! What the environment tells the command.

use std::env;

use shared::secret::SecretText;

/// The client's secret. There is no flag for it: other users of a machine can read command lines.
pub(crate) fn client_secret() -> Option<SecretText> {
    env::var("RAMPWAY_CLIENT_SECRET").ok().filter(|secret| !secret.is_empty()).map(SecretText::new)
}
