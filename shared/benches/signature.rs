//! Requests to S3 per second that one core signs: the sign route without its storage, from the
//! decoded parameters to the signature.
//!
//! Run `cargo bench -p shared --bench signature`. Results are medians of interleaved rounds.
//! Compare the ratios rather than machines.

mod stats;

use std::{hint::black_box, time::Instant};

use shared::{
    crypto::sha256,
    encoding::hex,
    secret::SecretText,
    upload::{Policy, SignRequest, UploadSession, operation::EMPTY_SHA256, session::Progress, sign_request::Query, signature::sign},
};

use stats::{median, processor};

const SIGNATURES: usize = 5_000;
const ROUNDS: usize = 15;
const NOW: u64 = 1_768_469_405;
const DATETIME: &str = "20260115T093000Z";

/// A request, and whether it is signed.
struct Case {
    name: &'static str,
    canonical: String,
    to_sign: String,
    signed: bool,
}

fn main() {
    // The length of a session token of AWS.
    let token = "FQoDYXdzEJ3/".repeat(55);
    let session = UploadSession {
        bucket: "ingestion-upload-production".into(),
        object_key: "2345678901001/1234567898001/d4f0b8f2-5a0e-4c1b-9f3e-20100d930100/source.webm".into(),
        secret_access_key: SecretText::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
        session_token: SecretText::new(token.clone()),
        expires_at: NOW + 1,
        progress: Progress { upload_id: Some("u".repeat(128)), last_part_at: Some(NOW), ..Progress::open() },
    };
    let policy = Policy::default();
    let cases = cases(&session, &token);
    println!(
        "{}; one core, {SIGNATURES} requests, medians of {ROUNDS} rounds, thousand per second (multiple of the signature alone)",
        processor()
    );
    println!("{:40}{:>12}{:>24}{:>16}", "", "signature", "sign route", "µs each");
    for case in &cases {
        assert_eq!(sign_route(case, &session, &policy), case.signed, "{}", case.name);
        let (mut signature, mut route) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            signature.push(thousand_per_second(|| sign(&session.secret_access_key, &DATETIME[..8], "us-east-1", &case.to_sign)));
            route.push(thousand_per_second(|| sign_route(case, &session, &policy)));
        }
        let (signature, route) = (median(signature), median(route));
        println!("{:40}{signature:>12.1}{:>24}{:>16.2}", case.name, format!("{route:.1} ({:.2}x)", route / signature), 1e3 / route);
    }
}

/// Does the work of the handler between the table and the response. Returns whether the request is
/// signed.
fn sign_route(case: &Case, session: &UploadSession, policy: &Policy) -> bool {
    let pairs = [("to_sign", case.to_sign.as_str()), ("datetime", DATETIME), ("canonical_request", &case.canonical)];
    let Ok(query) = Query::from_decoded(pairs) else { return false };
    let Ok(request) = SignRequest::check(&query, &policy.region, NOW) else { return false };
    policy.sign(&request, session, NOW).map(|signed| black_box(signed.signature.to_string())).is_ok()
}

fn cases(session: &UploadSession, token: &str) -> Vec<Case> {
    let upload = "u".repeat(128);
    let md5 = "content-md5:XkyO+4ktkipLwwIS2R8z5g==\n";
    let case = |name, method: &str, query: &str, own: &str, payload: &str, token: &str, signed| {
        let names = own.split(':').next().filter(|name| !name.is_empty()).map(|name| format!("{name};")).unwrap_or_default();
        let canonical = format!(
            "{method}\n/{}/{}\n{query}\n{own}host:s3.amazonaws.com\nx-amz-date:{DATETIME}\nx-amz-security-token:{token}\n\n\
             {names}host;x-amz-date;x-amz-security-token\n{payload}",
            session.bucket, session.object_key
        );
        let hash = hex(&sha256(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{DATETIME}\n{}/us-east-1/s3/aws4_request\n{hash}", &DATETIME[..8]);
        Case { name, canonical, to_sign, signed }
    };
    let part = format!("partNumber=77&uploadId={upload}");
    vec![
        case("a part", "PUT", &part, md5, "UNSIGNED-PAYLOAD", token, true),
        case("a list of parts", "GET", &format!("part-number-marker=0&uploadId={upload}"), "", EMPTY_SHA256, token, true),
        case("a part with another token, refused", "PUT", &part, md5, "UNSIGNED-PAYLOAD", &token.replace('J', "K"), false),
        case("a listing of the bucket, refused", "GET", "list-type=2", "", EMPTY_SHA256, token, false),
    ]
}

/// Runs the work and returns its rate, in thousands per second.
#[expect(clippy::cast_precision_loss, reason = "the result is printed with three digits")]
fn thousand_per_second<T>(work: impl Fn() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..SIGNATURES {
        black_box(work());
    }
    SIGNATURES as f64 / start.elapsed().as_secs_f64() / 1e3
}
