//! HTTP servers on the loopback interface, with graceful shutdown.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    time::Duration,
};

use axum::{Router, http::header, routing::get, serve::ListenerExt};
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

use crate::error::Error;

/// How long open requests may run after a server stops accepting.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Completes when the server is to shut down.
pub(crate) type ShutdownSignal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server. Dropped, it stops at once.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    shutdown: oneshot::Sender<()>,
    task: JoinSet<()>,
}

impl Server {
    /// Serves a router.
    pub(crate) fn start(listener: TcpListener, router: Router) -> Result<Self, Error> {
        Self::run(listener, |listener, shutdown| async {
            // Nagle's algorithm delays small responses until earlier ones are acknowledged.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            // It never fails: a failing `accept` is retried.
            let _ = axum::serve(listener, router).with_graceful_shutdown(shutdown).await;
        })
    }

    /// Runs the future that `serve` makes of the listener and the shutdown signal.
    pub(crate) fn run<F>(listener: TcpListener, serve: impl FnOnce(TcpListener, ShutdownSignal) -> F) -> Result<Self, Error>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().map_err(Error::socket)?;
        let (shutdown, signal) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, Box::pin(async { drop(signal.await) })));
        Ok(Self { address, shutdown, task })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops accepting, and waits up to [`SHUTDOWN_TIMEOUT`] for the open requests.
    pub(crate) async fn stop(mut self) {
        let _ = self.shutdown.send(());
        let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, self.task.join_next()).await;
    }
}

/// Listens on a loopback port; 0 is any free port.
pub(crate) async fn listen(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortTaken(port),
        _ => Error::Listen { port, source },
    })
}

/// Routes that serve JSON documents, by path, to pages of every origin.
pub(crate) fn documents(documents: BTreeMap<String, String>) -> Router {
    documents.into_iter().fold(Router::new(), |router, (path, document)| {
        let headers = [(header::CONTENT_TYPE, "application/json"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
        router.route(&path, get(async move || (headers, document)))
    })
}
