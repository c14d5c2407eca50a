//! What a client asks to have signed: the query of the sign route, and what can be said of it without knowing the upload.

use std::borrow::Cow;

use super::{CanonicalRequest, Policy, Refusal};
use crate::{crypto::sha256, encoding::hex};

/// The longest query, in bytes as it is sent.
pub const MAX_QUERY: usize = 8192;
/// How far a client's clock may be from ours, in seconds: S3's own window.
pub const MAX_SKEW: u64 = 900;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parameters of the sign route's query.
#[derive(Debug, Default)]
pub struct Query<'a> {
    to_sign: Option<Cow<'a, str>>,
    datetime: Option<Cow<'a, str>>,
    canonical_request: Option<Cow<'a, str>>,
}

impl<'a> Query<'a> {
    /// Reads a query as it is sent. A `+` is a plus: the client escapes its spaces.
    pub fn parse(raw: &'a str) -> Result<Self, Refusal> {
        if raw.len() > MAX_QUERY {
            return Err(Refusal::BadQuery);
        }
        let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        Self::collect(pairs)
    }

    /// Takes parameters that a gateway has decoded; every value of a repeated one must be among them.
    pub fn from_decoded(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Refusal> {
        let mut length = 0;
        Self::collect(pairs.into_iter().map(|(name, value)| {
            length += name.len() + value.len() + 2;
            if length > MAX_QUERY { Err(Refusal::BadQuery) } else { Ok((name.into(), value.into())) }
        }))
    }

    fn collect(pairs: impl Iterator<Item = Result<(Cow<'a, str>, Cow<'a, str>), Refusal>>) -> Result<Self, Refusal> {
        let mut query = Self::default();
        for pair in pairs {
            let (name, value) = pair?;
            let known = match &*name {
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
pub struct Ask<'a> {
    /// The string to sign.
    pub to_sign: &'a str,
    /// Its date, which the signing key is derived for.
    pub date: &'a str,
    /// The request.
    pub request: CanonicalRequest<'a>,
}

impl<'a> Ask<'a> {
    /// Checks what needs no storage: form, clock, scope and hash, in the documented order.
    pub fn check(query: &'a Query<'_>, policy: &Policy, now: u64) -> Result<Self, Refusal> {
        let given = |parameter: &'a Option<Cow<'_, str>>| parameter.as_deref().filter(|value| !value.is_empty());
        let to_sign = given(&query.to_sign).ok_or(Refusal::BadQuery)?;
        let datetime = given(&query.datetime).ok_or(Refusal::BadQuery)?;
        let canonical = given(&query.canonical_request).ok_or(Refusal::CanonicalRequestRequired)?;

        let lines: Vec<&str> = to_sign.split('\n').collect();
        let [ALGORITHM, line_2, scope, hash] = lines[..] else { return Err(Refusal::NotSigV4) };
        let instant = instant(datetime).filter(|_| line_2 == datetime).ok_or(Refusal::BadDatetime)?;
        if instant.abs_diff(now) > MAX_SKEW {
            return Err(Refusal::ClockSkew);
        }
        let date = &datetime[..8];
        let region =
            scope.strip_prefix(date).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| rest.strip_suffix("/s3/aws4_request"));
        if region != Some(policy.region.as_str()) {
            return Err(Refusal::BadScope);
        }
        if hash != hex(&sha256(canonical.as_bytes())) {
            return Err(Refusal::HashMismatch);
        }
        let request = CanonicalRequest::parse(canonical).ok_or(Refusal::BadCanonicalRequest)?;
        if request.date != datetime {
            return Err(Refusal::StaleDate);
        }
        Ok(Self { to_sign, date, request })
    }
}

/// Decodes escapes, each of which must be one.
fn decode(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let bytes = text.as_bytes();
    let escape = |at: usize| bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !memchr::memchr_iter(b'%', bytes).all(escape) {
        return Err(Refusal::BadQuery);
    }
    percent_encoding::percent_decode_str(text).decode_utf8().map_err(|_| Refusal::BadQuery)
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
