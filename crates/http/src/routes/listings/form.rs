//! What requests about listings share.

use lastseat_core::refusal::FieldError;
use serde_json::Value;

use crate::problem::Problem;

/// Fields that hold an object.
const OBJECTS: [&str; 3] = ["policy", "calendar", "seating"];
/// Fields that hold a list of objects.
const LISTS_OF_OBJECTS: [&str; 3] = ["pools", "resources", "opening_hours"];

/// serde reads a struct from an array too, field by field; here only objects are meant.
///
/// # Errors
/// `422 invalid` for arrays where objects belong.
pub(crate) fn need_objects(json: &[u8]) -> Result<(), Problem> {
    let Ok(value) = serde_json::from_slice::<Value>(json) else { return Ok(()) };
    let mut wrong = Vec::new();
    let mut check = |field: String, value: Option<&Value>| {
        if value.is_some_and(Value::is_array) {
            wrong.push(FieldError::new(field, "must be an object"));
        }
    };
    for field in OBJECTS {
        check(field.to_owned(), value.get(field));
    }
    for field in LISTS_OF_OBJECTS {
        for (index, item) in value.get(field).and_then(Value::as_array).into_iter().flatten().enumerate() {
            check(format!("{field}[{index}]"), Some(item));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Problem::invalid(wrong)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_do_not_pass_for_objects() {
        assert!(need_objects(br#"{"policy":{},"pools":[{"key":"a"}],"payment":[]}"#).is_ok());
        assert!(need_objects(br#"{"policy":[]}"#).is_err());
        assert!(need_objects(br#"{"pools":[{},["a"]]}"#).is_err());
    }
}
