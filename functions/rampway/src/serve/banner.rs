//! What a person reads when the suite stands.

use std::fmt::Write;

use client::Credentials;
use local::LocalCloud;

use super::{Seed, TO};

/// Where the suite is, and lines to paste into a shell.
#[must_use]
pub fn banner(cloud: &LocalCloud, seed: Option<&Seed>) -> String {
    let api = cloud.api();
    let mut text = format!("Rampway is at {api}\n");
    // Writing to text cannot fail.
    let _ = writeln!(text, "  {}", cloud.routes().join("\n  "));
    let serving = cloud.instances().iter().filter(|instance| instance.in_service).count();
    let _ = writeln!(text, "\n{serving} transcoder(s) in service; functions by name at {}", cloud.lambda_url());
    if let Some(path) = cloud.environment_file() {
        let _ = writeln!(text, "rampway admin reads {}", path.display());
    }
    if let Some(Seed { credentials: Credentials { client_id, client_secret }, id }) = seed {
        let credentials = format!(r#""client_id":"{client_id}","client_secret":"{}""#, client_secret.expose());
        let (id, to) = (id.map_or_else(|| "XY1005…".to_owned(), |id| id.to_string()), TO[0]);
        let _ = write!(
            text,
            r#"
Load the keys:
  curl -s {api}/auth/init -H 'Content-Type: application/json' -d '{{{credentials},"rpc":"init"}}'

Get a smart token, good for 15 minutes:
  TOKEN=$(curl -s {api}/auth/request -H 'Content-Type: application/json' -d '{{{credentials},"rpc":"refresh"}}' | cut -d'"' -f4)

Translate (`rampway mint` makes more ids):
  curl -s {api}/auth/request -H 'Content-Type: application/json' \
    -d '{{"smart_token":"'"$TOKEN"'","transcode_data":[{{"value":"{id}","target":"{to}"}}],"rpc":"request"}}'
"#
        );
    }
    if let Some((brightcove, bucket)) = cloud.brightcove().zip(cloud.bucket_url()) {
        let _ = write!(
            text,
            "
Upload from a page (its origin must be one of --parameter UploadOrigins=…):
  createVideoEndpoint   {api}/upload
  signUploadEndpoint    {api}/sign
  ingestUploadEndpoint  {api}/ingest
  timeUrl               {api}/time
  aws_url               {bucket}
Brightcove's part is played at {}, for account {}
",
            brightcove.url(),
            brightcove.account()
        );
    }
    let _ = write!(text, "\nSee how it is:\n  curl -s {api}/health\n\nCtrl-C stops it.");
    text
}
