//! Reading JSON field by field, knowing at each where it is.

use serde_json::{Map, Value};

use super::error::{PlanError, PlanFault, PlanPlace};

/// An object of the plan and its place.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    fields: &'a Map<String, Value>,
    pub(super) place: PlanPlace,
}

impl<'a> Node<'a> {
    /// `value` as the object at `place`.
    pub(super) fn new(value: &'a Value, place: PlanPlace) -> Result<Self, PlanError> {
        match value {
            Value::Object(fields) => Ok(Self { fields, place }),
            _ => Err(PlanError { place, fault: PlanFault::WrongType { expected: "an object" } }),
        }
    }

    /// The error that `fault` is at `field` of this object.
    pub(super) fn error(&self, field: &'static str, fault: PlanFault) -> PlanError {
        PlanError { place: PlanPlace { field, ..self.place }, fault }
    }

    /// The text in a field that must be there.
    pub(super) fn text(&self, field: &'static str) -> Result<&'a str, PlanError> {
        self.optional_text(field)?.ok_or_else(|| self.error(field, PlanFault::Missing))
    }

    /// The text in a field that may be missing or null.
    pub(super) fn optional_text(&self, field: &'static str) -> Result<Option<&'a str>, PlanError> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(field, PlanFault::WrongType { expected: "a string" })),
        }
    }

    /// The list in a field that must be there.
    pub(super) fn list(&self, field: &'static str) -> Result<&'a [Value], PlanError> {
        match self.get(field) {
            None => Err(self.error(field, PlanFault::Missing)),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(self.error(field, PlanFault::WrongType { expected: "a list" })),
        }
    }

    /// The two numbers `parts` of the object in a field, each with its path for errors; `None` where the
    /// field is missing or null.
    pub(super) fn optional_pair(
        &self,
        field: &'static str,
        parts: [(&'static str, &'static str); 2],
    ) -> Result<Option<(f64, f64)>, PlanError> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let pair = Node::new(value, PlanPlace { field, ..self.place })?;
        let number = |(name, path): (&str, &'static str)| match pair.get(name) {
            None => Err(self.error(path, PlanFault::Missing)),
            Some(value) => {
                value.as_f64().ok_or_else(|| self.error(path, PlanFault::WrongType { expected: "a number" }))
            }
        };
        Ok(Some((number(parts[0])?, number(parts[1])?)))
    }

    /// The position in a field named `position`; `None` where it is missing or null.
    pub(super) fn optional_position(&self) -> Result<Option<(f64, f64)>, PlanError> {
        self.optional_pair("position", [("x", "position.x"), ("y", "position.y")])
    }

    fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }
}
