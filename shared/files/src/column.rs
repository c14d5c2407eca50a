//! Which column holds the ids, and what says the target of each.

use std::num::NonZero;

use shared::identity::Domain;

use super::Fault;

/// The name of the second column that a translation adds.
pub(super) const ERROR_CODE: &str = "error_code";

/// A column of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The column that the header names so.
    Named(String),
    /// The column with this number, from 1, of a file without a header.
    Numbered(NonZero<usize>),
}

/// The domains to translate into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<C = Column> {
    /// One for all ids.
    Domain(Domain),
    /// Each row's cell in this column.
    Column(C),
}

/// The places of the columns that matter.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) column: usize,
    pub(super) target: Target<usize>,
}

impl Default for Chosen {
    fn default() -> Self {
        Self { column: 0, target: Target::Column(0) }
    }
}

impl Chosen {
    /// A chosen column that a row of so many columns has not.
    pub(super) const fn beyond(&self, columns: usize) -> Option<usize> {
        match self.target {
            _ if self.column >= columns => Some(self.column),
            Target::Column(index) if index >= columns => Some(index),
            _ => None,
        }
    }
}

impl Column {
    /// Its name, or one for it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::Numbered(number) => format!("column_{number}"),
        }
    }

    /// The name of the column that holds the translated ids.
    #[must_use]
    pub fn translated(&self, target: &Target) -> String {
        match target {
            Target::Domain(domain) => format!("{}_{domain}", self.name()),
            Target::Column(_) => format!("{}_translated", self.name()),
        }
    }

    const fn number(&self) -> Option<usize> {
        match self {
            Self::Named(_) => None,
            Self::Numbered(number) => Some(number.get() - 1),
        }
    }
}

/// The chosen columns of a file without a header.
pub(super) fn numbered(column: &Column, target: &Target) -> Result<Chosen, Fault> {
    let index = |column: &Column| column.number().ok_or_else(|| Fault::NoHeader { column: column.name() });
    let target = match target {
        Target::Domain(domain) => Target::Domain(*domain),
        Target::Column(column) => Target::Column(index(column)?),
    };
    Ok(Chosen { column: index(column)?, target })
}

/// Finds the chosen columns among those that a header `names`, to which two are to be added.
pub(super) fn named(column: &Column, target: &Target, names: &[impl AsRef<[u8]>]) -> Result<Chosen, Fault> {
    let added = [column.translated(target), ERROR_CODE.into()];
    if let Some(added) = added.iter().find(|added| names.iter().any(|name| name.as_ref() == added.as_bytes())) {
        return Err(Fault::Clash { column: added.clone() });
    }
    let target = match target {
        Target::Domain(domain) => Target::Domain(*domain),
        Target::Column(column) => Target::Column(find(&column.name(), names)?),
    };
    Ok(Chosen { column: find(&column.name(), names)?, target })
}

/// Finds the column `name`.
fn find(name: &str, names: &[impl AsRef<[u8]>]) -> Result<usize, Fault> {
    let mut found = names.iter().enumerate().filter(|(_, column)| column.as_ref() == name.as_bytes()).map(|(index, _)| index);
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => Err(Fault::TwoColumns { column: name.into() }),
        (None, _) => Err(Fault::NoColumn { column: name.into(), columns: list(names) }),
    }
}

/// Names columns for people: a bounded number of them, each of bounded length.
fn list(names: &[impl AsRef<[u8]>]) -> String {
    const SHOWN: usize = 30;
    let name = |column: &[u8]| {
        let name = String::from_utf8_lossy(column);
        let name: String = name.chars().map(|char| if char.is_control() { ' ' } else { char }).take(60).collect();
        format!("`{name}`")
    };
    let mut shown: Vec<_> = names.iter().take(SHOWN).map(|column| name(column.as_ref())).collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_id(names: &[&str], target: &Target) -> Result<Chosen, String> {
        named(&Column::Named("id".into()), target, names).map_err(|fault| fault.to_string())
    }

    fn one() -> Target {
        Target::Domain("1006".parse().unwrap())
    }

    #[test]
    fn columns_are_found_by_their_names() {
        assert_eq!(find_id(&["name", "id"], &one()).unwrap().column, 1);
        let chosen = find_id(&["to", "id"], &Target::Column(Column::Named("to".into()))).unwrap();
        assert_eq!((chosen.column, chosen.target), (1, Target::Column(0)));
    }

    #[test]
    fn a_missing_column_is_told_with_those_that_there_are() {
        let sentence = find_id(&["ID", "na\x1bme"], &one()).unwrap_err();
        assert_eq!(sentence, "there is no column `id`; the columns are `ID`, `na me` (another separator? see --delimiter)");
        assert!(find_id(&["x"; 50], &one()).unwrap_err().contains("`x`, and 20 more"));
    }

    #[test]
    fn a_doubled_column_and_one_that_would_be_added_twice_are_refused() {
        assert_eq!(find_id(&["id", "id"], &one()).unwrap_err(), "two columns are named `id`: rename one of them");
        let sentence = find_id(&["id", "error_code"], &one()).unwrap_err();
        assert_eq!(sentence, "there is already a column `error_code`, which the translation adds: rename or remove it first");
        assert!(find_id(&["id", "to", "id_translated"], &Target::Column(Column::Named("to".into()))).is_err());
    }
}
