//! An HTTP server on the loopback interface that ends when it is told to.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    time::Duration,
};

use axum::{Router, http::header, routing::get, serve::ListenerExt};
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

use crate::Error;

/// The signal to stop.
pub(super) type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server; dropped, it stops listening.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinSet<()>,
}

impl Server {
    /// Serves a router.
    pub(super) fn start(listener: TcpListener, router: Router) -> io::Result<Self> {
        Self::run(listener, |listener, stopped| async {
            // Small answers must not wait for the acknowledgement of earlier ones.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            // It fails only by failing to accept, which it retries instead.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        })
    }

    /// Serves what `serve` makes of the listener and of the signal to stop.
    pub(super) fn run<F>(listener: TcpListener, serve: impl FnOnce(TcpListener, Stopped) -> F) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, Box::pin(async { drop(stopped.await) })));
        Ok(Self { address, stop, task })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets requests that run end, for as long as patience lasts.
    pub(super) async fn stop(mut self, patience: Duration) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(patience, self.task.join_next()).await;
    }
}

/// Listens on a loopback port; 0 is any that is free.
pub(super) async fn listen(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortTaken(port),
        _ => Error::Listen { port, source },
    })
}

/// Routes that serve JSON documents, by path, to pages of every origin.
pub(super) fn documents(documents: BTreeMap<String, String>) -> Router {
    documents.into_iter().fold(Router::new(), |router, (path, document)| {
        let headers = [(header::CONTENT_TYPE, "application/json"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
        router.route(&path, get(async move || (headers, document)))
    })
}
