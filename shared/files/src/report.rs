//! The report of a run: JSON in a file beside the output, and a table on standard error.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use client::Client;
use serde::Serialize;
use shared::identity::{Domain, Kind};

use crate::{
    file_digest::FileDigest,
    stats::{Count, Entry, Refused, Stats},
};

/// The report of a run. Its JSON form is an API: keys are added, but not renamed.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The program's name.
    pub program: &'static str,
    pub(crate) version: &'static str,
    pub(crate) input: FileDigest,
    pub(crate) output: FileDigest,
    pub(crate) rejects: Option<FileDigest>,
    /// The names of the added columns.
    pub(crate) added: [String; 2],
    pub(crate) rows: Rows,
    pub(crate) pairs: Vec<Pair>,
    /// The number of refused ids by error code.
    pub(crate) codes: BTreeMap<String, u64>,
    /// The number of ids by kind.
    pub(crate) kinds: BTreeMap<&'static str, u64>,
    /// The number of ids by prefix.
    pub(crate) prefixes: BTreeMap<String, u64>,
    /// The ids of the transcoder's keys for the run's domains, if the transcoder states them.
    pub(crate) key_ids: Option<BTreeMap<Domain, Vec<String>>>,
    /// The number of ids encrypted under a previous key, if the server states it.
    pub(crate) under_previous_key: Option<u64>,
    /// The number of rows that an earlier run finished, if this run resumed it.
    pub(crate) resumed_after: Option<u64>,
    /// The start of the run, in seconds since 1970.
    pub(crate) started: u64,
    /// The duration of the run.
    pub(crate) seconds: f64,
    #[serde(skip)]
    pub(crate) blank: Count,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Rows {
    pub(crate) r#in: u64,
    pub(crate) out: u64,
    pub(crate) translated: u64,
    pub(crate) refused: u64,
    pub(crate) blank: u64,
}

/// The outcomes of the ids of one source domain and one target domain.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) from: Option<Domain>,
    pub(crate) to: Option<Domain>,
    pub(crate) translated: Count,
    /// By error code.
    pub(crate) refused: BTreeMap<String, Refused>,
}

/// What a report states in addition to the stats.
pub(crate) struct RunDetails {
    pub(crate) input: FileDigest,
    pub(crate) output: FileDigest,
    pub(crate) rejects: Option<FileDigest>,
    pub(crate) added: [String; 2],
    pub(crate) resumed_after: Option<u64>,
    pub(crate) key_ids: Option<BTreeMap<Domain, Vec<String>>>,
}

/// The ids of the transcoder's keys for the domains of translated ids; `None` if the transcoder
/// does not state them.
pub(crate) async fn key_ids(client: &Client, stats: &Stats) -> Option<BTreeMap<Domain, Vec<String>>> {
    let health = client.health().await.ok()?;
    let keys = health.for_client(client.id()).find_map(|(_, keys)| keys)?;
    let used = stats.entries.iter().filter(|entry| entry.translated.rows > 0).flat_map(|entry| [entry.from, entry.to]).flatten();
    Some(used.filter_map(|domain| Some((domain, keys.key_ids.get(&domain)?.clone()))).collect())
}

impl Report {
    pub(crate) fn new(details: RunDetails, stats: &Stats, started: SystemTime, elapsed: Duration) -> Self {
        let RunDetails { input, output, rejects, added, resumed_after, key_ids } = details;
        let refused = stats.refused();
        let mut kinds = BTreeMap::new();
        for entry in &stats.entries {
            *kinds.entry(kind_name(entry)).or_default() += entry.rows();
        }
        Self {
            program: "rampway",
            version: env!("CARGO_PKG_VERSION"),
            input,
            output,
            rejects,
            added,
            rows: Rows {
                r#in: stats.rows,
                out: stats.rows,
                translated: stats.translated(),
                refused: refused.values().sum(),
                blank: stats.blank.rows,
            },
            pairs: pairs(stats),
            codes: refused.into_iter().map(|(code, rows)| (code.into(), rows)).collect(),
            kinds,
            prefixes: stats.prefixes().into_iter().map(|(prefix, rows)| (prefix.into(), rows)).collect(),
            key_ids,
            under_previous_key: stats.under_previous_key,
            resumed_after,
            started: started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
            seconds: elapsed.as_secs_f64(),
            blank: stats.blank,
        }
    }

    /// The number of rows, without the header.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows.r#in
    }

    /// The number of translated ids.
    #[must_use]
    pub const fn translated(&self) -> u64 {
        self.rows.translated
    }

    /// The number of refused ids by error code.
    #[must_use]
    pub const fn refused(&self) -> &BTreeMap<String, u64> {
        &self.codes
    }

    /// The share of refused ids among all that are not blank, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of 2^53 rows is exact enough")]
    pub fn error_rate(&self) -> f64 {
        self.rows.refused as f64 / (self.rows.refused + self.rows.translated).max(1) as f64
    }

    /// The report as indented JSON with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report always has a JSON form") + "\n"
    }
}

fn kind_name(entry: &Entry) -> &'static str {
    let prefix = entry.prefix.as_deref().and_then(|prefix| prefix.as_bytes().try_into().ok());
    match prefix.and_then(Kind::from_prefix) {
        Some(Kind::Maintained) => "maintained",
        Some(Kind::Derived) => "derived",
        Some(Kind::Household) => "household",
        Some(Kind::Cookie) => "cookie",
        Some(Kind::Mobile) => "mobile",
        None => "unknown",
    }
}

/// The stats' entries, merged over their prefixes.
fn pairs(stats: &Stats) -> Vec<Pair> {
    // The entries of one pair are merged under one arbitrary prefix.
    const PREFIX: &str = "XY";
    let mut pairs: BTreeMap<_, Stats> = BTreeMap::new();
    for entry in &stats.entries {
        let prefix = entry.from.map(|_| PREFIX.into());
        let single = Stats::from_entry(Entry { prefix, ..entry.clone() });
        pairs.entry((entry.from, entry.to)).or_default().merge(&single);
    }
    let entries = pairs.into_values().flat_map(|stats| stats.entries);
    entries.map(|Entry { from, to, translated, refused, .. }| Pair { from, to, translated, refused }).collect()
}
