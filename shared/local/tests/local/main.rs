//! The local cloud, with a function and a container of these tests.

mod containers;
mod fixture;
mod functions;
mod gateway;
mod lifetime;
mod upload_side;

use std::{path::PathBuf, time::Duration};

use local::{LocalCloud, Options, State};
use reqwest::{Client, Response};
use serde_json::Value;

/// Options for the fixture's template, on a free port and with ephemeral state.
fn options() -> Options {
    Options {
        template: fixture::template().into(),
        port: 0,
        state: State::Ephemeral,
        binaries: Some(fixture::binaries()),
        quiet: true,
        ..Options::default()
    }
}

async fn start() -> LocalCloud {
    LocalCloud::start(options()).await.expect("the local cloud starts")
}

fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client")
}

async fn get(cloud: &LocalCloud, path: &str) -> Response {
    client().get(format!("{}{path}", cloud.api())).send().await.expect("a response")
}

async fn json(response: Response) -> Value {
    let text = response.text().await.expect("a body");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text} is not JSON"))
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

/// Whether a process exists, according to `/proc`.
fn exists(process: u64) -> bool {
    PathBuf::from(format!("/proc/{process}/cmdline")).exists()
}
