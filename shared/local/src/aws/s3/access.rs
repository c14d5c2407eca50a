//! Who may do what: whoever holds temporary credentials, with their object.

use s3s::{
    S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
    s3_error,
};
use shared::upload::REGION;

use super::{Grants, text};

/// Decides by the credentials that were given.
pub(super) struct Access(pub(super) Grants);

/// The parts of an `Authorization` header.
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    pub(super) fn read(header: &'a str) -> Option<Self> {
        let fields = header.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        let mut scope = field("Credential")?.split('/');
        let (access_key_id, date, region) = (scope.next()?, scope.next()?, scope.next()?);
        Some(Self { access_key_id, date, region, signed_headers: field("SignedHeaders")?, signature: field("Signature")? })
    }
}

#[async_trait::async_trait]
impl S3Auth for Access {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let grant = self.0.find(access_key).ok_or_else(|| s3_error!(InvalidAccessKeyId))?;
        Ok(SecretKey::from(grant.secret_access_key.expose()))
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    /// The engine has verified the signature, and nothing else.
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let grant = cx.credentials().and_then(|credentials| self.0.find(&credentials.access_key));
        let grant = grant.ok_or_else(|| s3_error!(AccessDenied))?;
        if grant.has_expired() {
            return Err(s3_error!(ExpiredToken, "The provided token has expired."));
        }
        let headers = cx.headers();
        if text(headers.get("x-amz-security-token")) != Some(grant.session_token.expose()) {
            return Err(s3_error!(InvalidToken, "The provided token is malformed or otherwise invalid."));
        }
        // What is signed in the query is not what this bucket is for.
        let authorization = text(headers.get("authorization")).and_then(Authorization::read).ok_or_else(|| s3_error!(AccessDenied))?;
        if authorization.region != REGION {
            return Err(s3_error!(AuthorizationHeaderMalformed, "The region is wrong; expecting 'us-east-1'"));
        }
        let signed = |name: &str| authorization.signed_headers.split(';').any(|signed| signed == name);
        let free = |name: &str| !name.starts_with("x-amz-") || name == "x-amz-content-sha256";
        if headers.keys().any(|name| !free(name.as_str()) && !signed(name.as_str())) {
            return Err(s3_error!(AccessDenied, "There were headers present in the request which were not signed"));
        }
        if cx.s3_path().as_object() != Some((grant.bucket, grant.key.as_str())) {
            return Err(s3_error!(AccessDenied));
        }
        Ok(())
    }
}
