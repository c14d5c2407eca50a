//! The table of a report, as the command prints it on standard error.

use std::fmt;

use indicatif::HumanCount;
use shared::identity::Domain;

use crate::{
    report::{Pair, Report},
    stats::Count,
};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} rows in {:.1} s", self.output.location, HumanCount(self.rows()), self.seconds)?;
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
    use std::time::{Duration, SystemTime};

    use client::Refusal;

    use super::*;
    use crate::{file_digest::FileDigest, report::RunDetails, stats::Stats};

    fn file(location: &str) -> FileDigest {
        FileDigest { location: location.into(), bytes: 1, sha256: "00".into() }
    }

    #[test]
    fn a_report_is_a_table_and_a_json_object() {
        let mut stats = Stats::default();
        let to = "1006".parse().ok();
        stats.count(1, b"XY1005a", to, Ok("XY1006a"));
        stats.count(2, b"Xi1005a", to, Ok("Xi1006a"));
        stats.count(3, b"hello world", to, Err(Refusal { code: "I001", message: "why" }));
        stats.count(4, b"XY1005a", None, Err(Refusal { code: "E007", message: "no domain" }));
        stats.count_blank(5);
        let added = ["id_1006".into(), "error_code".into()];
        let details =
            RunDetails { input: file("in.csv"), output: file("out.csv"), rejects: None, added, resumed_after: None, key_ids: None };
        let report = Report::new(details, &stats, SystemTime::UNIX_EPOCH, Duration::ZERO);
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
