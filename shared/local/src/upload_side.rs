//! The upload side of a stack: S3 and Brightcove.

use std::collections::BTreeMap;

use sam::{Stack, Template};

use crate::{
    aws::s3::Bucket,
    error::Error,
    logs::Logs,
    server::{Server, listen},
    state::StateDir,
    vendors::brightcove::{self, Brightcove, DEFAULT_ACCOUNT, INGESTION_BUCKET},
};

/// The variable with the Brightcove account, which only functions of the upload side have.
const ACCOUNT_VARIABLE: &str = "BRIGHTCOVE_ACCOUNT";

/// Local defaults of the template's parameters: the stand-in's account, uploads for every caller,
/// and pages of the usual development server.
const DEFAULT_PARAMETERS: [(&str, &str); 3] =
    [("BrightcoveAccount", DEFAULT_ACCOUNT), ("UploadCallers", "open"), ("UploadOrigins", "http://localhost:8080,http://127.0.0.1:8080")];

/// The services of the upload side.
#[derive(Debug)]
pub(crate) struct UploadSide {
    pub(crate) bucket: Bucket,
    pub(crate) brightcove: Brightcove,
    servers: [Server; 2],
}

/// The given parameters of a template, and the local defaults of those of the upload side that are
/// not given.
#[must_use]
pub fn parameters(template: &Template, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut parameters = given.clone();
    for (name, value) in DEFAULT_PARAMETERS {
        if template.parameters().any(|parameter| parameter.name == name) {
            parameters.entry(name.into()).or_insert_with(|| value.into());
        }
    }
    parameters
}

impl UploadSide {
    /// Starts the services; `None` when the stack has no upload side.
    pub(crate) async fn start(stack: &Stack, state_dir: &StateDir, logs: &Logs) -> Result<Option<Self>, Error> {
        let account = stack.functions.iter().find_map(|function| function.environment.get(ACCOUNT_VARIABLE));
        let Some(account) = account else { return Ok(None) };
        let (bucket, s3_server) = Bucket::serve(listen(0).await?, &state_dir.buckets(), INGESTION_BUCKET)?;
        let restore = |brightcove: &Brightcove| match state_dir.brightcove()? {
            Some(stored) => brightcove.restore(&stored).map_err(|error| state_dir.problem(error)),
            None => Ok(()),
        };
        let (brightcove, server) = brightcove::serve(listen(0).await?, account, bucket.clone(), logs.clone(), restore)?;
        Ok(Some(Self { bucket, brightcove, servers: [s3_server, server] }))
    }

    /// The variables with the URLs of the vendor.
    pub(crate) fn vendor_environment(&self) -> impl Iterator<Item = (String, String)> {
        self.brightcove.environment().into_iter().map(|(name, value)| (name.to_owned(), value))
    }

    /// The variables with the URL of S3, and with the host that a client may sign: the one without
    /// a port.
    pub(crate) fn s3_environment(&self) -> [(String, String); 2] {
        [("AWS_ENDPOINT_URL_S3".into(), self.bucket.url().into()), ("UPLOAD_HOSTS".into(), "127.0.0.1".into())]
    }

    pub(crate) async fn stop(self, state_dir: &StateDir, logs: &Logs) {
        let [s3_server, server] = self.servers;
        tokio::join!(s3_server.stop(), server.stop());
        self.brightcove.stop();
        if let Err(error) = state_dir.store_brightcove(&self.brightcove.stored()) {
            logs.line("brightcove", &format!("its videos are lost: {error}"));
        }
    }
}
