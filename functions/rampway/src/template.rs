//! The project's SAM template, which is a part of the program.

use std::path::{Path, PathBuf};

use local::TemplateSource;

/// The text of `template.yaml`.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The file that is read if no other is named.
const FILE: &str = "template.yaml";

/// Returns the template `file`, by default `template.yaml` in the current directory, or else the
/// one inside this program.
pub(crate) fn source(file: Option<PathBuf>) -> TemplateSource {
    match file {
        Some(file) => TemplateSource::File(file),
        None if Path::new(FILE).is_file() => TemplateSource::File(FILE.into()),
        None => TemplateSource::Text(TEMPLATE.into()),
    }
}
