//! Responses of the API, deserialised into columns and checked: as many outcomes as ids, in order,
//! or none.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use shared::identity::Domain;

use crate::{
    error::printable,
    ids::{Group, IdSlice, is_id_of},
    outcomes::{Outcomes, is_code},
};

/// Reads the response to a request for the ids `requested`.
///
/// A shifted response would assign ids to the wrong persons. Therefore each null must have an
/// error, each error a null, and each value must be an id of the requested domain.
pub(crate) fn parse(text: &[u8], requested: IdSlice<'_>) -> Result<Outcomes, String> {
    let text = str::from_utf8(text).map_err(|_| "it is not text")?;
    let mut outcomes = Outcomes::with_capacity(requested.len(), requested.lines().len());
    let mut custom = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let groups = Groups { requested, outcomes: &mut outcomes, custom: &mut custom };
    let result = groups.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (custom, result) {
        (Some(message), _) => Err(message),
        (None, Err(error)) => Err(printable(&format!("it does not match the requested groups of ids ({error})"))),
        (None, Ok(())) => Ok(outcomes),
    }
}

/// The whole response: an array with as many groups as the request.
struct Groups<'a> {
    requested: IdSlice<'a>,
    outcomes: &'a mut Outcomes,
    /// The message of [`custom_error`].
    custom: &'a mut Option<String>,
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
        f.write_str("an array with as many groups as the request")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut groups: A) -> Result<(), A::Error> {
        let Self { requested, outcomes, custom } = self;
        for (index, group) in requested.groups().enumerate() {
            let seed = GroupOutcomes { group, outcomes, custom };
            groups.next_element_seed(seed)?.ok_or_else(|| A::Error::custom(format_args!("it has {index} groups")))?;
        }
        match groups.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("it has too many groups")),
        }
    }
}

/// The outcomes of one group: `{"values": […], "errors": […]}`.
struct GroupOutcomes<'a> {
    group: Group<'a>,
    outcomes: &'a mut Outcomes,
    /// The message of [`custom_error`].
    custom: &'a mut Option<String>,
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

impl<'de> DeserializeSeed<'de> for GroupOutcomes<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for GroupOutcomes<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the outcomes of a group")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self { group, outcomes, custom } = self;
        let first = outcomes.len();
        let mut values = None;
        let mut errors: Option<Vec<Error<'de>>> = None;
        while let Some(field) = fields.next_key()? {
            match field {
                Field::Values if values.is_some() => return Err(A::Error::duplicate_field("values")),
                Field::Errors if errors.is_some() => return Err(A::Error::duplicate_field("errors")),
                Field::Values => values = Some(fields.next_value_seed(Values { target: group.target, outcomes, custom })?),
                Field::Errors => errors = Some(fields.next_value()?),
                Field::Other => _ = fields.next_value::<IgnoredAny>()?,
            }
        }
        values.ok_or_else(|| A::Error::missing_field("values"))?;
        apply_errors(outcomes, first, group.len(), &errors.unwrap_or_default()).map_err(|message| custom_error(custom, message))
    }
}

/// The values of a group, which become outcomes. A null becomes a gap.
struct Values<'a> {
    target: Domain,
    outcomes: &'a mut Outcomes,
    /// The message of [`custom_error`].
    custom: &'a mut Option<String>,
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
        let Self { target, outcomes, custom } = self;
        let first = outcomes.len();
        while let Some(valid) = values.next_element_seed(Value { target, outcomes })? {
            if !valid {
                let index = outcomes.len() - first;
                return Err(custom_error(custom, format!("its value {index} is not an id of domain {target}")));
            }
        }
        Ok(())
    }
}

/// One value. Deserialises to false if it is not an id of the target's domain.
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
        let valid = is_id_of(value, self.target);
        if valid {
            self.outcomes.push(value);
        }
        Ok(valid)
    }
}

/// Fills the gaps of a group, which begins at the outcome `first`, with its errors.
fn apply_errors(outcomes: &mut Outcomes, first: usize, requested: usize, errors: &[Error<'_>]) -> Result<(), String> {
    let found = outcomes.len() - first;
    if found != requested {
        return Err(format!("expected {requested} outcomes, found {found}"));
    }
    let mut errors = errors.iter().peekable();
    for index in 0..requested {
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

/// Stores a message of our own, to which the deserializer would append a line and a column.
fn custom_error<E: serde::de::Error>(custom: &mut Option<String>, message: String) -> E {
    *custom = Some(message);
    E::custom("the response does not match the request")
}

#[cfg(test)]
mod tests;
