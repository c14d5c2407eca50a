//! Responses that match the request, and those that do not.

use super::*;
use crate::{ids::tests::ids, outcomes::Refusal};

fn parse_two(text: &str) -> Result<Outcomes, String> {
    parse(text.as_bytes(), ids(&[("a", "1006"), ("b", "1006")]).as_slice())
}

#[test]
fn outcomes_are_in_the_order_of_the_ids() {
    let text = r#"[{"values":[null,"XY1006abc"],"errors":[{"index":0,"code":"I001","message":"short"}]}]"#;
    let refusal = Refusal { code: "I001", message: "short" };
    assert_eq!(parse_two(text).unwrap().iter().collect::<Vec<_>>(), [Err(refusal), Ok("XY1006abc")]);
    assert!(parse_two(r#"[{"values":["XY1006abc","Xi1006abc"]}]"#).is_ok());
}

#[test]
fn field_order_unknown_fields_and_escapes_are_accepted() {
    let text =
        r#" [{"errors":[{"message":"sh\u006frt","code":"I001","index":1,"more":[]}],"more":{"a":1},"values":["XY10\u003006abc",null]}] "#;
    let refusal = Refusal { code: "I001", message: "short" };
    assert_eq!(parse_two(text).unwrap_err(), "its value 0 is not an id of domain 1006");
    let text = text.replace("10\\u003006", "\\u0031006");
    assert_eq!(parse_two(&text).unwrap().iter().collect::<Vec<_>>(), [Ok("XY1006abc"), Err(refusal)]);
}

#[test]
fn each_run_of_one_target_is_a_group() {
    let requested = ids(&[("a", "1006"), ("b", "1007"), ("c", "1007"), ("d", "1006")]);
    let refused = r#"{"values":["XY1007b",null],"errors":[{"index":1,"code":"I001"}]}"#;
    let text = format!(r#"[{{"values":["XY1006a"]}},{refused},{{"values":["XY1006d"]}}]"#);
    let refusal = Refusal { code: "I001", message: "" };
    let found = parse(text.as_bytes(), requested.as_slice()).unwrap();
    assert_eq!(found.iter().collect::<Vec<_>>(), [Ok("XY1006a"), Ok("XY1007b"), Err(refusal), Ok("XY1006d")]);

    let swapped = format!(r#"[{refused},{{"values":["XY1006a"]}},{{"values":["XY1006d"]}}]"#);
    assert!(parse(swapped.as_bytes(), requested.as_slice()).unwrap_err().contains("is not an id of domain 1006"));
}

#[test]
fn a_response_that_does_not_match_the_request_is_refused() {
    let id = r#""XY1006abc""#;
    for (text, reason) in [
        ("<html>".into(), "does not match the requested groups"),
        ("[]".into(), "does not match the requested groups"),
        (r#"[{"errors":[]}]"#.into(), "missing field `values`"),
        (format!(r#"[{{"values":[{id},{id}]}}] x"#), "does not match the requested groups"),
        (format!(r#"[{{"values":[{id},{id}],"values":[]}}]"#), "duplicate field `values`"),
        (format!(r#"[{{"values":[{id},7]}}]"#), "does not match the requested groups"),
        (format!(r#"[{{"values":[{id},{id}]}},{{"values":[]}}]"#), "too many groups"),
        (format!(r#"[{{"values":[{id}]}}]"#), "expected 2 outcomes, found 1"),
        (format!(r#"[{{"values":[{id},{id},{id}]}}]"#), "expected 2 outcomes, found 3"),
        (format!(r#"[{{"values":[{id},null]}}]"#), "value 1 is missing without an error"),
        (format!(r#"[{{"values":[{id},{id}],"errors":[{{"index":1,"code":"I001"}}]}}]"#), "both translated and refused"),
        (format!(r#"[{{"values":[{id},{id}],"errors":[{{"index":2,"code":"I001"}}]}}]"#), "out of order at index 2"),
        (r#"[{"values":[null,null],"errors":[{"index":1,"code":"I001"},{"index":0,"code":"I001"}]}]"#.into(), "missing without"),
        (
            format!(r#"[{{"values":[{id},null],"errors":[{{"index":1,"code":"I001"}},{{"index":1,"code":"I001"}}]}}]"#),
            "out of order at index 1",
        ),
        (format!(r#"[{{"values":[{id},null],"errors":[{{"index":1,"code":"a,b"}}]}}]"#), "has no code"),
        (format!(r#"[{{"values":[{id},""]}}]"#), "value 1 is not an id of domain 1006"),
        (format!(r#"[{{"values":[{id},"XY1005abc"]}}]"#), "value 1 is not an id of domain 1006"),
        (format!(r#"[{{"values":[{id},"XY1006a\nb"]}}]"#), "value 1 is not an id of domain 1006"),
        (format!(r#"[{{"values":[{id},"ééé1006"]}}]"#), "value 1 is not an id of domain 1006"),
    ] {
        let found = parse_two(&text).unwrap_err();
        assert!(found.contains(reason), "{text}: {found}");
    }
    let ids = ids(&[("a", "1006")]);
    assert_eq!(parse(b"[{\"values\":[\"XY1006\xFF\"]}]", ids.as_slice()).unwrap_err(), "it is not text");
}
