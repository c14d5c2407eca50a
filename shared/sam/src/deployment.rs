//! Where a stack runs.

use std::path::{Path, PathBuf};

/// Where a stack runs: the values that references to its resources resolve to.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The base URL of all APIs, without a stage: `http://127.0.0.1:3000`.
    pub address: String,
    /// The file that stands in for every KMS key.
    pub master_key: PathBuf,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account: String,
}

impl Deployment {
    /// A deployment on this machine.
    #[must_use]
    pub fn local(address: impl Into<String>, master_key: &Path) -> Self {
        Self { address: address.into(), master_key: master_key.into(), region: "eu-west-1".into(), account: "123456789012".into() }
    }
}
