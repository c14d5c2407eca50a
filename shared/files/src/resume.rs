//! Decides whether a run resumes an earlier one.

use std::fs;

use crate::{
    error::Error,
    input_error::InputError,
    journal::{Checkpoint, Journal, RunIdentity},
    location::Location,
    options::Options,
    paths::draft_path,
};

/// Opens the run's journal and returns the checkpoint to resume from, which is empty for a run from
/// the start. Without a local input and output there is no journal.
///
/// # Errors
///
/// An earlier run's finished rows are not discarded unasked, and not resumed by a different run.
pub(crate) fn open_journal(options: &Options) -> Result<(Option<Journal>, Checkpoint), Error> {
    let (Location::Local(input), Location::Local(output)) = (&options.input, &options.output) else {
        return if options.resume { Err(Error::ResumeUnsupported) } else { Ok((None, Checkpoint::default())) };
    };
    let run = RunIdentity::new(input, &options.fingerprint()).map_err(|cause| Error::input(&options.input, InputError::Read(cause)))?;
    let unwritable = |cause| Error::output(output.display(), cause);
    let journal = Journal::new(output, run).map_err(unwritable)?;
    let draft = draft_path(output, "partial").map_err(unwritable)?;
    let checkpoint = match journal.read() {
        // The draft is incomplete or was removed.
        Some((checkpoint, _)) if fs::metadata(&draft).map_or(0, |draft| draft.len()) < checkpoint.output_bytes => Checkpoint::default(),
        Some((checkpoint, None)) if options.resume => checkpoint,
        Some((_, Some(difference))) if options.resume => {
            return Err(Error::RunMismatch { output: output.display().to_string(), difference });
        }
        Some((checkpoint, None)) if checkpoint.rows().is_some() => {
            return Err(Error::UnfinishedRun { output: output.display().to_string(), rows: checkpoint.position.rows, draft });
        }
        _ => Checkpoint::default(),
    };
    if checkpoint.rows().is_none() {
        journal.remove();
    }
    Ok((Some(journal), checkpoint))
}
