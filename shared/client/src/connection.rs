//! The address of the API and the credentials to call it with. The secret is never shown.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use shared::secret::SecretText;
use tempfile::NamedTempFile;

/// The credentials of a client.
#[derive(Clone, Debug, Deserialize)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretText,
}

/// The address of an API and the credentials of a client. `rampway serve` saves those of its demo
/// client in its state directory, as [`Connection::FILE`].
#[derive(Clone, Debug, Deserialize)]
pub struct Connection {
    /// The API's URL, with its stage.
    pub url: String,
    /// The client's credentials.
    #[serde(flatten)]
    pub credentials: Credentials,
}

/// The parts of a connection that the caller specifies.
#[derive(Clone, Debug, Default)]
pub struct ConnectionArgs {
    /// The API's URL, with its stage.
    pub url: Option<String>,
    /// The client's id.
    pub client_id: Option<String>,
    /// The client's secret.
    pub client_secret: Option<SecretText>,
    /// A file that holds the client's secret. It takes precedence over `client_secret`.
    pub client_secret_file: Option<PathBuf>,
}

impl ConnectionArgs {
    /// Returns the specified credentials and URL, or those saved in the directory `state` if
    /// nothing is specified. The URL may be missing if `url_required` is false.
    fn resolve(self, state: &Path, url_required: bool) -> Result<(Credentials, Option<String>), ConnectionError> {
        let Self { url, client_id, client_secret, client_secret_file } = self;
        let client_secret = match client_secret_file {
            Some(file) => Some(read_secret(&file).map_err(|cause| ConnectionError::File { file, cause })?),
            None => client_secret,
        };
        match (url, client_id, client_secret) {
            (None, None, None) => Connection::read(&state.join(Connection::FILE)).map(|saved| (saved.credentials, Some(saved.url))),
            (url, Some(client_id), Some(client_secret)) if url.is_some() || !url_required => {
                Ok((Credentials { client_id, client_secret }, url))
            }
            (url, client_id, client_secret) => {
                let parts = [
                    (url_required && url.is_none(), "the URL (--url or RAMPWAY_URL)"),
                    (client_id.is_none(), "the client's id (--client-id or RAMPWAY_CLIENT_ID)"),
                    (client_secret.is_none(), "the client's secret (RAMPWAY_CLIENT_SECRET or --client-secret-file)"),
                ];
                let missing: Vec<_> = parts.into_iter().filter_map(|(missing, part)| missing.then_some(part)).collect();
                Err(ConnectionError::Incomplete { missing: missing.join(" and ") })
            }
        }
    }
}

impl Credentials {
    /// As [`Connection::find`], for a caller that can do without the API: the URL may be missing.
    pub fn find(args: ConnectionArgs, state: &Path) -> Result<(Self, Option<String>), ConnectionError> {
        args.resolve(state, false)
    }
}

/// There is no connection to use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// Nothing is specified, and nothing is saved.
    #[error(
        "no API is configured; start one with `rampway serve`, or pass --url, --client-id and the secret (in \
         RAMPWAY_CLIENT_SECRET or --client-secret-file)"
    )]
    NotConfigured,
    /// Only a part is specified.
    #[error("the connection lacks {missing}; pass the URL, the client's id and its secret together")]
    Incomplete {
        /// The missing parts.
        missing: String,
    },
    /// A file of the connection cannot be used.
    #[error("{} cannot be used ({cause})", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
}

impl Connection {
    /// The file's name in the state directory.
    pub const FILE: &str = "demo.json";

    /// Returns the specified connection, or the one saved in the directory `state` if nothing is
    /// specified.
    ///
    /// The two are never combined: the secret of one API must not be sent to another.
    pub fn find(args: ConnectionArgs, state: &Path) -> Result<Self, ConnectionError> {
        let (credentials, url) = args.resolve(state, true)?;
        Ok(Self { url: url.unwrap_or_default(), credentials })
    }

    fn read(file: &Path) -> Result<Self, ConnectionError> {
        let unusable = |cause| ConnectionError::File { file: file.into(), cause };
        match fs::read(file) {
            // The parser's message could quote the secret.
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|_| unusable(io::Error::other("it is not of the form {\"url\", \"client_id\", \"client_secret\"}"))),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(ConnectionError::NotConfigured),
            Err(cause) => Err(unusable(cause)),
        }
    }

    /// Saves the connection in the directory `state`, readable by its owner only.
    pub fn save(&self, state: &Path) -> io::Result<()> {
        #[derive(Serialize)]
        struct File<'a> {
            url: &'a str,
            client_id: &'a str,
            client_secret: &'a str,
        }
        let Credentials { client_id, client_secret } = &self.credentials;
        let text = File { url: &self.url, client_id, client_secret: client_secret.expose() };
        // Temporary files are created with mode 0600.
        let file = NamedTempFile::new_in(state)?;
        serde_json::to_writer_pretty(&file, &text)?;
        file.persist(state.join(Self::FILE))?;
        Ok(())
    }
}

/// Returns the file's text without the newline that editors append.
fn read_secret(file: &Path) -> io::Result<SecretText> {
    let text = fs::read_to_string(file)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(io::Error::other("it is empty"));
    }
    Ok(SecretText::new(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let credentials = Credentials { client_id: "demo".into(), client_secret: SecretText::new("open sesame".into()) };
        Connection { url: "http://127.0.0.1:3000/Prod".into(), credentials }
    }

    #[test]
    fn a_saved_connection_is_readable_by_its_owner_only() {
        let state = tempfile::tempdir().unwrap();
        connection().save(state.path()).unwrap();
        let found = Connection::find(ConnectionArgs::default(), state.path()).unwrap();
        assert_eq!(found.url, "http://127.0.0.1:3000/Prod");
        assert_eq!(found.credentials.client_secret.expose(), "open sesame");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(state.path().join(Connection::FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn specified_parts_are_not_combined_with_saved_ones() {
        let state = tempfile::tempdir().unwrap();
        connection().save(state.path()).unwrap();
        let args = ConnectionArgs { url: Some("https://elsewhere.example/Prod".into()), ..ConnectionArgs::default() };
        let error = Connection::find(args, state.path()).unwrap_err().to_string();
        assert!(error.contains("--client-id") && error.contains("RAMPWAY_CLIENT_SECRET") && !error.contains("--url"), "{error}");
    }

    #[test]
    fn the_url_is_optional_for_the_endpoint() {
        let state = tempfile::tempdir().unwrap();
        let mut args = ConnectionArgs { client_id: Some("a".into()), ..ConnectionArgs::default() };
        let error = Credentials::find(args.clone(), state.path()).unwrap_err().to_string();
        assert!(error.contains("RAMPWAY_CLIENT_SECRET") && !error.contains("--url"), "{error}");
        args.client_secret = Some(SecretText::new("open sesame".into()));
        let (credentials, url) = Credentials::find(args, state.path()).unwrap();
        assert_eq!((credentials.client_id.as_str(), url), ("a", None));
        connection().save(state.path()).unwrap();
        let (_, url) = Credentials::find(ConnectionArgs::default(), state.path()).unwrap();
        assert_eq!(url.as_deref(), Some("http://127.0.0.1:3000/Prod"));
    }

    #[test]
    fn a_secret_is_read_from_a_file_without_its_newline() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join("secret");
        fs::write(&file, "open sesame\r\n").unwrap();
        let args = ConnectionArgs {
            url: Some("https://elsewhere.example/Prod".into()),
            client_id: Some("a".into()),
            client_secret_file: Some(file.clone()),
            ..ConnectionArgs::default()
        };
        assert_eq!(Connection::find(args.clone(), state.path()).unwrap().credentials.client_secret.expose(), "open sesame");
        fs::write(&file, "\n").unwrap();
        assert!(Connection::find(args, state.path()).unwrap_err().to_string().contains("it is empty"));
    }

    #[test]
    fn without_a_saved_connection_the_error_names_rampway_serve() {
        let state = tempfile::tempdir().unwrap();
        assert!(Connection::find(ConnectionArgs::default(), state.path()).unwrap_err().to_string().contains("rampway serve"));
        fs::write(state.path().join(Connection::FILE), r#"{"client_secret":"open sesame"}"#).unwrap();
        let error = Connection::find(ConnectionArgs::default(), state.path()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sesame"));
    }
}
