//! The upload side: a bucket and Brightcove, where the stack has functions that use them.

use std::collections::BTreeMap;

use sam::{Stack, Template};

use crate::{
    Error, PATIENCE,
    aws::s3::Bucket,
    process::Logs,
    server::{Server, listen},
    state::StateDir,
    vendors::brightcove::{self, Brightcove},
};

/// The variable that names the account to whoever uploads, and so tells that somebody does.
const ACCOUNT: &str = "BRIGHTCOVE_ACCOUNT";

/// What the template's parameters are on a desk, when nobody says otherwise: the stand-in's account, anybody as a caller, and pages
/// of where web projects are served.
const PARAMETERS: [(&str, &str); 3] = [
    ("BrightcoveAccount", brightcove::ACCOUNT),
    ("UploadCallers", "open"),
    ("UploadOrigins", "http://localhost:8080,http://127.0.0.1:8080"),
];

/// The stand-ins of the upload side.
#[derive(Debug)]
pub(super) struct Uploads {
    pub(super) bucket: Bucket,
    pub(super) brightcove: Brightcove,
    servers: [Server; 2],
}

/// The chosen parameters of a template, and the local cloud's own values for those of the upload side that are not chosen.
#[must_use]
pub fn parameters(template: &Template, chosen: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut parameters = chosen.clone();
    for (name, value) in PARAMETERS {
        if template.parameters().any(|parameter| parameter.name == name) {
            parameters.entry(name.into()).or_insert_with(|| value.into());
        }
    }
    parameters
}

impl Uploads {
    /// Starts what the stack needs; that may be nothing.
    pub(super) async fn start(stack: &Stack, home: &StateDir, logs: &Logs) -> Result<Option<Self>, Error> {
        let Some(account) = stack.functions.iter().find_map(|function| function.environment.get(ACCOUNT)) else { return Ok(None) };
        let (bucket, bucket_server) = Bucket::serve(listen(0).await?, &home.bucket())?;
        let (brightcove, server) = Brightcove::serve(listen(0).await?, account, bucket.clone(), logs.clone(), home)?;
        Ok(Some(Self { bucket, brightcove, servers: [bucket_server, server] }))
    }

    /// Where functions find what is not AWS's.
    pub(super) fn environment(&self) -> impl Iterator<Item = (String, String)> {
        self.brightcove.urls().into_iter().map(|(name, value)| (name.to_owned(), value))
    }

    /// Where they find the bucket, and by which name they may sign for it: the one that pages sign, without the port.
    pub(super) fn hosts(&self) -> [(String, String); 2] {
        [("AWS_ENDPOINT_URL_S3".into(), self.bucket.url().into()), ("UPLOAD_HOSTS".into(), "127.0.0.1".into())]
    }

    pub(super) async fn stop(self, home: &StateDir, logs: &Logs) {
        let [bucket, server] = self.servers;
        tokio::join!(bucket.stop(PATIENCE), server.stop(PATIENCE));
        self.brightcove.stop();
        if let Err(error) = home.keep_brightcove(&self.brightcove.kept()) {
            logs.line("brightcove", &format!("its videos are forgotten: {error}"));
        }
    }
}
