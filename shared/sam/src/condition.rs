//! Decides conditions.

use serde_norway::Value;

use super::{Error, Resolver, error::At, intrinsic, text};

impl Resolver<'_> {
    /// Whether a condition holds.
    pub fn condition(&self, name: &str) -> Result<bool, Error> {
        let at = At::new(name, "Conditions");
        let conditions = self.template().document().get("Conditions");
        let value = conditions.and_then(|conditions| conditions.get(name)).ok_or_else(|| at.error("there is no such condition"))?;
        self.truth(value, &at)
    }

    fn truth(&self, value: &Value, at: &At<'_>) -> Result<bool, Error> {
        if let Some(name) = text(value, "Condition") {
            return self.condition(name);
        }
        let (name, argument) = intrinsic::read(value).ok_or_else(|| at.error("this is no condition"))?;
        let operands = || argument.as_sequence().ok_or_else(|| at.error(format!("{name} needs a list")));
        match name.as_str() {
            "Condition" => self.condition(argument.as_str().ok_or_else(|| at.error("Condition needs a name"))?),
            "Equals" => match operands()?.as_slice() {
                [left, right] => Ok(self.value(left, at)? == self.value(right, at)?),
                _ => Err(at.error("Equals compares two values")),
            },
            "Not" => match operands()?.as_slice() {
                [operand] => Ok(!self.truth(operand, at)?),
                _ => Err(at.error("Not takes one condition")),
            },
            "And" => operands()?.iter().try_fold(true, |all, operand| Ok(all & self.truth(operand, at)?)),
            "Or" => operands()?.iter().try_fold(false, |any, operand| Ok(any | self.truth(operand, at)?)),
            _ => Err(at.error(format!("{name} is not known in a condition"))),
        }
    }
}
