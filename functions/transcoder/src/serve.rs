//! Serving: a runtime on each core, and connections dealt out among them.
//!
//! A connection stays with its core, so that no request wakes another. They are dealt to the core that has the fewest: by a hash of their ports,
//! as `SO_REUSEPORT` has it, the few that SageMaker keeps open would come together too often; of four on two cores, all to one in an eighth of
//! all cases, and three to one in half of them.

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

use crate::{door::Door, patient::Patient};

/// SageMaker kills a container 30 s after asking it to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(25);
/// How long a connection may be idle or take to send a head.
const IDLE: Duration = Duration::from_mins(5);
/// The most connections at once: others wait until one ends.
const MAX_CONNECTIONS: usize = 512;
/// What a connection reads at once, in bytes.
const MAX_READ: usize = 128 << 10;

/// A core's part: connections come to it, and it counts them.
struct Worker {
    connections: mpsc::UnboundedSender<std::net::TcpStream>,
    open: Arc<AtomicUsize>,
}

/// Serves until it is asked to stop, and then what is under way.
pub(crate) fn serve(door: &Arc<Door>) -> io::Result<()> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let (stop, stopping) = watch::channel(());
    let (alive, mut ended) = mpsc::channel::<()>(1);
    let workers: Vec<Worker> =
        (0..cores).map(|_| Worker::start(door.clone(), stopping.clone(), alive.clone())).collect::<io::Result<_>>()?;
    drop(alive);
    runtime(1)?.block_on(async move {
        let mut terminate = unix::signal(unix::SignalKind::terminate())?;
        let listener = TcpListener::bind(door.address()).await?;
        tokio::select! {
            () = deal(&listener, &workers) => {}
            _ = terminate.recv() => {}
        }
        drop((listener, workers));
        let _ = stop.send(());
        let _ = time::timeout(LAST_REQUESTS, ended.recv()).await;
        Ok(())
    })
}

/// Deals connections out, each to the worker with the fewest.
async fn deal(listener: &TcpListener, workers: &[Worker]) {
    loop {
        let open = |worker: &&Worker| worker.open.load(Relaxed);
        let total: usize = workers.iter().map(|worker| open(&worker)).sum();
        let (true, Some(worker)) = (total < MAX_CONNECTIONS, workers.iter().min_by_key(open)) else {
            time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
            Ok(stream) => {
                worker.open.fetch_add(1, Relaxed);
                let _ = worker.connections.send(stream);
            }
            // Out of files, most likely: a connection that ends gives one back.
            Err(_) => time::sleep(Duration::from_millis(10)).await,
        }
    }
}

fn runtime(blocking: usize) -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(blocking).build()
}

impl Worker {
    fn start(door: Arc<Door>, stopping: watch::Receiver<()>, alive: mpsc::Sender<()>) -> io::Result<Self> {
        let (connections, mut dealt) = mpsc::unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let counted = open.clone();
        // Large bodies go to one thread beside: the system shares the core between them and small ones.
        let runtime = runtime(1)?;
        thread::Builder::new().name("worker".into()).spawn(move || {
            runtime.block_on(async move {
                let mut under_way = tokio::task::JoinSet::new();
                loop {
                    tokio::select! {
                        stream = dealt.recv() => {
                            let Some(stream) = stream else { break };
                            let (door, stopping, counted) = (door.clone(), stopping.clone(), counted.clone());
                            under_way.spawn(async move {
                                connection(stream, door, stopping).await;
                                counted.fetch_sub(1, Relaxed);
                            });
                        }
                        Some(_) = under_way.join_next() => {}
                    }
                }
                while under_way.join_next().await.is_some() {}
                drop(alive);
            });
        })?;
        Ok(Self { connections, open })
    }
}

async fn connection(stream: std::net::TcpStream, door: Arc<Door>, mut stopping: watch::Receiver<()>) {
    // One that was closed while it was dealt out.
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| Door::answer(door.clone(), request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(MAX_READ);
    let mut served = pin!(http.serve_connection(TokioIo::new(Patient::new(stream)), answer));
    tokio::select! {
        _ = served.as_mut() => return,
        _ = stopping.changed() => served.as_mut().graceful_shutdown(),
    }
    // What goes wrong with a connection is known to the one at its other end.
    let _ = served.await;
}
