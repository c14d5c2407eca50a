//! The answer to a grouped request, checked: as many outcomes as ids, in order, or nothing.

use serde::Deserialize;
use shared::identity::Domain;

/// What became of one id: its form in the target's domain, or why there is none.
pub type Outcome = Result<String, Refusal>;

/// Why an id was not translated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The documented code.
    pub code: String,
    /// The server's words.
    pub message: String,
}

#[derive(Deserialize)]
struct Group {
    values: Vec<Option<String>>,
    #[serde(default)]
    errors: Vec<Error>,
}

#[derive(Deserialize)]
struct Error {
    index: usize,
    code: String,
    #[serde(default)]
    message: String,
}

/// Reads the answer to one group of `asked` ids. A shifted answer would give people each other's ids, so every null
/// must have its error, every error its null, and every value the form and the domain that were asked for.
pub(super) fn parse(text: &[u8], target: Domain, asked: usize) -> Result<Vec<Outcome>, String> {
    let [Group { values, errors }] =
        serde_json::from_slice::<[Group; 1]>(text).map_err(|error| format!("it is not the answer to one group of ids ({error})"))?;
    if values.len() != asked {
        return Err(format!("it was asked for {asked} ids and answered with {}", values.len()));
    }
    let mut outcomes = Vec::with_capacity(asked);
    let mut errors = errors.into_iter().peekable();
    for (index, value) in values.into_iter().enumerate() {
        let error = errors.next_if(|error| error.index == index);
        outcomes.push(match (value, error) {
            (Some(value), None) if is_id_of(&value, target) => Ok(value),
            (Some(_), None) => return Err(format!("its value {index} is not an id of domain {target}")),
            (None, Some(Error { code, message, .. })) if is_code(&code) => Err(Refusal { code, message }),
            (None, Some(_)) => return Err(format!("its error about value {index} has no code")),
            (None, None) => return Err(format!("its value {index} is missing without an error")),
            (Some(_), Some(_)) => return Err(format!("its value {index} is both translated and refused")),
        });
    }
    match errors.next() {
        None => Ok(outcomes),
        Some(error) => Err(format!("its errors are out of order at index {}", error.index)),
    }
}

/// Whether `value` looks like an id of `domain`: prefix, domain, and a body of base64url.
fn is_id_of(value: &str, domain: Domain) -> bool {
    value.is_ascii()
        && value.len() > 6
        && value[2..6] == *domain.as_str()
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn is_code(code: &str) -> bool {
    (1..=16).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_two(text: &str) -> Result<Vec<Outcome>, String> {
        parse(text.as_bytes(), "1006".parse().unwrap(), 2)
    }

    #[test]
    fn outcomes_come_in_the_order_of_the_ids() {
        let text = r#"[{"values":[null,"XY1006abc"],"errors":[{"index":0,"code":"I001","message":"short"}]}]"#;
        let refusal = Refusal { code: "I001".into(), message: "short".into() };
        assert_eq!(parse_two(text), Ok(vec![Err(refusal), Ok("XY1006abc".into())]));
        assert!(parse_two(r#"[{"values":["XY1006abc","Xi1006abc"]}]"#).is_ok());
    }

    #[test]
    fn an_answer_that_does_not_fit_the_question_is_refused() {
        let good = r#""XY1006abc""#;
        for (text, complaint) in [
            ("<html>".into(), "not the answer to one group"),
            ("[]".into(), "not the answer to one group"),
            (format!(r#"[{{"values":[{good},{good}]}},{{"values":[]}}]"#), "not the answer to one group"),
            (format!(r#"[{{"values":[{good}]}}]"#), "asked for 2 ids and answered with 1"),
            (format!(r#"[{{"values":[{good},{good},{good}]}}]"#), "asked for 2 ids and answered with 3"),
            (format!(r#"[{{"values":[{good},null]}}]"#), "value 1 is missing without an error"),
            (format!(r#"[{{"values":[{good},{good}],"errors":[{{"index":1,"code":"I001"}}]}}]"#), "both translated and refused"),
            (format!(r#"[{{"values":[{good},{good}],"errors":[{{"index":2,"code":"I001"}}]}}]"#), "out of order at index 2"),
            (r#"[{"values":[null,null],"errors":[{"index":1,"code":"I001"},{"index":0,"code":"I001"}]}]"#.into(), "missing without"),
            (
                format!(r#"[{{"values":[{good},null],"errors":[{{"index":1,"code":"I001"}},{{"index":1,"code":"I001"}}]}}]"#),
                "out of order at index 1",
            ),
            (format!(r#"[{{"values":[{good},null],"errors":[{{"index":1,"code":"a,b"}}]}}]"#), "has no code"),
            (format!(r#"[{{"values":[{good},"XY1005abc"]}}]"#), "value 1 is not an id of domain 1006"),
            (format!(r#"[{{"values":[{good},"XY1006a\nb"]}}]"#), "value 1 is not an id of domain 1006"),
            (format!(r#"[{{"values":[{good},"ééé1006"]}}]"#), "value 1 is not an id of domain 1006"),
        ] {
            let found = parse_two(&text).unwrap_err();
            assert!(found.contains(complaint), "{text}: {found}");
        }
    }
}
