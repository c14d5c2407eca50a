//! A blocking client that keeps its connections and reads answers into one buffer.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::bodies::Case;

/// A server to be put under load.
#[derive(Clone, Copy)]
pub struct Load<'a> {
    pub address: SocketAddr,
    pub token: &'a str,
}

/// What a round came to.
#[derive(Clone, Copy)]
pub struct Measured {
    /// Ids per second, of all connections.
    pub ids: f64,
    /// Bytes of bodies sent per second.
    pub bytes: f64,
    pub p50: Duration,
    pub p99: Duration,
}

impl Load<'_> {
    /// Sends a case's body again and again.
    pub fn run(self, case: &Case, connections: usize, duration: Duration) -> Measured {
        let body = case.body(self.token);
        let request = request(&body, case.kind, case.attributes);
        let start = Instant::now();
        let mut times: Vec<Duration> = thread::scope(|scope| {
            let one = || scope.spawn(|| connection(self.address, &request, start + duration));
            let all: Vec<_> = (0..connections).map(|_| one()).collect();
            all.into_iter().flat_map(|one| one.join().expect("a connection does not fail")).collect()
        });
        let took = start.elapsed().as_secs_f64();
        times.sort();
        #[expect(clippy::cast_precision_loss, reason = "counts of a second")]
        let per_second = |count: usize| (count * times.len()) as f64 / took;
        let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
        Measured { ids: per_second(case.ids), bytes: per_second(body.len()), p50: at(50), p99: at(99) }
    }
}

/// A request's head and body.
pub fn request(body: &str, kind: &str, attributes: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nX-Amzn-SageMaker-Custom-Attributes: {attributes}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

fn connection(address: SocketAddr, request: &[u8], end: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    let (mut times, mut answer) = (Vec::new(), Vec::new());
    while Instant::now() < end {
        let start = Instant::now();
        exchange(&mut stream, request, &mut answer);
        times.push(start.elapsed());
    }
    times
}

/// Sends a request and reads its answer's body, which must be one of a success.
pub fn exchange(stream: &mut TcpStream, request: &[u8], answer: &mut Vec<u8>) {
    stream.write_all(request).expect("the server reads");
    answer.resize(answer.capacity().max(1 << 16), 0);
    let mut have = 0;
    let (head, total) = loop {
        let more = stream.read(&mut answer[have..]).expect("the server answers");
        assert!(more > 0, "the server hung up: {}", String::from_utf8_lossy(&answer[..have]));
        have += more;
        if let Some(head) = answer[..have].windows(4).position(|end| end == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&answer[..head]).to_lowercase();
            assert!(text.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(&answer[..have]));
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
            break (head + 4, head + 4 + length.parse::<usize>().expect("a length"));
        }
    };
    if answer.len() < total {
        answer.resize(total, 0);
    }
    stream.read_exact(&mut answer[have..total]).expect("the server answers to the end");
    answer.truncate(total);
    answer.drain(..head);
}
