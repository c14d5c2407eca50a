//! The canonical request of AWS Signature Version 4.

/// A canonical request.
#[derive(Debug, PartialEq, Eq)]
pub struct CanonicalRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, encoded.
    pub path: &'a str,
    /// The query, encoded and sorted.
    pub query: &'a str,
    /// The headers besides the three that every request signs, by their names in lower case.
    pub headers: Vec<(&'a str, &'a str)>,
    /// `host`.
    pub host: &'a str,
    /// `x-amz-date`.
    pub date: &'a str,
    /// `x-amz-security-token`.
    pub token: &'a str,
    /// The SHA-256 of the payload in hexadecimal, or `UNSIGNED-PAYLOAD`.
    pub payload: &'a str,
}

impl<'a> CanonicalRequest<'a> {
    /// Parses the canonical form: method, path, query, one line per header, an empty line, the
    /// names of the headers, and the hash of the payload.
    ///
    /// `None` if the text has another form, if the names are not ascending or do not match the
    /// header lines, or if one of the three headers that every request signs is missing.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.chars().any(|character| character.is_control() && character != '\n') {
            return None;
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let [method, path, query, ref head @ .., "", names, payload] = lines[..] else { return None };
        let mut headers = head.iter().map(|line| line.split_once(':').filter(|(name, _)| is_name(name))).collect::<Option<Vec<_>>>()?;
        let ascending = headers.is_sorted_by(|(before, _), (after, _)| before < after);
        if !ascending || !names.split(';').eq(headers.iter().map(|(name, _)| *name)) {
            return None;
        }
        let mut take = |wanted: &str| {
            let index = headers.iter().position(|(name, _)| *name == wanted)?;
            Some(headers.remove(index).1)
        };
        let (host, date, token) = (take("host")?, take("x-amz-date")?, take("x-amz-security-token")?);
        Some(Self { method, path, query, headers, host, date, token, payload })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}
