//! What is wrong with the form of an id, each fault with its place.

use shared::identity::{Domain, Id, Kind, id::MAX_ID_LEN};

/// Where a domain is in an id.
const HEAD: usize = 6;
/// How many wrong characters are told.
const SHOWN: usize = 5;

/// What the form of an id tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What it stands for, when its prefix says so.
    pub kind: Option<Kind>,
    /// The domain it is of, when it has one.
    pub domain: Option<Domain>,
    /// What is wrong with it; nothing when it is an id.
    pub faults: Vec<Fault>,
}

/// Something that is wrong with an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The character that is wrong, from 1, where it is one character.
    pub position: Option<usize>,
    /// What is wrong, and what it may have been.
    pub said: String,
}

/// Looks at the form of a text.
pub(super) fn of(text: &str) -> Form {
    let chars: Vec<char> = text.chars().collect();
    let mut faults = Vec::new();
    let mut fault = |position: Option<usize>, said: String| faults.push(Fault { position, said });
    if chars.is_empty() {
        fault(None, "it is empty".into());
        return Form { kind: None, domain: None, faults };
    }
    let blanks = text.trim() != text;
    if blanks {
        let position = chars.iter().position(|char| char.is_whitespace()).map(|index| index + 1);
        fault(position, "there are blanks around it: an id has none".into());
    }
    let prefix: Option<[u8; 2]> = text.as_bytes().first_chunk().copied();
    let kind = prefix.and_then(Kind::from_prefix);
    if kind.is_none() && !blanks {
        fault(Some(1), prefix_fault(&chars));
    }
    let domain = text.as_bytes().get(2..HEAD).and_then(|code| Domain::from_bytes(code.try_into().ok()?).ok());
    let alphabet = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    let mut told = 0;
    for (index, &char) in chars.iter().enumerate() {
        let in_domain = (2..HEAD).contains(&index);
        let good = if in_domain { char.is_ascii_alphanumeric() } else { alphabet(char) };
        // A prefix that is none, and blanks around, are told already.
        if good || index < 2 || blanks && char.is_whitespace() {
            continue;
        }
        told += 1;
        if told <= SHOWN {
            let why = if in_domain { "the domain is four letters or digits".into() } else { hint(char) };
            fault(Some(index + 1), format!("`{}` does not belong there: {why}", char.escape_debug()));
        }
    }
    if told > SHOWN {
        fault(None, format!("and {} more characters that do not belong there", told - SHOWN));
    }
    if let Some(kind) = kind.filter(|kind| kind.text_len() != chars.len()) {
        let (expected, found) = (kind.text_len(), chars.len());
        let what = if found < expected { "it is cut short" } else { "there is something behind it" };
        fault((found > expected).then_some(expected + 1), format!("an id of this kind has {expected} characters, not {found}: {what}"));
    } else if kind.is_none() && chars.len() > MAX_ID_LEN {
        fault(None, format!("no id has {} characters", chars.len()));
    }
    if faults.is_empty() && Id::parse(text).is_err() {
        let last = "the last character carries bits that are zero in every id: it was altered".into();
        faults.push(Fault { position: Some(chars.len()), said: last });
    }
    Form { kind, domain, faults }
}

/// Which prefix may have been meant.
fn prefix_fault(chars: &[char]) -> String {
    let found: String = chars.iter().take(2).collect();
    let near = Kind::ALL.iter().map(|kind| String::from_utf8_lossy(kind.prefix())).find(|prefix| prefix.eq_ignore_ascii_case(&found));
    let meant = near.map_or_else(String::new, |prefix| format!(": is it {prefix} in another case?"));
    format!("an id begins with XY, Xi, hY, Xc or Xm, not with `{}`{meant}", found.escape_debug())
}

/// Where a character that does not belong may have come from.
fn hint(char: char) -> String {
    match char {
        '+' => "standard base64 has + where an id has -".into(),
        '/' => "standard base64 has / where an id has _".into(),
        '=' => "an id has no padding".into(),
        '"' | '\'' => "the quotes of a file's format are not the id's".into(),
        '%' => "it is percent-encoded: decode it first".into(),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "a word processor made a dash of a hyphen".into(),
        char if char.is_whitespace() => "an id has no blanks".into(),
        _ => "an id has letters, digits, - and _".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAINTAINED: &str = "XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs";

    fn faults(text: &str) -> Vec<(Option<usize>, String)> {
        of(text).faults.into_iter().map(|fault| (fault.position, fault.said)).collect()
    }

    #[test]
    fn an_id_has_a_kind_a_domain_and_no_faults() {
        let form = of(MAINTAINED);
        assert_eq!((form.kind, form.domain.unwrap().as_str(), form.faults), (Some(Kind::Maintained), "1005", vec![]));
    }

    #[test]
    fn a_wrong_character_is_told_with_its_place_and_where_it_may_come_from() {
        let said = "`+` does not belong there: standard base64 has + where an id has -";
        assert_eq!(faults(&MAINTAINED.replace('-', "+")), [(Some(32), said.into())]);
        let said = "`.` does not belong there: the domain is four letters or digits";
        assert_eq!(faults(&MAINTAINED.replace("1005", "10.5")), [(Some(5), said.into())]);
        let many = faults(&MAINTAINED.replace(|char: char| char.is_lowercase(), "é"));
        assert_eq!(many.len(), 6);
        assert!(
            many[5].1.starts_with("and ") && many[0] == (Some(7), "`é` does not belong there: an id has letters, digits, - and _".into())
        );
    }

    #[test]
    fn a_wrong_length_is_told_with_the_kind_s() {
        assert_eq!(faults(&MAINTAINED[..48]), [(None, "an id of this kind has 49 characters, not 48: it is cut short".into())]);
        let said = "an id of this kind has 49 characters, not 50: there is something behind it";
        assert_eq!(faults(&format!("{MAINTAINED}x")), [(Some(50), said.into())]);
    }

    #[test]
    fn what_does_not_begin_like_an_id_is_told() {
        assert!(faults(&MAINTAINED.replacen("XY", "xy", 1))[0].1.ends_with("is it XY in another case?"));
        assert!(faults("hello, world")[0].1.starts_with("an id begins with XY, Xi, hY, Xc or Xm, not with `he`"));
        assert_eq!(faults(""), [(None, "it is empty".into())]);
        assert_eq!(faults(&format!(" {MAINTAINED}"))[0], (Some(1), "there are blanks around it: an id has none".into()));
        assert!(!faults("X").is_empty() && !faults("é").is_empty());
    }

    #[test]
    fn bits_that_must_be_zero_are_told_at_their_place() {
        assert_eq!(faults(&format!("{}t", &MAINTAINED[..48]))[0].0, Some(49));
    }

    /// Whatever this finds no fault with, the translator takes, and the other way round.
    #[test]
    fn there_are_faults_exactly_where_the_translator_sees_one() {
        let mut texts = vec![MAINTAINED.to_owned()];
        for index in 0..MAINTAINED.len() {
            for char in ["A", "z", "-", "_", "+", " ", "é", "\u{0}", ""] {
                texts.push(format!("{}{char}{}", &MAINTAINED[..index], &MAINTAINED[index + 1..]));
            }
        }
        for text in texts {
            assert_eq!(of(&text).faults.is_empty(), Id::parse(&text).is_ok(), "{text}");
        }
    }
}
