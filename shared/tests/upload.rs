//! The policy of upload signing: known answers, refusals, and properties.

use proptest::prelude::*;
use shared::{
    crypto::sha256,
    encoding::hex,
    secret::SecretText,
    upload::{
        Operation, Policy, Refusal, SignRequest, State, UploadSession, VideoId, session::Progress, sign_request::Query, signature::sign,
    },
};

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

/// The string to sign of a canonical request.
fn to_sign(canonical: &str) -> String {
    format!("AWS4-HMAC-SHA256\n{DATETIME}\n{}/us-east-1/s3/aws4_request\n{}", &DATETIME[..8], hex(&sha256(canonical.as_bytes())))
}

/// Signs a canonical request.
fn signature(canonical: &str, session: &UploadSession) -> Result<String, Refusal> {
    let to_sign = to_sign(canonical);
    let query = Query::from_decoded([("to_sign", &*to_sign), ("datetime", DATETIME), ("canonical_request", canonical)])?;
    let policy = Policy::default();
    let request = SignRequest::check(&query, &policy.region, NOW)?;
    Ok(policy.sign(&request, session, NOW)?.signature.to_string())
}

/// The canonical request of each operation on a bound upload.
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
fn a_signature_is_that_of_sigv4() {
    let secret = SecretText::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into());
    let hash = "908d768827efd00865fdaa2ae604368c12038e75d7315b3c1c93183dd7c2204e";
    let to_sign = format!("AWS4-HMAC-SHA256\n{DATETIME}\n20260115/us-east-1/s3/aws4_request\n{hash}");
    let signature = sign(&secret, "20260115", "us-east-1", &to_sign).to_string();
    assert_eq!(signature, "df724cae70e0e070d380596b71a490aa94a2ab7ced7f1cba64e5227c7dc8ef76");
}

#[test]
fn each_operation_on_the_upload_s_object_is_signed() {
    for canonical in operations() {
        assert!(signature(&canonical, &session()).is_ok(), "{canonical}");
    }
}

#[test]
fn an_upload_that_has_ended_signs_nothing() {
    let ended = [State::Pending, State::Ingesting, State::Ingested, State::Done, State::Failed, State::Reaped];
    for state in ended {
        let session = UploadSession { progress: Progress { state, ..session().progress }, ..session() };
        assert_eq!(signature(&operations()[0], &session), Err(Refusal::SessionUnavailable), "{state:?}");
    }
    assert_eq!(signature(&operations()[0], &UploadSession { expires_at: NOW, ..session() }), Err(Refusal::SessionUnavailable));
}

#[test]
fn a_completed_object_cannot_be_replaced() {
    let open = Progress { listed: true, ..session().progress };
    assert!(open.after(&Operation::Initiate, NOW).is_some());
    let completing = open.after(&Operation::Complete { upload: UPLOAD }, NOW).unwrap();
    for now in [NOW, NOW + 300] {
        assert_eq!(completing.after(&Operation::Initiate, now), None);
    }
    assert_eq!(completing.after(&Operation::Complete { upload: UPLOAD }, NOW), Some(completing));
}

#[test]
fn a_query_has_each_parameter_once_and_a_maximum_length() {
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
fn an_invalid_video_id_has_no_upload() {
    for text in ["", "__proto__", "../1", "1,2", "ref:a", "１２", "123456789012345678901", "1\n", " 1"] {
        assert_eq!(text.parse::<VideoId>(), Err(Refusal::SessionUnavailable), "{text}");
    }
}

/// Of all combinations of methods, hosts, paths, queries, headers and payloads, only the six
/// operations are signed.
#[test]
fn only_the_operations_are_signed() {
    const KEY: &str = "1/2/a%20b%2Bc.webm";
    let (upload, other) = (format!("uploadId={UPLOAD}"), hex(&sha256(b"a list of parts")));
    let [part, list] = [format!("partNumber=7&{upload}"), format!("part-number-marker=0&{upload}")];
    // The first three address the object of the upload.
    let addresses = [
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
    for (address, (host, path)) in addresses.iter().enumerate() {
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
                let found = signature(&canonical, &unbound());
                assert_eq!(found.is_ok(), allowed && !own && address < 3, "{canonical}: {found:?}");
                signed += u32::from(found.is_ok());
            }
        }
    }
    // At each address, five operations with or without a media type, and the complete with one and
    // two payloads.
    assert_eq!(signed, 3 * (5 * 2 + 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    /// A changed request is refused, unless the change is in a part that the operation leaves open.
    #[test]
    fn a_changed_request_is_refused(
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
        if signature(&changed, &session()).is_ok() {
            // The open parts: part number and marker, media type, checksum of the part, and payload
            // hash of the complete.
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
