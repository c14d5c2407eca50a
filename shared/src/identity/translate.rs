//! Translation of a batch: each id on its own, in order, one bad id never spoiling the others.

use std::fmt;

use super::{
    Code, Direction, Domain, Id, Scopes, Session,
    id::Malformed,
    session::{Pair, Translated},
};

/// The most ids that one request may hold.
pub const MAX_IDS: usize = 250_000;

/// The most pairs of domains that one request may go between, so that its usage fits the 1,024 characters of an answer's attributes.
pub const MAX_PAIRS: usize = 40;

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
        f.write_str(self.code().meaning())?;
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
    #[error("{}", .0.meaning())]
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
    session: &'a Session,
    scopes: &'a Scopes,
    now: u64,
    lanes: Vec<Lane<'a>>,
    /// The lane of the id before: ids of one direction usually come together.
    last: usize,
    ids: usize,
    previous: u64,
    forbidden: Forbidden,
}

struct Lane<'a> {
    direction: Direction,
    pair: Pair<'a>,
    translated: u64,
}

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
    pub const fn new(session: &'a Session, scopes: &'a Scopes, now: u64) -> Self {
        Self { session, scopes, now, lanes: Vec::new(), last: 0, ids: 0, previous: 0, forbidden: Forbidden::Unknown }
    }

    /// Translates one id. The outer error ends the batch, the inner is the id's own.
    pub fn translate(&mut self, text: &str, target: Option<Domain>) -> Result<Result<Id, Refused>, Error> {
        self.ids += 1;
        if self.ids > MAX_IDS {
            return Err(Error::Ids);
        }
        let outcome = self.one(text, target)?;
        if let Err((refused, direction)) = outcome {
            self.forbidden.note(direction, refused.code());
            return Ok(Err(refused));
        }
        self.forbidden = Forbidden::Not;
        Ok(outcome.map_err(|(refused, _)| refused))
    }

    /// Ends the batch: what it did.
    pub fn finish(self) -> Result<Usage, Error> {
        match self.forbidden {
            _ if self.ids == 0 => Err(Error::Ids),
            Forbidden::All(_, code) => Err(Error::Forbidden(code)),
            _ => Ok(Usage {
                translated: self.lanes.iter().filter(|lane| lane.translated > 0).map(|lane| (lane.direction, lane.translated)).collect(),
                previous: self.previous,
            }),
        }
    }

    fn one(&mut self, text: &str, target: Option<Domain>) -> Result<Result<Id, (Refused, Option<Direction>)>, Error> {
        let id = match Id::parse(text) {
            Ok(id) => id,
            Err(malformed) => return Ok(Err((Refused::Malformed(malformed), None))),
        };
        let Some(to) = target else {
            return Ok(Err((Code::E007.into(), None)));
        };
        let direction = Direction { from: id.domain, to };
        let lane = match self.lane(direction)? {
            Ok(lane) => lane,
            Err(code) => return Ok(Err((code.into(), Some(direction)))),
        };
        match lane.pair.translate(&id) {
            Ok(Translated { id, previous }) => {
                lane.translated += 1;
                self.previous += u64::from(previous);
                Ok(Ok(id))
            }
            Err(code) => Ok(Err((code.into(), Some(direction)))),
        }
    }

    fn lane(&mut self, direction: Direction) -> Result<Result<&mut Lane<'a>, Code>, Error> {
        let known = |lane: &Lane<'_>| lane.direction == direction;
        if !self.lanes.get(self.last).is_some_and(known) {
            self.last = match self.lanes.iter().position(known) {
                Some(index) => index,
                None => match self.scopes.check(direction).and_then(|()| self.session.pair(direction, self.now)) {
                    Err(code) => return Ok(Err(code)),
                    Ok(_) if self.lanes.len() == MAX_PAIRS => return Err(Error::Pairs),
                    Ok(pair) => {
                        self.lanes.push(Lane { direction, pair, translated: 0 });
                        self.lanes.len() - 1
                    }
                },
            };
        }
        Ok(Ok(&mut self.lanes[self.last]))
    }
}

impl Forbidden {
    fn note(&mut self, direction: Option<Direction>, code: Code) {
        *self = match (&self, direction) {
            (Self::Unknown, Some(direction)) if matches!(code, Code::S009 | Code::S010) => Self::All(direction, code),
            (Self::All(before, _), Some(direction)) if *before == direction => return,
            _ => Self::Not,
        };
    }
}
