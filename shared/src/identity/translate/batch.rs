//! A batch: ids are pushed into partitions, and drained in order.

use super::{
    columns::row_index,
    error::{Error, IdError, MAX_DOMAIN_PAIRS, MAX_IDS},
    kernel::Kernel,
    outcomes::{Outcomes, RowRange},
    partition::Partition,
};
use crate::identity::{
    client_keys::{ClientKeys, DirectionKeys},
    code::Code,
    domain::Domain,
    id::{Head, Id, LABEL_LEN},
    scope::{Direction, Scopes},
};

/// Number of pending ids that make a batch full. Their columns fit the processor's second-level
/// cache.
pub const CHUNK_IDS: usize = 1024;

const CACHE_SLOTS: usize = 256;

/// The index that stands for the errors. No partition has it: 40 pairs of 5 kinds make 200.
const ERROR_ROWS: u8 = u8::MAX;

/// The translation of one request.
pub struct Batch<'a> {
    keys: &'a ClientKeys,
    scopes: &'a Scopes,
    now: u64,
    kernel: Kernel,
    routes: Vec<Route<'a>>,
    partitions: Vec<Partition>,
    /// A direct-mapped cache of indices of partitions, by [`cache_slot`]. A hit must be verified.
    partition_cache: [u8; CACHE_SLOTS],
    ranges: Vec<RowRange>,
    errors: Vec<IdError>,
    /// Whether the pushed ids are drained, and their outcomes may still be read.
    drained: bool,
    pushed_ids: usize,
    /// How many of the pushed ids were drained before the pending ones.
    drained_ids: usize,
    previous: u64,
    forbidden: Forbidden,
}

/// An allowed direction and its keys.
struct Route<'a> {
    direction: Direction,
    keys: DirectionKeys<'a>,
    translated: u64,
}

/// Why an id has no partition, and the requested direction if that is the reason.
type Rejection = (IdError, Option<Direction>);

/// Whether all ids so far request one and the same forbidden direction.
enum Forbidden {
    /// No id was pushed yet.
    Unknown,
    /// All do.
    All(Direction, Code),
    /// At least one does not.
    Not,
}

/// What a batch translated, for the usage report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The number of translated ids in each direction.
    pub translated: Vec<(Direction, u64)>,
    /// The number of translated ids whose source key was not the current one.
    pub previous: u64,
}

impl<'a> Batch<'a> {
    /// Begins a batch at `now`, in seconds since 1970.
    #[must_use]
    pub fn new(keys: &'a ClientKeys, scopes: &'a Scopes, now: u64) -> Self {
        Self {
            keys,
            scopes,
            now,
            kernel: Kernel::fastest(),
            routes: Vec::new(),
            partitions: Vec::new(),
            partition_cache: [0; CACHE_SLOTS],
            ranges: Vec::new(),
            errors: Vec::new(),
            drained: false,
            pushed_ids: 0,
            drained_ids: 0,
            previous: 0,
            forbidden: Forbidden::Unknown,
        }
    }

    /// Sets the kernel, for comparisons.
    #[must_use]
    pub const fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Appends an id to the pending ones.
    ///
    /// # Errors
    /// [`Error::Ids`] and [`Error::DomainPairs`] if a limit is exceeded. The batch cannot continue.
    #[inline]
    pub fn push(&mut self, text: &[u8], target: Option<Domain>) -> Result<(), Error> {
        if self.drained {
            self.clear();
        }
        self.pushed_ids += 1;
        if self.pushed_ids > MAX_IDS {
            return Err(Error::Ids);
        }
        if let (Some((&label, body)), Some(to)) = (text.split_first_chunk::<LABEL_LEN>(), target) {
            // Most ids belong to the partition of the id before.
            if let Some(range) = self.ranges.last_mut()
                && let Some(partition) = self.partitions.get_mut(usize::from(range.partition))
                && partition.accepts(label, text.len(), to)
            {
                range.to = partition.push(body) + 1;
                return Ok(());
            }
            let index = self.partition_cache[cache_slot(label, to)];
            if let Some(partition) = self.partitions.get_mut(usize::from(index))
                && partition.accepts(label, text.len(), to)
            {
                let from = partition.push(body);
                self.ranges.push(RowRange { partition: index, from, to: from + 1 });
                return Ok(());
            }
        }
        self.push_slow(text, target)
    }

    /// The number of pending ids.
    #[must_use]
    pub const fn pending(&self) -> usize {
        if self.drained { 0 } else { self.pushed_ids - self.drained_ids }
    }

    /// Whether at least [`CHUNK_IDS`] are pending: drain the batch before the next push.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.pending() >= CHUNK_IDS
    }

    /// Translates the pending ids and returns their outcomes, in the order of the pushes. No id is
    /// pending afterwards.
    pub fn drain(&mut self) -> Outcomes<'_> {
        if self.drained {
            self.clear();
        }
        for partition in &mut self.partitions {
            let route = &mut self.routes[partition.route()];
            let counts = partition.translate(&route.keys, self.kernel);
            route.translated += counts.translated;
            self.previous += counts.previous;
        }
        self.drained = true;
        Outcomes::new(&self.ranges, &self.partitions, &self.errors, self.pushed_ids - self.drained_ids)
    }

    /// Ends the batch and returns what it translated. Pending ids are dropped.
    ///
    /// # Errors
    /// [`Error::Ids`] if no id was pushed, [`Error::Forbidden`] if all ids request one forbidden
    /// direction.
    pub fn finish(self) -> Result<Usage, Error> {
        match self.forbidden {
            _ if self.pushed_ids == 0 => Err(Error::Ids),
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

    /// Appends an id to its partition, which may be new, or its error to the errors.
    fn push_slow(&mut self, text: &[u8], target: Option<Domain>) -> Result<(), Error> {
        match self.assign(text, target)? {
            Ok((partition, row)) => {
                self.forbidden = Forbidden::Not;
                self.ranges.push(RowRange { partition, from: row, to: row + 1 });
            }
            Err((error, direction)) => {
                self.forbidden.update(direction, error.code());
                self.errors.push(error);
                let from = row_index(self.errors.len() - 1);
                self.ranges.push(RowRange { partition: ERROR_ROWS, from, to: from + 1 });
            }
        }
        Ok(())
    }

    /// The id's partition and row, or why it has none.
    fn assign(&mut self, text: &[u8], target: Option<Domain>) -> Result<Result<(u8, u32), Rejection>, Error> {
        let head = match Head::parse(text) {
            Ok(head) => head,
            Err(malformed) => return Ok(Err((IdError::Malformed(malformed), None))),
        };
        // A malformed body takes precedence over the code; only a kernel would have found it.
        let reject = |code: Code, direction| match Id::parse(text) {
            Ok(_) => Ok(Err((IdError::Code(code), direction))),
            Err(malformed) => Ok(Err((IdError::Malformed(malformed), None))),
        };
        let Some(to) = target else { return reject(Code::E007, None) };
        let direction = Direction { from: head.domain, to };
        let route = match self.route(direction)? {
            Ok(route) => route,
            Err(code) => return reject(code, Some(direction)),
        };
        let known = self.partitions.iter().position(|partition| partition.route() == route && partition.kind() == head.kind);
        let index = known.unwrap_or_else(|| {
            self.partitions.push(Partition::new(route, head.kind, direction));
            self.partitions.len() - 1
        });
        let partition = u8::try_from(index).expect("40 pairs of 5 kinds make 200 partitions");
        self.partition_cache[cache_slot(head.kind.label(head.domain), to)] = partition;
        Ok(Ok((partition, self.partitions[index].push(&text[LABEL_LEN..]))))
    }

    fn route(&mut self, direction: Direction) -> Result<Result<usize, Code>, Error> {
        if let Some(known) = self.routes.iter().position(|route| route.direction == direction) {
            return Ok(Ok(known));
        }
        match self.scopes.check(direction).and_then(|()| self.keys.direction_keys(direction, self.now)) {
            Err(code) => Ok(Err(code)),
            Ok(_) if self.routes.len() == MAX_DOMAIN_PAIRS => Err(Error::DomainPairs),
            Ok(keys) => {
                self.routes.push(Route { direction, keys, translated: 0 });
                Ok(Ok(self.routes.len() - 1))
            }
        }
    }

    fn clear(&mut self) {
        self.ranges.clear();
        self.errors.clear();
        self.partitions.iter_mut().for_each(Partition::clear);
        self.drained_ids = self.pushed_ids;
        self.drained = false;
    }
}

impl Forbidden {
    fn update(&mut self, direction: Option<Direction>, code: Code) {
        *self = match (&self, direction) {
            (Self::Unknown, Some(direction)) if matches!(code, Code::S009 | Code::S010) => Self::All(direction, code),
            (Self::All(before, _), Some(direction)) if *before == direction => return,
            _ => Self::Not,
        };
    }
}

/// The slot of a label and a target in the cache of partitions: a hash of the two domains and the
/// kind.
fn cache_slot(label: [u8; LABEL_LEN], to: Domain) -> usize {
    let [_, kind, a, b, c, d] = label;
    let (from, to) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes(*to.as_bytes()));
    let mixed = (from ^ to.rotate_left(13) ^ u32::from(kind).rotate_left(21)).wrapping_mul(0x9E37_79B1);
    (mixed >> 24) as usize
}
