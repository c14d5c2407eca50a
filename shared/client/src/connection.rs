//! Where the API is and who calls it, without ever showing the secret.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use shared::secret::SecretText;
use tempfile::NamedTempFile;

use super::{Client, Error};

/// Who calls.
#[derive(Clone, Debug, Deserialize)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretText,
}

/// Where the API is, and as whom to call it. A running suite leaves one in its state folder, as [`Connection::FILE`].
#[derive(Clone, Debug, Deserialize)]
pub struct Connection {
    /// The API's URL, with its stage.
    pub url: String,
    /// Who calls.
    #[serde(flatten)]
    pub credentials: Credentials,
}

/// What a caller says about the connection himself.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The API's URL, with its stage.
    pub url: Option<String>,
    /// The client's id.
    pub client_id: Option<String>,
    /// The client's secret.
    pub client_secret: Option<SecretText>,
    /// A file that holds the client's secret.
    pub client_secret_file: Option<PathBuf>,
}

impl Given {
    /// The credentials that are given, and the URL, which may be missing where it is not `needed`; when nothing is given, what the suite that
    /// runs here left in the folder `state`.
    fn or_left_in(self, state: &Path, needed: bool) -> Result<(Credentials, Option<String>), ConnectionError> {
        let Self { url, client_id, client_secret, client_secret_file } = self;
        let client_secret = match client_secret_file {
            Some(file) => Some(secret_in(&file).map_err(|cause| ConnectionError::File { file, cause })?),
            None => client_secret,
        };
        match (url, client_id, client_secret) {
            (None, None, None) => Connection::read(&state.join(Connection::FILE)).map(|left| (left.credentials, Some(left.url))),
            (url, Some(client_id), Some(client_secret)) if url.is_some() || !needed => Ok((Credentials { client_id, client_secret }, url)),
            (url, client_id, client_secret) => {
                let parts = [
                    (needed && url.is_none(), "the URL (--url or RAMPWAY_URL)"),
                    (client_id.is_none(), "the client's id (--client-id or RAMPWAY_CLIENT_ID)"),
                    (client_secret.is_none(), "the client's secret (RAMPWAY_CLIENT_SECRET or --client-secret-file)"),
                ];
                let missing: Vec<_> = parts.into_iter().filter_map(|(missing, part)| missing.then_some(part)).collect();
                Err(ConnectionError::Partial { missing: missing.join(" and ") })
            }
        }
    }
}

impl Credentials {
    /// As [`Connection::find`], for a caller who does without the API: its URL may be missing.
    pub fn find(given: Given, state: &Path) -> Result<(Self, Option<String>), ConnectionError> {
        given.or_left_in(state, false)
    }
}

/// Why there is no connection to call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The caller says nothing, and no suite runs here.
    #[error(
        "nobody says which API to call: start one here with `rampway serve`, or give --url, --client-id and the secret \
         (in RAMPWAY_CLIENT_SECRET or --client-secret-file)"
    )]
    Nowhere,
    /// The caller says only a part.
    #[error("of the API to call {missing} is missing: the URL, the client's id and its secret belong together")]
    Partial {
        /// What is missing.
        missing: String,
    },
    /// A file that should say it cannot be used.
    #[error("{} cannot be used ({cause})", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
}

impl Connection {
    /// The file's name in the state folder.
    pub const FILE: &str = "demo.json";

    /// What the caller gives; when that is nothing, what the suite that runs here left in the folder `state`.
    ///
    /// The two never mix: a secret of one API is not sent to another.
    pub fn find(given: Given, state: &Path) -> Result<Self, ConnectionError> {
        let (credentials, url) = given.or_left_in(state, true)?;
        Ok(Self { url: url.unwrap_or_default(), credentials })
    }

    fn read(file: &Path) -> Result<Self, ConnectionError> {
        let unusable = |cause| ConnectionError::File { file: file.into(), cause };
        match fs::read(file) {
            // The parser's words could quote the secret.
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|_| unusable(io::Error::other("it has not the form {\"url\", \"client_id\", \"client_secret\"}"))),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(ConnectionError::Nowhere),
            Err(cause) => Err(unusable(cause)),
        }
    }

    /// Leaves the connection in the folder `state`, for its owner's eyes only.
    pub fn leave(&self, state: &Path) -> io::Result<()> {
        #[derive(Serialize)]
        struct File<'a> {
            url: &'a str,
            client_id: &'a str,
            client_secret: &'a str,
        }
        let Credentials { client_id, client_secret } = &self.credentials;
        let text = File { url: &self.url, client_id, client_secret: client_secret.expose() };
        // Temporary files are made with mode 0600.
        let file = NamedTempFile::new_in(state)?;
        serde_json::to_writer_pretty(&file, &text)?;
        file.persist(state.join(Self::FILE))?;
        Ok(())
    }

    /// Makes the client.
    pub fn client(self) -> Result<Client, Error> {
        Client::new(&self.url, self.credentials)
    }
}

/// The file's text without the newline that editors leave at its end.
fn secret_in(file: &Path) -> io::Result<SecretText> {
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
    fn a_suite_leaves_its_connection_to_its_owner_alone() {
        let state = tempfile::tempdir().unwrap();
        connection().leave(state.path()).unwrap();
        let found = Connection::find(Given::default(), state.path()).unwrap();
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
    fn what_is_given_does_not_mix_with_what_runs_here() {
        let state = tempfile::tempdir().unwrap();
        connection().leave(state.path()).unwrap();
        let given = Given { url: Some("https://elsewhere.example/Prod".into()), ..Given::default() };
        let error = Connection::find(given, state.path()).unwrap_err().to_string();
        assert!(error.contains("--client-id") && error.contains("RAMPWAY_CLIENT_SECRET") && !error.contains("--url"), "{error}");
    }

    #[test]
    fn whoever_does_without_the_api_needs_no_url() {
        let state = tempfile::tempdir().unwrap();
        let mut given = Given { client_id: Some("a".into()), ..Given::default() };
        let error = Credentials::find(given.clone(), state.path()).unwrap_err().to_string();
        assert!(error.contains("RAMPWAY_CLIENT_SECRET") && !error.contains("--url"), "{error}");
        given.client_secret = Some(SecretText::new("open sesame".into()));
        let (credentials, url) = Credentials::find(given, state.path()).unwrap();
        assert_eq!((credentials.client_id.as_str(), url), ("a", None));
        connection().leave(state.path()).unwrap();
        let (_, url) = Credentials::find(Given::default(), state.path()).unwrap();
        assert_eq!(url.as_deref(), Some("http://127.0.0.1:3000/Prod"));
    }

    #[test]
    fn a_secret_is_read_from_a_file_without_its_newline() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join("secret");
        fs::write(&file, "open sesame\r\n").unwrap();
        let given = Given {
            url: Some("https://elsewhere.example/Prod".into()),
            client_id: Some("a".into()),
            client_secret_file: Some(file.clone()),
            ..Given::default()
        };
        assert_eq!(Connection::find(given.clone(), state.path()).unwrap().credentials.client_secret.expose(), "open sesame");
        fs::write(&file, "\n").unwrap();
        assert!(Connection::find(given, state.path()).unwrap_err().to_string().contains("it is empty"));
    }

    #[test]
    fn without_a_suite_the_sentence_says_what_to_do() {
        let state = tempfile::tempdir().unwrap();
        assert!(Connection::find(Given::default(), state.path()).unwrap_err().to_string().contains("rampway serve"));
        fs::write(state.path().join(Connection::FILE), r#"{"client_secret":"open sesame"}"#).unwrap();
        let error = Connection::find(Given::default(), state.path()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sesame"));
    }
}
