//! Scopes: the directions in which a client may translate.
//!
//! A client's scopes hold a direction only while the approvals of both domain owners are active:
//! the *grant* of the source domain's owner and the *acceptance* of the target domain's. Either may
//! expire. A revocation takes effect with the client's next token.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{code::Code, domain::Domain};

/// A pair of domains: from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Direction {
    /// The domain of the ids in the request.
    pub from: Domain,
    /// The domain of the ids in the response.
    pub to: Domain,
}

/// One owner's approval of a direction, with its expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Approval {
    /// Active until it is revoked.
    Indefinite,
    /// Active until a time, in seconds since 1970.
    Until(u64),
}

impl Approval {
    /// Whether the approval is active at `now`, in seconds since 1970.
    #[must_use]
    pub const fn is_active(self, now: u64) -> bool {
        match self {
            Self::Indefinite => true,
            Self::Until(end) => now < end,
        }
    }
}

/// Both owners' approvals of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permit {
    /// The approval of the source domain's owner.
    pub granted: Option<Approval>,
    /// The approval of the target domain's owner.
    pub accepted: Option<Approval>,
}

impl Permit {
    /// Whether both approvals are active at `now`, in seconds since 1970.
    #[must_use]
    pub fn is_active(&self, now: u64) -> bool {
        [self.granted, self.accepted].iter().all(|approval| approval.is_some_and(|approval| approval.is_active(now)))
    }
}

/// A client's allowed directions, as tokens carry them: `[{"from":"1005","to":["1006"]}]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Scope>", into = "Vec<Scope>")]
pub struct Scopes(BTreeMap<Domain, BTreeSet<Domain>>);

#[derive(Serialize, Deserialize)]
struct Scope {
    from: Domain,
    to: BTreeSet<Domain>,
}

impl Scopes {
    /// Checks that a direction is allowed.
    ///
    /// # Errors
    /// [`Code::S009`] if no direction from the source is allowed, [`Code::S010`] if only others
    /// are.
    pub fn check(&self, direction: Direction) -> Result<(), Code> {
        let targets = self.0.get(&direction.from).ok_or(Code::S009)?;
        targets.contains(&direction.to).then_some(()).ok_or(Code::S010)
    }

    /// All directions, sorted.
    pub fn directions(&self) -> impl Iterator<Item = Direction> {
        self.0.iter().flat_map(|(&from, targets)| targets.iter().map(move |&to| Direction { from, to }))
    }

    /// All domains, sources and targets.
    #[must_use]
    pub fn domains(&self) -> BTreeSet<Domain> {
        self.directions().flat_map(|direction| [direction.from, direction.to]).collect()
    }
}

impl FromIterator<Direction> for Scopes {
    fn from_iter<I: IntoIterator<Item = Direction>>(directions: I) -> Self {
        let mut scopes = Self::default();
        for Direction { from, to } in directions {
            scopes.0.entry(from).or_default().insert(to);
        }
        scopes
    }
}

impl From<Vec<Scope>> for Scopes {
    fn from(list: Vec<Scope>) -> Self {
        list.into_iter().flat_map(|Scope { from, to }| to.into_iter().map(move |to| Direction { from, to })).collect()
    }
}

impl From<Scopes> for Vec<Scope> {
    fn from(scopes: Scopes) -> Self {
        scopes.0.into_iter().map(|(from, to)| Scope { from, to }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direction(from: &str, to: &str) -> Direction {
        Direction { from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[test]
    fn scopes_serialize_as_documented() {
        let scopes: Scopes = [direction("1005", "1006"), direction("1005", "1007")].into_iter().collect();
        let text = r#"[{"from":"1005","to":["1006","1007"]}]"#;
        assert_eq!(serde_json::to_string(&scopes).unwrap(), text);
        assert_eq!(serde_json::from_str::<Scopes>(text).unwrap(), scopes);
    }

    #[test]
    fn a_refusal_tells_source_from_target() {
        let scopes: Scopes = [direction("1005", "1006")].into_iter().collect();
        assert_eq!(scopes.check(direction("1005", "1006")), Ok(()));
        assert_eq!(scopes.check(direction("1006", "1005")), Err(Code::S009));
        assert_eq!(scopes.check(direction("1005", "1007")), Err(Code::S010));
    }

    #[test]
    fn a_permit_is_active_only_while_both_approvals_are() {
        let both = Permit { granted: Some(Approval::Indefinite), accepted: Some(Approval::Until(10)) };
        assert!(both.is_active(9));
        assert!(!both.is_active(10));
        assert!(!Permit { accepted: None, ..both }.is_active(9));
    }
}
