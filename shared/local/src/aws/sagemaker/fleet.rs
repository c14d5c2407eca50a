//! The endpoints of a stack and their instances.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sam::Endpoint;
use tokio::{sync::watch, task::JoinSet};

use super::instance::{ContainerSpec, Instance, InstanceSupervisor};
use crate::{error::Error, logs::Logs};

/// How long a container may take to come into service.
const IN_SERVICE_TIMEOUT: Duration = Duration::from_secs(30);

/// The endpoints of a stack and their instances.
#[derive(Debug)]
pub(crate) struct Fleet {
    endpoints: Vec<Endpoint>,
    instances: Vec<Arc<InstanceSupervisor>>,
    /// Counts requests, for round-robin balancing.
    next: AtomicUsize,
    pub(super) client: reqwest::Client,
    pub(super) account: String,
    pub(super) region: String,
}

/// The tasks that supervise the instances. Dropped, they kill them.
#[derive(Debug)]
pub(crate) struct Supervision {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// What a fleet is started with.
#[derive(Debug)]
pub(crate) struct FleetSpec {
    pub(crate) endpoints: Vec<Endpoint>,
    /// The number of instances of each endpoint.
    pub(crate) instances: usize,
    pub(crate) program: PathBuf,
    pub(crate) model: PathBuf,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) logs: Logs,
}

impl Fleet {
    /// Starts all instances; [`Self::wait_in_service`] waits for them.
    pub(crate) fn start(spec: FleetSpec) -> Result<(Arc<Self>, Supervision), Error> {
        let client = reqwest::Client::builder().no_proxy().build();
        let client = client.map_err(|error| Error::Machine(format!("an HTTP client ({error})")))?;
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut instances = Vec::new();
        for endpoint in &spec.endpoints {
            let variants = endpoint.variants.iter().cycle().take(spec.instances);
            for variant in variants {
                let number = instances.len();
                let mut environment: BTreeMap<_, _> = variant.environment.clone();
                environment.insert("MODEL_DIRECTORY".into(), spec.model.display().to_string());
                // A container binds to all of its addresses. A process on this machine binds to
                // loopback alone.
                environment.insert("RAMPWAY_BIND".into(), "127.0.0.1".into());
                let container = ContainerSpec { program: spec.program.clone(), environment, logs: spec.logs.clone() };
                let instance = Arc::new(InstanceSupervisor::new(number, endpoint.name.clone(), variant.name.clone()));
                let (supervisor, client, stopping) = (Arc::clone(&instance), client.clone(), stopping.clone());
                tasks.spawn(async move { supervisor.supervise(&container, &client, stopping).await });
                instances.push(instance);
            }
        }
        let fleet =
            Self { endpoints: spec.endpoints, instances, next: AtomicUsize::new(0), client, account: spec.account, region: spec.region };
        Ok((Arc::new(fleet), Supervision { tasks, stop }))
    }

    /// Waits until every instance is in service.
    pub(crate) async fn wait_in_service(&self) -> Result<(), Error> {
        for instance in &self.instances {
            instance.wait_in_service(IN_SERVICE_TIMEOUT).await?;
        }
        Ok(())
    }

    pub(crate) fn instances(&self) -> Vec<Instance> {
        self.instances.iter().map(|instance| instance.describe()).collect()
    }

    /// Kills an instance's process. Another process replaces it.
    pub(crate) async fn kill(&self, number: usize) -> Result<(), Error> {
        self.instances.get(number).ok_or(Error::NoInstance(number))?.kill().await;
        Ok(())
    }

    pub(super) fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }

    /// An instance in service and its port, chosen round-robin.
    pub(super) fn choose(&self, endpoint: &str, variant: Option<&str>) -> Option<(&InstanceSupervisor, u16)> {
        let serving = || {
            let is_target = |instance: &&Arc<InstanceSupervisor>| {
                instance.endpoint == endpoint && variant.is_none_or(|variant| variant == instance.variant)
            };
            self.instances.iter().filter(is_target).filter_map(|instance| Some((&**instance, instance.port()?)))
        };
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        // An instance may leave service after the count; then the first one serves.
        serving().nth(next.checked_rem(serving().count())?).or_else(|| serving().next())
    }
}

impl Supervision {
    /// Terminates every instance and waits for its exit.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}
