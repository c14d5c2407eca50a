//! What the container's door says: CSV under a token, and what happens when too much comes.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};
use shared::identity::{ClientKeys, Kind};

use super::{
    container::{Authority, Container, now, packet},
    suite::domain,
};

/// An id of a domain, and the same in another.
fn ids() -> (String, String) {
    let session = ClientKeys::new(packet());
    let in_domain = |name| session.mint(Kind::Maintained, domain(name), &[1; 16], now()).unwrap().to_string();
    (in_domain("1005"), in_domain("1006"))
}

async fn small(container: &Container, authority: &Authority) -> u16 {
    let body = json!({"rpc": "init", "init_token": authority.init_token(&authority.sealed())});
    container.post("application/json", "", body.to_string()).await.0
}

#[tokio::test]
async fn csv_carries_its_tokens_in_its_head() {
    let authority = Authority::new();
    let container = authority.good().await;
    let (id, expected) = ids();
    let (smart, init) = (authority.smart_token(), authority.init_token(&authority.sealed()));
    let bare = format!("#smart_token={smart}\n{id}\nno id\n");
    let (status, text) = container.post("text/csv", "target=1006", bare.clone()).await;
    assert_eq!((status, &serde_json::from_str::<Value>(&text).unwrap()["code"]), (503, &json!("S007")));
    let along = format!("#smart_token={smart}\r\n#init_token={init}\r\n{id},1006\r\n{id},1007");
    assert_eq!(container.post("text/csv", "packet=p", along).await, (200, format!("{expected},\n,S010\n")));
    let request = container.client.post(format!("{}/invocations", container.url)).header("content-type", "text/csv");
    let answer = request.header("X-Amzn-SageMaker-Custom-Attributes", "target=1006;packet=p").body(bare.clone()).send().await.unwrap();
    assert_eq!(answer.headers()["X-Amzn-SageMaker-Custom-Attributes"], "packet=p;previous=0;usage=1005-1006:1");
    assert_eq!(answer.text().await.unwrap(), format!("{expected},\n,I001\n"));
    // Fields that are not known are passed over, as in JSON, and doubled ones are not.
    let other = format!("#rpc=request\n{bare}");
    assert_eq!(container.post("text/csv", "target=1006", other).await, (200, format!("{expected},\n,I001\n")));
    assert_eq!(container.post("text/csv", "target=1006", format!("#smart_token={smart}\n{bare}")).await.0, 400);
    assert_eq!(container.post("text/csv", "target=1006", format!("#init_token={init}\n{id}")).await.0, 400);
    assert_eq!(container.post("text/csv", "target=1006", format!("#smart_token=x.y.z\n{id}")).await.0, 401);
    assert_eq!(container.post("text/csv", "target=1006;packet=q", bare).await.0, 503);
}

#[tokio::test]
async fn what_goes_over_the_bytes_in_flight_is_refused_and_small_requests_are_not() {
    let authority = Authority::new();
    let (pem, jwks) = (authority.transcoder.to_pem(), authority.jwks());
    let files = [("private_key.pem", pem.as_str()), ("verification_keys.json", &jwks)];
    let container = authority.container(&files, &[("MAX_BYTES_IN_FLIGHT", "1000000")]).await;
    // One that says it will send much, sends most of it, and then nothing.
    let slow = || {
        let mut slow = TcpStream::connect(container.url.trim_start_matches("http://")).unwrap();
        write!(slow, "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n").unwrap();
        slow.write_all(&vec![b' '; 900_000]).unwrap();
        slow
    };
    let large = || " ".repeat(300_000);
    let refused = async || {
        let answer = container.client.post(format!("{}/invocations", container.url)).body(large()).send().await.unwrap();
        (answer.status().as_u16(), answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned()))
    };
    // What was sent has come when there is no room any more. A large one that is tried before takes the slow one's: it is sent again, and given longer.
    let mut wait = Duration::from_millis(25);
    let slow = loop {
        let slow = slow();
        tokio::time::sleep(wait).await;
        match refused().await {
            (503, Some(after)) if after == "1" => break slow,
            other => assert!(other == (400, None) && wait < Duration::from_secs(20), "{other:?} after {wait:?}"),
        }
        drop(slow);
        wait *= 2;
    };
    assert_eq!(small(&container, &authority).await, 200);
    drop(slow);
    // It is read, and refused for what it is: no JSON.
    let mut answer = refused().await;
    for _ in 0..200 {
        if answer.0 == 400 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        answer = refused().await;
    }
    assert_eq!(answer, (400, None));
}

#[tokio::test]
async fn a_body_of_many_ids_is_translated_beside_small_ones() {
    let authority = Authority::new();
    let container = authority.good().await;
    assert_eq!(small(&container, &authority).await, 200);
    let (id, expected) = ids();
    let body = format!("#smart_token={}\n{}", authority.smart_token(), format!("{id}\n").repeat(200_000));
    let (large, small) = tokio::join!(container.post("text/csv", "target=1006", body), small(&container, &authority));
    assert_eq!((large.0, small), (200, 200));
    assert!(large.1 == format!("{expected},\n").repeat(200_000), "every line in its place");
}

#[tokio::test]
async fn what_is_no_route_is_not_found_and_other_methods_are_not_allowed() {
    let container = Authority::new().good().await;
    let status = async |method: &str, path: &str| {
        let mut stream = TcpStream::connect(container.url.trim_start_matches("http://")).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[9..12].to_owned()
    };
    assert_eq!(status("GET", "/ping").await, "200");
    assert_eq!(status("GET", "/invocations").await, "405");
    assert_eq!(status("POST", "/ping").await, "405");
    assert_eq!(status("GET", "/").await, "404");
}
