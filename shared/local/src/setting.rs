//! The environment variables that the local cloud reads.

use std::{env, ffi::OsString, path::PathBuf};

/// The variables that every program needs, none of them secret.
pub(crate) fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    let names = ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE"];
    names.into_iter().filter_map(|name| Some((name, env::var_os(name)?)))
}

/// The cargo that started this program, or the one in the `PATH`.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The folder of the package that cargo runs.
pub(crate) fn manifest_directory() -> Option<PathBuf> {
    env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from)
}

/// The names of the variables by which cargo describes the package that it runs.
pub(crate) fn package_variables() -> Vec<OsString> {
    let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
    let names = env::vars_os().map(|(name, _)| name);
    names.filter(|name| prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix))).collect()
}
