//! The columns of the ids and of their targets.

use std::num::NonZero;

use shared::identity::Domain;

use crate::input_error::InputError;

/// The second column that a translation adds.
pub(crate) const ERROR_CODE: &str = "error_code";

/// The columns that the rejects file has in addition to the input's.
pub(crate) const REJECT_COLUMNS: [&str; 2] = [ERROR_CODE, "error_message"];

/// A column of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// A column by its name in the header, the objects or the schema.
    Named(String),
    /// A column by its number, from 1, in a file without a header.
    Numbered(NonZero<usize>),
}

/// The domain to translate into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<C = Column> {
    /// The same domain for all ids.
    Domain(Domain),
    /// A domain per row, from this column.
    Column(C),
}

/// The indices of the columns of ids and targets.
#[derive(Clone, Debug)]
pub(crate) struct SelectedColumns {
    pub(crate) id: usize,
    pub(crate) target: Target<usize>,
}

impl Default for SelectedColumns {
    fn default() -> Self {
        Self { id: 0, target: Target::Column(0) }
    }
}

impl SelectedColumns {
    /// A selected index that a row of this many columns does not have.
    pub(crate) const fn out_of_range(&self, columns: usize) -> Option<usize> {
        match self.target {
            _ if self.id >= columns => Some(self.id),
            Target::Column(index) if index >= columns => Some(index),
            _ => None,
        }
    }
}

impl Column {
    /// The column's name; `column_N` for a numbered one.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::Numbered(number) => format!("column_{number}"),
        }
    }

    /// The name of the added column of translated ids.
    #[must_use]
    pub fn translated_name(&self, target: &Target) -> String {
        match target {
            Target::Domain(domain) => format!("{}_{domain}", self.name()),
            Target::Column(_) => format!("{}_translated", self.name()),
        }
    }

    const fn index(&self) -> Option<usize> {
        match self {
            Self::Named(_) => None,
            Self::Numbered(number) => Some(number.get() - 1),
        }
    }
}

/// The names of the added columns.
pub(crate) fn added_names(column: &Column, target: &Target) -> [String; 2] {
    [column.translated_name(target), ERROR_CODE.into()]
}

/// Selects columns of a file without a header.
pub(crate) fn select_numbered(column: &Column, target: &Target) -> Result<SelectedColumns, InputError> {
    let index = |column: &Column| column.index().ok_or_else(|| InputError::NoHeader { column: column.name() });
    let target = match target {
        Target::Domain(domain) => Target::Domain(*domain),
        Target::Column(column) => Target::Column(index(column)?),
    };
    Ok(SelectedColumns { id: index(column)?, target })
}

/// Selects columns by their `names`, none of which may be the name of an added column.
pub(crate) fn select_named(column: &Column, target: &Target, names: &[impl AsRef<[u8]>]) -> Result<SelectedColumns, InputError> {
    let added = added_names(column, target);
    if let Some(added) = added.iter().find(|added| names.iter().any(|name| name.as_ref() == added.as_bytes())) {
        return Err(InputError::ColumnExists { column: added.clone() });
    }
    let target = match target {
        Target::Domain(domain) => Target::Domain(*domain),
        Target::Column(column) => Target::Column(find(&column.name(), names)?),
    };
    Ok(SelectedColumns { id: find(&column.name(), names)?, target })
}

/// The index of the only column `name`.
fn find(name: &str, names: &[impl AsRef<[u8]>]) -> Result<usize, InputError> {
    let mut found = names.iter().enumerate().filter(|(_, column)| column.as_ref() == name.as_bytes()).map(|(index, _)| index);
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => Err(InputError::DuplicateColumn { column: name.into() }),
        (None, _) => Err(InputError::ColumnNotFound { column: name.into(), columns: list(names) }),
    }
}

/// Lists column names for an error message, bounded in number and length.
fn list(names: &[impl AsRef<[u8]>]) -> String {
    const MAX_LISTED_NAMES: usize = 30;
    const MAX_NAME_CHARS: usize = 60;
    let name = |column: &[u8]| {
        let name = String::from_utf8_lossy(column);
        let name: String = name.chars().map(|char| if char.is_control() { ' ' } else { char }).take(MAX_NAME_CHARS).collect();
        format!("`{name}`")
    };
    let mut listed: Vec<_> = names.iter().take(MAX_LISTED_NAMES).map(|column| name(column.as_ref())).collect();
    if names.len() > MAX_LISTED_NAMES {
        listed.push(format!("and {} more", names.len() - MAX_LISTED_NAMES));
    }
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select_id(names: &[&str], target: &Target) -> Result<SelectedColumns, String> {
        select_named(&Column::Named("id".into()), target, names).map_err(|error| error.to_string())
    }

    fn fixed_target() -> Target {
        Target::Domain("1006".parse().unwrap())
    }

    #[test]
    fn columns_are_selected_by_name() {
        assert_eq!(select_id(&["name", "id"], &fixed_target()).unwrap().id, 1);
        let selected = select_id(&["to", "id"], &Target::Column(Column::Named("to".into()))).unwrap();
        assert_eq!((selected.id, selected.target), (1, Target::Column(0)));
    }

    #[test]
    fn a_missing_column_is_reported_with_the_existing_ones() {
        let message = select_id(&["ID", "na\x1bme"], &fixed_target()).unwrap_err();
        assert_eq!(message, "there is no column `id`; the columns are `ID`, `na me` (another separator? see --delimiter)");
        assert!(select_id(&["x"; 50], &fixed_target()).unwrap_err().contains("`x`, and 20 more"));
    }

    #[test]
    fn duplicate_columns_and_existing_output_columns_are_refused() {
        assert_eq!(select_id(&["id", "id"], &fixed_target()).unwrap_err(), "two columns are named `id`: rename one of them");
        let message = select_id(&["id", "error_code"], &fixed_target()).unwrap_err();
        assert_eq!(message, "there is already a column `error_code`, which the translation adds: rename or remove it first");
        let message = select_id(&["id", "to", "id_translated"], &Target::Column(Column::Named("to".into()))).unwrap_err();
        assert!(message.starts_with("there is already a column `id_translated`"), "{message}");
    }
}
