//! Explanations for people, and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::{Explanation, kind_name};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, form, ways } = self;
        writeln!(f, "{text}")?;
        let (kind, domain) = (form.kind.map(kind_name), form.domain.map(|domain| format!(" of domain {domain}")).unwrap_or_default());
        match (form.faults.is_empty(), kind) {
            (true, Some(kind)) => writeln!(f, "  has the form of a {kind} id{domain}")?,
            (_, Some(kind)) => writeln!(f, "  begins like a {kind} id{domain}, and is none (I001)")?,
            (_, None) => writeln!(f, "  is no id (I001)")?,
        }
        for fault in &form.faults {
            match fault.position {
                Some(position) => writeln!(f, "  character {position}: {}", fault.said)?,
                None => writeln!(f, "  {}", fault.said)?,
            }
        }
        for way in ways {
            match &way.refusal {
                None => writeln!(f, "  may go to {}", way.to)?,
                Some((code, why)) => writeln!(f, "  may not go to {} ({}): {why}", way.to, code.code())?,
            }
        }
        Ok(())
    }
}

impl Explanation {
    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self { text, form, ways } = self;
        let faults: Vec<_> = form.faults.iter().map(|fault| json!({"position": fault.position, "message": fault.said})).collect();
        let way = |way: &super::Way| match &way.refusal {
            None => json!({"to": way.to, "allowed": true}),
            Some((code, why)) => json!({"to": way.to, "allowed": false, "code": code.code(), "message": why}),
        };
        json!({
            "value": text, "well_formed": form.faults.is_empty(), "kind": form.kind.map(kind_name), "domain": form.domain,
            "faults": faults, "directions": ways.iter().map(way).collect::<Vec<_>>(),
        })
    }
}
