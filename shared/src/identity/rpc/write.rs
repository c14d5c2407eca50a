//! The writer: appends answers to one buffer during the translation, in the order of the entries.

use std::io::Write;

use crate::identity::translate::{Batch, IdError, Outcomes};

/// A part of the output for the pending ids.
#[derive(Clone, Copy)]
enum Piece {
    /// Entries of one id.
    Singles(usize),
    /// The start of a group.
    Open,
    /// Ids of the group.
    Members(usize),
    /// The end of the group and its errors.
    Close,
}

/// Writes answers, each followed by one byte.
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    end: u8,
    pieces: Vec<Piece>,
    /// Number of ids of the group that are written.
    members: usize,
    /// The errors of the group, with their indices in it.
    errors: Vec<(usize, IdError)>,
}

impl<'o> Writer<'o> {
    /// Makes a writer that writes `end` after each answer.
    pub(super) const fn new(out: &'o mut Vec<u8>, end: u8) -> Self {
        Self { out, end, pieces: Vec::new(), members: 0, errors: Vec::new() }
    }

    /// Announces that the pushed id is an entry of one id.
    #[inline]
    pub(super) fn single(&mut self) {
        match self.pieces.last_mut() {
            Some(Piece::Singles(count)) => *count += 1,
            _ => self.pieces.push(Piece::Singles(1)),
        }
    }

    /// Announces the start of a group.
    pub(super) fn open(&mut self) {
        self.pieces.push(Piece::Open);
    }

    /// Announces that the pushed id belongs to the group.
    #[inline]
    pub(super) fn member(&mut self) {
        match self.pieces.last_mut() {
            Some(Piece::Members(count)) => *count += 1,
            _ => self.pieces.push(Piece::Members(1)),
        }
    }

    /// Announces the end of the group.
    pub(super) fn close(&mut self) {
        self.pieces.push(Piece::Close);
    }

    /// Translates the pending ids and writes their answers.
    pub(super) fn flush(&mut self, batch: &mut Batch<'_>) {
        let mut outcomes = batch.drain();
        for piece in std::mem::take(&mut self.pieces) {
            match piece {
                Piece::Singles(count) => self.write_singles(&mut outcomes, count),
                Piece::Open => {
                    self.out.extend_from_slice(b"{\"values\":[");
                    self.members = 0;
                }
                Piece::Members(count) => self.write_members(&mut outcomes, count),
                Piece::Close => self.write_close(),
            }
        }
    }

    fn write_singles(&mut self, outcomes: &mut Outcomes<'_>, count: usize) {
        for outcome in outcomes.take(count) {
            match outcome {
                Ok(id) => write_around(self.out, b"{\"value\":\"", id, [b'"', b'}', self.end]),
                Err(error) => {
                    self.out.extend_from_slice(b"{\"error\":{");
                    write_error(error, self.out);
                    self.out.extend_from_slice(&[b'}', b'}', self.end]);
                }
            }
        }
    }

    fn write_members(&mut self, outcomes: &mut Outcomes<'_>, count: usize) {
        for outcome in outcomes.take(count) {
            match outcome {
                Ok(id) => write_around(self.out, b"\"", id, *b"\","),
                Err(error) => {
                    self.out.extend_from_slice(b"null,");
                    self.errors.push((self.members, error));
                }
            }
            self.members += 1;
        }
    }

    fn write_close(&mut self) {
        // Removes the comma after the last id.
        if self.members > 0 {
            self.out.pop();
        }
        self.out.extend_from_slice(b"],\"errors\":[");
        for (position, (index, error)) in self.errors.drain(..).enumerate() {
            let comma = if position > 0 { "," } else { "" };
            // Writing to a `Vec` does not fail.
            let _ = write!(self.out, "{comma}{{\"index\":{index},");
            write_error(error, self.out);
            self.out.push(b'}');
        }
        self.out.extend_from_slice(&[b']', b'}', self.end]);
    }
}

/// Writes an id with the bytes before and after it.
#[inline]
pub(super) fn write_around<const B: usize, const A: usize>(out: &mut Vec<u8>, before: &[u8; B], id: &[u8], after: [u8; A]) {
    out.extend_from_slice(before);
    // The lengths are constants, so each copy compiles to a few moves instead of a call.
    if let Ok(id) = <&[u8; 49]>::try_from(id) {
        out.extend_from_slice(id);
    } else if let Ok(id) = <&[u8; 70]>::try_from(id) {
        out.extend_from_slice(id);
    } else {
        out.extend_from_slice(id);
    }
    out.extend_from_slice(&after);
}

/// Writes the fields of an error. Codes and messages hold no character that JSON escapes.
pub(super) fn write_error(error: IdError, out: &mut Vec<u8>) {
    let _ = write!(out, "\"code\":\"{}\",\"message\":\"{error}\"", error.code().code());
}
