//! Standard output: texts, tables, and times relative to now.

use std::{
    array,
    io::{self, Write},
    time::Duration,
};

use indicatif::HumanDuration;

/// Writes a result to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Aligns the columns of a table. The first row is its header.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] = array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default());
    let mut text = String::new();
    for row in rows {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Describes the end of a validity, as `ends in 2 days`. Both are in seconds since 1970.
pub(crate) fn relative_end(end: u64, now: u64) -> String {
    format!("{} {}", if end > now { "ends" } else { "ended" }, relative_time(end, now))
}

/// Describes a time, as `in 2 days` or `2 days ago`. Both are in seconds since 1970.
pub(crate) fn relative_time(time: u64, now: u64) -> String {
    let distance = HumanDuration(Duration::from_secs(time.abs_diff(now)));
    if time > now { format!("in {distance}") } else { format!("{distance} ago") }
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_aligned() {
        assert_eq!(table(&[["a", "b"].map(String::from), ["cc", ""].map(String::from)]), "a   b\ncc\n");
    }
}
