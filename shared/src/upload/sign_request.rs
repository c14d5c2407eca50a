//! What a client asks to have signed: the query of the sign route, and what can be said of it without knowing the upload.

use super::{CanonicalRequest, Policy, Refusal};
use crate::{crypto::sha256, encoding::hex};

/// The longest query, in bytes of its names and values, and two a pair for what joins them.
const MAX_QUERY_BYTES: usize = 8192;
/// How far a client's clock may be from ours, in seconds: S3's own window.
pub const MAX_CLOCK_SKEW_SECONDS: u64 = 900;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parameters of the sign route's query.
#[derive(Debug, Default)]
pub struct Query<'a> {
    to_sign: Option<&'a str>,
    datetime: Option<&'a str>,
    canonical_request: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// Takes parameters as a REST API hands them over: decoded, and of a repeated one every value. There is no other form of them: escapes that
    /// are none are the gateway's to refuse, and what it makes of them fits no hash. A `+` is a plus: the client escapes its spaces.
    pub fn from_decoded(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Refusal> {
        let mut query = Self::default();
        let mut length = 0;
        for (name, value) in pairs {
            length += name.len() + value.len() + 2;
            if length > MAX_QUERY_BYTES {
                return Err(Refusal::BadQuery);
            }
            let known = match name {
                "to_sign" => &mut query.to_sign,
                "datetime" => &mut query.datetime,
                "canonical_request" => &mut query.canonical_request,
                _ => continue,
            };
            if known.replace(value).is_some() {
                return Err(Refusal::BadQuery);
            }
        }
        Ok(query)
    }
}

/// A request to sign that is sound in itself: whether its upload may make it is the [`Policy`]'s to say.
#[derive(Debug)]
pub struct SignRequest<'a> {
    /// The string to sign.
    pub to_sign: &'a str,
    /// Its date, which the signing key is derived for.
    pub date: &'a str,
    /// The request.
    pub canonical: CanonicalRequest<'a>,
}

impl<'a> SignRequest<'a> {
    /// Checks what needs no storage: form, clock, scope and hash, in the documented order.
    pub fn check(query: &Query<'a>, policy: &Policy, now: u64) -> Result<Self, Refusal> {
        let given = |parameter: Option<&'a str>| parameter.filter(|value| !value.is_empty());
        let to_sign = given(query.to_sign).ok_or(Refusal::BadQuery)?;
        let datetime = given(query.datetime).ok_or(Refusal::BadQuery)?;
        let text = given(query.canonical_request).ok_or(Refusal::CanonicalRequestRequired)?;

        let lines: Vec<&str> = to_sign.split('\n').collect();
        let [ALGORITHM, line_2, scope, hash] = lines[..] else { return Err(Refusal::NotSigV4) };
        let instant = instant(datetime).filter(|_| line_2 == datetime).ok_or(Refusal::BadDatetime)?;
        if instant.abs_diff(now) > MAX_CLOCK_SKEW_SECONDS {
            return Err(Refusal::ClockSkew);
        }
        let date = &datetime[..8];
        let region =
            scope.strip_prefix(date).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| rest.strip_suffix("/s3/aws4_request"));
        if region != Some(policy.region.as_str()) {
            return Err(Refusal::BadScope);
        }
        if hash != hex(&sha256(text.as_bytes())) {
            return Err(Refusal::HashMismatch);
        }
        let canonical = CanonicalRequest::parse(text).ok_or(Refusal::BadCanonicalRequest)?;
        if canonical.date != datetime {
            return Err(Refusal::StaleDate);
        }
        Ok(Self { to_sign, date, canonical })
    }
}

/// Seconds since 1970 of an instant in ISO 8601's basic format, which must be one that there is.
fn instant(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(date, 8) || !digits(time, 6) {
        return None;
    }
    let month = time::Month::try_from(date[4..6].parse::<u8>().ok()?).ok()?;
    let day = time::Date::from_calendar_date(date[..4].parse().ok()?, month, date[6..].parse().ok()?).ok()?;
    let time = time::Time::from_hms(time[..2].parse().ok()?, time[2..4].parse().ok()?, time[4..].parse().ok()?).ok()?;
    u64::try_from(day.with_time(time).assume_utc().unix_timestamp()).ok()
}
