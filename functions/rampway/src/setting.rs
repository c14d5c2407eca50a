//! The environment variables of the command that are not arguments.

use std::env;

use shared::secret::SecretText;

/// Returns the client's secret. It has no flag, because other users of a machine can read command
/// lines.
pub(crate) fn client_secret() -> Option<SecretText> {
    env::var("RAMPWAY_CLIENT_SECRET").ok().filter(|secret| !secret.is_empty()).map(SecretText::new)
}

/// Whether `cargo run` started this program.
pub(crate) fn is_run_by_cargo() -> bool {
    env::var_os("CARGO").is_some()
}
