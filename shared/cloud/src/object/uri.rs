//! S3 URIs.

use std::{fmt, str::FromStr};

/// The URI of an object: `s3://bucket/key`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct S3Uri {
    pub(super) bucket: String,
    pub(super) key: String,
}

/// A text is not the URI of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the URI of an object; use the form s3://bucket/key")]
pub struct InvalidS3Uri(String);

impl FromStr for S3Uri {
    type Err = InvalidS3Uri;

    fn from_str(text: &str) -> Result<Self, InvalidS3Uri> {
        let parts = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        match parts {
            // A key that ends in a slash is a folder's, which has no content.
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() && !key.ends_with('/') => {
                Ok(Self { bucket: bucket.into(), key: key.into() })
            }
            _ => Err(InvalidS3Uri(text.into())),
        }
    }
}

impl S3Uri {
    /// The URI of another object in the same bucket.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { bucket: self.bucket.clone(), key: key.into() }
    }

    /// The key: the object's name within its bucket.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_bucket_and_a_key() {
        let uri: S3Uri = "s3://bucket/folder/a b.csv".parse().unwrap();
        assert_eq!((uri.bucket.as_str(), uri.key(), uri.to_string().as_str()), ("bucket", "folder/a b.csv", "s3://bucket/folder/a b.csv"));
        for text in ["", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "s3://bucket/folder/", "bucket/key", "https://bucket/key"] {
            assert!(text.parse::<S3Uri>().unwrap_err().to_string().contains("s3://bucket/key"), "{text}");
        }
    }
}
