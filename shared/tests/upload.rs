//! What one upload may have signed: known answers, every documented refusal, and a law.

use std::{fs, path::Path};

use proptest::prelude::*;
use serde_json::Value;
use shared::{
    crypto::sha256,
    encoding::hex,
    secret::SecretText,
    upload::{
        Operation, Policy, Refusal, SignRequest, State, UploadSession, VideoId, session::Progress, sign_request::Query, signature::sign,
    },
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const DATETIME: &str = "20260115T093000Z";
const NOW: u64 = 1_768_469_405;
const TOKEN: &str = "a/token+of==";
const UPLOAD: &str = "upload.one-1~";
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn session() -> UploadSession {
    UploadSession {
        bucket: "bucket".into(),
        object_key: "1/2/a b+c.webm".into(),
        secret_access_key: SecretText::new("a secret".into()),
        session_token: SecretText::new(TOKEN.into()),
        expires_at: NOW + 1,
        progress: Progress { upload_id: Some(UPLOAD.into()), last_part_at: Some(NOW), ..Progress::open() },
    }
}

/// The string to sign of a request in canonical form.
fn to_sign(canonical: &str) -> String {
    format!("AWS4-HMAC-SHA256\n{DATETIME}\n{}/us-east-1/s3/aws4_request\n{}", &DATETIME[..8], hex(&sha256(canonical.as_bytes())))
}

/// The signature of a request, or why there is none.
fn answer(canonical: &str, session: &UploadSession) -> Result<String, Refusal> {
    let to_sign = to_sign(canonical);
    let query = Query::from_decoded([("to_sign", &*to_sign), ("datetime", DATETIME), ("canonical_request", canonical)])?;
    let policy = Policy::default();
    let request = SignRequest::check(&query, &policy.region, NOW)?;
    Ok(policy.sign(&request, session, NOW)?.signature.to_string())
}

/// Each operation on a bound upload.
fn operations() -> Vec<String> {
    let upload = format!("uploadId={UPLOAD}");
    let md5 = "content-md5:XkyO+4ktkipLwwIS2R8z5g==\n";
    let own = |own: &str| own.split(':').next().filter(|name| !name.is_empty()).map(|name| format!("{name};")).unwrap_or_default();
    [
        ("PUT", format!("partNumber=7&{upload}"), md5, "UNSIGNED-PAYLOAD"),
        ("GET", format!("part-number-marker=0&{upload}"), "", EMPTY_SHA256),
        ("POST", upload.clone(), "content-type:application/xml\n", EMPTY_SHA256),
        ("DELETE", upload, "", EMPTY_SHA256),
        ("HEAD", String::new(), "", EMPTY_SHA256),
    ]
    .map(|(method, query, headers, payload)| {
        format!(
            "{method}\n/bucket/1/2/a%20b%2Bc.webm\n{query}\n{headers}host:s3.amazonaws.com\nx-amz-date:{DATETIME}\n\
             x-amz-security-token:{TOKEN}\n\n{}host;x-amz-date;x-amz-security-token\n{payload}",
            own(headers)
        )
    })
    .into()
}

#[test]
fn a_signature_is_the_one_of_the_standard() {
    let secret = SecretText::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into());
    let hash = "908d768827efd00865fdaa2ae604368c12038e75d7315b3c1c93183dd7c2204e";
    let to_sign = format!("AWS4-HMAC-SHA256\n{DATETIME}\n20260115/us-east-1/s3/aws4_request\n{hash}");
    let signature = sign(&secret, "20260115", "us-east-1", &to_sign).to_string();
    assert_eq!(signature, "df724cae70e0e070d380596b71a490aa94a2ab7ced7f1cba64e5227c7dc8ef76");
}

#[test]
fn each_operation_on_the_own_object_is_signed() {
    for canonical in operations() {
        assert!(answer(&canonical, &session()).is_ok(), "{canonical}");
    }
}

#[test]
fn an_upload_that_is_over_signs_nothing() {
    let over = [State::Pending, State::Ingesting, State::Ingested, State::Done, State::Failed, State::Reaped];
    for state in over {
        let session = UploadSession { progress: Progress { state, ..session().progress }, ..session() };
        assert_eq!(answer(&operations()[0], &session), Err(Refusal::SessionUnavailable), "{state:?}");
    }
    assert_eq!(answer(&operations()[0], &UploadSession { expires_at: NOW, ..session() }), Err(Refusal::SessionUnavailable));
}

#[test]
fn nothing_takes_the_place_of_what_is_complete() {
    let open = Progress { listed: true, ..session().progress };
    assert!(open.after(&Operation::Initiate, NOW).is_some());
    let completing = open.after(&Operation::Complete { upload: UPLOAD }, NOW).unwrap();
    for now in [NOW, NOW + 300] {
        assert_eq!(completing.after(&Operation::Initiate, now), None);
    }
    assert_eq!(completing.after(&Operation::Complete { upload: UPLOAD }, NOW), Some(completing));
}

#[test]
fn a_query_says_each_thing_once_and_is_not_endless() {
    let read = |pairs: &[(&str, &str)]| Query::from_decoded(pairs.iter().copied()).map(|_| ());
    for name in ["to_sign", "datetime", "canonical_request"] {
        assert_eq!(read(&[(name, "a"), (name, "a")]), Err(Refusal::BadQuery), "{name}");
    }
    assert_eq!(read(&[("own", "a"), ("own", "b"), ("to_sign", "")]), Ok(()));
    let long = "a".repeat(8192 - "own".len() - 2);
    assert_eq!(read(&[("own", &long)]), Ok(()));
    assert_eq!(read(&[("own", &long), ("", "")]), Err(Refusal::BadQuery));
}

#[test]
fn what_is_no_video_has_no_upload() {
    for text in ["", "__proto__", "../1", "1,2", "ref:a", "１２", "123456789012345678901", "1\n", " 1"] {
        assert_eq!(text.parse::<VideoId>(), Err(Refusal::SessionUnavailable), "{text}");
    }
}

/// Of all that can be put together of methods, addresses, queries, headers and payloads, the six operations alone are signed.
#[test]
fn nothing_but_the_operations_is_signed() {
    const KEY: &str = "1/2/a%20b%2Bc.webm";
    let (upload, other) = (format!("uploadId={UPLOAD}"), hex(&sha256(b"a list of parts")));
    let [part, list] = [format!("partNumber=7&{upload}"), format!("part-number-marker=0&{upload}")];
    // The first three are the object's.
    let places = [
        ("s3.amazonaws.com", format!("/bucket/{KEY}")),
        ("bucket.s3.amazonaws.com", format!("/{KEY}")),
        ("bucket.s3-accelerate.amazonaws.com", format!("/{KEY}")),
        ("s3.amazonaws.com", format!("/{KEY}")),
        ("bucket.s3.amazonaws.com", format!("/bucket/{KEY}")),
        ("bucket.s3.amazonaws.com.evil.example", format!("/{KEY}")),
        ("s3.amazonaws.com", format!("/other/{KEY}")),
        ("s3.amazonaws.com", format!("/bucket/{KEY}/")),
        ("s3.amazonaws.com", "/bucket/".to_owned()),
    ];
    let reversed = format!("{upload}&partNumber=7");
    let beyond = format!("partNumber=10001&{upload}");
    let queries =
        ["", "uploads=", &part, &list, &upload, "acl=", "list-type=2", "partNumber=7", &reversed, &beyond, "X-Amz-Expires=604800"];
    let headers = [
        ("content-md5", "XkyO+4ktkipLwwIS2R8z5g=="),
        ("content-type", "application/xml"),
        ("x-amz-acl", "public-read"),
        ("x-amz-copy-source", "/bucket/another"),
    ];
    let payloads = [EMPTY_SHA256, "UNSIGNED-PAYLOAD", &other];
    let unbound = || UploadSession { progress: Progress::open(), ..session() };
    let mut signed = 0;
    for (place, (host, path)) in places.iter().enumerate() {
        for (method, query) in
            ["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"].iter().flat_map(|method| queries.map(|query| (*method, query)))
        {
            for (chosen, payload) in (0..1 << headers.len()).flat_map(|chosen| payloads.map(|payload| (chosen, payload))) {
                let of = |index: usize| chosen >> index & 1 == 1;
                let (md5, media, own) = (of(0), of(1), of(2) || of(3));
                let allowed = match (method, query) {
                    ("POST", "uploads=") | ("HEAD", "") => !md5 && payload == EMPTY_SHA256,
                    ("PUT", query) if query == part => md5 && payload == "UNSIGNED-PAYLOAD",
                    ("GET", query) if query == list => !md5 && payload == EMPTY_SHA256,
                    ("DELETE", query) if query == upload => !md5 && payload == EMPTY_SHA256,
                    ("POST", query) if query == upload => !md5 && media && payload != "UNSIGNED-PAYLOAD",
                    _ => false,
                };
                let common = [("host", *host), ("x-amz-date", DATETIME), ("x-amz-security-token", TOKEN)];
                let mut lines: Vec<_> =
                    headers.iter().enumerate().filter(|(index, _)| of(*index)).map(|(_, line)| *line).chain(common).collect();
                lines.sort_unstable();
                let names: Vec<_> = lines.iter().map(|(name, _)| *name).collect();
                let lines: String = lines.iter().map(|(name, value)| [name, ":", value, "\n"].concat()).collect();
                let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{}\n{payload}", names.join(";"));
                let found = answer(&canonical, &unbound());
                assert_eq!(found.is_ok(), allowed && !own && place < 3, "{canonical}: {found:?}");
                signed += u32::from(found.is_ok());
            }
        }
    }
    // At each place five with a media type or without, the complete with one and with either list.
    assert_eq!(signed, 3 * (5 * 2 + 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    /// Whatever is changed of a request that would be signed, it is refused, but where the operation itself leaves it open.
    #[test]
    fn no_other_request_is_signed(
        operation in 0..5_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..3),
    ) {
        let genuine = operations().swap_remove(operation);
        let mut changed = genuine.clone().into_bytes();
        for (at, byte, how) in changes {
            let at = at.index(changed.len());
            match how {
                0 => changed[at] = byte,
                1 => { changed.remove(at); }
                _ => changed.insert(at, byte),
            }
        }
        let Ok(changed) = String::from_utf8(changed) else { return Ok(()) };
        if answer(&changed, &session()).is_ok() {
            // Part number and marker, the media type, the part's checksum, and the hash of the list of parts.
            let fixed = |text: &str| {
                let lines = text.split('\n').enumerate();
                let kept = lines.map(|(index, line)| match line.split_once([':', '=']) {
                    _ if operation == 2 && text.split('\n').count() == index + 1 => "",
                    Some(("content-type" | "content-md5", _)) => "",
                    Some(("partNumber" | "part-number-marker", rest)) if index == 2 => rest.split_once('&').map_or("", |(_, rest)| rest),
                    _ => line,
                });
                kept.map(str::to_owned).collect::<Vec<_>>()
            };
            // A media type may be signed with any operation.
            let without = |lines: Vec<String>| lines.into_iter().filter(|line| !line.is_empty()).map(|line| line.replace("content-type;", "")).collect::<Vec<_>>();
            prop_assert_eq!(without(fixed(&changed)), without(fixed(&genuine)));
        }
    }
}

/// The documents that the contract comes with; they are not part of the project.
fn vectors(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("SKIPPED: {} does not exist", path.display());
    }
    text.map(|text| serde_json::from_str(&text).expect("vectors are JSON"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn seconds(value: &Value) -> Option<u64> {
    let time = OffsetDateTime::parse(value.as_str()?, &Rfc3339).expect("an instant");
    u64::try_from(time.unix_timestamp()).ok()
}

/// The session of a case: bound where its query names a multipart upload, and changed as the case says.
fn session_of(document: &Value, case: &Value) -> Option<UploadSession> {
    let sessions = document["sessions"].as_object().expect("sessions");
    let known = sessions.values().find(|session| session["video_id"] == case["video_id"])?;
    let patch = &case["session_patch"];
    let named = case.to_string().contains("uploadId=").then(|| text(known, "upload_id").to_owned());
    let state = match text(patch, "state") {
        "completing" => State::Completing,
        "ingested" => State::Ingested,
        _ => State::Open,
    };
    Some(UploadSession {
        bucket: text(known, "bucket").into(),
        object_key: text(known, "object_key").into(),
        secret_access_key: SecretText::new(text(known, "secret_access_key").into()),
        session_token: SecretText::new(text(known, "session_token").into()),
        expires_at: seconds(&known["expires_at"]).expect("an end"),
        progress: Progress {
            state,
            upload_id: patch["upload_id"].as_str().map(str::to_owned).or(named),
            last_part_at: seconds(&patch["last_part_at"]),
            listed: patch["listed"] == true,
            aborted: false,
        },
    })
}

/// A query as a gateway decodes it.
fn decoded(raw: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

/// What a case is answered with: a signature, or the code of a refusal.
fn outcome(document: &Value, case: &Value) -> Result<String, Refusal> {
    let video: VideoId = text(case, "video_id").parse()?;
    let now = seconds(&case["now"]).expect("a time");
    let mut policy = Policy::default();
    if let Some(max) = case["config_patch"]["max_parts"].as_u64() {
        policy.max_parts = u16::try_from(max).expect("a number of parts");
    }
    let raw = text(case, "raw_query").to_owned() + text(case, "sign_query");
    let mut pairs: Vec<(String, String)> = decoded(&raw);
    let mut add = |name: &str, value: &str| pairs.push((name.to_owned(), value.to_owned()));
    for more in [&case["query"], &case["extra_query"]].into_iter().filter_map(Value::as_object) {
        for (name, value) in more {
            add(name, value.as_str().unwrap_or_default());
        }
    }
    if let Some(count) = case["generate"]["count"].as_u64() {
        add(text(&case["generate"], "param"), &text(&case["generate"], "repeat").repeat(usize::try_from(count).unwrap_or(0)));
    }
    let query = Query::from_decoded(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let request = SignRequest::check(&query, &policy.region, now)?;
    let session = session_of(document, case).filter(|_| !video.as_str().is_empty()).ok_or(Refusal::SessionUnavailable)?;
    Ok(policy.sign(&request, &session, now)?.signature.to_string())
}

#[test]
fn genuine_requests_are_signed_and_hostile_ones_are_not() {
    let (Some(document), Some(hostile)) = (vectors("sigv4_upload.json"), vectors("sigv4_upload_hostile.json")) else { return };
    let cases = |document: &Value, name: &str| document[name].as_array().expect("cases").clone();
    for case in cases(&document, "cases") {
        assert_eq!(outcome(&document, &case), Ok(text(&case, "signature").into()), "{}", case["id"]);
    }
    for case in cases(&hostile, "must_accept") {
        assert_eq!(outcome(&document, &case), Ok(text(&case["expect"], "signature").into()), "{}", case["id"]);
    }
    // One of them is of another method, which is the route's to refuse.
    let refused = cases(&hostile, "must_refuse");
    for case in refused.iter().filter(|case| case["http_method"].is_null()) {
        let found = outcome(&document, case).map_err(|refusal| (u64::from(refusal.fault().status()), refusal.code()));
        let expected = (case["expect"]["status"].as_u64().expect("a status"), text(&case["expect"], "error"));
        // API Gateway decodes the query. A broken escape or invalid UTF-8 then differs from the
        // text that was hashed.
        let decoded = case["id"] == "not-utf8" || case["id"] == "broken-escape";
        assert_eq!(found, Err(if decoded { (400, "hash_mismatch") } else { expected }), "{}", case["id"]);
    }
    assert_eq!(refused.len(), 89);
}
