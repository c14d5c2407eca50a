//! CSV bodies of the endpoint: a request has one id on each line, a response one id or code.

use shared::identity::{Code, Domain};

use crate::{
    ids::{IdSlice, is_id_of, is_plain},
    outcomes::{Outcomes, is_code},
};

/// Stands for an id that a line cannot hold. It is refused with the same code as the id would be.
const PLACEHOLDER_ID: &[u8] = b"-";

/// Returns a request body, and the target of all its lines if they have the same.
pub(crate) fn write(smart_token: &str, init_token: Option<&str>, ids: IdSlice<'_>) -> (Vec<u8>, Option<Domain>) {
    let mut groups = ids.groups();
    let target = groups.next().map(|group| group.target).filter(|_| groups.next().is_none());
    let tokens = smart_token.len() + init_token.map_or(0, str::len) + 32;
    // A target takes a comma and four letters.
    let mut body = Vec::with_capacity(tokens + ids.lines().len() + if target.is_some() { 0 } else { 5 * ids.len() });
    for (name, token) in [("#smart_token=", Some(smart_token)), ("#init_token=", init_token)] {
        if let Some(token) = token {
            body.extend_from_slice(name.as_bytes());
            body.extend_from_slice(token.as_bytes());
            body.push(b'\n');
        }
    }
    if target.is_some() && ids.is_plain() {
        body.extend_from_slice(ids.lines());
        return (body, target);
    }
    for group in ids.groups() {
        for id in group.ids() {
            // Commas, quotes, blanks and line ends have a meaning in CSV.
            body.extend_from_slice(if is_plain(id) { id } else { PLACEHOLDER_ID });
            if target.is_none() {
                body.push(b',');
                body.extend_from_slice(group.target.as_bytes());
            }
            body.push(b'\n');
        }
    }
    (body, target)
}

/// Reads the response to a request for the ids `requested`, of which the transcoder counted
/// `counted` as translated.
///
/// There must be one line for each id, in order, with an id of its target or a code.
pub(crate) fn parse(text: Vec<u8>, requested: IdSlice<'_>, counted: u64) -> Result<Outcomes, String> {
    let text = String::from_utf8(text).map_err(|_| "it is not text")?;
    let mut outcomes = Outcomes::with_capacity(requested.len(), 0);
    let (mut start, mut length, mut translated) = (0, 0, 0);
    let excess = || format!("it has more than {} lines, or an incomplete one", requested.len());
    for group in requested.groups() {
        for _ in 0..group.len() {
            let (number, rest) = (outcomes.len(), &text[start..]);
            if rest.is_empty() {
                return Err(format!("expected {} lines, found {number}", requested.len()));
            }
            // Most lines are as long as the line before.
            let ends = rest.as_bytes().get(length) == Some(&b'\n');
            let mut outcome = if ends { read(&rest[..length], group.target) } else { None };
            if outcome.is_none() {
                length = memchr::memchr(b'\n', rest.as_bytes()).ok_or_else(excess)?;
                outcome = read(&rest[..length], group.target);
            }
            match outcome {
                Some(Ok(id)) => {
                    outcomes.push_range(start..start + id.len());
                    translated += 1;
                }
                Some(Err(code)) => outcomes.refuse(code, message(code)),
                None => return Err(format!("its line {number} is neither an id of domain {} nor a code", group.target)),
            }
            start += length + 1;
        }
    }
    if start < text.len() {
        return Err(excess());
    }
    if translated != counted {
        return Err(format!("it has {translated} ids, but {counted} were counted"));
    }
    Ok(outcomes.with_text(text))
}

/// Reads a line: an id of `target`, or a code.
fn read(line: &str, target: Domain) -> Option<Result<&str, &str>> {
    match (line.strip_suffix(','), line.strip_prefix(',')) {
        (Some(id), _) if is_id_of(id, target) => Some(Ok(id)),
        (_, Some(code)) if is_code(code) => Some(Err(code)),
        _ => None,
    }
}

/// The message of a code. Lines carry the code alone.
fn message(code: &str) -> &'static str {
    Code::ALL.iter().find(|known| known.code() == code).map_or("", |code| code.message())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::tests::ids, outcomes::Refusal};

    fn written(pairs: &[(&str, &str)], init_token: Option<&str>) -> (String, Option<String>) {
        let ids = ids(pairs);
        let (body, target) = write("smart", init_token, ids.as_slice());
        (String::from_utf8(body).unwrap(), target.map(|target| target.to_string()))
    }

    #[test]
    fn a_common_target_is_returned_and_different_ones_are_written_in_each_line() {
        let one = written(&[("XY1005a", "1006"), ("XY1005b", "1006")], None);
        assert_eq!(one, ("#smart_token=smart\nXY1005a\nXY1005b\n".into(), Some("1006".into())));
        let several = written(&[("XY1005a", "1006"), ("XY1005b", "1007")], Some("init"));
        assert_eq!(several, ("#smart_token=smart\n#init_token=init\nXY1005a,1006\nXY1005b,1007\n".into(), None));
    }

    #[test]
    fn an_id_that_a_line_cannot_hold_is_sent_as_the_placeholder() {
        for id in ["", "a,b", "a\nb", "a\r", "\"a\"", " a", "#smart_token=x", "é"] {
            assert_eq!(written(&[(id, "1006")], None).0, "#smart_token=smart\n-\n", "{id:?}");
        }
    }

    #[test]
    fn outcomes_are_in_the_order_of_the_ids() {
        let ids = ids(&[("a", "1006"), ("b", "1006"), ("c", "1007")]);
        let found = parse(b"XY1006a,\n,I001\nXi1007c,\n".to_vec(), ids.as_slice(), 2).unwrap();
        let refusal = Refusal { code: "I001", message: "error decoding a RampID" };
        assert_eq!(found.iter().collect::<Vec<_>>(), [Ok("XY1006a"), Err(refusal), Ok("Xi1007c")]);
    }

    #[test]
    fn a_response_that_does_not_match_the_request_is_refused() {
        let ids = ids(&[("a", "1006"), ("b", "1006")]);
        for (text, reason) in [
            ("XY1006a,\n", "expected 2 lines, found 1"),
            ("XY1006a,\nXY1006b,\nXY1006c,\n", "has more than 2 lines"),
            ("XY1006a,\nXY1006b,", "an incomplete one"),
            ("XY1006a,\n\n", "line 1 is neither"),
            ("XY1006a,\nXY1006b\n", "line 1 is neither"),
            ("XY1006a,\nXY1005b,\n", "line 1 is neither"),
            ("XY1006a,\nXY1006b,I001\n", "line 1 is neither"),
            ("XY1006a,\n,I 1\n", "line 1 is neither"),
            ("XY1006a,\r\n,I001\r\n", "line 0 is neither"),
            ("XY1006a,\n,I001\n", "has 1 ids, but 2 were counted"),
            ("{\"code\":\"E000\"}\n", "line 0 is neither"),
        ] {
            let found = parse(text.into(), ids.as_slice(), 2).unwrap_err();
            assert!(found.contains(reason), "{text:?}: {found}");
        }
        assert_eq!(parse(b"XY1006\xFF,\n".to_vec(), ids.as_slice(), 2).unwrap_err(), "it is not text");
    }
}
