//! Explanations of ids, as text and as JSON.

use std::fmt;

use serde_json::{Value, json};
use shared::identity::{Domain, Kind};

use super::{
    form::{Form, inspect},
    permissions::{Destination, Permissions},
};

/// The longest text that is shown, in characters.
const MAX_TEXT_CHARS: usize = 100;

/// The explanation of a text.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The text on one line, cut at 100 characters.
    pub text: String,
    /// The text's form as an id.
    pub form: Form,
    /// The target domains. Empty if the permissions or the id's domain are not known.
    pub destinations: Vec<Destination>,
}

/// Explains a text. Targets are the domains of the permissions, and the `additional` ones.
#[must_use]
pub fn explain(text: &str, permissions: Option<&Permissions>, additional: &[Domain]) -> Explanation {
    let form = inspect(text);
    let known = permissions.zip(form.domain);
    let destinations = known.map_or_else(Vec::new, |(permissions, from)| permissions.destinations(from, additional));
    let mut shown: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(MAX_TEXT_CHARS).collect();
    if text.chars().nth(MAX_TEXT_CHARS).is_some() {
        shown.push('…');
    }
    Explanation { text: shown, form, destinations }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, form, destinations } = self;
        writeln!(f, "{text}")?;
        let (kind, domain) = (form.kind.map(kind_name), form.domain.map(|domain| format!(" of domain {domain}")).unwrap_or_default());
        match (form.defects.is_empty(), kind) {
            (true, Some(kind)) => writeln!(f, "  has the form of a {kind} id{domain}")?,
            (_, Some(kind)) => writeln!(f, "  starts like a {kind} id{domain}, but is not valid (I001)")?,
            (_, None) => writeln!(f, "  is not an id (I001)")?,
        }
        for defect in &form.defects {
            match defect.position {
                Some(position) => writeln!(f, "  character {position}: {}", defect.message)?,
                None => writeln!(f, "  {}", defect.message)?,
            }
        }
        for Destination { to, refusal } in destinations {
            match refusal {
                None => writeln!(f, "  can be translated into {to}")?,
                Some((code, reason)) => writeln!(f, "  cannot be translated into {to} ({}): {reason}", code.code())?,
            }
        }
        Ok(())
    }
}

impl Explanation {
    /// Returns the explanation as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self { text, form, destinations } = self;
        let defects: Vec<_> = form.defects.iter().map(|defect| json!({"position": defect.position, "message": defect.message})).collect();
        let direction = |Destination { to, refusal }: &Destination| match refusal {
            None => json!({"to": to, "allowed": true}),
            Some((code, reason)) => json!({"to": to, "allowed": false, "code": code.code(), "message": reason}),
        };
        json!({
            "value": text, "well_formed": form.defects.is_empty(), "kind": form.kind.map(kind_name), "domain": form.domain,
            "faults": defects, "directions": destinations.iter().map(direction).collect::<Vec<_>>(),
        })
    }
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Maintained => "maintained",
        Kind::Derived => "derived",
        Kind::Household => "household",
        Kind::Cookie => "cookie placeholder",
        Kind::Mobile => "mobile placeholder",
    }
}

#[cfg(test)]
mod tests {
    use shared::identity::Direction;

    use super::*;

    const ID: &str = "XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs";

    fn permissions(keys: Option<&[&str]>) -> Permissions {
        let direction = |from: &str, to: &str| Direction { from: from.parse().unwrap(), to: to.parse().unwrap() };
        Permissions {
            client_id: "demo".into(),
            scopes: [direction("1005", "1006"), direction("1005", "1007"), direction("1006", "1005")].into_iter().collect(),
            keys: keys.map(|keys| keys.iter().map(|key| key.parse().unwrap()).collect()),
        }
    }

    fn destinations(text: &str, keys: Option<&[&str]>, additional: &[&str]) -> Vec<String> {
        let additional: Vec<Domain> = additional.iter().map(|domain| domain.parse().unwrap()).collect();
        let found = explain(text, Some(&permissions(keys)), &additional).destinations;
        found
            .iter()
            .map(|destination| format!("{} {}", destination.to, destination.refusal.as_ref().map_or("ok", |(code, _)| code.code())))
            .collect()
    }

    #[test]
    fn refusals_are_those_of_the_transcoder() {
        assert_eq!(destinations(ID, None, &["1009"]), ["1006 ok", "1007 ok", "1009 S010"]);
        assert_eq!(destinations(&ID.replace("1005", "1007"), None, &[]), ["1005 S009", "1006 S009"]);
        assert_eq!(destinations(ID, Some(&["1005", "1006"]), &["1005"]), ["1005 I000", "1006 ok", "1007 S008"]);
        assert_eq!(destinations(ID, Some(&[]), &[]), ["1006 S007", "1007 S007"]);
        assert_eq!(destinations("no id", Some(&[]), &["1006"]), [""; 0]);
    }

    #[test]
    fn a_text_is_shown_on_one_line_of_bounded_length() {
        let shown = explain(&format!("a\u{1b}[2J\n{}", "b".repeat(1000)), None, &[]).text;
        assert!(!shown.contains(['\u{1b}', '\n']) && shown.chars().count() == MAX_TEXT_CHARS + 1);
    }
}
