//! The options of a local cloud.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::{state::State, template_source::TemplateSource};

/// The options of a [`LocalCloud`](crate::LocalCloud).
#[derive(Clone, Debug)]
pub struct Options {
    /// The SAM template.
    pub template: TemplateSource,
    /// Parameters of the template; the others take their defaults.
    pub parameters: BTreeMap<String, String>,
    /// The port of the APIs on 127.0.0.1; 0 takes a free port.
    pub port: u16,
    /// The number of instances of each SageMaker endpoint.
    pub instances: usize,
    /// Where tables and keys are stored.
    pub state: State,
    /// The folder of the function binaries. `None` takes the folder of this program, and builds
    /// them with cargo when it belongs to a workspace.
    pub binaries: Option<PathBuf>,
    /// The maximum number of processes of each function.
    pub max_processes: usize,
    /// The integration timeout of API Gateway.
    pub integration_timeout: Duration,
    /// JSON documents that the local port serves outside the stage, by path: `/openapi.json`.
    pub documents: BTreeMap<String, String>,
    /// Whether the log lines of the processes stay off standard error.
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
            max_processes: 4,
            integration_timeout: Duration::from_secs(29),
            documents: BTreeMap::new(),
            quiet: false,
        }
    }
}
