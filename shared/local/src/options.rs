//! How a suite is started.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use super::{State, TemplateSource};

/// How a suite is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The SAM template.
    pub template: TemplateSource,
    /// Parameters of the template; defaults stand for the others.
    pub parameters: BTreeMap<String, String>,
    /// The port of the APIs on 127.0.0.1; 0 is any that is free.
    pub port: u16,
    /// How many transcoders stand behind the endpoint.
    pub instances: usize,
    /// Where tables and keys are kept.
    pub state: State,
    /// The folder of the programs; `None` finds them, and builds them when cargo is at hand.
    pub binaries: Option<PathBuf>,
    /// How many processes a function may have at once.
    pub processes: usize,
    /// How long API Gateway waits for a function.
    pub integration_timeout: Duration,
    /// JSON documents that the local port serves outside the stage, by path: `/openapi.json`.
    pub documents: BTreeMap<String, String>,
    /// Whether to keep the processes' log lines to ourselves.
    pub quiet: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            template: "template.yaml".into(),
            parameters: BTreeMap::new(),
            port: 3000,
            instances: 1,
            state: State::Directory(".rampway".into()),
            binaries: None,
            processes: 4,
            integration_timeout: Duration::from_secs(29),
            documents: BTreeMap::new(),
            quiet: false,
        }
    }
}
