//! The form of an id, and the position of each defect.

use shared::identity::{Domain, Id, Kind, id::MAX_ID_LEN};

/// The length of an id's prefix and domain.
const HEADER_LEN: usize = 6;
/// The number of invalid characters that are reported one by one.
const MAX_INVALID_CHARS: usize = 5;

/// The form of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The kind, if the prefix is one of a kind.
    pub kind: Option<Kind>,
    /// The domain, if there is a valid one.
    pub domain: Option<Domain>,
    /// The defects. An id has none.
    pub defects: Vec<Defect>,
}

/// A defect of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The position of the character, from 1, if it is in one character.
    pub position: Option<usize>,
    /// What is wrong, and its probable cause.
    pub message: String,
}

/// Returns the form of a text.
pub(super) fn inspect(text: &str) -> Form {
    let chars: Vec<char> = text.chars().collect();
    let mut defects = Vec::new();
    let mut defect = |position: Option<usize>, message: String| defects.push(Defect { position, message });
    if chars.is_empty() {
        defect(None, "it is empty".into());
        return Form { kind: None, domain: None, defects };
    }
    let blanks = text.trim() != text;
    if blanks {
        let position = chars.iter().position(|char| char.is_whitespace()).map(|index| index + 1);
        defect(position, "it has leading or trailing blanks".into());
    }
    let prefix: Option<[u8; 2]> = text.as_bytes().first_chunk().copied();
    let kind = prefix.and_then(Kind::from_prefix);
    if kind.is_none() && !blanks {
        defect(Some(1), prefix_defect(&chars));
    }
    let domain = text.as_bytes().get(2..HEADER_LEN).and_then(|code| Domain::from_bytes(code.try_into().ok()?).ok());
    let alphabet = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    let mut invalid = 0;
    for (index, &char) in chars.iter().enumerate() {
        let in_domain = (2..HEADER_LEN).contains(&index);
        let valid = if in_domain { char.is_ascii_alphanumeric() } else { alphabet(char) };
        // Prefix and surrounding blanks are already reported.
        if valid || index < 2 || blanks && char.is_whitespace() {
            continue;
        }
        invalid += 1;
        if invalid <= MAX_INVALID_CHARS {
            let hint = if in_domain { "a domain is four letters or digits".into() } else { hint(char) };
            defect(Some(index + 1), format!("`{}` is invalid here: {hint}", char.escape_debug()));
        }
    }
    if invalid > MAX_INVALID_CHARS {
        defect(None, format!("and {} more invalid characters", invalid - MAX_INVALID_CHARS));
    }
    if let Some(kind) = kind.filter(|kind| kind.text_len() != chars.len()) {
        let (expected, found) = (kind.text_len(), chars.len());
        let cause = if found < expected { "it is truncated" } else { "it has trailing characters" };
        defect((found > expected).then_some(expected + 1), format!("an id of this kind has {expected} characters, not {found}: {cause}"));
    } else if kind.is_none() && chars.len() > MAX_ID_LEN {
        defect(None, format!("no id has {} characters", chars.len()));
    }
    if defects.is_empty() && Id::parse(text).is_err() {
        let message = "the last character has bits that are zero in every id: it was altered".into();
        defects.push(Defect { position: Some(chars.len()), message });
    }
    Form { kind, domain, defects }
}

/// Describes an unknown prefix, and the one that was probably meant.
fn prefix_defect(chars: &[char]) -> String {
    let found: String = chars.iter().take(2).collect();
    let similar = Kind::ALL.iter().map(|kind| String::from_utf8_lossy(kind.prefix())).find(|prefix| prefix.eq_ignore_ascii_case(&found));
    let meant = similar.map_or_else(String::new, |prefix| format!("; case matters: {prefix}"));
    format!("an id starts with XY, Xi, hY, Xc or Xm, not with `{}`{meant}", found.escape_debug())
}

/// Describes the probable origin of an invalid character.
fn hint(char: char) -> String {
    match char {
        '+' => "ids use base64url, which has - instead of +".into(),
        '/' => "ids use base64url, which has _ instead of /".into(),
        '=' => "an id has no padding".into(),
        '"' | '\'' => "the quotes of a file format are not part of an id".into(),
        '%' => "it is percent-encoded; decode it first".into(),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "a word processor replaced a hyphen by a dash".into(),
        char if char.is_whitespace() => "an id contains no blanks".into(),
        _ => "an id consists of letters, digits, - and _".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAINTAINED: &str = "XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs";

    fn defects(text: &str) -> Vec<(Option<usize>, String)> {
        inspect(text).defects.into_iter().map(|defect| (defect.position, defect.message)).collect()
    }

    #[test]
    fn an_id_has_a_kind_a_domain_and_no_defects() {
        let form = inspect(MAINTAINED);
        assert_eq!((form.kind, form.domain.unwrap().as_str(), form.defects), (Some(Kind::Maintained), "1005", vec![]));
    }

    #[test]
    fn an_invalid_character_is_reported_with_its_position_and_origin() {
        let message = "`+` is invalid here: ids use base64url, which has - instead of +";
        assert_eq!(defects(&MAINTAINED.replace('-', "+")), [(Some(32), message.into())]);
        let message = "`.` is invalid here: a domain is four letters or digits";
        assert_eq!(defects(&MAINTAINED.replace("1005", "10.5")), [(Some(5), message.into())]);
        let many = defects(&MAINTAINED.replace(|char: char| char.is_lowercase(), "é"));
        assert_eq!(many.len(), 6);
        assert!(
            many[5].1.starts_with("and ") && many[0] == (Some(7), "`é` is invalid here: an id consists of letters, digits, - and _".into())
        );
    }

    #[test]
    fn a_wrong_length_is_reported_with_that_of_the_kind() {
        assert_eq!(defects(&MAINTAINED[..48]), [(None, "an id of this kind has 49 characters, not 48: it is truncated".into())]);
        let message = "an id of this kind has 49 characters, not 50: it has trailing characters";
        assert_eq!(defects(&format!("{MAINTAINED}x")), [(Some(50), message.into())]);
    }

    #[test]
    fn an_unknown_prefix_is_reported() {
        assert!(defects(&MAINTAINED.replacen("XY", "xy", 1))[0].1.ends_with("case matters: XY"));
        assert!(defects("word, other")[0].1.starts_with("an id starts with XY, Xi, hY, Xc or Xm, not with `wo`"));
        assert_eq!(defects(""), [(None, "it is empty".into())]);
        assert_eq!(defects(&format!(" {MAINTAINED}"))[0], (Some(1), "it has leading or trailing blanks".into()));
        assert!(!defects("X").is_empty() && !defects("é").is_empty());
    }

    #[test]
    fn bits_that_must_be_zero_are_reported_at_their_position() {
        assert_eq!(defects(&format!("{}t", &MAINTAINED[..48]))[0].0, Some(49));
    }

    /// A text has no defects exactly if the transcoder accepts it.
    #[test]
    fn a_text_has_defects_exactly_if_it_is_not_an_id() {
        let mut texts = vec![MAINTAINED.to_owned()];
        for index in 0..MAINTAINED.len() {
            for char in ["A", "z", "-", "_", "+", " ", "é", "\u{0}", ""] {
                texts.push(format!("{}{char}{}", &MAINTAINED[..index], &MAINTAINED[index + 1..]));
            }
        }
        for text in texts {
            assert_eq!(inspect(&text).defects.is_empty(), Id::parse(&text).is_ok(), "{text}");
        }
    }
}
