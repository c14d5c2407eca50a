//! Bodies of lines, for the endpoint: an id a line there, a new id or a code a line back.

use shared::identity::{Code, Domain};

use super::{
    answer::{is_code, is_id_of},
    ids::{Part, is_plain},
    outcomes::Outcomes,
};

/// What is sent in the place of an id that a line cannot hold: it is as little an id, and refused with the same code.
const NO_ID: &[u8] = b"-";

/// The body of a request, and the target of all its lines when they have one.
pub(super) fn write(smart_token: &str, init_token: Option<&str>, part: Part<'_>) -> (Vec<u8>, Option<Domain>) {
    let mut runs = part.runs();
    let target = runs.next().map(|run| run.target).filter(|_| runs.next().is_none());
    let tokens = smart_token.len() + init_token.map_or(0, str::len) + 32;
    // A comma and four letters of a target.
    let mut body = Vec::with_capacity(tokens + part.lines().len() + if target.is_some() { 0 } else { 5 * part.len() });
    for (name, token) in [("#smart_token=", Some(smart_token)), ("#init_token=", init_token)] {
        if let Some(token) = token {
            body.extend_from_slice(name.as_bytes());
            body.extend_from_slice(token.as_bytes());
            body.push(b'\n');
        }
    }
    if target.is_some() && part.is_plain() {
        body.extend_from_slice(part.lines());
        return (body, target);
    }
    for run in part.runs() {
        for id in run.ids() {
            // Commas, quotes, blanks and line ends would make a line into something else.
            body.extend_from_slice(if is_plain(id) { id } else { NO_ID });
            if target.is_none() {
                body.push(b',');
                body.extend_from_slice(run.target.as_bytes());
            }
            body.push(b'\n');
        }
    }
    (body, target)
}

/// Reads the answer to a part, of which the transcoder has `counted` so many ids as translated. As strict as with JSON: a line for each id,
/// in order, each of them either an id of its target or a code.
pub(super) fn parse(text: Vec<u8>, asked: Part<'_>, counted: u64) -> Result<Outcomes, String> {
    let text = String::from_utf8(text).map_err(|_| "it is not text")?;
    let mut outcomes = Outcomes::with_capacity(asked.len(), 0);
    let (mut start, mut length, mut translated) = (0, 0, 0);
    let halved = || format!("it was asked for {} ids and answered with more, or with half a line", asked.len());
    for run in asked.runs() {
        for _ in 0..run.len() {
            let (number, rest) = (outcomes.len(), &text[start..]);
            if rest.is_empty() {
                return Err(format!("it was asked for {} ids and answered with {number}", asked.len()));
            }
            // Most often it is as long as the line before.
            let ends = rest.as_bytes().get(length) == Some(&b'\n');
            let mut outcome = if ends { read(&rest[..length], run.target) } else { None };
            if outcome.is_none() {
                length = memchr::memchr(b'\n', rest.as_bytes()).ok_or_else(halved)?;
                outcome = read(&rest[..length], run.target);
            }
            match outcome {
                Some(Ok(id)) => {
                    outcomes.place(start..start + id.len());
                    translated += 1;
                }
                Some(Err(code)) => outcomes.refuse(code, meaning(code)),
                None => return Err(format!("its line {number} is neither an id of domain {} nor a code", run.target)),
            }
            start += length + 1;
        }
    }
    if start < text.len() {
        return Err(halved());
    }
    if translated != counted {
        return Err(format!("it holds {translated} ids and was counted as {counted}"));
    }
    Ok(outcomes.of(text))
}

/// A line's id, or its code, where it is nothing else.
fn read(line: &str, target: Domain) -> Option<Result<&str, &str>> {
    match (line.strip_suffix(','), line.strip_prefix(',')) {
        (Some(id), _) if is_id_of(id, target) => Some(Ok(id)),
        (_, Some(code)) if is_code(code) => Some(Err(code)),
        _ => None,
    }
}

/// The code's sentence, which a line has no room for.
fn meaning(code: &str) -> &'static str {
    Code::ALL.iter().find(|known| known.code() == code).map_or("", |code| code.message())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Refusal, tests::ids};

    fn written(pairs: &[(&str, &str)], init_token: Option<&str>) -> (String, Option<String>) {
        let ids = ids(pairs);
        let (body, target) = write("smart", init_token, ids.all());
        (String::from_utf8(body).unwrap(), target.map(|target| target.to_string()))
    }

    #[test]
    fn one_target_is_named_once_and_several_in_each_line() {
        let one = written(&[("XY1005a", "1006"), ("XY1005b", "1006")], None);
        assert_eq!(one, ("#smart_token=smart\nXY1005a\nXY1005b\n".into(), Some("1006".into())));
        let several = written(&[("XY1005a", "1006"), ("XY1005b", "1007")], Some("init"));
        assert_eq!(several, ("#smart_token=smart\n#init_token=init\nXY1005a,1006\nXY1005b,1007\n".into(), None));
    }

    #[test]
    fn what_a_line_cannot_hold_is_sent_as_no_id() {
        for id in ["", "a,b", "a\nb", "a\r", "\"a\"", " a", "#smart_token=x", "é"] {
            assert_eq!(written(&[(id, "1006")], None).0, "#smart_token=smart\n-\n", "{id:?}");
        }
    }

    #[test]
    fn outcomes_come_in_the_order_of_the_ids() {
        let ids = ids(&[("a", "1006"), ("b", "1006"), ("c", "1007")]);
        let found = parse(b"XY1006a,\n,I001\nXi1007c,\n".to_vec(), ids.all(), 2).unwrap();
        let refusal = Refusal { code: "I001", message: "error decoding a RampID" };
        assert_eq!(found.iter().collect::<Vec<_>>(), [Ok("XY1006a"), Err(refusal), Ok("Xi1007c")]);
    }

    #[test]
    fn an_answer_that_does_not_fit_the_question_is_refused() {
        let ids = ids(&[("a", "1006"), ("b", "1006")]);
        for (text, complaint) in [
            ("XY1006a,\n", "asked for 2 ids and answered with 1"),
            ("XY1006a,\nXY1006b,\nXY1006c,\n", "with more"),
            ("XY1006a,\nXY1006b,", "half a line"),
            ("XY1006a,\n\n", "line 1 is neither"),
            ("XY1006a,\nXY1006b\n", "line 1 is neither"),
            ("XY1006a,\nXY1005b,\n", "line 1 is neither"),
            ("XY1006a,\nXY1006b,I001\n", "line 1 is neither"),
            ("XY1006a,\n,I 1\n", "line 1 is neither"),
            ("XY1006a,\r\n,I001\r\n", "line 0 is neither"),
            ("XY1006a,\n,I001\n", "holds 1 ids and was counted as 2"),
            ("{\"code\":\"E000\"}\n", "line 0 is neither"),
        ] {
            let found = parse(text.into(), ids.all(), 2).unwrap_err();
            assert!(found.contains(complaint), "{text:?}: {found}");
        }
        assert_eq!(parse(b"XY1006\xFF,\n".to_vec(), ids.all(), 2).unwrap_err(), "it is not text");
    }
}
