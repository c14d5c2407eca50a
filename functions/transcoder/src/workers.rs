//! The connections: one single-threaded runtime per core.
//!
//! A connection stays on its core, so that no request wakes another one. Each connection goes to
//! the core with the fewest open ones. `SO_REUSEPORT` would distribute by a hash of the ports, and
//! SageMaker keeps only a few connections open: four on two cores would all share one core in an
//! eighth of the cases, and be split three to one in half of them.

use std::{
    io,
    num::NonZero,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    signal::unix,
    sync::{mpsc, watch},
    time,
};

use crate::{http::Server, write_timeout::WriteTimeoutStream};

/// The maximum time to finish requests in flight: SageMaker sends SIGKILL 30 s after SIGTERM.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(25);
/// The maximum time for a connection to be idle or to send a request's head.
const IDLE_TIMEOUT: Duration = Duration::from_mins(5);
/// The maximum number of open connections. Further ones wait in the listen queue.
const MAX_CONNECTIONS: usize = 512;
/// The read buffer of a connection, in bytes.
const READ_BUFFER_BYTES: usize = 128 << 10;
/// The wait before the next attempt to accept a connection.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// A core's thread, as the listener sees it.
struct Worker {
    connections: mpsc::UnboundedSender<std::net::TcpStream>,
    open_connections: Arc<AtomicUsize>,
}

/// Serves until SIGTERM, then finishes the requests in flight.
pub(crate) fn serve(server: &Arc<Server>) -> io::Result<()> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let (shutdown_sender, shutdown) = watch::channel(());
    // No message is sent: the channel closes when the last worker has dropped its sender.
    let (running, mut all_ended) = mpsc::channel::<()>(1);
    let workers: Vec<Worker> =
        (0..cores).map(|_| Worker::start(server.clone(), shutdown.clone(), running.clone())).collect::<io::Result<_>>()?;
    drop(running);
    runtime()?.block_on(async move {
        let mut terminate = unix::signal(unix::SignalKind::terminate())?;
        let listener = TcpListener::bind(server.address()).await?;
        tokio::select! {
            () = accept(&listener, &workers) => {}
            _ = terminate.recv() => {}
        }
        drop((listener, workers));
        let _ = shutdown_sender.send(());
        let _ = time::timeout(SHUTDOWN_TIMEOUT, all_ended.recv()).await;
        Ok(())
    })
}

/// Accepts connections and sends each to the worker with the fewest open ones.
async fn accept(listener: &TcpListener, workers: &[Worker]) {
    loop {
        let open = |worker: &&Worker| worker.open_connections.load(Relaxed);
        let total: usize = workers.iter().map(|worker| open(&worker)).sum();
        let (true, Some(worker)) = (total < MAX_CONNECTIONS, workers.iter().min_by_key(open)) else {
            time::sleep(ACCEPT_RETRY_INTERVAL).await;
            continue;
        };
        match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
            Ok(stream) => {
                worker.open_connections.fetch_add(1, Relaxed);
                let _ = worker.connections.send(stream);
            }
            // Most likely the process is out of file descriptors. A closed connection frees one.
            Err(_) => time::sleep(ACCEPT_RETRY_INTERVAL).await,
        }
    }
}

/// A single-threaded runtime with one blocking thread, for large bodies: the operating system
/// shares the core between it and the small requests.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(1).build()
}

impl Worker {
    fn start(server: Arc<Server>, shutdown: watch::Receiver<()>, running: mpsc::Sender<()>) -> io::Result<Self> {
        let (connections, mut accepted) = mpsc::unbounded_channel();
        let open_connections = Arc::new(AtomicUsize::new(0));
        let open = open_connections.clone();
        let runtime = runtime()?;
        thread::Builder::new().name("worker".into()).spawn(move || {
            runtime.block_on(async move {
                let mut tasks = tokio::task::JoinSet::new();
                loop {
                    tokio::select! {
                        stream = accepted.recv() => {
                            let Some(stream) = stream else { break };
                            let (server, shutdown, open) = (server.clone(), shutdown.clone(), open.clone());
                            tasks.spawn(async move {
                                serve_connection(stream, server, shutdown).await;
                                open.fetch_sub(1, Relaxed);
                            });
                        }
                        Some(_) = tasks.join_next() => {}
                    }
                }
                while tasks.join_next().await.is_some() {}
                drop(running);
            });
        })?;
        Ok(Self { connections, open_connections })
    }
}

async fn serve_connection(stream: std::net::TcpStream, server: Arc<Server>, mut shutdown: watch::Receiver<()>) {
    // Registering fails if the connection has been closed since it was accepted.
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| Server::handle(server.clone(), request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT).max_buf_size(READ_BUFFER_BYTES);
    let mut connection = pin!(http.serve_connection(TokioIo::new(WriteTimeoutStream::new(stream)), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = shutdown.changed() => connection.as_mut().graceful_shutdown(),
    }
    // A connection error concerns only its client, which sees it too.
    let _ = connection.await;
}
