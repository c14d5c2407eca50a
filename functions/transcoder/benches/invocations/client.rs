//! The load: persistent connections, each with one response buffer.

use std::{
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::{
    bodies::Case,
    http::{exchange, request},
};

/// The server under load, and the smart token for it.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub address: SocketAddr,
    pub token: &'a str,
}

/// The result of one round.
#[derive(Clone, Copy)]
pub struct Measurement {
    /// Ids per second over all connections.
    pub ids_per_second: f64,
    /// Request bytes per second over all connections, without heads.
    pub bytes_per_second: f64,
    /// The median latency of a request.
    pub p50: Duration,
    /// The 99th percentile of the latency.
    pub p99: Duration,
}

impl Target<'_> {
    /// Sends a case's body repeatedly over `connections` at once.
    pub fn run(self, case: &Case, connections: usize, duration: Duration) -> Measurement {
        let body = case.body(self.token);
        let request = request(&body, case.content_type, case.attributes);
        let start = Instant::now();
        let mut latencies: Vec<Duration> = thread::scope(|scope| {
            let spawn = || scope.spawn(|| send_until(self.address, &request, start + duration));
            let threads: Vec<_> = (0..connections).map(|_| spawn()).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("a connection does not fail")).collect()
        });
        let seconds = start.elapsed().as_secs_f64();
        latencies.sort();
        #[expect(clippy::cast_precision_loss, reason = "a second's count is exact in an f64")]
        let per_second = |count: usize| (count * latencies.len()) as f64 / seconds;
        let percentile = |percent: usize| latencies[(latencies.len() * percent / 100).min(latencies.len() - 1)];
        Measurement {
            ids_per_second: per_second(case.ids),
            bytes_per_second: per_second(body.len()),
            p50: percentile(50),
            p99: percentile(99),
        }
    }
}

fn send_until(address: SocketAddr, request: &[u8], deadline: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    let (mut latencies, mut response) = (Vec::new(), Vec::new());
    while Instant::now() < deadline {
        let start = Instant::now();
        exchange(&mut stream, request, &mut response);
        latencies.push(start.elapsed());
    }
    latencies
}
