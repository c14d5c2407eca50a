//! The report of a run: for machines beside the output, for people on standard error.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
    panic::resume_unwind,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use indicatif::HumanCount;
use serde::Serialize;
use shared::identity::{Domain, Kind};
use tokio::task::spawn_blocking;

use super::{
    Location, Options,
    tally::{Count, Entry, Tally},
};
use client::Client;

/// What a run did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The program, with its version.
    pub program: &'static str,
    pub(super) version: &'static str,
    pub(super) input: File,
    pub(super) output: File,
    pub(super) rejects: Option<File>,
    /// The columns that were added.
    pub(super) added: [String; 2],
    pub(super) rows: Rows,
    pub(super) pairs: Vec<Pair>,
    pub(super) codes: BTreeMap<String, u64>,
    pub(super) kinds: BTreeMap<&'static str, u64>,
    pub(super) prefixes: BTreeMap<String, u64>,
    /// The ids of the keys that the transcoder held for the run's domains, where it told them.
    pub(super) key_ids: Option<BTreeMap<Domain, Vec<String>>>,
    /// How many ids came under a previous key, where the server tells it.
    pub(super) under_previous_key: Option<u64>,
    /// The row after which this run went on with an earlier one's output.
    pub(super) resumed_after: Option<u64>,
    /// Seconds since 1970.
    pub(super) started: u64,
    pub(super) seconds: f64,
    #[serde(skip)]
    pub(super) blank: Count,
}

/// A file that was read or written.
#[derive(Clone, Debug, Serialize)]
pub(super) struct File {
    pub(super) place: String,
    pub(super) bytes: u64,
    /// Its SHA-256 digest.
    pub(super) sha256: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Rows {
    pub(super) r#in: u64,
    pub(super) out: u64,
    pub(super) translated: u64,
    pub(super) refused: u64,
    pub(super) blank: u64,
}

/// What became of the ids that name one domain and were to be translated into another.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Pair {
    from: Option<Domain>,
    to: Option<Domain>,
    translated: Count,
    refused: BTreeMap<String, super::tally::Refused>,
}

/// What the report says about the files.
pub(super) struct Files {
    pub(super) input: File,
    pub(super) output: File,
    pub(super) rejects: Option<File>,
    pub(super) added: [String; 2],
    pub(super) resumed_after: Option<u64>,
    pub(super) key_ids: Option<BTreeMap<Domain, Vec<String>>>,
}

/// The ids of the keys that a client's transcoder holds for the domains that were translated from and into.
pub(super) async fn key_ids(client: &Client, tally: &Tally) -> Option<BTreeMap<Domain, Vec<String>>> {
    let health = client.health().await.ok()?;
    let keys = health.for_client(client.id()).find_map(|(_, keys)| keys)?;
    let used = tally.entries.iter().filter(|entry| entry.translated.rows > 0).flat_map(|entry| [entry.from, entry.to]).flatten();
    Some(used.filter_map(|domain| Some((domain, keys.key_ids.get(&domain)?.clone()))).collect())
}

impl Report {
    pub(super) fn new(files: Files, tally: &Tally, started: SystemTime, elapsed: Duration) -> Self {
        let Files { input, output, rejects, added, resumed_after, key_ids } = files;
        let refused = tally.refused();
        let mut kinds = BTreeMap::new();
        for entry in &tally.entries {
            *kinds.entry(entry.kind()).or_default() += entry.rows();
        }
        Self {
            program: "rampway",
            version: env!("CARGO_PKG_VERSION"),
            input,
            output,
            rejects,
            added,
            rows: Rows {
                r#in: tally.rows,
                out: tally.rows,
                translated: tally.translated(),
                refused: refused.values().sum(),
                blank: tally.blank.rows,
            },
            pairs: pairs(tally),
            codes: refused.into_iter().map(|(code, rows)| (code.into(), rows)).collect(),
            kinds,
            prefixes: tally.prefixes().into_iter().map(|(prefix, rows)| (prefix.into(), rows)).collect(),
            key_ids,
            under_previous_key: tally.previous,
            resumed_after,
            started: started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
            seconds: elapsed.as_secs_f64(),
            blank: tally.blank,
        }
    }

    /// How many rows there are, without the header.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows.r#in
    }

    /// How many ids were translated.
    #[must_use]
    pub const fn translated(&self) -> u64 {
        self.rows.translated
    }

    /// How many ids were refused, by code.
    #[must_use]
    pub const fn refused(&self) -> &BTreeMap<String, u64> {
        &self.codes
    }

    /// Leaves the report beside the output, for machines; or says where that failed.
    pub(super) async fn leave(&self, options: &Options) -> Result<(), (String, io::Error)> {
        match (&options.output, &options.store) {
            (Location::Local(path), _) => self.leave_beside(path).map_err(|cause| (beside(path).display().to_string(), cause)),
            (Location::Object(output), Some(store)) => {
                let place = format!("{output}.report.json");
                let (store, address, report) = (store.clone(), place.parse(), self.to_json());
                let write = move || {
                    let mut writer = store.write(address.map_err(io::Error::other)?);
                    writer.write_all(report.as_bytes())?;
                    writer.finish().map_err(io::Error::other)
                };
                spawn_blocking(write).await.unwrap_or_else(|error| resume_unwind(error.into_panic())).map_err(|cause| (place, cause))
            }
            _ => Ok(()),
        }
    }

    fn leave_beside(&self, output: &Path) -> io::Result<()> {
        let mut draft = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // As for any new file, the umask decides who may read it.
            use std::os::unix::fs::PermissionsExt;
            draft.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut draft = draft.tempfile_in(folder(output))?;
        draft.write_all(self.to_json().as_bytes())?;
        draft.persist(beside(output))?;
        Ok(())
    }

    /// The report for machines.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report always has a JSON form") + "\n"
    }

    /// The share of the ids that were refused.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of so many rows needs no more")]
    pub fn error_rate(&self) -> f64 {
        self.rows.refused as f64 / (self.rows.refused + self.rows.translated).max(1) as f64
    }
}

/// The folder that a file is in.
pub(super) fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where the report on an output is: `audience.1006.csv.report.json`.
pub(super) fn beside(output: &Path) -> PathBuf {
    output.with_added_extension("report.json")
}

impl Entry {
    fn kind(&self) -> &'static str {
        let prefix = self.prefix.as_deref().and_then(|prefix| prefix.as_bytes().try_into().ok());
        match prefix.and_then(Kind::from_prefix) {
            Some(Kind::Maintained) => "maintained",
            Some(Kind::Derived) => "derived",
            Some(Kind::Household) => "household",
            Some(Kind::Cookie) => "cookie",
            Some(Kind::Mobile) => "mobile",
            None => "unknown",
        }
    }
}

/// The entries, whatever the prefix.
fn pairs(tally: &Tally) -> Vec<Pair> {
    let mut pairs: BTreeMap<_, Tally> = BTreeMap::new();
    for entry in &tally.entries {
        let prefix = entry.from.map(|_| "XY".into());
        let alone = Tally::of(Entry { prefix, ..entry.clone() });
        pairs.entry((entry.from, entry.to)).or_default().merge(&alone);
    }
    let all = pairs.into_values().flat_map(|tally| tally.entries);
    all.map(|Entry { from, to, translated, refused, .. }| Pair { from, to, translated, refused }).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} rows in {:.1} s", self.output.place, HumanCount(self.rows()), self.seconds)?;
        writeln!(f)?;
        writeln!(f, "{:<5} {:<5} {:<10} {:>13} {:>13}", "from", "to", "result", "rows", "first row")?;
        let mut line = |from: Option<&Domain>, to: Option<&Domain>, result: &str, count: Count, message: &str| {
            if count.rows == 0 {
                return Ok(());
            }
            let name = |domain: Option<&Domain>| domain.map_or("?".into(), Domain::to_string);
            let (from, to) = if result == "blank" { (String::new(), String::new()) } else { (name(from), name(to)) };
            let (rows, first) = (HumanCount(count.rows).to_string(), HumanCount(count.first).to_string());
            let line = format!("{from:<5} {to:<5} {result:<10} {rows:>13} {first:>13}  {message}");
            writeln!(f, "{}", line.trim_end())
        };
        for Pair { from, to, translated, refused } in &self.pairs {
            line(from.as_ref(), to.as_ref(), "translated", *translated, "")?;
            for (code, refused) in refused {
                line(from.as_ref(), to.as_ref(), code, refused.count, &refused.message)?;
            }
        }
        line(None, None, "blank", self.blank, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::Refusal;

    fn file(place: &str) -> File {
        File { place: place.into(), bytes: 1, sha256: "00".into() }
    }

    #[test]
    fn a_report_is_a_table_for_people_and_an_object_for_machines() {
        let mut tally = Tally::default();
        let to = "1006".parse().ok();
        tally.count(1, b"XY1005a", to, Ok("XY1006a"));
        tally.count(2, b"Xi1005a", to, Ok("Xi1006a"));
        tally.count(3, b"hello world", to, Err(Refusal { code: "I001", message: "why" }));
        tally.count(4, b"XY1005a", None, Err(Refusal { code: "E007", message: "no domain" }));
        tally.blank(5);
        let added = ["id_1006".into(), "error_code".into()];
        let files = Files { input: file("in.csv"), output: file("out.csv"), rejects: None, added, resumed_after: None, key_ids: None };
        let report = Report::new(files, &tally, SystemTime::UNIX_EPOCH, Duration::ZERO);
        let expected = "\
out.csv: 5 rows in 0.0 s

from  to    result              rows     first row
?     1006  I001                   1             3  why
1005  ?     E007                   1             4  no domain
1005  1006  translated             2             1
            blank                  1             5
";
        assert_eq!(report.to_string(), expected);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["rows"], serde_json::json!({"in": 5, "out": 5, "translated": 2, "refused": 2, "blank": 1}));
        assert_eq!(json["kinds"], serde_json::json!({"derived": 1, "maintained": 2, "unknown": 1}));
        assert_eq!(json["under_previous_key"], serde_json::Value::Null);
        assert!((report.error_rate() - 0.5).abs() < 1e-9);
    }
}
