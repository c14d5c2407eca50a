//! The state that transcoders report: no secrets.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use serde::Deserialize;
use shared::identity::Domain;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// The state of the endpoint's variants.
#[derive(Clone, Debug, Deserialize)]
pub struct Health {
    /// One instance of each variant.
    pub variants: Vec<Variant>,
    /// How many seconds this machine's clock is ahead of the server's, by the response's `Date`.
    /// Negative if it is behind, `None` if the response has no date.
    #[serde(skip)]
    pub clock_offset_seconds: Option<i64>,
    /// The time from sending the request to the end of the response.
    #[serde(skip)]
    pub round_trip: Duration,
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
    /// The key packets that it holds, of every client, the newest first.
    #[serde(default, rename = "sessions")]
    pub packets: Vec<KeyPacket>,
}

/// A key packet that a transcoder holds.
#[derive(Clone, Debug, Deserialize)]
pub struct KeyPacket {
    /// The client that the keys belong to.
    pub client_id: String,
    /// The time since it was loaded, in seconds.
    pub age: u64,
    /// The time until it expires, in seconds.
    pub expires_in: u64,
    /// The key ids of each domain.
    pub key_ids: BTreeMap<Domain, Vec<String>>,
}

impl Health {
    /// Reads the response of `GET /health`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| format!("it is not a health report ({error})"))
    }

    /// Returns each variant with the key packet under which it translates for a client.
    pub fn for_client<'a>(&'a self, client_id: &'a str) -> impl Iterator<Item = (&'a Variant, Option<&'a KeyPacket>)> {
        // The first one is the newest, which is the one in use.
        let packet = move |variant: &'a Variant| variant.packets.iter().find(|packet| packet.client_id == client_id);
        self.variants.iter().map(move |variant| (variant, packet(variant)))
    }
}

/// Returns how many seconds `now` is ahead of a `Date` header.
pub(crate) fn clock_offset_seconds(date: &str, now: SystemTime) -> Option<i64> {
    // RFC 9110, 5.6.7: the format is RFC 5322's with the obsolete zone name.
    let date = date.strip_suffix("GMT").map(|date| format!("{date}+0000"))?;
    let server = OffsetDateTime::parse(&date, &Rfc2822).ok()?.unix_timestamp();
    Some(OffsetDateTime::from(now).unix_timestamp() - server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_gives_the_offset_of_the_clock() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(clock_offset_seconds("Sun, 06 Nov 1994 08:49:37 GMT", then), Some(0));
        assert_eq!(clock_offset_seconds("Sun, 06 Nov 1994 08:49:30 GMT", then), Some(7));
        assert_eq!(clock_offset_seconds("Sun, 06 Nov 1994 08:50:37 GMT", then), Some(-60));
        assert_eq!(clock_offset_seconds("yesterday", then), None);
    }

    #[test]
    fn the_proxy_s_health_report_is_read() {
        let text = br#"{"variants":[{"keys_loaded":true,"variant":"AllTraffic","version":"0.1.0","ready":true,"translated":[],
            "sessions":[{"client_id":"demo","packet_id":"p","age":5,"expires_in":60,"key_ids":{"1005":["k"]}}]},{"variant":"Other"}]}"#;
        let health = Health::parse(text).unwrap();
        let found: Vec<_> =
            health.for_client("demo").map(|(variant, keys)| (variant.variant.as_str(), keys.map(|keys| keys.age))).collect();
        assert_eq!(found, [("AllTraffic", Some(5)), ("Other", None)]);
        assert!(Health::parse(b"<html>").unwrap_err().contains("not a health report"));
    }
}
