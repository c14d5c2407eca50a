//! A request for a signature: the query of the sign route, and the checks that do not need the
//! upload.

use super::{canonical::CanonicalRequest, refusal::Refusal};
use crate::{crypto::sha256, encoding::hex};

/// Maximum length of the query: the bytes of its names and values, and two per pair.
const MAX_QUERY_BYTES: usize = 8192;
/// Maximum difference of the client's and the server's clock, in seconds. S3 has the same limit.
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
    /// Reads parameters as API Gateway passes them: decoded, with all values of a repeated one. A
    /// `+` is a plus, because clients escape spaces.
    ///
    /// Invalid escapes need no check. API Gateway refuses them, or decodes them to text that does
    /// not match the hash.
    ///
    /// # Errors
    /// [`Refusal::BadQuery`] if a known parameter is repeated, or the query is too long.
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

/// A valid request for a signature. The policy decides whether the upload may get it.
#[derive(Debug)]
pub struct SignRequest<'a> {
    /// The string to sign.
    pub to_sign: &'a str,
    /// The date in the scope of the signing key, such as `20260115`.
    pub date: &'a str,
    /// The request to S3 in canonical form.
    pub canonical: CanonicalRequest<'a>,
}

impl<'a> SignRequest<'a> {
    /// Checks form, clock, scope and hash at `now`, in seconds since 1970. The scope must be of
    /// `region`.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies, in the documented order.
    pub fn check(query: &Query<'a>, region: &str, now: u64) -> Result<Self, Refusal> {
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
        let scope_region =
            scope.strip_prefix(date).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| rest.strip_suffix("/s3/aws4_request"));
        if scope_region != Some(region) {
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

/// Parses an instant in ISO 8601's basic format to seconds since 1970.
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
