//! What the environment tells the command.

use std::{env, ffi::OsString};

/// Whether cargo started this program: `cargo run` and `cargo test` say so.
#[must_use]
pub fn started_by_cargo() -> bool {
    env::var_os("CARGO").is_some() && env::var_os("CARGO_MANIFEST_DIR").is_some()
}

/// The cargo that started this program.
#[must_use]
pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The environment that processes on this desk keep: nothing of the user's but where to find programs and temporary files.
#[must_use]
pub fn kept() -> Vec<(String, String)> {
    ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE", "LLVM_PROFILE_FILE"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), env::var(name).ok()?)))
        .collect()
}
