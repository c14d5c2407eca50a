//! The host that a request names: S3 has no port, this has one.
//!
//! `EvaporateJS` signs the host without its port; the browser then sends it with the port. The SDKs sign what they send. So the port
//! is cut, unless the signature is the one over the host as it came.

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

use super::{Grants, access::Authorization, text};

/// Hosts under which a bucket's name comes first.
const DOMAINS: [&str; 2] = [".s3.amazonaws.com", ".s3-accelerate.amazonaws.com"];

/// Finds the bucket in the host, where it is one of S3's own; every other host stands for all buckets.
pub(super) struct VirtualHosts;

impl S3Host for VirtualHosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = without(host);
        let found = DOMAINS.iter().find_map(|domain| Some((name.strip_suffix(domain)?, domain.trim_start_matches('.'))));
        Ok(found.map_or_else(|| VirtualHost::new(host), |(bucket, domain)| VirtualHost::new(domain).with_bucket(bucket)))
    }
}

/// Cuts the port, unless it was signed.
pub(super) async fn without_port(State(grants): State<Grants>, mut request: Request, next: Next) -> Response {
    let host = text(request.headers().get(header::HOST)).map(str::to_owned);
    if let Some(host) = host.filter(|host| without(host) != host)
        && !is_signed(&request, &grants).unwrap_or(false)
        && let Ok(name) = HeaderValue::from_str(without(&host))
    {
        request.headers_mut().insert(header::HOST, name);
    }
    next.run(request).await
}

fn without(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether the signature is right for the headers as they are; the engine decides afterwards whether it is right at all.
fn is_signed(request: &Request, grants: &Grants) -> Option<bool> {
    let header = |name: &str| text(request.headers().get(name));
    let authorization = Authorization::read(header("authorization")?)?;
    let secret = grants.find(authorization.access_key_id)?.secret_access_key;
    let mut query: Vec<String> = request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
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
    Some(sign(&secret, date, region, &to_sign).to_string() == authorization.signature)
}

/// A pair of a query, with the equals sign that a name without a value lacks.
fn pair(pair: &str) -> String {
    if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_loses_its_port_and_its_bucket() {
        assert_eq!((without("127.0.0.1:4566"), without("s3.amazonaws.com")), ("127.0.0.1", "s3.amazonaws.com"));
        let bucket = |host| VirtualHosts.parse_host_header(host).unwrap().bucket().map(str::to_owned);
        assert_eq!(bucket("videos.s3.amazonaws.com:443").as_deref(), Some("videos"));
        assert_eq!(bucket("my.videos.s3-accelerate.amazonaws.com").as_deref(), Some("my.videos"));
        assert_eq!((bucket("s3.amazonaws.com"), bucket("127.0.0.1:4566"), bucket("localhost")), (None, None, None));
    }
}
