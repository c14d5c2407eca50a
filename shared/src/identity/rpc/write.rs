//! The writer: answers go into one buffer as the translation goes, in the order of what was asked.

use std::io::Write;

use crate::identity::translate::{Batch, Outcomes, Refused};

/// What is to be written of the pending ids.
#[derive(Clone, Copy)]
enum Piece {
    /// Entries of one id.
    Singles(usize),
    /// The beginning of a group.
    Open,
    /// Ids of the group.
    Members(usize),
    /// The end of the group, with its errors.
    Close,
}

/// Writes entries, each ended by one byte.
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    end: u8,
    pieces: Vec<Piece>,
    /// How many ids of the group are written.
    members: usize,
    /// Those of the group that were refused.
    refusals: Vec<(usize, Refused)>,
}

impl<'o> Writer<'o> {
    /// A writer of entries that `end` ends.
    pub(super) const fn new(out: &'o mut Vec<u8>, end: u8) -> Self {
        Self { out, end, pieces: Vec::new(), members: 0, refusals: Vec::new() }
    }

    /// The id pushed is an entry of its own.
    #[inline]
    pub(super) fn single(&mut self) {
        match self.pieces.last_mut() {
            Some(Piece::Singles(count)) => *count += 1,
            _ => self.pieces.push(Piece::Singles(1)),
        }
    }

    /// A group begins.
    pub(super) fn open(&mut self) {
        self.pieces.push(Piece::Open);
    }

    /// The id pushed is one of the group.
    #[inline]
    pub(super) fn member(&mut self) {
        match self.pieces.last_mut() {
            Some(Piece::Members(count)) => *count += 1,
            _ => self.pieces.push(Piece::Members(1)),
        }
    }

    /// The group ends.
    pub(super) fn close(&mut self) {
        self.pieces.push(Piece::Close);
    }

    /// Translates what is pending, and writes it.
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
                Err(refused) => {
                    self.out.extend_from_slice(b"{\"error\":{");
                    write_refusal(refused, self.out);
                    self.out.extend_from_slice(&[b'}', b'}', self.end]);
                }
            }
        }
    }

    fn write_members(&mut self, outcomes: &mut Outcomes<'_>, count: usize) {
        for outcome in outcomes.take(count) {
            match outcome {
                Ok(id) => write_around(self.out, b"\"", id, *b"\","),
                Err(refused) => {
                    self.out.extend_from_slice(b"null,");
                    self.refusals.push((self.members, refused));
                }
            }
            self.members += 1;
        }
    }

    fn write_close(&mut self) {
        // The comma after the last one.
        if self.members > 0 {
            self.out.pop();
        }
        self.out.extend_from_slice(b"],\"errors\":[");
        for (position, (index, refused)) in self.refusals.drain(..).enumerate() {
            let comma = if position > 0 { "," } else { "" };
            // Writing into memory does not fail.
            let _ = write!(self.out, "{comma}{{\"index\":{index},");
            write_refusal(refused, self.out);
            self.out.push(b'}');
        }
        self.out.extend_from_slice(&[b']', b'}', self.end]);
    }
}

/// Writes an id with what is before and after it.
#[inline]
pub(super) fn write_around<const B: usize, const A: usize>(out: &mut Vec<u8>, before: &[u8; B], id: &[u8], after: [u8; A]) {
    out.extend_from_slice(before);
    // Copies of known lengths take a few moves and no call.
    if let Ok(id) = <&[u8; 49]>::try_from(id) {
        out.extend_from_slice(id);
    } else if let Ok(id) = <&[u8; 70]>::try_from(id) {
        out.extend_from_slice(id);
    } else {
        out.extend_from_slice(id);
    }
    out.extend_from_slice(&after);
}

/// Codes and sentences are ours and hold nothing that JSON escapes.
pub(super) fn write_refusal(refused: Refused, out: &mut Vec<u8>) {
    let _ = write!(out, "\"code\":\"{}\",\"message\":\"{refused}\"", refused.code().code());
}
