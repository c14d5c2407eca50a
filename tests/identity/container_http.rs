//! The HTTP server of the transcoder's container: CSV with tokens, the memory budget, routes and
//! methods.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use super::container::{Authority, Container, ids};

/// Sends a small request and returns its status.
async fn small(container: &Container, authority: &Authority) -> u16 {
    let body = json!({"rpc": "init", "init_token": authority.init_token(&authority.sealed())});
    container.post("application/json", "", body.to_string()).await.0
}

#[tokio::test]
async fn csv_carries_its_tokens_in_leading_comment_lines() {
    let authority = Authority::new();
    let container = authority.valid_container().await;
    let (id, expected) = ids();
    let (smart, init) = (authority.smart_token(), authority.init_token(&authority.sealed()));
    let bare = format!("#smart_token={smart}\n{id}\nno id\n");
    let (status, text) = container.post("text/csv", "target=1006", bare.clone()).await;
    assert_eq!((status, &serde_json::from_str::<Value>(&text).unwrap()["code"]), (503, &json!("S007")));
    let with_init_token = format!("#smart_token={smart}\r\n#init_token={init}\r\n{id},1006\r\n{id},1007");
    assert_eq!(container.post("text/csv", "packet=p", with_init_token).await, (200, format!("{expected},\n,S010\n")));
    let request = container.client.post(format!("{}/invocations", container.url)).header("content-type", "text/csv");
    let response = request.header("X-Amzn-SageMaker-Custom-Attributes", "target=1006;packet=p").body(bare.clone()).send().await.unwrap();
    assert_eq!(response.headers()["X-Amzn-SageMaker-Custom-Attributes"], "packet=p;previous=0;usage=1005-1006:1");
    assert_eq!(response.text().await.unwrap(), format!("{expected},\n,I001\n"));
    // Unknown fields are ignored, as in JSON. Repeated fields are refused.
    let other = format!("#rpc=request\n{bare}");
    assert_eq!(container.post("text/csv", "target=1006", other).await, (200, format!("{expected},\n,I001\n")));
    assert_eq!(container.post("text/csv", "target=1006", format!("#smart_token={smart}\n{bare}")).await.0, 400);
    assert_eq!(container.post("text/csv", "target=1006", format!("#init_token={init}\n{id}")).await.0, 400);
    assert_eq!(container.post("text/csv", "target=1006", format!("#smart_token=x.y.z\n{id}")).await.0, 401);
    assert_eq!(container.post("text/csv", "target=1006;packet=q", bare).await.0, 503);
}

#[tokio::test]
async fn large_bodies_over_the_memory_budget_are_refused_and_small_ones_are_not() {
    let authority = Authority::new();
    let (pem, jwks) = (authority.transcoder.to_pem(), authority.jwks());
    let files = [("private_key.pem", pem.as_str()), ("verification_keys.json", &jwks)];
    let container = authority.container(&files, &[("MAX_BYTES_IN_FLIGHT", "1000000")]).await;
    // A client that announces a large body, sends most of it, and then stalls.
    let stall = || {
        let mut stalled = TcpStream::connect(container.url.trim_start_matches("http://")).unwrap();
        write!(stalled, "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n").unwrap();
        stalled.write_all(&vec![b' '; 900_000]).unwrap();
        stalled
    };
    let send_large = async || {
        let response = container.client.post(format!("{}/invocations", container.url)).body(" ".repeat(300_000)).send().await.unwrap();
        (response.status().as_u16(), response.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned()))
    };
    // The stalled body has arrived when the budget is used up. A large request that comes earlier
    // takes the budget instead, and the stalled one is refused: try again with a longer wait.
    let mut wait = Duration::from_millis(25);
    let stalled = loop {
        let stalled = stall();
        tokio::time::sleep(wait).await;
        match send_large().await {
            (503, Some(after)) if after == "1" => break stalled,
            other => assert!(other == (400, None) && wait < Duration::from_secs(20), "{other:?} after {wait:?}"),
        }
        drop(stalled);
        wait *= 2;
    };
    assert_eq!(small(&container, &authority).await, 200);
    // Each refusal is received, although the body is still being sent.
    for _ in 0..20 {
        assert_eq!(send_large().await, (503, Some("1".to_owned())));
    }
    drop(stalled);
    // With the budget free again, the large body is read. It is refused because it is not JSON.
    let mut response = send_large().await;
    for _ in 0..200 {
        if response.0 == 400 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        response = send_large().await;
    }
    assert_eq!(response, (400, None));
}

#[tokio::test]
async fn a_large_body_is_translated_beside_small_requests() {
    let authority = Authority::new();
    let container = authority.valid_container().await;
    assert_eq!(small(&container, &authority).await, 200);
    let (id, expected) = ids();
    let body = format!("#smart_token={}\n{}", authority.smart_token(), format!("{id}\n").repeat(200_000));
    let (large, small) = tokio::join!(container.post("text/csv", "target=1006", body), small(&container, &authority));
    assert_eq!((large.0, small), (200, 200));
    assert!(large.1 == format!("{expected},\n").repeat(200_000), "every line keeps its index");
}

#[tokio::test]
async fn unknown_paths_are_not_found_and_other_methods_are_not_allowed() {
    let container = Authority::new().valid_container().await;
    let status = async |method: &str, path: &str| {
        let mut stream = TcpStream::connect(container.url.trim_start_matches("http://")).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response[9..12].to_owned()
    };
    assert_eq!(status("GET", "/ping").await, "200");
    assert_eq!(status("GET", "/invocations").await, "405");
    assert_eq!(status("POST", "/ping").await, "405");
    assert_eq!(status("GET", "/").await, "404");
}
