//! What the transcoder says of itself, without secrets.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use serde::Deserialize;
use shared::identity::Domain;

/// What the variants of the endpoint say of themselves.
#[derive(Clone, Debug, Deserialize)]
pub struct Health {
    /// An instance of each variant.
    pub variants: Vec<Variant>,
    /// The server's clock as the answer told it, and how far ours was ahead of it; negative is behind.
    #[serde(skip)]
    pub ahead: Option<i64>,
    /// How long the answer took.
    #[serde(skip)]
    pub took: Duration,
}

/// An instance of a variant.
#[derive(Clone, Debug, Deserialize)]
pub struct Variant {
    /// The variant's name.
    #[serde(default)]
    pub variant: String,
    /// The transcoder's version.
    #[serde(default)]
    pub version: String,
    /// Which kernel it translates with, where it says so.
    #[serde(default)]
    pub kernel: Option<String>,
    /// The keys it holds, by client and packet.
    #[serde(default)]
    pub sessions: Vec<Session>,
}

/// The keys of one packet.
#[derive(Clone, Debug, Deserialize)]
pub struct Session {
    /// Whose they are.
    pub client_id: String,
    /// How long they have been there, in seconds.
    pub age: u64,
    /// In how many seconds they end.
    pub expires_in: u64,
    /// The names of each domain's keys.
    pub key_ids: BTreeMap<Domain, Vec<String>>,
}

impl Health {
    /// Reads `GET /health`.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| format!("it was asked for its health and answered something else ({error})"))
    }

    /// The keys of a client, of each variant.
    pub fn of<'a>(&'a self, client_id: &'a str) -> impl Iterator<Item = (&'a Variant, Option<&'a Session>)> {
        // The newest first: that is the one it translates under.
        let mine = move |variant: &'a Variant| variant.sessions.iter().find(|session| session.client_id == client_id);
        self.variants.iter().map(move |variant| (variant, mine(variant)))
    }
}

/// How far our clock is ahead of a `Date` header's, in seconds.
pub(super) fn ahead(date: &str, now: SystemTime) -> Option<i64> {
    use time::{OffsetDateTime, format_description::well_known::Rfc2822};
    // HTTP's dates are those of mail, with the zone's old name.
    let date = date.strip_suffix("GMT").map(|date| format!("{date}+0000"))?;
    let theirs = OffsetDateTime::parse(&date, &Rfc2822).ok()?.unix_timestamp();
    Some(OffsetDateTime::from(now).unix_timestamp() - theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_tells_how_far_our_clock_is_ahead() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(ahead("Sun, 06 Nov 1994 08:49:37 GMT", then), Some(0));
        assert_eq!(ahead("Sun, 06 Nov 1994 08:49:30 GMT", then), Some(7));
        assert_eq!(ahead("Sun, 06 Nov 1994 08:50:37 GMT", then), Some(-60));
        assert_eq!(ahead("yesterday", then), None);
    }

    #[test]
    fn health_is_read_as_the_proxy_tells_it() {
        let text = br#"{"variants":[{"keys_loaded":true,"variant":"AllTraffic","version":"0.1.0","ready":true,"translated":[],
            "sessions":[{"client_id":"demo","packet_id":"p","age":5,"expires_in":60,"key_ids":{"1005":["k"]}}]},{"variant":"Other"}]}"#;
        let health = Health::parse(text).unwrap();
        let mine: Vec<_> = health.of("demo").map(|(variant, keys)| (variant.variant.as_str(), keys.map(|keys| keys.age))).collect();
        assert_eq!(mine, [("AllTraffic", Some(5)), ("Other", None)]);
        assert!(Health::parse(b"<html>").unwrap_err().contains("something else"));
    }
}
