//! Directions as sort keys: `1005#1006`.

use shared::identity::Direction;

use crate::vault;

/// A direction as a sort key.
pub(super) fn to_sort_key(direction: Direction) -> String {
    format!("{}#{}", direction.from, direction.to)
}

/// Parses a sort key that begins with a direction; a caller may append more after another `#`.
pub(super) fn from_sort_key(text: &str) -> Result<Direction, vault::Error> {
    let mut parts = text.split('#').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(from)), Some(Ok(to))) => Ok(Direction { from, to }),
        _ => Err(vault::Error::Attribute("direction")),
    }
}
