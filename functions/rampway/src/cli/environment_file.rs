//! The environment file of `rampway admin`, `rampway mint`, and whoever goes to the endpoint itself.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use cloud::setting::Environment;

/// What a suite on this machine leaves its environment in, in its state folder.
const FILE: &str = "env";

/// Why an environment file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be read.
    #[error("{} cannot be read ({cause})", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
    /// A line is no setting.
    #[error("{}: line {line} is not of the form NAME=VALUE", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// The process's environment over that of a file, or of the file that a suite left in the folder `state`. Only a file that was asked for
/// must be there.
pub(super) fn read(file: Option<PathBuf>, state: &Path) -> Result<Environment, Error> {
    let asked_for = file.is_some();
    let file = file.unwrap_or_else(|| state.join(FILE));
    match fs::read_to_string(&file) {
        Ok(text) => parse(&text).map(Environment::with_defaults).map_err(|line| Error::Line { file, line }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && !asked_for => Ok(Environment::process()),
        Err(cause) => Err(Error::Read { file, cause }),
    }
}

/// Reads NAME=VALUE lines, among which there may be empty ones and comments; or gives the number of one that is neither.
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
    fn only_a_file_that_was_asked_for_must_be_there() {
        assert!(read(None, Path::new("no/such")).is_ok());
        assert!(read(Some("no/such/file".into()), Path::new(".")).is_err());
    }
}
