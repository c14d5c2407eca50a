//! What a function's processes are started with.

use std::{collections::BTreeMap, path::PathBuf};

use sam::Function;

use crate::logs::Logs;

/// What a function's processes are started with.
#[derive(Clone, Debug)]
pub(crate) struct FunctionSpec {
    pub(crate) function: Function,
    pub(crate) program: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) arn: String,
    pub(crate) logs: Logs,
}
