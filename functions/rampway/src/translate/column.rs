//! Which column holds the ids.

use std::num::NonZero;

use super::Fault;

/// The column that holds the ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The column that the header names so.
    Named(String),
    /// The column with this number, from 1, of a file without a header.
    Numbered(NonZero<usize>),
}

/// Finds the column `name` among a header's `columns`, into which the columns `added` are to be added.
pub(super) fn find(name: &str, columns: &[impl AsRef<[u8]>], added: &[String]) -> Result<usize, Fault> {
    let is = |column: &[u8], name: &str| column == name.as_bytes();
    if let Some(added) = added.iter().find(|added| columns.iter().any(|column| is(column.as_ref(), added))) {
        return Err(Fault::Clash { column: added.clone() });
    }
    let mut found = columns.iter().enumerate().filter(|(_, column)| is(column.as_ref(), name)).map(|(index, _)| index);
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => Err(Fault::TwoColumns { column: name.into() }),
        (None, _) => Err(Fault::NoColumn { column: name.into(), columns: list(columns) }),
    }
}

/// Names columns for people: a bounded number of them, each of bounded length.
fn list(columns: &[impl AsRef<[u8]>]) -> String {
    const SHOWN: usize = 30;
    let name = |column: &[u8]| {
        let name = String::from_utf8_lossy(column);
        let name: String = name.chars().map(|char| if char.is_control() { ' ' } else { char }).take(60).collect();
        format!("`{name}`")
    };
    let mut names: Vec<_> = columns.iter().take(SHOWN).map(|column| name(column.as_ref())).collect();
    if columns.len() > SHOWN {
        names.push(format!("and {} more", columns.len() - SHOWN));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_id(columns: &[&str]) -> Result<usize, String> {
        find("id", columns, &["id_1006".into(), "error_code".into()]).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_column_is_found_by_its_name() {
        assert_eq!(find_id(&["name", "id"]), Ok(1));
    }

    #[test]
    fn a_missing_column_is_told_with_those_that_there_are() {
        let sentence = find_id(&["ID", "na\x1bme"]).unwrap_err();
        assert_eq!(sentence, "there is no column `id`; the columns are `ID`, `na me` (another separator? see --delimiter)");
        assert!(find_id(&["x"; 50]).unwrap_err().contains("`x`, and 20 more"));
    }

    #[test]
    fn a_doubled_column_and_one_that_would_be_added_twice_are_refused() {
        assert_eq!(find_id(&["id", "id"]).unwrap_err(), "two columns are named `id`: rename one of them");
        let sentence = find_id(&["id", "error_code"]).unwrap_err();
        assert_eq!(sentence, "there is already a column `error_code`, which the translation adds: rename or remove it first");
    }
}
