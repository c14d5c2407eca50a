//! HTTP over a blocking connection.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// The bytes of a request: head and body.
pub fn request(body: &str, content_type: &str, attributes: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nX-Amzn-SageMaker-Custom-Attributes: {attributes}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// Sends a request and reads the response's body into `response`. Panics unless the status is 200.
pub fn exchange(stream: &mut TcpStream, request: &[u8], response: &mut Vec<u8>) {
    stream.write_all(request).expect("the server reads");
    response.resize(response.capacity().max(1 << 16), 0);
    let mut received = 0;
    let (head, total) = loop {
        let read = stream.read(&mut response[received..]).expect("the server responds");
        assert!(read > 0, "the server closed the connection: {}", String::from_utf8_lossy(&response[..received]));
        received += read;
        if let Some(head) = response[..received].windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&response[..head]).to_lowercase();
            assert!(text.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(&response[..received]));
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a valid Content-Length header");
            break (head + 4, head + 4 + length.parse::<usize>().expect("a valid Content-Length header"));
        }
    };
    if response.len() < total {
        response.resize(total, 0);
    }
    stream.read_exact(&mut response[received..total]).expect("the server responds to the end");
    response.truncate(total);
    response.drain(..head);
}
