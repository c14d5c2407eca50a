//! The journal of a run: what is finished, so that a later run can go on from there.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::encoding::hex;

use super::{output::draft_of, part::Place, tally::Tally};

/// How much of the input's start is part of its identity.
const HEAD: u64 = 1 << 16;

/// Where a run writes down what is finished.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    run: Run,
}

/// Which run it is: another input, or other options, do not go on with its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    version: String,
    /// The digest of the options that decide what is written.
    options: String,
    bytes: u64,
    modified: u128,
    /// The digest of the input's start.
    head: String,
}

/// What is finished.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) place: Place,
    pub(super) output: u64,
    pub(super) rejects: u64,
    pub(super) tally: Tally,
}

#[derive(Serialize, Deserialize)]
struct Entry<R, D> {
    run: R,
    done: D,
}

impl Run {
    /// The run that reads `input` under `options`, given as any text that says all of them.
    pub(super) fn new(input: &Path, options: &str) -> io::Result<Self> {
        let file = File::open(input)?;
        let metadata = file.metadata()?;
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head)?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let digest = |bytes: &[u8]| hex(&Sha256::digest(bytes));
        let version = env!("CARGO_PKG_VERSION").into();
        Ok(Self { version, options: digest(options.as_bytes()), bytes: metadata.len(), modified, head: digest(&head) })
    }

    /// What is not as it was in another run.
    pub(super) fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.version != other.version {
            Some("this is another version of the program")
        } else if self.options != other.options {
            Some("the options are others")
        } else if self != other {
            Some("the input is another")
        } else {
            None
        }
    }
}

impl Done {
    /// How many row groups hold the rows that are finished, of those with so many rows each.
    pub(super) fn groups(&self, rows: impl Iterator<Item = i64>) -> usize {
        let mut left = self.place.rows;
        rows.take_while(|rows| {
            let rows = u64::try_from(*rows).unwrap_or(0);
            let fits = left >= rows && (left > 0 || rows == 0);
            left = left.saturating_sub(rows);
            fits
        })
        .count()
    }
}

impl Journal {
    /// The journal of `run`, beside the output.
    pub(super) fn new(output: &Path, run: Run) -> io::Result<Self> {
        Ok(Self { path: draft_of(output, "journal")?, run })
    }

    /// What an earlier run finished, and what that run has in difference from this one.
    pub(super) fn read(&self) -> Option<(Done, Option<&'static str>)> {
        let text = fs::read(&self.path).ok()?;
        // What cannot be read was not written by a run that finished anything.
        let Entry::<Run, Done> { run, done } = serde_json::from_slice(&text).ok()?;
        Some((done, self.run.difference(&run)))
    }

    /// Writes down what is finished. It takes the place of what was written before at once, or not at all.
    pub(super) fn write(&self, done: &Done) -> io::Result<()> {
        let draft = self.path.with_extension("journal.new");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(&Entry { run: &self.run, done })?)?;
        file.sync_data()?;
        fs::rename(draft, &self.path)
    }

    /// A file for more that a later run needs.
    pub(super) fn companion(&self) -> PathBuf {
        self.path.with_extension("footer")
    }

    /// Forgets the run.
    pub(super) fn remove(&self) {
        for path in [self.path.clone(), self.path.with_extension("journal.new"), self.companion()] {
            // It may never have been there.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_knows_its_run() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
        fs::write(&input, "id\n").unwrap();
        let journal = |options: &str| Journal::new(&output, Run::new(&input, options).unwrap()).unwrap();
        assert!(journal("a").read().is_none());
        let done = Done { place: Place { offset: 3, lines: 1, rows: 1 }, output: 9, ..Done::default() };
        journal("a").write(&done).unwrap();
        let (read, difference) = journal("a").read().unwrap();
        assert_eq!((read.place, read.output, difference), (done.place, 9, None));
        assert_eq!(journal("b").read().unwrap().1, Some("the options are others"));
        fs::write(&input, "id\nx").unwrap();
        assert_eq!(journal("a").read().unwrap().1, Some("the input is another"));
        journal("a").remove();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
