//! Videos.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::time::timestamp;

/// The fields that a video may be created with.
const VIDEO_FIELDS: [&str; 16] = [
    "ad_keys",
    "cue_points",
    "custom_fields",
    "description",
    "drm_disabled",
    "economics",
    "geo",
    "link",
    "long_description",
    "name",
    "offline_enabled",
    "projection",
    "reference_id",
    "schedule",
    "state",
    "tags",
];

/// A video.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Video {
    /// The id: digits.
    pub id: String,
    /// The body of the request that created it.
    pub created: Value,
    /// Whether a source file was ingested.
    pub complete: bool,
    /// Seconds since 1970.
    pub(super) created_at: i64,
}

impl Video {
    /// The title.
    #[must_use]
    pub fn name(&self) -> &str {
        self.created["name"].as_str().unwrap_or_default()
    }

    /// The video as the CMS API returns it.
    pub(super) fn json(&self, account: &str) -> Value {
        let mut video = self.created.clone();
        video["id"] = self.id.as_str().into();
        video["account_id"] = account.into();
        video["complete"] = self.complete.into();
        video["created_at"] = timestamp(self.created_at).into();
        if video["state"].is_null() {
            video["state"] = "ACTIVE".into();
        }
        video
    }
}

/// The error code and message of an invalid request to create a video.
pub(super) fn validation_error(created: &Value) -> Option<(&'static str, String)> {
    let name = created["name"].as_str().unwrap_or_default();
    if name.trim().is_empty() || name.chars().count() > 255 {
        return Some(("VALIDATION_ERROR", "name: it must have 1 to 255 characters.".into()));
    }
    if !matches!(created["state"].as_str(), None | Some("ACTIVE" | "INACTIVE")) {
        return Some(("VALIDATION_ERROR", "state: it must be ACTIVE or INACTIVE.".into()));
    }
    let unknown = created.as_object()?.keys().find(|field| !VIDEO_FIELDS.contains(&field.as_str()))?;
    Some(("ILLEGAL_FIELD", format!("{unknown}: a video has no such field.")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_video_has_a_name_and_known_fields() {
        let code = |created: Value| validation_error(&created).map(|(code, _)| code);
        assert_eq!(code(json!({"name": "Office Perks", "tags": ["a"], "state": "INACTIVE"})), None);
        assert_eq!(code(json!({"name": "  "})), Some("VALIDATION_ERROR"));
        assert_eq!(code(json!({"name": "x", "state": "GONE"})), Some("VALIDATION_ERROR"));
        assert_eq!(code(json!({"name": "x", "title": "y"})), Some("ILLEGAL_FIELD"));
    }
}
