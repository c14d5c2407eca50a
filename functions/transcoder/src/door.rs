//! The door: SageMaker's container contract over HTTP.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Body as _, Incoming},
    header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
};
use shared::identity::{
    Code,
    rpc::{self, Body, Csv, Ids, Rpc},
};
use tokio::time::timeout;

use crate::{
    answer::{Attributes, Refusal},
    held::{Full as TooMuch, Held, Holding},
    room::{Room, Shown},
    setting::Setting,
};

const ATTRIBUTES: HeaderName = HeaderName::from_static("x-amzn-sagemaker-custom-attributes");
const JSON: &str = "application/json";
const JSON_LINES: &str = "application/jsonlines";
const CSV: &str = "text/csv";

/// How long a body may take to come: SageMaker gives an invocation 60 s.
const BODY_COMES: Duration = Duration::from_secs(55);
/// A body over this, in bytes, is translated beside the others, not between them.
const LARGE: usize = 1 << 20;

type Answer = Response<Full<Bytes>>;

/// The door, and what is behind it.
pub(crate) struct Door {
    room: Room,
    holding: Arc<Holding>,
}

impl Door {
    /// Opens the room.
    pub(crate) fn new(setting: Setting) -> Arc<Self> {
        let holding = Holding::new(setting.max_in_flight);
        Arc::new(Self { room: Room::new(setting, now()), holding })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.room.setting().address
    }

    /// Answers a request.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        Ok(match (request.uri().path(), request.method()) {
            ("/invocations", &Method::POST) => self.invocations(request).await,
            ("/ping", &Method::GET | &Method::HEAD) => {
                status(if self.room.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
            }
            ("/execution-parameters", &Method::GET | &Method::HEAD) => execution_parameters(),
            ("/invocations", _) => not_allowed("POST"),
            ("/ping" | "/execution-parameters", _) => not_allowed("GET,HEAD"),
            _ => status(StatusCode::NOT_FOUND),
        })
    }

    async fn invocations(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let read = timeout(BODY_COMES, self.read(body)).await;
        let body = match read {
            Ok(Ok(body)) => body,
            Ok(Err(unread)) => return unread.into(),
            Err(_) => return Unread::Late.into(),
        };
        let Some(kind) = content_type(&head.headers) else {
            let message = format!("{}: the content type is one of {JSON}, {JSON_LINES}, {CSV}", Code::E006.meaning());
            return refuse(&Refusal::saying(Code::E006, message), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        };
        if body.as_ref().len() <= LARGE {
            return self.translate(kind, &head.headers, body);
        }
        let translated = tokio::task::spawn_blocking(move || self.translate(kind, &head.headers, body)).await;
        translated.unwrap_or_else(|_| refuse(&Refusal::new(Code::E000), StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// Reads a body into a buffer that is used again, holding no more than has come.
    async fn read(&self, mut body: Incoming) -> Result<Held, Unread> {
        let max = self.room.setting().max_body;
        let told = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let mut held = self.holding.buffer();
        if told > max {
            return Err(Unread::TooLong(max));
        }
        while let Some(frame) = body.frame().await {
            let Ok(part) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
            if held.as_ref().len() + part.len() > max {
                return Err(Unread::TooLong(max));
            }
            held.extend(&part).map_err(Unread::TooMuch)?;
        }
        Ok(held)
    }

    fn translate(&self, kind: &'static str, headers: &HeaderMap, body: Held) -> Answer {
        let mut out = self.holding.buffer();
        let answered = out.write(|out| match kind {
            JSON => self.json(headers, body.as_ref(), out),
            JSON_LINES => self.room.lines(Ids::Lines(body.as_ref()), now(), out),
            _ => self.csv(headers, body.as_ref(), out),
        });
        drop(body);
        match answered {
            Ok(attributes) => {
                let mut answer = Response::new(Full::new(Bytes::from_owner(out)));
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
                if let Some(attributes) = attributes.and_then(|text| HeaderValue::from_str(&text).ok()) {
                    answer.headers_mut().insert(ATTRIBUTES, attributes);
                }
                answer
            }
            Err(refusal) => refuse(&refusal, StatusCode::from_u16(refusal.code.fault().status()).unwrap_or_default()),
        }
    }

    fn json(&self, headers: &HeaderMap, text: &[u8], out: &mut Vec<u8>) -> Result<Attributes, Refusal> {
        const KNOWN: &str = "init, request, metrics";
        let packet = attribute(headers, "packet");
        // In one go where it can be; whatever goes wrong on the way, the body is read as a whole to say what.
        if let Some((body, ids)) = Body::begin(text)
            && body.procedure(Rpc::Request, KNOWN) == Ok(Rpc::Request)
            && let Ok(attributes) = self.room.request(Shown::of(&body), packet, ids, now(), out)
        {
            return Ok(attributes);
        }
        out.clear();
        let body = Body::parse(text)?;
        match body.procedure(Rpc::Request, KNOWN)? {
            Rpc::Init => self.room.init(Shown::of(&body), now(), out),
            Rpc::Request => {
                let shown = Shown::of(&body);
                shown.smart_token()?;
                let data = body.transcode_data.ok_or(rpc::Error::Missing("transcode_data"))?;
                self.room.request(shown, packet, Ids::Array(data), now(), out)
            }
            Rpc::Metrics => {
                self.room.metrics(now(), out);
                Ok(None)
            }
            Rpc::Refresh => Err(rpc::Error::Unknown(KNOWN).into()),
        }
    }

    /// Lines with a token are a client's; those without are batch transform's.
    fn csv(&self, headers: &HeaderMap, text: &[u8], out: &mut Vec<u8>) -> Result<Attributes, Refusal> {
        let csv = Csv::parse(text, attribute(headers, "target").and_then(|target| target.parse().ok()))?;
        let shown = Shown { smart_token: csv.smart_token, init_token: csv.init_token };
        if shown == Shown::default() {
            self.room.lines(Ids::Csv(csv), now(), out)
        } else {
            self.room.request(shown, attribute(headers, "packet"), Ids::Csv(csv), now(), out)
        }
    }
}

/// Why a body was not read to its end.
enum Unread {
    TooLong(usize),
    TooMuch(TooMuch),
    Late,
    Broken,
}

impl From<Unread> for Answer {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLong(max) => {
                let message = format!("{}: a body has at most {max} bytes", Code::E003.meaning());
                refuse(&Refusal::saying(Code::E003, message), StatusCode::PAYLOAD_TOO_LARGE)
            }
            Unread::TooMuch(_) => {
                let message = "this instance holds as many requests as fit into its memory: send the same again in a second";
                let mut answer = refuse(&Refusal::saying(Code::E000, message), StatusCode::SERVICE_UNAVAILABLE);
                answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                answer
            }
            Unread::Late => {
                let message = format!("{}: it did not come within {} seconds", Code::E006.meaning(), BODY_COMES.as_secs());
                refuse(&Refusal::saying(Code::E006, message), StatusCode::REQUEST_TIMEOUT)
            }
            Unread::Broken => refuse(&Refusal::new(Code::E006), StatusCode::BAD_REQUEST),
        }
    }
}

/// Batch transform wants concurrency times payload within 100 MB.
fn execution_parameters() -> Answer {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let body =
        format!(r#"{{"MaxConcurrentTransforms":{cores},"BatchStrategy":"MULTI_RECORD","MaxPayloadInMB":{}}}"#, (100 / cores).clamp(1, 6));
    written(StatusCode::OK, body)
}

fn content_type(headers: &HeaderMap) -> Option<&'static str> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Some(JSON);
    };
    let essence = value.to_str().ok()?.split(';').next()?.trim();
    [JSON, JSON_LINES, CSV].into_iter().find(|known| known.eq_ignore_ascii_case(essence))
}

/// One of the request's `name=value;…` attributes.
fn attribute<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let attributes = headers.get(ATTRIBUTES)?.to_str().ok()?;
    attributes.split(';').filter_map(|pair| pair.trim().split_once('=')).find_map(|(key, value)| (key == name).then_some(value))
}

fn refuse(refusal: &Refusal, status: StatusCode) -> Answer {
    written(status, refusal.tell(status.as_u16()))
}

fn written(code: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    answer
}

fn status(code: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = code;
    answer
}

fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = status(StatusCode::METHOD_NOT_ALLOWED);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
