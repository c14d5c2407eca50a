//! What a translation would do, found out from the first rows, without writing anything.

use std::{fmt, path::Path};

use serde::Serialize;

use super::{Error, Fault, Left, Options, distinct, input::Reading, reader::Opened, render::Piece, report};
use client::Client;

/// The first rows make one request of this weight at most: about a hundred ids.
const REQUEST_BYTES: usize = 20_000;

/// What a translation would do.
#[derive(Clone, Debug, Serialize)]
pub struct DryRun {
    input: String,
    output: String,
    columns: Vec<String>,
    added: [String; 2],
    rows: u64,
    translated: u64,
    blank: u64,
    refused: Vec<Refused>,
}

/// What was refused of the first rows, by pair of domains and code.
#[derive(Clone, Debug, Serialize)]
struct Refused {
    from: Option<String>,
    to: Option<String>,
    code: String,
    rows: u64,
    first_row: u64,
    message: String,
}

/// Looks at the first rows, has them translated, and sees whether the outputs could be written.
pub async fn check(client: Client, options: &Options) -> Result<DryRun, Error> {
    distinct(options)?;
    let input = |fault: Fault| Error::Input { file: options.input.to_string(), fault };
    let options = Options { request_bytes: options.request_bytes.min(REQUEST_BYTES), ..options.clone() };
    let Opened { mut reader, renderer, .. } = super::open(&options, &Reading::default()).map_err(input)?;
    let part = reader.next().map_err(input)?.unwrap_or_default();
    for path in [options.output.local(), options.rejects.as_deref()].into_iter().flatten() {
        writable(path).map_err(|cause| Error::Output { file: path.display().to_string(), cause, left: Left(None) })?;
    }
    let server = |cause| Error::Server { output: options.output.to_string(), cause, left: Left(None) };
    let outcomes = client.translate(&part.ids).await.map_err(server)?;
    let rendered = renderer.render(part, &outcomes).map_err(input)?;
    debug_assert!(matches!(rendered.rows, Piece::Text(_) | Piece::Columns(_)));
    let tally = rendered.tally;
    let refused = tally.entries.iter().flat_map(|entry| {
        let name = |domain: Option<shared::identity::Domain>| domain.map(String::from);
        entry.refused.iter().map(move |(code, refused)| Refused {
            from: name(entry.from),
            to: name(entry.to),
            code: code.clone(),
            rows: refused.count.rows,
            first_row: refused.count.first,
            message: refused.message.clone(),
        })
    });
    Ok(DryRun {
        input: options.input.to_string(),
        output: options.output.to_string(),
        columns: renderer.names.clone(),
        added: renderer.added.clone(),
        rows: tally.rows,
        translated: tally.translated(),
        blank: tally.blank.rows,
        refused: refused.collect(),
    })
}

/// Whether a file can be made here, as far as can be seen without making it.
fn writable(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    Ok(rustix::fs::access(report::folder(path), rustix::fs::Access::WRITE_OK)?)
}

impl DryRun {
    /// The same for machines.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report always has a JSON form") + "\n"
    }
}

impl fmt::Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [translated, code] = &self.added;
        writeln!(f, "{} -> {}: nothing was written", self.input, self.output)?;
        writeln!(f, "columns: {}", self.columns.join(", "))?;
        writeln!(f, "added: {translated}, {code}")?;
        writeln!(f, "the first {} rows: {} translated, {} blank", self.rows, self.translated, self.blank)?;
        for Refused { from, to, code, rows, first_row, message } in &self.refused {
            let name = |domain: &Option<String>| domain.clone().unwrap_or("?".into());
            writeln!(f, "  {} -> {}: {rows} refused with {code}, the first in row {first_row} ({message})", name(from), name(to))?;
        }
        Ok(())
    }
}
