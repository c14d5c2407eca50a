//! The journal of a run: a file beside the output with the last checkpoint, from which a later run
//! resumes.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::encoding::hex;

use crate::{paths::draft_path, position::Position, stats::Stats};

/// How many bytes at the input's start identify it.
const HEAD_BYTES: u64 = 1 << 16;

/// The journal of one run.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    run: RunIdentity,
}

/// What identifies a run: only a run of the same version, options and input may resume another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunIdentity {
    version: String,
    /// The SHA-256 digest of the options' fingerprint.
    options: String,
    /// The input's length.
    bytes: u64,
    /// The input's modification time, in nanoseconds since 1970.
    modified: u128,
    /// The SHA-256 digest of the input's first [`HEAD_BYTES`].
    head: String,
}

/// What is finished and on the disk.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    #[serde(rename = "place")]
    pub(crate) position: Position,
    #[serde(rename = "output")]
    pub(crate) output_bytes: u64,
    #[serde(rename = "rejects")]
    pub(crate) rejects_bytes: u64,
    #[serde(rename = "tally")]
    pub(crate) stats: Stats,
}

/// The journal's contents.
#[derive(Serialize, Deserialize)]
struct Contents<R, C> {
    run: R,
    #[serde(rename = "done")]
    checkpoint: C,
}

impl RunIdentity {
    /// Identifies the run that reads `input` with options of this `fingerprint`.
    pub(crate) fn new(input: &Path, fingerprint: &str) -> io::Result<Self> {
        let file = File::open(input)?;
        let metadata = file.metadata()?;
        let mut head = Vec::new();
        file.take(HEAD_BYTES).read_to_end(&mut head)?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let digest = |bytes: &[u8]| hex(&Sha256::digest(bytes));
        let version = env!("CARGO_PKG_VERSION").into();
        Ok(Self { version, options: digest(fingerprint.as_bytes()), bytes: metadata.len(), modified, head: digest(&head) })
    }

    /// What differs from another run, as the start of a sentence that ends in that run.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.version != other.version {
            Some("the program's version differs from that of")
        } else if self.options != other.options {
            Some("the options differ from those of")
        } else if self != other {
            Some("the input differs from that of")
        } else {
            None
        }
    }
}

impl Checkpoint {
    /// The number of finished rows, if there are any to resume after.
    pub(crate) fn rows(&self) -> Option<u64> {
        (self.position.rows > 0).then_some(self.position.rows)
    }

    /// The number of row groups whose rows are all finished, of those with these numbers of rows.
    pub(crate) fn row_groups(&self, rows: impl Iterator<Item = i64>) -> usize {
        let mut unassigned = self.position.rows;
        rows.take_while(|rows| {
            let rows = u64::try_from(*rows).unwrap_or(0);
            let fits = unassigned >= rows && (unassigned > 0 || rows == 0);
            unassigned = unassigned.saturating_sub(rows);
            fits
        })
        .count()
    }
}

impl Journal {
    /// The journal of `run`, beside its output. It is not created yet.
    pub(crate) fn new(output: &Path, run: RunIdentity) -> io::Result<Self> {
        Ok(Self { path: draft_path(output, "journal")?, run })
    }

    /// The checkpoint of an earlier run, and what differs between that run and this one.
    pub(crate) fn read(&self) -> Option<(Checkpoint, Option<&'static str>)> {
        let text = fs::read(&self.path).ok()?;
        // A journal that cannot be parsed has no finished rows.
        let Contents::<RunIdentity, Checkpoint> { run, checkpoint } = serde_json::from_slice(&text).ok()?;
        Some((checkpoint, self.run.difference(&run)))
    }

    /// Replaces the checkpoint atomically.
    pub(crate) fn write(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        let draft = self.path.with_extension("journal.new");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(&Contents { run: &self.run, checkpoint })?)?;
        file.sync_data()?;
        fs::rename(draft, &self.path)
    }

    /// The path of the file with the footer of a Parquet output's finished row groups.
    pub(crate) fn footer_path(&self) -> PathBuf {
        self.path.with_extension("footer")
    }

    /// Removes the journal and the files beside it.
    pub(crate) fn remove(&self) {
        for path in [self.path.clone(), self.path.with_extension("journal.new"), self.footer_path()] {
            // Not every run creates each of them.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_tells_a_different_run_apart() {
        let dir = tempfile::tempdir().unwrap();
        let (input, output) = (dir.path().join("in.csv"), dir.path().join("out.csv"));
        fs::write(&input, "id\n").unwrap();
        let journal = |options: &str| Journal::new(&output, RunIdentity::new(&input, options).unwrap()).unwrap();
        assert!(journal("a").read().is_none());
        let position = Position { offset: 3, lines: 1, rows: 1 };
        let checkpoint = Checkpoint { position, output_bytes: 9, ..Checkpoint::default() };
        journal("a").write(&checkpoint).unwrap();
        let (read, difference) = journal("a").read().unwrap();
        assert_eq!((read.position, read.output_bytes, difference), (position, 9, None));
        assert_eq!(journal("b").read().unwrap().1, Some("the options differ from those of"));
        fs::write(&input, "id\nx").unwrap();
        assert_eq!(journal("a").read().unwrap().1, Some("the input differs from that of"));
        journal("a").remove();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
