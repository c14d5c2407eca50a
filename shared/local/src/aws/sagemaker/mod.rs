//! SageMaker's part: transcoder processes in the place of instances, kept alive, behind a runtime endpoint.

mod instance;
mod runtime;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use tokio::{sync::watch, task::JoinSet};

pub use self::instance::Instance;
use self::instance::{Launch, Supervised};
use crate::{Error, process::Logs};
use sam::Endpoint;

/// How long a container has to come into service.
const START: Duration = Duration::from_secs(30);

/// The endpoints of a stack and their instances.
#[derive(Debug)]
pub(crate) struct Fleet {
    endpoints: Vec<Endpoint>,
    instances: Vec<Arc<Supervised>>,
    turn: AtomicUsize,
    client: reqwest::Client,
    account: String,
    region: String,
}

/// The supervisors of the instances.
#[derive(Debug)]
pub(crate) struct Supervision {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// What a fleet is made of.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) endpoints: Vec<Endpoint>,
    /// Instances an endpoint.
    pub(crate) instances: usize,
    pub(crate) program: PathBuf,
    pub(crate) model: PathBuf,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) logs: Logs,
}

impl Fleet {
    /// Starts all instances; [`Self::in_service`] waits for them.
    pub(crate) fn start(plan: Plan) -> Result<(Arc<Self>, Supervision), Error> {
        let client = reqwest::Client::builder().no_proxy().build();
        let client = client.map_err(|error| Error::Machine(format!("an HTTP client ({error})")))?;
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut instances = Vec::new();
        for endpoint in &plan.endpoints {
            let variants = endpoint.variants.iter().cycle().take(plan.instances);
            for variant in variants {
                let number = instances.len();
                let mut environment: BTreeMap<_, _> = variant.environment.clone();
                environment.insert("MODEL_DIRECTORY".into(), plan.model.display().to_string());
                // A container has all addresses to itself; a process on this machine has not.
                environment.insert("RAMPWAY_BIND".into(), "127.0.0.1".into());
                let launch = Launch { program: plan.program.clone(), environment, logs: plan.logs.clone() };
                let instance = Arc::new(Supervised::new(number, endpoint.name.clone(), variant.name.clone()));
                let (supervised, client) = (Arc::clone(&instance), client.clone());
                let stopping = stopping.clone();
                tasks.spawn(async move { supervised.keep_alive(&launch, &client, stopping).await });
                instances.push(instance);
            }
        }
        let fleet =
            Self { endpoints: plan.endpoints, instances, turn: AtomicUsize::new(0), client, account: plan.account, region: plan.region };
        Ok((Arc::new(fleet), Supervision { tasks, stop }))
    }

    /// Waits until every instance serves.
    pub(crate) async fn in_service(&self) -> Result<(), Error> {
        for instance in &self.instances {
            instance.in_service(START).await?;
        }
        Ok(())
    }

    /// `POST /endpoints/{name}/invocations`.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        runtime::router(Arc::clone(self))
    }

    pub(crate) fn instances(&self) -> Vec<Instance> {
        self.instances.iter().map(|instance| instance.describe()).collect()
    }

    /// Kills an instance's process; another takes its place.
    pub(crate) async fn kill(&self, number: usize) -> Result<(), Error> {
        self.instances.get(number).ok_or(Error::NoInstance(number))?.kill().await;
        Ok(())
    }

    fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }

    /// The instance whose turn it is, of those in service.
    fn choose(&self, endpoint: &str, variant: Option<&str>) -> Option<(&Supervised, u16)> {
        let serving = || {
            let asked =
                |instance: &&Arc<Supervised>| instance.endpoint == endpoint && variant.is_none_or(|variant| variant == instance.variant);
            self.instances.iter().filter(asked).filter_map(|instance| Some((&**instance, instance.port()?)))
        };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        // One may leave between the two looks: then it is the first one's turn.
        serving().nth(turn.checked_rem(serving().count())?).or_else(|| serving().next())
    }
}

impl Supervision {
    /// Asks every instance to end and waits for it.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}
