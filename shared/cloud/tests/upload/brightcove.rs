//! A stand-in for Brightcove and its bucket: documented behaviour, and injected faults.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use shared::encoding::base64;
use tokio::net::TcpListener;

pub const ACCOUNT: &str = "2345678901001";
pub const BUCKET: &str = "ingestion-upload-production";
pub const FIRST_VIDEO: &str = "6000000000001";

/// A fault of one call.
#[derive(Clone)]
pub enum Fault {
    /// The call has no effect, and this response.
    Refused(u16, &'static str),
    /// The call has its effect, and this response instead of its own.
    Lost(u16, &'static str),
}

/// A video.
#[derive(Clone, Default)]
pub struct Video {
    pub body: Value,
    pub complete: bool,
    /// The ids and states of its jobs.
    pub jobs: Vec<(String, String)>,
    /// The bodies of ingest requests.
    pub ingests: Vec<Value>,
    pub source: String,
}

#[derive(Default)]
struct World {
    faults: BTreeMap<&'static str, VecDeque<Fault>>,
    calls: Vec<&'static str>,
    videos: BTreeMap<String, Video>,
    created: u64,
    tokens: u64,
    /// The number of the last token that is no longer accepted.
    expired: u64,
    object: Option<u64>,
    urls: Option<Value>,
    next: Option<String>,
}

/// The stand-in.
#[derive(Clone, Default)]
pub struct Brightcove(Arc<Mutex<World>>);

impl Brightcove {
    /// Serves on a free port; its URL.
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let brightcove = self.clone();
        let router = Router::new().fallback(move |request: Request| async move { brightcove.answer(request).await });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    fn world<T>(&self, with: impl FnOnce(&mut World) -> T) -> T {
        with(&mut self.0.lock().unwrap())
    }

    /// Injects a fault into the next calls of a kind.
    pub fn fail(&self, call: &'static str, times: usize, fault: &Fault) {
        self.world(|world| world.faults.entry(call).or_default().extend(vec![fault.clone(); times]));
    }

    /// The number of calls of a kind.
    pub fn count(&self, call: &str) -> usize {
        self.world(|world| world.calls.iter().filter(|made| **made == call).count())
    }

    /// A video, if there is one.
    pub fn video(&self, id: &str) -> Option<Video> {
        self.world(|world| world.videos.get(id).cloned())
    }

    pub fn videos(&self) -> usize {
        self.world(|world| world.videos.len())
    }

    pub fn change(&self, id: &str, change: impl FnOnce(&mut Video)) {
        self.world(|world| change(world.videos.get_mut(id).unwrap()));
    }

    pub fn forget(&self, id: &str) {
        self.world(|world| world.videos.remove(id).unwrap());
    }

    /// Sets the size of the object; `None` if there is none.
    pub fn object(&self, bytes: Option<u64>) {
        self.world(|world| world.object = bytes);
    }

    /// Replaces the next upload URLs.
    pub fn urls(&self, urls: Value) {
        self.world(|world| world.urls = Some(urls));
    }

    /// Replaces the id of the next video.
    pub fn next(&self, id: &str) {
        self.world(|world| world.next = Some(id.into()));
    }

    /// Invalidates all tokens.
    pub fn expire_tokens(&self) {
        self.world(|world| world.expired = world.tokens);
    }

    async fn answer(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let path = head.uri.path().to_owned();
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        self.world(|world| {
            let call = match (&head.method, &segments[..]) {
                (&Method::POST, ["oauth", "access_token"]) => "token",
                (&Method::HEAD, [BUCKET, ..]) => "head",
                (&Method::POST, ["cms", "accounts", ACCOUNT, "videos"]) => "create",
                (&Method::GET, ["cms", "accounts", ACCOUNT, "videos", _]) => "video",
                (&Method::DELETE, ["cms", "accounts", ACCOUNT, "videos", _]) => "delete",
                (&Method::GET, ["cms", "accounts", ACCOUNT, "videos", _, "ingest_jobs"]) => "jobs",
                (&Method::GET, ["ingest", "accounts", ACCOUNT, "videos", _, "upload-urls", _]) => "urls",
                (&Method::POST, ["ingest", "accounts", ACCOUNT, "videos", _, "ingest-requests"]) => "ingest",
                _ => panic!("{} {path}", head.method),
            };
            world.calls.push(call);
            let fault = world.faults.get_mut(call).and_then(VecDeque::pop_front);
            if let Some(Fault::Refused(status, body)) = fault {
                return (StatusCode::from_u16(status).unwrap(), body).into_response();
            }
            let answer = world.does(call, &segments, &head.headers, &serde_json::from_slice(&body).unwrap_or_default());
            match fault {
                Some(Fault::Lost(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
                _ => answer,
            }
        })
    }
}

impl World {
    fn does(&mut self, call: &str, segments: &[&str], headers: &HeaderMap, body: &Value) -> Response {
        let shown = headers.get(header::AUTHORIZATION).map(|shown| shown.to_str().unwrap()).unwrap_or_default();
        let answer = |status: u16, body: Value| (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
        if call == "token" {
            assert_eq!(shown, format!("Basic {}", base64(b"a client:a secret")));
            self.tokens += 1;
            return answer(200, json!({"access_token": format!("token-{}", self.tokens), "token_type": "Bearer", "expires_in": 300}));
        }
        if call == "head" {
            assert!(shown.contains("x-amz-security-token"), "{shown}");
            return match self.object {
                Some(bytes) => Response::builder().header(header::CONTENT_LENGTH, bytes).body(Body::empty()).unwrap(),
                None => StatusCode::NOT_FOUND.into_response(),
            };
        }
        let token = shown.strip_prefix("Bearer token-").and_then(|token| token.parse::<u64>().ok());
        if !token.is_some_and(|token| self.expired < token && token <= self.tokens) {
            return answer(401, json!([{"error_code": "UNAUTHORIZED", "message": "no"}]));
        }
        if call == "create" {
            let known = |video: &Video| video.body["reference_id"] == body["reference_id"];
            if body["reference_id"].is_string() && self.videos.values().any(known) {
                return answer(409, json!([{"error_code": "REFERENCE_ID_IN_USE", "message": "no"}]));
            }
            let id = self.next.take().unwrap_or_else(|| (FIRST_VIDEO.parse::<u64>().unwrap() + self.created).to_string());
            self.created += 1;
            self.videos.insert(id.clone(), Video { body: body.clone(), ..Video::default() });
            return answer(201, json!({"id": id, "name": body["name"]}));
        }
        let mut id = segments[4];
        if let Some(reference) = id.strip_prefix("ref:").filter(|_| call == "video") {
            let found = self.videos.iter().find(|(_, video)| video.body["reference_id"] == reference);
            id = found.map_or("none", |(id, _)| id);
        }
        let id = &id.to_owned();
        let Some(video) = self.videos.get_mut(id) else {
            return answer(404, json!([{"error_code": "RESOURCE_NOT_FOUND", "message": "no"}]));
        };
        match call {
            "video" => answer(200, json!({"id": id, "complete": video.complete, "reference_id": video.body["reference_id"]})),
            "jobs" => answer(200, video.jobs.iter().map(|(id, state)| json!({"id": id, "state": state})).collect()),
            "delete" => {
                self.videos.remove(id);
                StatusCode::NO_CONTENT.into_response()
            }
            "urls" => {
                segments[6].clone_into(&mut video.source);
                let key = format!("{ACCOUNT}/{id}/d4f0b8f2/{}", video.source);
                let urls = json!({
                    "bucket": BUCKET, "object_key": key, "access_key_id": "ASIAISEXAMPLE",
                    "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session_token": format!("a/token+of=={id}"),
                    "SignedUrl": "https://signed.example", "ApiRequestUrl": format!("s3://{BUCKET}/{key}")
                });
                answer(200, self.urls.take().unwrap_or(urls))
            }
            _ => {
                video.ingests.push(body.clone());
                let job = format!("job-{}", video.jobs.len() + 1);
                video.jobs.push((job.clone(), "processing".into()));
                answer(200, json!({"id": job, "more": true}))
            }
        }
    }
}
