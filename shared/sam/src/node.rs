//! The template as it is written.

use std::fmt;

use serde_norway::Value;

use crate::yaml;

/// A value of the template as it is written, unresolved: an intrinsic function in its short form
/// keeps its YAML tag.
///
/// A path is a list of keys from this value; an empty path is the value itself.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a>(pub(crate) &'a Value);

impl<'a> Node<'a> {
    /// The value at a path.
    #[must_use]
    pub fn get(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self.0, |value, key| value.get(*key)).map(Self)
    }

    /// The scalar at a path as a string, with its tag: `!GetAtt VaultKey.Arn`. Empty when there is
    /// none.
    #[must_use]
    pub fn text(self, path: &[&str]) -> String {
        match self.get(path) {
            Some(Self(Value::Tagged(tagged))) => format!("{} {}", tagged.tag, Self(&tagged.value).text(&[])),
            Some(Self(value)) => yaml::scalar(value).unwrap_or_default(),
            None => String::new(),
        }
    }

    /// The scalars of the list at a path, as [`Self::text`] gives them. A scalar counts as a list
    /// of one.
    #[must_use]
    pub fn texts(self, path: &[&str]) -> Vec<String> {
        match self.get(path) {
            Some(Self(Value::Sequence(items))) => items.iter().map(|item| Self(item).text(&[])).collect(),
            Some(scalar) => vec![scalar.text(&[])],
            None => Vec::new(),
        }
    }

    /// The whole number at a path.
    #[must_use]
    pub fn number(self, path: &[&str]) -> Option<u64> {
        self.get(path)?.0.as_u64()
    }

    /// The items of the list at a path.
    pub fn items(self, path: &[&str]) -> impl Iterator<Item = Self> + use<'a> {
        self.get(path).and_then(|node| node.0.as_sequence()).into_iter().flatten().map(Self)
    }

    /// The entries of the mapping at a path whose keys are strings, in the order they are written.
    pub fn entries(self, path: &[&str]) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        yaml::entries(self.get(path).map(|node| node.0)).map(|(key, value)| (key, Self(value)))
    }
}

/// Writes the value as YAML.
impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_norway::to_string(self.0).map_err(|_| fmt::Error)?)
    }
}
