//! The syntax of intrinsic functions: a YAML tag (`!Ref X`) or a mapping of one key (`Ref: X`,
//! `Fn::Sub: …`).

use serde_norway::Value;

/// The function's name without `!` or `Fn::`, and its argument. `None` when the value is not an
/// intrinsic function.
pub(crate) fn parse(value: &Value) -> Option<(String, &Value)> {
    match value {
        Value::Tagged(tagged) => Some((tagged.tag.to_string().trim_start_matches('!').to_owned(), &tagged.value)),
        Value::Mapping(mapping) if mapping.len() == 1 => {
            let (key, argument) = mapping.iter().next()?;
            let key = key.as_str()?;
            let name = if key == "Ref" { key } else { key.strip_prefix("Fn::")? };
            Some((name.to_owned(), argument))
        }
        _ => None,
    }
}

/// A segment of a `Sub` string.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Segment<'a> {
    /// Literal text.
    Text(&'a str),
    /// `${Name}` or `${Name.Attribute}`.
    Variable(&'a str),
}

/// Splits a `Sub` string into segments; `${!Name}` is the literal `${Name}`.
pub(crate) fn segments(text: &str) -> Result<Vec<Segment<'_>>, &'static str> {
    let mut segments = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            segments.push(Segment::Text(&rest[..start]));
        }
        let end = rest[start..].find('}').ok_or("a `${` has no closing `}`")? + start;
        let name = rest[start + 2..end].trim();
        if let Some(literal) = name.strip_prefix('!') {
            segments.extend([Segment::Text("${"), Segment::Text(literal), Segment::Text("}")]);
        } else {
            segments.push(Segment::Variable(name));
        }
        rest = &rest[end + 1..];
    }
    if !rest.is_empty() {
        segments.push(Segment::Text(rest));
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_string_is_split_at_its_variables() {
        assert_eq!(
            segments("a${B}c${D.E}${!F}"),
            Ok(vec![
                Segment::Text("a"),
                Segment::Variable("B"),
                Segment::Text("c"),
                Segment::Variable("D.E"),
                Segment::Text("${"),
                Segment::Text("F"),
                Segment::Text("}")
            ])
        );
        assert_eq!(segments("${Open"), Err("a `${` has no closing `}`"));
    }
}
