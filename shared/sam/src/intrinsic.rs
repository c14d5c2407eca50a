//! Intrinsic functions as they are written: a YAML tag (`!Ref X`) or a mapping of one key (`Ref: X`, `Fn::Sub: …`).

use serde_norway::Value;

/// The function's name without `!` or `Fn::`, and its argument.
pub(super) fn read(value: &Value) -> Option<(String, &Value)> {
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

/// A piece of a `Sub` text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Stands as it is.
    Text(&'a str),
    /// `${Name}` or `${Name.Attribute}`.
    Name(&'a str),
}

/// Takes a `Sub` text apart; `${!Name}` is how one writes `${Name}` itself.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        let end = rest[start..].find('}').ok_or("a `${` without its `}`")? + start;
        let name = rest[start + 2..end].trim();
        if let Some(literal) = name.strip_prefix('!') {
            pieces.extend([Piece::Text("${"), Piece::Text(literal), Piece::Text("}")]);
        } else {
            pieces.push(Piece::Name(name));
        }
        rest = &rest[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_text_comes_apart_at_its_names() {
        assert_eq!(
            pieces("a${B}c${D.E}${!F}"),
            Ok(vec![
                Piece::Text("a"),
                Piece::Name("B"),
                Piece::Text("c"),
                Piece::Name("D.E"),
                Piece::Text("${"),
                Piece::Text("F"),
                Piece::Text("}")
            ])
        );
        assert!(pieces("${Open").is_err());
    }
}
