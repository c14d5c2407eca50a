//! The HTTP server of SageMaker's container contract.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::{Body as _, Incoming},
    header::{ALLOW, CONTENT_TYPE, EXPECT, HeaderName, HeaderValue, RETRY_AFTER},
};
use shared::identity::{
    Code,
    rpc::{self, Body, Csv, Ids, Rpc},
};
use tokio::time::timeout;

use crate::{
    api_error::ApiError,
    memory_budget::{BudgetExceeded, BudgetedBuf, MemoryBudget},
    setting::Setting,
    transcoder::{CustomAttributes, RequestTokens, Transcoder},
};

const CUSTOM_ATTRIBUTES: HeaderName = HeaderName::from_static("x-amzn-sagemaker-custom-attributes");
const JSON: &str = "application/json";
const JSON_LINES: &str = "application/jsonlines";
const CSV: &str = "text/csv";

/// The maximum time to receive a body: SageMaker's invocation timeout is 60 s.
const BODY_READ_TIMEOUT: Duration = Duration::from_secs(55);
/// The maximum length in bytes of what is still read of a refused body.
const MAX_DRAIN_BYTES: usize = 8 << 20;
/// The maximum time for which a refused body is still read.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// The maximum length in bytes of a body that is translated on the runtime's own thread. A larger
/// one would block the small requests there, so it goes to the blocking thread.
const MAX_INLINE_BODY_BYTES: usize = 1 << 20;

type Response = hyper::Response<Full<Bytes>>;

/// The HTTP server in front of a [`Transcoder`].
pub(crate) struct Server {
    transcoder: Transcoder,
    budget: Arc<MemoryBudget>,
}

impl Server {
    /// Creates a server and loads the keys in the model directory.
    pub(crate) fn new(setting: Setting) -> Arc<Self> {
        let budget = MemoryBudget::new(setting.max_bytes_in_flight);
        Arc::new(Self { transcoder: Transcoder::new(setting, now()), budget })
    }

    /// The address to listen on.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.transcoder.setting().address
    }

    /// Handles a request.
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Response, Infallible> {
        Ok(match (request.uri().path(), request.method()) {
            ("/invocations", &Method::POST) => self.invocations(request).await,
            ("/ping", &Method::GET | &Method::HEAD) => {
                empty_response(if self.transcoder.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
            }
            ("/execution-parameters", &Method::GET | &Method::HEAD) => execution_parameters(),
            ("/invocations", _) => method_not_allowed("POST"),
            ("/ping" | "/execution-parameters", _) => method_not_allowed("GET,HEAD"),
            _ => empty_response(StatusCode::NOT_FOUND),
        })
    }

    async fn invocations(self: Arc<Self>, request: Request<Incoming>) -> Response {
        let (head, mut body) = request.into_parts();
        let read = timeout(BODY_READ_TIMEOUT, self.read_body(&mut body)).await;
        let body = match read.unwrap_or(Err(BodyError::TimedOut)) {
            Ok(body) => body,
            Err(error) => {
                // To close a connection with unread bytes resets it, and the client loses the
                // response. A client that expects `100 Continue` has sent none, and reading would
                // ask for them.
                if !head.headers.contains_key(EXPECT) {
                    tokio::spawn(timeout(DRAIN_TIMEOUT, drain(body)));
                }
                return error.into();
            }
        };
        let Some(content_type) = content_type(&head.headers) else {
            let message = format!("{}: the content type must be {JSON}, {JSON_LINES} or {CSV}", Code::E006.message());
            return error_response(ApiError::with_message(Code::E006, message), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        };
        if body.as_ref().len() <= MAX_INLINE_BODY_BYTES {
            return self.translate(content_type, &head.headers, body);
        }
        let translated = tokio::task::spawn_blocking(move || self.translate(content_type, &head.headers, body)).await;
        translated.unwrap_or_else(|_| error_response(ApiError::new(Code::E000), StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// Reads a body into a pooled buffer. Only the bytes received so far count against the budget.
    async fn read_body(&self, body: &mut Incoming) -> Result<BudgetedBuf, BodyError> {
        let max_bytes = self.transcoder.setting().max_body_bytes;
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let mut buf = self.budget.buffer();
        if announced > max_bytes {
            return Err(BodyError::TooLarge { max_bytes });
        }
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Incomplete)?.into_data() else { continue };
            if buf.as_ref().len() + data.len() > max_bytes {
                return Err(BodyError::TooLarge { max_bytes });
            }
            buf.extend(&data)?;
        }
        Ok(buf)
    }

    fn translate(&self, content_type: &'static str, headers: &HeaderMap, body: BudgetedBuf) -> Response {
        let mut out = self.budget.buffer();
        let result = out.write(|out| match content_type {
            JSON => self.json(headers, body.as_ref(), out),
            JSON_LINES => self.transcoder.translate_batch_transform(Ids::Lines(body.as_ref()), now(), out),
            _ => self.csv(headers, body.as_ref(), out),
        });
        drop(body);
        match result {
            Ok(attributes) => {
                let mut response = Response::new(Full::new(Bytes::from_owner(out)));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                if let Some(attributes) = attributes.and_then(|text| HeaderValue::from_str(&text).ok()) {
                    response.headers_mut().insert(CUSTOM_ATTRIBUTES, attributes);
                }
                response
            }
            Err(error) => {
                let status = StatusCode::from_u16(error.code.fault().status()).unwrap_or_default();
                error_response(error, status)
            }
        }
    }

    fn json(&self, headers: &HeaderMap, text: &[u8], out: &mut Vec<u8>) -> Result<CustomAttributes, ApiError> {
        const KNOWN: &str = "init, request, metrics";
        let packet = attribute(headers, "packet");
        // The fast path translates while it parses. If it fails, the body is parsed as a whole,
        // which finds the exact error.
        if let Some((body, ids)) = Body::begin(text)
            && body.procedure(Rpc::Request, KNOWN) == Ok(Rpc::Request)
            && let Ok(attributes) = self.transcoder.request(RequestTokens::of(&body), packet, ids, now(), out)
        {
            return Ok(attributes);
        }
        out.clear();
        let body = Body::parse(text)?;
        let tokens = RequestTokens::of(&body);
        match body.procedure(Rpc::Request, KNOWN)? {
            Rpc::Init => self.transcoder.init(tokens, now(), out),
            Rpc::Request => {
                tokens.smart_token()?;
                let data = body.transcode_data.ok_or(rpc::Error::Missing("transcode_data"))?;
                self.transcoder.request(tokens, packet, Ids::Array(data), now(), out)
            }
            Rpc::Metrics => {
                self.transcoder.metrics(now(), out);
                Ok(None)
            }
            Rpc::Refresh => Err(rpc::Error::Unknown(KNOWN).into()),
        }
    }

    /// CSV with tokens comes from a client, CSV without any from batch transform.
    fn csv(&self, headers: &HeaderMap, text: &[u8], out: &mut Vec<u8>) -> Result<CustomAttributes, ApiError> {
        let csv = Csv::parse(text, attribute(headers, "target").and_then(|target| target.parse().ok()))?;
        let tokens = RequestTokens { smart_token: csv.smart_token, init_token: csv.init_token };
        if tokens == RequestTokens::default() {
            self.transcoder.translate_batch_transform(Ids::Csv(csv), now(), out)
        } else {
            self.transcoder.request(tokens, attribute(headers, "packet"), Ids::Csv(csv), now(), out)
        }
    }
}

/// Reads the rest of a body that nothing uses.
async fn drain(mut body: Incoming) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await
        && drained < MAX_DRAIN_BYTES
    {
        drained += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// An error while reading a body.
enum BodyError {
    TooLarge { max_bytes: usize },
    BudgetExceeded,
    TimedOut,
    Incomplete,
}

impl From<BudgetExceeded> for BodyError {
    fn from(_: BudgetExceeded) -> Self {
        Self::BudgetExceeded
    }
}

impl From<BodyError> for Response {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { max_bytes } => {
                let message = format!("{}: a body has at most {max_bytes} bytes", Code::E003.message());
                error_response(ApiError::with_message(Code::E003, message), StatusCode::PAYLOAD_TOO_LARGE)
            }
            BodyError::BudgetExceeded => {
                let message = "the memory for requests is in use; send the request again in one second";
                let mut response = error_response(ApiError::with_message(Code::E000, message), StatusCode::SERVICE_UNAVAILABLE);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            BodyError::TimedOut => {
                let message = format!("{}: it did not arrive within {} seconds", Code::E006.message(), BODY_READ_TIMEOUT.as_secs());
                error_response(ApiError::with_message(Code::E006, message), StatusCode::REQUEST_TIMEOUT)
            }
            BodyError::Incomplete => error_response(ApiError::new(Code::E006), StatusCode::BAD_REQUEST),
        }
    }
}

/// Batch transform requires that concurrency times payload is at most 100 MB.
fn execution_parameters() -> Response {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let body =
        format!(r#"{{"MaxConcurrentTransforms":{cores},"BatchStrategy":"MULTI_RECORD","MaxPayloadInMB":{}}}"#, (100 / cores).clamp(1, 6));
    json_response(StatusCode::OK, body)
}

fn content_type(headers: &HeaderMap) -> Option<&'static str> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Some(JSON);
    };
    let essence = value.to_str().ok()?.split(';').next()?.trim();
    [JSON, JSON_LINES, CSV].into_iter().find(|known| known.eq_ignore_ascii_case(essence))
}

/// One of the request's custom attributes, `name=value;…`.
fn attribute<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let attributes = headers.get(CUSTOM_ATTRIBUTES)?.to_str().ok()?;
    attributes.split(';').filter_map(|pair| pair.trim().split_once('=')).find_map(|(key, value)| (key == name).then_some(value))
}

fn error_response(error: ApiError, status: StatusCode) -> Response {
    json_response(status, error.into_body(status.as_u16()))
}

fn json_response(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

fn empty_response(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn method_not_allowed(allowed: &'static str) -> Response {
    let mut response = empty_response(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// The Unix time, in seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
