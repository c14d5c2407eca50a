//! What `rampway serve` prints once it serves.

use std::fmt::Write;

use client::Credentials;
use local::LocalCloud;

use super::seed::{Seed, TO};
use crate::openapi::OPENAPI_PATH;

/// Returns the addresses of the local cloud, and commands to paste into a shell.
#[must_use]
pub fn banner(cloud: &LocalCloud, seed: Option<&Seed>) -> String {
    let api = cloud.api();
    let mut text = format!("The API is served at {api}\n");
    // Writing to a string does not fail.
    let _ = writeln!(text, "  {}", cloud.routes().join("\n  "));
    let in_service = cloud.instances().iter().filter(|instance| instance.in_service).count();
    let _ = writeln!(text, "\nTranscoders in service: {in_service}. Functions are invoked by name at {}", cloud.lambda_url());
    if let Some(path) = cloud.environment_file() {
        let _ = writeln!(text, "`rampway admin` reads {}", path.display());
    }
    if let Some(Seed { credentials: Credentials { client_id, client_secret }, id }) = seed {
        let credentials = format!(r#""client_id":"{client_id}","client_secret":"{}""#, client_secret.expose());
        let (id, to) = (id.map_or_else(|| "XY1005…".to_owned(), |id| id.to_string()), TO[0]);
        let _ = write!(
            text,
            r#"
Initialise the transcoder:
  curl -s {api}/auth/init -H 'Content-Type: application/json' -d '{{{credentials},"rpc":"init"}}'

Request a smart token, valid for 15 minutes:
  TOKEN=$(curl -s {api}/auth/request -H 'Content-Type: application/json' -d '{{{credentials},"rpc":"refresh"}}' | cut -d'"' -f4)

Translate an id (`rampway mint` creates more):
  curl -s {api}/auth/request -H 'Content-Type: application/json' \
    -d '{{"smart_token":"'"$TOKEN"'","transcode_data":[{{"value":"{id}","target":"{to}"}}],"rpc":"request"}}'
"#
        );
    }
    if let Some((brightcove, bucket)) = cloud.brightcove().zip(cloud.bucket_url()) {
        let _ = write!(
            text,
            "
Upload from a web page, whose origin --parameter UploadOrigins=… must list:
  createVideoEndpoint   {api}/upload
  signUploadEndpoint    {api}/sign
  ingestUploadEndpoint  {api}/ingest
  timeUrl               {api}/time
  aws_url               {bucket}
Brightcove is simulated at {}, with account {}
",
            brightcove.url(),
            brightcove.account()
        );
    }
    let address = api.rsplit_once('/').map_or(api, |(address, _)| address);
    let _ = write!(text, "\nThe API's description (OpenAPI 3.1) is at {address}{OPENAPI_PATH}\n");
    let _ = write!(text, "\nShow the health of the transcoders:\n  curl -s {api}/health\n\nCtrl-C stops it.");
    text
}
