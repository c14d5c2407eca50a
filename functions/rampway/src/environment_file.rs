//! Environment files: NAME=VALUE lines that name tables, keys and endpoints.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use cloud::setting::Environment;

use crate::error::Error;

/// The file's name in the state directory of a local cloud.
const FILE: &str = "env";

/// Returns the process's environment over that of `file`, or over the one that a local cloud wrote
/// into the directory `state`. The latter may be missing.
pub(crate) fn read(file: Option<PathBuf>, state: &Path) -> Result<Environment, Error> {
    let required = file.is_some();
    let file = file.unwrap_or_else(|| state.join(FILE));
    match fs::read_to_string(&file) {
        Ok(text) => parse(&text).map(Environment::with_defaults).map_err(|line| Error::EnvironmentLine { file, line }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && !required => Ok(Environment::process()),
        Err(cause) => Err(Error::File { file, cause }),
    }
}

/// Reads NAME=VALUE lines, empty lines and comments, or returns the number of the first other line.
fn parse(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let lines = (1_usize..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, line)| {
            let (name, value) = line.split_once('=').ok_or(number)?;
            Ok((name.trim().into(), value.trim().into()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_file_holds_settings_and_comments() {
        let settings = parse("# both sides\nA_TABLE=a\r\n\nB = x=y \n").unwrap();
        assert_eq!(settings, [("A_TABLE", "a"), ("B", "x=y")].map(|(name, value)| (name.into(), value.into())).into());
        assert_eq!(parse("A=1\nB\n"), Err(2));
    }

    #[test]
    fn only_a_file_that_is_named_must_exist() {
        assert!(read(None, Path::new("no/such")).is_ok());
        let error = read(Some("no/such/file".into()), Path::new(".")).err().unwrap();
        assert!(error.to_string().starts_with("no/such/file cannot be used (No such file"), "{error}");
    }
}
