//! The `Host` header: S3's hosts have no port, this one has.
//!
//! EvaporateJS signs the host without its port, and the browser sends it with the port. The SDKs
//! sign the host with its port. So the port is stripped unless the signature includes it.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use s3s::{
    S3Result,
    host::{S3Host, VirtualHost},
};
use shared::{crypto::sha256, encoding::hex, upload::signature::sign};

use super::{
    credentials::CredentialStore,
    header::{Authorization, text},
};

/// The domains of virtual-hosted-style requests, whose first label is the bucket.
const DOMAINS: [&str; 2] = [".s3.amazonaws.com", ".s3-accelerate.amazonaws.com"];

/// Takes the bucket from hosts of S3's domains. Every other host serves path-style requests.
pub(super) struct VirtualHosts;

impl S3Host for VirtualHosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host_name(host);
        let found = DOMAINS.iter().find_map(|domain| Some((name.strip_suffix(domain)?, domain.trim_start_matches('.'))));
        Ok(found.map_or_else(|| VirtualHost::new(host), |(bucket, domain)| VirtualHost::new(domain).with_bucket(bucket)))
    }
}

/// Strips the port from the host unless it was signed.
pub(super) async fn strip_port(State(credentials): State<CredentialStore>, mut request: Request, next: Next) -> Response {
    let host = text(request.headers().get(header::HOST)).map(str::to_owned);
    if let Some(host) = host.filter(|host| host_name(host) != host)
        && !is_signed(&request, &credentials).unwrap_or(false)
        && let Ok(name) = HeaderValue::from_str(host_name(&host))
    {
        request.headers_mut().insert(header::HOST, name);
    }
    next.run(request).await
}

fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether the signature is that of the headers as they are. The engine verifies it afterwards.
fn is_signed(request: &Request, credentials: &CredentialStore) -> Option<bool> {
    let header = |name: &str| text(request.headers().get(name));
    let authorization = Authorization::parse(header("authorization")?)?;
    let credentials = credentials.find(authorization.access_key_id)?;
    let mut query: Vec<String> =
        request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(canonical_parameter).collect();
    query.sort_unstable();
    let signed = authorization.signed_headers.split(';');
    let lines: String = signed.map(|name| Some(format!("{name}:{}\n", header(name)?.trim()))).collect::<Option<_>>()?;
    let canonical = [
        request.method().as_str(),
        request.uri().path(),
        &query.join("&"),
        &lines,
        authorization.signed_headers,
        header("x-amz-content-sha256")?,
    ]
    .join("\n");
    let (date, region) = (authorization.date, authorization.region);
    let hash = hex(&sha256(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{date}/{region}/s3/aws4_request\n{hash}", header("x-amz-date")?);
    Some(sign(credentials.secret_access_key(), date, region, &to_sign).to_string() == authorization.signature)
}

/// A query parameter in canonical form: a name without a value has an equals sign, too.
fn canonical_parameter(parameter: &str) -> String {
    if parameter.contains('=') { parameter.to_owned() } else { format!("{parameter}=") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_split_into_port_bucket_and_domain() {
        assert_eq!((host_name("127.0.0.1:4566"), host_name("s3.amazonaws.com")), ("127.0.0.1", "s3.amazonaws.com"));
        let bucket = |host| VirtualHosts.parse_host_header(host).unwrap().bucket().map(str::to_owned);
        assert_eq!(bucket("videos.s3.amazonaws.com:443").as_deref(), Some("videos"));
        assert_eq!(bucket("my.videos.s3-accelerate.amazonaws.com").as_deref(), Some("my.videos"));
        assert_eq!((bucket("s3.amazonaws.com"), bucket("127.0.0.1:4566"), bucket("localhost")), (None, None, None));
    }
}
