//! Any query of the sign route is parsed or refused, and signatures are for the upload's own object
//! only.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::{
    crypto::sha256,
    encoding::hex,
    secret::SecretText,
    upload::{Policy, Refusal, SignRequest, UploadSession, session::Progress, sign_request::Query},
};

const NOW: u64 = 1_768_469_405;
const DATETIME: &str = "20260115T093000Z";

static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);

/// The words that control characters stand for, so that random requests are almost valid.
const WORDS: [&str; 9] = [
    "POST\n/bucket/key\nuploads=\n",
    "PUT\n/bucket/key\npartNumber=1&uploadId=u\ncontent-md5:XkyO+4ktkipLwwIS2R8z5g==\n",
    "host:s3.amazonaws.com\n",
    "x-amz-date:20260115T093000Z\n",
    "x-amz-security-token:token\n\n",
    "host;x-amz-date;x-amz-security-token\n",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "content-md5;",
    "\n",
];

fn session() -> UploadSession {
    UploadSession {
        bucket: "bucket".into(),
        object_key: "key".into(),
        secret_access_key: SecretText::new("secret".into()),
        session_token: SecretText::new("token".into()),
        expires_at: NOW + 1,
        progress: Progress::open(),
    }
}

/// Decodes as API Gateway may: invalid escapes are kept, and invalid UTF-8 is replaced.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let (mut decoded, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let escaped = if *byte == b'%' { digit(at + 1).zip(digit(at + 2)) } else { None };
        decoded.push(escaped.map_or(*byte, |(high, low)| (high << 4 | low) as u8));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn outcome(query: &Query<'_>) -> Result<String, Refusal> {
    let request = SignRequest::check(query, &POLICY.region, NOW)?;
    let signed = POLICY.sign(&request, &session(), NOW)?;
    assert!(request.canonical.path == "/bucket/key" || request.canonical.host.starts_with("bucket.s3") && request.canonical.path == "/key");
    Ok(signed.signature.to_string())
}

fuzz_target!(|text: &str| {
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let pairs: Vec<_> = pairs.map(|(name, value)| (decode(name), decode(value))).collect();
    if let Ok(query) = Query::from_decoded(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
        let _ = outcome(&query);
    }
    let word = |character: char| (character as usize).checked_sub(1).and_then(|word| WORDS.get(word));
    let canonical: String = text.chars().map(|character| word(character).map_or(character.to_string(), |word| (*word).into())).collect();
    let hash = hex(&sha256(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{DATETIME}\n20260115/us-east-1/s3/aws4_request\n{hash}");
    let query = [("to_sign", to_sign.as_str()), ("datetime", DATETIME), ("canonical_request", &canonical)];
    if let Ok(query) = Query::from_decoded(query) {
        let _ = outcome(&query);
    }
});
