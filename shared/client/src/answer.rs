//! The answer to a request of groups, read straight into columns and checked: as many outcomes as ids, in order, or nothing.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use shared::identity::Domain;

use super::{
    error::printable,
    ids::{Group, Part},
    outcomes::Outcomes,
};

/// Reads the answer to the ids that were `asked`. A shifted answer would give people each other's ids, so every null must have its
/// error, every error its null, and every value the form and the domain that were asked for.
pub(super) fn parse(text: &[u8], asked: Part<'_>) -> Result<Outcomes, String> {
    let text = str::from_utf8(text).map_err(|_| "it is not text")?;
    let mut outcomes = Outcomes::with_capacity(asked.len(), asked.lines().len());
    let mut complaint = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let groups = Groups { asked, outcomes: &mut outcomes, complaint: &mut complaint };
    let read = groups.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (complaint, read) {
        (Some(complaint), _) => Err(complaint),
        (None, Err(error)) => Err(printable(&format!("it is not the answer to these groups of ids ({error})"))),
        (None, Ok(())) => Ok(outcomes),
    }
}

/// The whole answer: an array of as many groups as were asked.
struct Groups<'a> {
    asked: Part<'a>,
    outcomes: &'a mut Outcomes,
    complaint: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Groups<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Groups<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of as many groups as were asked")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut groups: A) -> Result<(), A::Error> {
        let Self { asked, outcomes, complaint } = self;
        for (number, run) in asked.runs().enumerate() {
            let answered = Answered { run, outcomes, complaint };
            groups.next_element_seed(answered)?.ok_or_else(|| A::Error::custom(format_args!("it has {number} groups")))?;
        }
        match groups.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("it has too many groups")),
        }
    }
}

/// The answer to one group: `{"values": […], "errors": […]}`.
struct Answered<'a> {
    run: Group<'a>,
    outcomes: &'a mut Outcomes,
    complaint: &'a mut Option<String>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Values,
    Errors,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Error<'a> {
    index: usize,
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
}

impl<'de> DeserializeSeed<'de> for Answered<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Answered<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer to a group")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self { run, outcomes, complaint } = self;
        let first = outcomes.len();
        let mut values = None;
        let mut errors: Option<Vec<Error<'de>>> = None;
        while let Some(field) = fields.next_key()? {
            match field {
                Field::Values if values.is_some() => return Err(A::Error::duplicate_field("values")),
                Field::Errors if errors.is_some() => return Err(A::Error::duplicate_field("errors")),
                Field::Values => values = Some(fields.next_value_seed(Values { target: run.target, outcomes, complaint })?),
                Field::Errors => errors = Some(fields.next_value()?),
                Field::Other => _ = fields.next_value::<IgnoredAny>()?,
            }
        }
        values.ok_or_else(|| A::Error::missing_field("values"))?;
        settle(outcomes, first, run.len(), &errors.unwrap_or_default()).map_err(|said| complain(complaint, said))
    }
}

/// The values of a group, which become outcomes; a null becomes a gap.
struct Values<'a> {
    target: Domain,
    outcomes: &'a mut Outcomes,
    complaint: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of ids and nulls")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let Self { target, outcomes, complaint } = self;
        let first = outcomes.len();
        while let Some(good) = values.next_element_seed(Value { target, outcomes })? {
            if !good {
                let index = outcomes.len() - first;
                return Err(complain(complaint, format!("its value {index} is not an id of domain {target}")));
            }
        }
        Ok(())
    }
}

/// One value; gives false for what is not an id of the target's domain.
struct Value<'a> {
    target: Domain,
    outcomes: &'a mut Outcomes,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Value<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id or null")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        self.outcomes.leave_gap();
        Ok(true)
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        let good = is_id_of(value, self.target);
        if good {
            self.outcomes.push(value);
        }
        Ok(good)
    }
}

/// Puts the errors into the gaps of a group that begins with the outcome `first`.
fn settle(outcomes: &mut Outcomes, first: usize, asked: usize, errors: &[Error<'_>]) -> Result<(), String> {
    let answered = outcomes.len() - first;
    if answered != asked {
        return Err(format!("it was asked for {asked} ids and answered with {answered}"));
    }
    let mut errors = errors.iter().peekable();
    for index in 0..asked {
        let error = errors.next_if(|error| error.index == index);
        match (outcomes.is_gap(first + index), error) {
            (false, None) => {}
            (true, Some(Error { code, message, .. })) if is_code(code) => outcomes.fill_gap(first + index, code, message),
            (true, Some(_)) => return Err(format!("its error about value {index} has no code")),
            (true, None) => return Err(format!("its value {index} is missing without an error")),
            (false, Some(_)) => return Err(format!("its value {index} is both translated and refused")),
        }
    }
    match errors.next() {
        None => Ok(()),
        Some(error) => Err(format!("its errors are out of order at index {}", error.index)),
    }
}

/// Keeps our own sentence, to which the deserializer would add a line and a column.
fn complain<E: serde::de::Error>(complaint: &mut Option<String>, said: String) -> E {
    *complaint = Some(said);
    E::custom("the answer does not fit the question")
}

/// Whether `value` looks like an id of `domain`: prefix, domain, and a body of base64url.
pub(super) fn is_id_of(value: &str, domain: Domain) -> bool {
    let bytes = value.as_bytes();
    bytes.len() > 6 && bytes[2..6] == *domain.as_bytes() && is_of_ids(bytes)
}

/// Whether all of the bytes, less than 256, are characters that ids consist of.
pub(super) fn is_of_ids(bytes: &[u8]) -> bool {
    // Counted rather than looked for, and in bytes: so it is a loop over whole registers.
    let odd = |byte: u8| u8::from(!byte.is_ascii_alphanumeric()) & u8::from(byte != b'-') & u8::from(byte != b'_');
    bytes.len() < 256 && bytes.iter().fold(0, |count: u8, byte| count.wrapping_add(odd(*byte))) == 0
}

pub(super) fn is_code(code: &str) -> bool {
    (1..=16).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Refusal, tests::ids};

    fn parse_two(text: &str) -> Result<Outcomes, String> {
        parse(text.as_bytes(), ids(&[("a", "1006"), ("b", "1006")]).all())
    }

    #[test]
    fn outcomes_come_in_the_order_of_the_ids() {
        let text = r#"[{"values":[null,"XY1006abc"],"errors":[{"index":0,"code":"I001","message":"short"}]}]"#;
        let refusal = Refusal { code: "I001", message: "short" };
        assert_eq!(parse_two(text).unwrap().iter().collect::<Vec<_>>(), [Err(refusal), Ok("XY1006abc")]);
        assert!(parse_two(r#"[{"values":["XY1006abc","Xi1006abc"]}]"#).is_ok());
    }

    #[test]
    fn the_order_of_fields_unknown_ones_and_escapes_change_nothing() {
        let text = r#" [{"errors":[{"message":"sh\u006frt","code":"I001","index":1,"more":[]}],"more":{"a":1},"values":["XY10\u003006abc",null]}] "#;
        let refusal = Refusal { code: "I001", message: "short" };
        assert_eq!(parse_two(text).unwrap_err(), "its value 0 is not an id of domain 1006");
        let text = text.replace("10\\u003006", "\\u0031006");
        assert_eq!(parse_two(&text).unwrap().iter().collect::<Vec<_>>(), [Ok("XY1006abc"), Err(refusal)]);
    }

    #[test]
    fn each_run_of_one_target_has_a_group_of_its_own() {
        let asked = ids(&[("a", "1006"), ("b", "1007"), ("c", "1007"), ("d", "1006")]);
        let refused = r#"{"values":["XY1007b",null],"errors":[{"index":1,"code":"I001"}]}"#;
        let text = format!(r#"[{{"values":["XY1006a"]}},{refused},{{"values":["XY1006d"]}}]"#);
        let refusal = Refusal { code: "I001", message: "" };
        let found = parse(text.as_bytes(), asked.all()).unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), [Ok("XY1006a"), Ok("XY1007b"), Err(refusal), Ok("XY1006d")]);

        let swapped = format!(r#"[{refused},{{"values":["XY1006a"]}},{{"values":["XY1006d"]}}]"#);
        assert!(parse(swapped.as_bytes(), asked.all()).unwrap_err().contains("is not an id of domain 1006"));
    }

    #[test]
    fn an_answer_that_does_not_fit_the_question_is_refused() {
        let good = r#""XY1006abc""#;
        for (text, complaint) in [
            ("<html>".into(), "not the answer to these groups"),
            ("[]".into(), "not the answer to these groups"),
            (r#"[{"errors":[]}]"#.into(), "missing field `values`"),
            (format!(r#"[{{"values":[{good},{good}]}}] x"#), "not the answer to these groups"),
            (format!(r#"[{{"values":[{good},{good}],"values":[]}}]"#), "duplicate field `values`"),
            (format!(r#"[{{"values":[{good},7]}}]"#), "not the answer to these groups"),
            (format!(r#"[{{"values":[{good},{good}]}},{{"values":[]}}]"#), "too many groups"),
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
            (format!(r#"[{{"values":[{good},""]}}]"#), "value 1 is not an id of domain 1006"),
            (format!(r#"[{{"values":[{good},"XY1005abc"]}}]"#), "value 1 is not an id of domain 1006"),
            (format!(r#"[{{"values":[{good},"XY1006a\nb"]}}]"#), "value 1 is not an id of domain 1006"),
            (format!(r#"[{{"values":[{good},"ééé1006"]}}]"#), "value 1 is not an id of domain 1006"),
        ] {
            let found = parse_two(&text).unwrap_err();
            assert!(found.contains(complaint), "{text}: {found}");
        }
        let ids = ids(&[("a", "1006")]);
        assert_eq!(parse(b"[{\"values\":[\"XY1006\xFF\"]}]", ids.all()).unwrap_err(), "it is not text");
    }
}
