//! Translation of a batch: many ids at a time, in order, one bad id never spoiling the others.
//!
//! Ids are pushed and drained. What is pending lies in columns by direction and kind, so that mixed batches go through the
//! kernels ([`Kernel`]) as fast as others; outcomes come in the order of the pushes.

mod batched;
#[cfg(target_arch = "x86_64")]
mod fused;
mod kernel;
mod partition;

use std::{fmt, slice};

pub use self::kernel::Kernel;
pub(in crate::identity) use self::kernel::Keys;
use self::partition::Partition;
use super::{
    ClientKeys, Code, Direction, Domain, Id, Scopes,
    client_keys::DirectionKeys,
    id::{Head, LABEL_LEN, Malformed},
};

/// The most ids that one request may hold.
pub const MAX_IDS: usize = 250_000;

/// The most pairs of domains that one request may go between, so that its usage fits the 1,024 characters of an answer's attributes.
pub const MAX_PAIRS: usize = 40;

/// Pending ids that make a batch full: their columns fit the processor's second-level cache.
pub const CHUNK_IDS: usize = 1024;

/// Why one id was not translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has not the form of an id.
    Malformed(Malformed),
    /// Anything else that has a code.
    Code(Code),
}

impl Refused {
    /// The documented code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Malformed(_) => Code::I001,
            Self::Code(code) => code,
        }
    }
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().message())?;
        match self {
            Self::Malformed(malformed) => write!(f, ": {malformed}"),
            Self::Code(_) => Ok(()),
        }
    }
}

/// Why a whole batch was not translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no ids, or too many.
    #[error("a batch holds 1 to {MAX_IDS} ids")]
    Ids,
    /// They go between too many pairs of domains.
    #[error("a batch goes between at most {MAX_PAIRS} pairs of domains")]
    Pairs,
    /// Every id asks for the one same direction, and no permission allows it.
    #[error("{}", .0.message())]
    Forbidden(Code),
}

impl Error {
    /// The documented code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Ids | Self::Pairs => Code::E003,
            Self::Forbidden(code) => code,
        }
    }
}

/// One request's translation: what it may do, and what it did.
pub struct Batch<'a> {
    session: &'a ClientKeys,
    scopes: &'a Scopes,
    now: u64,
    kernel: Kernel,
    routes: Vec<Route<'a>>,
    partitions: Vec<Partition>,
    /// Partitions by the hash of a label and a target: a guess, to be checked.
    partition_cache: [u8; CACHE_SLOTS],
    order: Vec<RowRange>,
    refusals: Vec<Refused>,
    drained: bool,
    ids: usize,
    /// How many of the ids were drained before those pending.
    before: usize,
    previous: u64,
    forbidden: Forbidden,
}

const CACHE_SLOTS: usize = 256;

/// Not a partition: 40 pairs and 5 kinds are 200.
const REFUSED: u8 = u8::MAX;

/// A direction that is allowed, and its keys.
struct Route<'a> {
    direction: Direction,
    pair: DirectionKeys<'a>,
    translated: u64,
}

/// Where the outcomes of pending ids will be that were pushed one after another: rows of a partition, or of what was refused.
#[derive(Clone, Copy)]
struct RowRange {
    partition: u8,
    from: u32,
    to: u32,
}

/// Why an id has no partition, and the direction it asks for where that is the reason.
type Rejection = (Refused, Option<Direction>);

/// Whether all ids so far ask for one direction that is not allowed.
enum Forbidden {
    Unknown,
    All(Direction, Code),
    Not,
}

/// What a batch did, for the usage report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many ids were translated in each direction.
    pub translated: Vec<(Direction, u64)>,
    /// How many of them came under a previous key of their domain.
    pub previous: u64,
}

impl<'a> Batch<'a> {
    /// Begins a batch at `now`, in seconds since 1970.
    #[must_use]
    pub fn new(session: &'a ClientKeys, scopes: &'a Scopes, now: u64) -> Self {
        Self {
            session,
            scopes,
            now,
            kernel: Kernel::fastest(),
            routes: Vec::new(),
            partitions: Vec::new(),
            partition_cache: [0; CACHE_SLOTS],
            order: Vec::new(),
            refusals: Vec::new(),
            drained: false,
            ids: 0,
            before: 0,
            previous: 0,
            forbidden: Forbidden::Unknown,
        }
    }

    /// Chooses the kernel, to compare them.
    #[must_use]
    pub const fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Adds an id to those pending. An error ends the batch: too many ids, or too many pairs of domains.
    #[inline]
    pub fn push(&mut self, text: &[u8], target: Option<Domain>) -> Result<(), Error> {
        if self.drained {
            self.clear();
        }
        self.ids += 1;
        if self.ids > MAX_IDS {
            return Err(Error::Ids);
        }
        if let (Some((&label, body)), Some(to)) = (text.split_first_chunk::<LABEL_LEN>(), target) {
            // Most often it goes where the id before it went.
            if let Some(run) = self.order.last_mut()
                && let Some(partition) = self.partitions.get_mut(usize::from(run.partition))
                && partition.takes(label, text.len(), to)
            {
                run.to = partition.push(body) + 1;
                return Ok(());
            }
            let partition = self.partition_cache[cache_slot(label, to)];
            if let Some(found) = self.partitions.get_mut(usize::from(partition))
                && found.takes(label, text.len(), to)
            {
                let from = found.push(body);
                self.order.push(RowRange { partition, from, to: from + 1 });
                return Ok(());
            }
        }
        self.push_slow(text, target)
    }

    /// How many ids are pending.
    #[must_use]
    pub const fn pending(&self) -> usize {
        if self.drained { 0 } else { self.ids - self.before }
    }

    /// Whether [`CHUNK_IDS`] or more are pending, and it is time to drain.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.pending() >= CHUNK_IDS
    }

    /// Translates what is pending: the outcomes, in the order of the pushes. Afterwards nothing is pending.
    pub fn drain(&mut self) -> Outcomes<'_> {
        if self.drained {
            self.clear();
        }
        for partition in &mut self.partitions {
            let route = &mut self.routes[partition.route()];
            let counts = partition.translate(&route.pair, self.kernel);
            route.translated += counts.translated;
            self.previous += counts.previous;
        }
        self.drained = true;
        Outcomes {
            order: self.order.iter(),
            partitions: &self.partitions,
            refusals: &self.refusals,
            left: self.ids - self.before,
            translated: partition::Outcomes::none(),
            refused: [].iter(),
        }
    }

    /// Ends the batch: what it did. What is pending was not translated.
    pub fn finish(self) -> Result<Usage, Error> {
        match self.forbidden {
            _ if self.ids == 0 => Err(Error::Ids),
            Forbidden::All(_, code) => Err(Error::Forbidden(code)),
            _ => Ok(Usage {
                translated: self
                    .routes
                    .iter()
                    .filter(|route| route.translated > 0)
                    .map(|route| (route.direction, route.translated))
                    .collect(),
                previous: self.previous,
            }),
        }
    }

    /// Puts an id into its partition, which may be new, or among those refused.
    fn push_slow(&mut self, text: &[u8], target: Option<Domain>) -> Result<(), Error> {
        match self.assign(text, target)? {
            Ok((partition, row)) => {
                self.forbidden = Forbidden::Not;
                self.order.push(RowRange { partition, from: row, to: row + 1 });
            }
            Err((refused, direction)) => {
                self.forbidden.note(direction, refused.code());
                self.refusals.push(refused);
                let from = row_index(self.refusals.len() - 1);
                self.order.push(RowRange { partition: REFUSED, from, to: from + 1 });
            }
        }
        Ok(())
    }

    /// The id's partition and its row there, or why it has none.
    fn assign(&mut self, text: &[u8], target: Option<Domain>) -> Result<Result<(u8, u32), Rejection>, Error> {
        let head = match Head::parse(text) {
            Ok(head) => head,
            Err(malformed) => return Ok(Err((Refused::Malformed(malformed), None))),
        };
        // An id that goes nowhere is not translated, and then its body has not been looked at.
        let refuse = |code: Code, direction| match Id::parse(text) {
            Ok(_) => Ok(Err((Refused::Code(code), direction))),
            Err(malformed) => Ok(Err((Refused::Malformed(malformed), None))),
        };
        let Some(to) = target else { return refuse(Code::E007, None) };
        let direction = Direction { from: head.domain, to };
        let route = match self.route(direction)? {
            Ok(route) => route,
            Err(code) => return refuse(code, Some(direction)),
        };
        let known = self.partitions.iter().position(|partition| partition.route() == route && partition.kind() == head.kind);
        let index = known.unwrap_or_else(|| {
            self.partitions.push(Partition::new(route, head.kind, direction));
            self.partitions.len() - 1
        });
        let partition = u8::try_from(index).expect("40 pairs and 5 kinds are 200 partitions");
        self.partition_cache[cache_slot(head.kind.label(head.domain), to)] = partition;
        Ok(Ok((partition, self.partitions[index].push(&text[LABEL_LEN..]))))
    }

    fn route(&mut self, direction: Direction) -> Result<Result<usize, Code>, Error> {
        if let Some(known) = self.routes.iter().position(|route| route.direction == direction) {
            return Ok(Ok(known));
        }
        match self.scopes.check(direction).and_then(|()| self.session.pair(direction, self.now)) {
            Err(code) => Ok(Err(code)),
            Ok(_) if self.routes.len() == MAX_PAIRS => Err(Error::Pairs),
            Ok(pair) => {
                self.routes.push(Route { direction, pair, translated: 0 });
                Ok(Ok(self.routes.len() - 1))
            }
        }
    }

    fn clear(&mut self) {
        self.order.clear();
        self.refusals.clear();
        self.partitions.iter_mut().for_each(Partition::clear);
        self.before = self.ids;
        self.drained = false;
    }
}

/// The outcomes of what was pending, in the order of the pushes: the text of the new id, which is ASCII, or why there is none.
pub struct Outcomes<'a> {
    order: slice::Iter<'a, RowRange>,
    partitions: &'a [Partition],
    refusals: &'a [Refused],
    left: usize,
    /// Those of the run that is being read.
    translated: partition::Outcomes<'a>,
    refused: slice::Iter<'a, Refused>,
}

impl<'a> Iterator for Outcomes<'a> {
    type Item = Result<&'a [u8], Refused>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let outcome = self.translated.next().or_else(|| self.refused.next().map(|refused| Err(*refused)));
            if outcome.is_some() {
                self.left -= 1;
                return outcome;
            }
            let RowRange { partition, from, to } = *self.order.next()?;
            let rows = from as usize..to as usize;
            match self.partitions.get(usize::from(partition)) {
                Some(partition) => self.translated = partition.outcomes(rows),
                None => self.refused = self.refusals[rows].iter(),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Outcomes<'_> {}

impl Forbidden {
    fn note(&mut self, direction: Option<Direction>, code: Code) {
        *self = match (&self, direction) {
            (Self::Unknown, Some(direction)) if matches!(code, Code::S009 | Code::S010) => Self::All(direction, code),
            (Self::All(before, _), Some(direction)) if *before == direction => return,
            _ => Self::Not,
        };
    }
}

/// Where the partition of a label and a target may be: the domains' last characters, in which they differ most, and the kind's.
fn cache_slot(label: [u8; LABEL_LEN], to: Domain) -> usize {
    let [_, kind, a, b, c, d] = label;
    let (from, to) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes(*to.as_bytes()));
    let mixed = (from ^ to.rotate_left(13) ^ u32::from(kind).rotate_left(21)).wrapping_mul(0x9E37_79B1);
    (mixed >> 24) as usize
}

/// Indices within a batch fit 32 bits: it holds at most [`MAX_IDS`].
fn row_index(index: usize) -> u32 {
    u32::try_from(index).expect("a batch holds at most 250,000 ids")
}
