//! What the environment tells the local cloud.

use std::{env, ffi::OsString, path::PathBuf};

/// What any program needs of the environment that it is started in, and nothing that is anybody's secret.
pub(crate) fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    let names = ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE"];
    names.into_iter().filter_map(|name| Some((name, env::var_os(name)?)))
}

/// The cargo that started this program, or any.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Where the package lies that cargo started.
pub(crate) fn manifest_directory() -> Option<PathBuf> {
    env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from)
}

/// The variables by which cargo tells a program about its own package.
pub(crate) fn of_our_package() -> Vec<OsString> {
    let about = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
    let names = env::vars_os().map(|(name, _)| name);
    names.filter(|name| about.iter().any(|prefix| name.to_string_lossy().starts_with(prefix))).collect()
}
