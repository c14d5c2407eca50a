//! The file translator: a file of rows in, the same rows with two columns more out.
//!
//! Where the output has the input's format, what a row has is never rewritten, only added to: quotes, encodings and line endings
//! of separated values, the bytes of JSON objects, and the other columns' chunks of Parquet files come out as they went in.
//! Memory is bounded whatever the size of the file, several requests are in flight, and rows keep their order.

mod column;
mod dry_run;
mod engine;
mod error;
mod format;
mod input;
mod journal;
mod json_lines;
mod location;
mod options;
mod output;
mod parquet;
mod part;
mod progress;
mod reader;
mod render;
mod report;
mod separated;
mod strings;
mod tally;
mod weight;
mod writing;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Instant, SystemTime},
};

use tokio::task::block_in_place;

use client::Client;
pub use column::{Column, Target};
pub use dry_run::{DryRun, check};
use engine::{Engine, Stop};
pub use error::{Error, Fault, Left};
pub use format::{Compression, Format};
use input::Reading;
use journal::{Done, Journal, Run};
pub use location::{Location, Nowhere};
pub use options::{DIRECT_BYTES, Options, REQUEST_BYTES};
use output::Output;
use progress::Progress;
use reader::{Opened, Reader};
pub use report::Report;
use writing::{Failed, Ledger, Written};

/// Translates a file. Until everything has succeeded there is nothing under the output's name. `stop` ends the run early; what is
/// finished then can be gone on with.
pub async fn translate(client: Client, options: &Options, stop: impl Future<Output = ()>) -> Result<Report, Error> {
    let (started, start) = (SystemTime::now(), Instant::now());
    let output = options.output.to_string();
    let input = |fault| Error::Input { file: options.input.to_string(), fault };
    let unwritable = |cause| Error::Output { file: output.clone(), cause, left: Left(None) };
    distinct(options)?;

    let reading = Reading::default();
    let Opened { mut reader, renderer, head, rejects_head, copied, rows } = open(options, &reading).map_err(input)?;
    let accounted = input::accounted(options, &reading);
    let (journal, done) = journal(options)?;
    let resumed_after = (done.place.rows > 0).then_some(done.place.rows);
    let columns = options.output_shape() == render::Shape::Columns;
    let create = if columns { Output::replay } else { Output::create };
    let draft = create(&options.output, options.store.as_ref(), done.output);
    let draft = draft.map_err(unwritable)?;
    let rejects = options.rejects.clone().map(|path| {
        let failed = |cause| Error::Output { file: path.display().to_string(), cause, left: Left(None) };
        Output::create(&Location::Local(path.clone()), None, done.rejects).map_err(failed)
    });
    let rejects = rejects.transpose()?;
    if resumed_after.is_some() {
        reader.skip_to(done.place).map_err(input)?;
    }

    let length = match rows {
        Some(rows) => Some(rows),
        None => options.input.local().and_then(|path| Some(fs::metadata(path).ok()?.len())),
    };
    let progress = Progress::new(length, options.progress);
    let ledger = Ledger::new(rejects, journal, done);
    let sheet = columns.then(|| parquet::Sheet::new(copied.clone(), &renderer, &options.column)).transpose();
    let sheet = sheet.map_err(|cause| unwritable(std::io::Error::other(cause)))?;
    let by_rows = rows.is_some();
    let position = {
        let reading = reading.clone();
        Box::new(move || (!by_rows).then(|| reading.bytes()))
    };
    let renderer = Arc::new(renderer);
    let client = Arc::new(client);
    let engine = Engine { client: client.clone(), renderer, in_flight: options.in_flight.get(), progress, position };
    let write = move |rows| match sheet {
        Some(sheet) => sheet.write(draft, ledger, &rejects_head, rows),
        None => writing::text(draft, ledger, [&head, &rejects_head], rows),
    };
    let written = engine.run(reader, write, stop).await.map_err(|(stop, left)| {
        let left = Left(left);
        match stop {
            Stop::Fault(fault) => Error::Input { file: options.input.to_string(), fault },
            Stop::Server(cause) => Error::Server { output: output.clone(), cause, left },
            Stop::Writing(Failed { cause, .. }) => Error::Output { file: output.clone(), cause, left },
            Stop::User => Error::Stopped { output: output.clone(), left },
        }
    })?;
    let Written::Finished { output, rejects, tally } = written else {
        return Err(Error::Stopped { output: options.output.to_string(), left: Left(None) });
    };
    accounted.await.map_err(|cause| input(cause.into()))?;
    let read = report::File { place: options.input.to_string(), bytes: reading.bytes(), sha256: reading.digest() };
    let key_ids = report::key_ids(&client, &tally).await;
    let files = report::Files { input: read, output, rejects, added: options.added(), resumed_after, key_ids };
    let report = Report::new(files, &tally, started, start.elapsed());
    report.leave(options).await.map_err(|(file, cause)| Error::Output { file, cause, left: Left(None) })?;
    Ok(report)
}

/// Opens the input. An object's first bytes are waited for, which the thread's other work need not.
fn open(options: &Options, reading: &Reading) -> Result<Opened, Fault> {
    match options.input {
        Location::Object(_) => block_in_place(|| Reader::open(options, reading)),
        Location::Local(_) | Location::Standard => Reader::open(options, reading),
    }
}

/// The run's journal, where there can be one, and what an earlier run finished.
fn journal(options: &Options) -> Result<(Option<Journal>, Done), Error> {
    let (Location::Local(input), Location::Local(output)) = (&options.input, &options.output) else {
        if options.resume {
            return Err(Error::Impossible(
                "--resume needs files on this machine: a standard stream cannot be read again, and an object is not there until it is whole",
            ));
        }
        return Ok((None, Done::default()));
    };
    let failed = |cause| Error::Input { file: input.display().to_string(), fault: Fault::Read(cause) };
    let run = Run::new(input, &options.decisive()).map_err(failed)?;
    let unwritable = |cause| Error::Output { file: output.display().to_string(), cause, left: Left(None) };
    let journal = Journal::new(output, run).map_err(unwritable)?;
    let draft = output::draft_of(output, "partial").map_err(unwritable)?;
    let done = match journal.read() {
        Some((done, _)) if fs::metadata(&draft).map_or(0, |draft| draft.len()) < done.output => Done::default(),
        Some((done, None)) if options.resume => done,
        Some((_, Some(what))) if options.resume => return Err(Error::OtherRun { output: output.display().to_string(), what }),
        Some((done, None)) if done.place.rows > 0 => {
            return Err(Error::Unfinished { output: output.display().to_string(), rows: done.place.rows, draft });
        }
        _ => Done::default(),
    };
    if done.place.rows == 0 {
        journal.remove();
    }
    Ok((Some(journal), done))
}

/// Refuses to write into what is read, or twice into one file.
fn distinct(options: &Options) -> Result<(), Error> {
    if let (Location::Object(input), Location::Object(output)) = (&options.input, &options.output)
        && input == output
    {
        return Err(Error::SameFile { file: input.to_string().into() });
    }
    let beside = options.output.local().map(report::beside);
    let files: Vec<&Path> =
        [options.input.local(), options.output.local(), options.rejects.as_deref(), beside.as_deref()].into_iter().flatten().collect();
    let real = |path: &Path| -> PathBuf {
        // A file that is not there yet is found by its folder.
        fs::canonicalize(path)
            .or_else(|_| Ok::<_, std::io::Error>(fs::canonicalize(report::folder(path))?.join(path.file_name().unwrap_or_default())))
            .unwrap_or(path.into())
    };
    for (index, file) in files.iter().enumerate() {
        if files[..index].iter().any(|other| real(other) == real(file)) {
            return Err(Error::SameFile { file: file.into() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
