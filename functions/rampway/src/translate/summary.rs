//! What became of a file's ids, by pair of domains and by code.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use indicatif::HumanCount;
use shared::identity::{Domain, Kind};

use super::Options;
use crate::client::Refusal;

/// More domains than anybody has in a file; past them, what looks like a domain is most likely none.
const MAX_DOMAINS: usize = 1000;
/// More than all the documented codes.
const MAX_CODES: usize = 100;

/// What became of a file's ids.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    input: PathBuf,
    output: PathBuf,
    target: Option<Domain>,
    elapsed: Duration,
    rows: u64,
    blank: Count,
    /// By the domain that the ids name; `None` is of those that do not look like ids.
    sources: BTreeMap<Option<Domain>, Source>,
}

#[derive(Clone, Debug, Default)]
struct Source {
    translated: Count,
    refused: BTreeMap<String, Refused>,
}

#[derive(Clone, Debug, Default)]
struct Refused {
    count: Count,
    /// The server's words about the first.
    message: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    rows: u64,
    first: u64,
}

impl Count {
    const fn add(&mut self, row: u64) {
        if self.rows == 0 {
            self.first = row;
        }
        self.rows += 1;
    }
}

impl Source {
    fn refuse(&mut self, row: u64, refusal: Refusal<'_>) {
        let room = self.refused.len() < MAX_CODES || self.refused.contains_key(refusal.code);
        let code = if room { refusal.code } else { "others" };
        if let Some(refused) = self.refused.get_mut(code) {
            return refused.count.add(row);
        }
        let message = refusal.message.chars().filter(|char| !char.is_control()).take(100).collect();
        self.refused.insert(code.into(), Refused { count: Count { rows: 1, first: row }, message });
    }
}

impl Summary {
    /// How many rows there are, without the header.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// How many rows have a blank id.
    #[must_use]
    pub const fn blank(&self) -> u64 {
        self.blank.rows
    }

    /// How many ids were translated.
    #[must_use]
    pub fn translated(&self) -> u64 {
        self.sources.values().map(|source| source.translated.rows).sum()
    }

    /// How many ids were refused, by code.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<&str, u64> {
        let mut codes = BTreeMap::new();
        for (code, refused) in self.sources.values().flat_map(|source| &source.refused) {
            *codes.entry(code.as_str()).or_default() += refused.count.rows;
        }
        codes
    }

    /// Counts a row: its id and what became of it, or neither when the id is blank.
    pub(super) fn count(&mut self, row: u64, id: Option<(&str, Result<&str, Refusal<'_>>)>) {
        self.rows += 1;
        let Some((id, outcome)) = id else { return self.blank.add(row) };
        let domain = domain(id).filter(|domain| self.sources.len() < MAX_DOMAINS || self.sources.contains_key(&Some(*domain)));
        let source = self.sources.entry(domain).or_default();
        match outcome {
            Ok(_) => source.translated.add(row),
            Err(refusal) => source.refuse(row, refusal),
        }
    }

    pub(super) fn finish(&mut self, options: &Options, elapsed: Duration) {
        self.input.clone_from(&options.input);
        self.output.clone_from(&options.output);
        self.target = Some(options.target);
        self.elapsed = elapsed;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        writeln!(f, "{}: {} rows in {seconds:.1} s", self.output.display(), HumanCount(self.rows))?;
        writeln!(f)?;
        writeln!(f, "{:<5} {:<5} {:<10} {:>13} {:>13}", "from", "to", "result", "rows", "first row")?;
        let to = self.target.as_ref().map_or("", Domain::as_str);
        let mut line = |from: &str, result: &str, count: Count, message: &str| {
            if count.rows == 0 {
                return Ok(());
            }
            let (rows, first) = (HumanCount(count.rows).to_string(), HumanCount(count.first).to_string());
            let line = format!("{from:<5} {to:<5} {result:<10} {rows:>13} {first:>13}  {message}");
            writeln!(f, "{}", line.trim_end())
        };
        for (domain, source) in &self.sources {
            let from = domain.as_ref().map_or("?", Domain::as_str);
            line(from, "translated", source.translated, "")?;
            for (code, refused) in &source.refused {
                line(from, code, refused.count, &refused.message)?;
            }
        }
        line("", "blank", self.blank, "")
    }
}

/// The domain that an id names, if it looks like one.
fn domain(id: &str) -> Option<Domain> {
    let (prefix, rest) = id.as_bytes().split_at_checked(2)?;
    Kind::from_prefix(prefix.try_into().ok()?)?;
    Domain::from_bytes(*rest.first_chunk()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_code_and_pair_of_domains() {
        let mut summary = Summary { target: "1006".parse().ok(), output: "out.csv".into(), ..Summary::default() };
        let refusal = |code| Err(Refusal { code, message: "why\u{1b}" });
        let rows = [
            ("XY1005a", Ok("XY1006a")),
            ("XY1007a", refusal("S009")),
            ("hello world", refusal("I001")),
            ("XY1005b", Ok("XY1006b")),
            ("XY1005c", refusal("I001")),
        ];
        for (row, outcome) in (1..).zip(rows) {
            summary.count(row, Some(outcome));
        }
        summary.count(6, None);
        assert_eq!((summary.rows(), summary.translated(), summary.blank()), (6, 2, 1));
        assert_eq!(summary.refused(), BTreeMap::from([("I001", 2), ("S009", 1)]));
        let expected = "\
out.csv: 6 rows in 0.0 s

from  to    result              rows     first row
?     1006  I001                   1             3  why
1005  1006  translated             2             1
1005  1006  I001                   1             5  why
1007  1006  S009                   1             2  why
      1006  blank                  1             6
";
        assert_eq!(summary.to_string(), expected);
    }

    #[test]
    fn what_only_looks_like_domains_does_not_fill_the_memory() {
        let mut summary = Summary::default();
        for row in 1..=5000_u64 {
            summary.count(row, Some((&format!("XY{row:04}"), Ok(""))));
        }
        assert_eq!(summary.translated(), 5000);
        assert!(summary.sources.len() <= MAX_DOMAINS + 1);
    }
}
