//! Where the SAM template is read from.

use std::{borrow::Cow, path::PathBuf};

use sam::{Error, Template};

/// Where the SAM template is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateSource {
    /// A file.
    File(PathBuf),
    /// The template's text.
    Text(Cow<'static, str>),
}

impl TemplateSource {
    /// Reads the template.
    pub fn read(&self) -> Result<Template, Error> {
        match self {
            Self::File(path) => Template::read(path),
            Self::Text(text) => Template::parse(text),
        }
    }
}

impl<P: Into<PathBuf>> From<P> for TemplateSource {
    fn from(path: P) -> Self {
        Self::File(path.into())
    }
}
