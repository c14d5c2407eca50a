//! What the command takes from its environment alone.

use std::env;

use crate::client::Secret;

/// The client's secret. There is no flag for it: other users of a machine can read command lines.
pub(super) fn client_secret() -> Option<Secret> {
    env::var("RAMPWAY_CLIENT_SECRET").ok().filter(|secret| !secret.is_empty()).map(Secret::from)
}
