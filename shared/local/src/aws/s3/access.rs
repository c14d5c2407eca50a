//! What credentials allow: temporary ones allow one object, long-term ones every object.

use s3s::{
    S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
    s3_error,
};
use shared::upload::REGION;

use super::{
    credentials::{CredentialStore, Credentials},
    header::{Authorization, text},
};

/// Authenticates and authorizes requests by the credentials of a store.
pub(super) struct Access(pub(super) CredentialStore);

#[async_trait::async_trait]
impl S3Auth for Access {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let credentials = self.0.find(access_key).ok_or_else(|| s3_error!(InvalidAccessKeyId))?;
        Ok(SecretKey::from(credentials.secret_access_key().expose()))
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    /// The engine has verified the signature, and nothing else.
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let credentials = cx.credentials().and_then(|credentials| self.0.find(&credentials.access_key));
        let grant = match credentials.ok_or_else(|| s3_error!(AccessDenied))? {
            Credentials::LongTerm(_) => return Ok(()),
            Credentials::Temporary(grant) => grant,
        };
        if grant.has_expired() {
            return Err(s3_error!(ExpiredToken, "The provided token has expired."));
        }
        let headers = cx.headers();
        if text(headers.get("x-amz-security-token")) != Some(grant.session_token.expose()) {
            return Err(s3_error!(InvalidToken, "The provided token is malformed or otherwise invalid."));
        }
        // Presigned URLs have no such header. This bucket does not accept them.
        let authorization = text(headers.get("authorization")).and_then(Authorization::parse).ok_or_else(|| s3_error!(AccessDenied))?;
        if authorization.region != REGION {
            return Err(s3_error!(AuthorizationHeaderMalformed, "The region is wrong; expecting 'us-east-1'"));
        }
        let is_signed = |name: &str| authorization.signed_headers.split(';').any(|signed| signed == name);
        let is_optional = |name: &str| !name.starts_with("x-amz-") || name == "x-amz-content-sha256";
        if headers.keys().any(|name| !is_optional(name.as_str()) && !is_signed(name.as_str())) {
            return Err(s3_error!(AccessDenied, "There were headers present in the request which were not signed"));
        }
        if cx.s3_path().as_object() != Some((grant.bucket.as_str(), grant.key.as_str())) {
            return Err(s3_error!(AccessDenied));
        }
        Ok(())
    }
}
