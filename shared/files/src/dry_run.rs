//! A dry run: translates the first rows and writes nothing.

use std::{fmt, io, path::Path};

use client::Client;
use serde::Serialize;
use shared::identity::Domain;

use crate::{
    error::{Error, ResumeHint},
    input::InputDigest,
    options::Options,
    paths::{check_distinct, parent_dir},
    plan::Plan,
};

/// Maximum size of the dry run's only request: about a hundred ids.
const MAX_DRY_RUN_BYTES: usize = 20_000;

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

/// The refusals among the first rows with one source domain, one target domain and one error code.
#[derive(Clone, Debug, Serialize)]
struct Refused {
    from: Option<String>,
    to: Option<String>,
    code: String,
    rows: u64,
    first_row: u64,
    message: String,
}

/// Reads the input's schema, checks the permissions of the outputs, and translates the first rows.
pub async fn dry_run(client: Client, options: &Options) -> Result<DryRun, Error> {
    check_distinct(options)?;
    let input_error = |cause| Error::input(&options.input, cause);
    let options = Options { max_request_bytes: options.max_request_bytes.min(MAX_DRY_RUN_BYTES), ..options.clone() };
    let Plan { mut reader, renderer, .. } = Plan::new(&options, &InputDigest::default())?;
    let chunk = reader.next().map_err(input_error)?.unwrap_or_default();
    for path in [options.output.local(), options.rejects.as_deref()].into_iter().flatten() {
        check_writable(path).map_err(|cause| Error::output(path.display(), cause))?;
    }
    let server_error = |cause| Error::Server { output: options.output.to_string(), cause, resume: ResumeHint(None) };
    let outcomes = client.translate(&chunk.ids).await.map_err(server_error)?;
    let stats = renderer.render(chunk, &outcomes).map_err(input_error)?.stats;
    let refused = stats.entries.iter().flat_map(|entry| {
        let name = |domain: Option<Domain>| domain.map(String::from);
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
        rows: stats.rows,
        translated: stats.translated(),
        blank: stats.blank.rows,
        refused: refused.collect(),
    })
}

/// Checks that a file can be created at `path`, without creating it.
fn check_writable(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(rustix::fs::access(parent_dir(path), rustix::fs::Access::WRITE_OK)?)
}

impl DryRun {
    /// The result as indented JSON with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a dry run always has a JSON form") + "\n"
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
