//! Request headers.

use axum::http::HeaderValue;

/// The value of a header that is text.
pub(super) fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}

/// The fields of an `Authorization` header of Signature Version 4.
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    pub(super) fn parse(header: &'a str) -> Option<Self> {
        let fields = header.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        let mut scope = field("Credential")?.split('/');
        let (access_key_id, date, region) = (scope.next()?, scope.next()?, scope.next()?);
        Some(Self { access_key_id, date, region, signed_headers: field("SignedHeaders")?, signature: field("Signature")? })
    }
}
