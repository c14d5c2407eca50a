//! Translates a file: plan, resume, run the pipeline, report.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use client::Client;

use crate::{
    checkpoint::{Checkpointer, Finished},
    error::Error,
    input::{self, InputDigest},
    options::Options,
    paths::check_distinct,
    pipeline::Pipeline,
    plan::Plan,
    report::{self, Report, RunDetails},
    report_file,
    resume::open_journal,
};

/// Translates a file. The output gets its name when it is complete, and does not exist before.
/// `stop` ends the run early.
///
/// # Errors
///
/// If a run between local files ends early, the error states how many rows a later run can resume
/// after.
pub async fn translate(client: Client, options: &Options, stop: impl Future<Output = ()>) -> Result<Report, Error> {
    let (started, clock) = (SystemTime::now(), Instant::now());
    let input_error = |cause| Error::input(&options.input, cause);
    check_distinct(options)?;

    let digest = InputDigest::default();
    let Plan { mut reader, renderer, sink, rows } = Plan::new(options, &digest)?;
    let hashed = input::hash_whole_file(options, &digest);
    let (journal, checkpoint) = open_journal(options)?;
    let (output, rejects) = sink.create_outputs(options, &checkpoint)?;
    let resumed_after = checkpoint.rows();
    if resumed_after.is_some() {
        reader.skip_to(checkpoint.position).map_err(input_error)?;
    }

    let client = Arc::new(client);
    let pipeline = Pipeline::new(client.clone(), renderer, options, rows, &digest);
    let checkpointer = Checkpointer::new(rejects, journal, checkpoint);
    let write = move |messages| sink.write(output, checkpointer, messages);
    let Finished { output, rejects, stats } = pipeline.run(reader, write, stop).await.map_err(|stopped| stopped.into_error(options))?;
    hashed.await.map_err(|cause| input_error(cause.into()))?;

    let (input, key_ids) = (digest.finish(&options.input), report::key_ids(&client, &stats).await);
    let details = RunDetails { input, output, rejects, added: options.added_names(), resumed_after, key_ids };
    let report = Report::new(details, &stats, started, clock.elapsed());
    report_file::save(&report, options).await?;
    Ok(report)
}
