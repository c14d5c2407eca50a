//! The door: SageMaker's container contract over HTTP.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use shared::identity::{
    Code, Domain,
    rpc::{self, Body, Rpc},
    translate::Batch,
};

use crate::room::{Answer, Refusal, Room, note};

const ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";
const JSON: &str = "application/json";
const JSON_LINES: &str = "application/jsonlines";
const CSV: &str = "text/csv";

/// The routes of the container contract.
pub(crate) fn routes(room: Arc<Room>) -> Router {
    let limit = DefaultBodyLimit::max(room.setting().max_body);
    Router::new()
        .route("/ping", get(ping))
        .route("/execution-parameters", get(execution_parameters))
        .route("/invocations", post(invocations).layer(limit))
        .with_state(room)
}

async fn ping(State(room): State<Arc<Room>>) -> StatusCode {
    if room.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Batch transform wants concurrency times payload within 100 MB.
async fn execution_parameters() -> impl IntoResponse {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let body =
        format!(r#"{{"MaxConcurrentTransforms":{cores},"BatchStrategy":"MULTI_RECORD","MaxPayloadInMB":{}}}"#, (100 / cores).clamp(1, 6));
    ([(header::CONTENT_TYPE, JSON)], body)
}

async fn invocations(State(room): State<Arc<Room>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let Ok(body) = body else {
        let message = format!("{}: a body has at most {} bytes", Code::E003.meaning(), room.setting().max_body);
        return refuse(&Refusal { code: Code::E003, message }, StatusCode::PAYLOAD_TOO_LARGE);
    };
    let Some(kind) = content_type(&headers) else {
        let message = format!("{}: the content type is one of {JSON}, {JSON_LINES}, {CSV}", Code::E006.meaning());
        return refuse(&Refusal { code: Code::E006, message }, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    };
    let answer = match kind {
        JSON => json(&room, &headers, &body),
        JSON_LINES => room.lines(now(), |batch, out| json_lines(&body, batch, out)),
        _ => comma_separated(&room, &headers, &body),
    };
    match answer {
        Ok(Answer { body, attributes }) => {
            let attributes = attributes.and_then(|text| HeaderValue::from_str(&text).ok()).map(|value| [(ATTRIBUTES, value)]);
            ([(header::CONTENT_TYPE, kind)], attributes, body).into_response()
        }
        Err(refusal) => refuse(&refusal, StatusCode::from_u16(refusal.code.fault().status()).unwrap_or_default()),
    }
}

fn json(room: &Room, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refusal> {
    let body = Body::parse(body)?;
    match body.procedure(Rpc::Request, "init, request, metrics")? {
        Rpc::Init => room.init(&body, now()),
        Rpc::Request => room.request(&body, attribute(headers, "packet"), now()),
        Rpc::Metrics => Ok(room.metrics(now())),
        Rpc::Refresh => Err(rpc::Error::Unknown("init, request, metrics").into()),
    }
}

/// Each line an entry, each answer a line.
fn json_lines(body: &[u8], batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), rpc::Error> {
    for line in lines(body) {
        rpc::transcode_entry(line, batch, out)?;
        out.push(b'\n');
    }
    Ok(())
}

/// Lines under the smart token that they begin with, or without one under the model directory's keys.
fn comma_separated(room: &Room, headers: &HeaderMap, mut body: &[u8]) -> Result<Answer, Refusal> {
    let (mut smart_token, mut init_token) = (None, None);
    while let Some(rest) = body.strip_prefix(b"#") {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = str::from_utf8(&rest[..end]).unwrap_or_default().trim();
        match line.split_once('=') {
            Some(("smart_token", token)) => smart_token = Some(token),
            Some(("init_token", token)) => init_token = Some(token),
            _ => {}
        }
        body = rest.get(end + 1..).unwrap_or_default();
    }
    let target = attribute(headers, "target");
    match smart_token {
        Some(token) => {
            room.under_token((token, init_token), attribute(headers, "packet"), now(), |batch, out| csv(body, target, batch, out))
        }
        None => room.lines(now(), |batch, out| csv(body, target, batch, out)),
    }
}

/// Each line `id,target`, or an id alone where the request names the target; each answer `id,` or `,code`.
fn csv(body: &[u8], target: Option<&str>, batch: &mut Batch<'_>, out: &mut Vec<u8>) -> Result<(), rpc::Error> {
    let everywhere: Option<Domain> = target.and_then(|target| target.parse().ok());
    for line in lines(body) {
        let line = str::from_utf8(line).unwrap_or_default();
        let (id, target) = line.split_once(',').map_or((line, everywhere), |(id, target)| (id, target.trim().parse().ok()));
        batch.push(id.trim().trim_matches('"').as_bytes(), target)?;
        if batch.is_full() {
            write_csv(batch, out);
        }
    }
    write_csv(batch, out);
    Ok(())
}

fn write_csv(batch: &mut Batch<'_>, out: &mut Vec<u8>) {
    for outcome in batch.drain() {
        match outcome {
            Ok(id) => {
                out.extend_from_slice(id);
                out.extend_from_slice(b",\n");
            }
            Err(refused) => out.extend_from_slice(format!(",{}\n", refused.code()).as_bytes()),
        }
    }
}

/// A final line end ends the last line and begins no other.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn content_type(headers: &HeaderMap) -> Option<&'static str> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
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

fn refuse(refusal: &Refusal, status: StatusCode) -> Response {
    note(&format!("refused with {status}: {}", refusal.code));
    let body = serde_json::to_vec(&refusal.body()).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
