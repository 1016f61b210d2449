//! What requests about listings share.

use lastseat_core::listing::Kind;
use lastseat_core::listing::build::foreign;
use lastseat_core::listing::change::LISTS;
use lastseat_core::refusal::FieldError;
use serde::Deserialize as _;
use serde_json::Value;

use crate::problem::Problem;

/// Fields that hold an object.
const OBJECTS: [&str; 3] = ["policy", "calendar", "seating"];

/// What serde would let pass. It reads a struct from an array too, field by field, where only objects are meant;
/// and it does not tell an empty list from none, where one of another kind is wrong even so.
///
/// # Errors
/// `422 invalid` for arrays where objects belong, and for lists of another kind than the one that is named.
pub(crate) fn check(json: &[u8]) -> Result<(), Problem> {
    let Ok(value) = serde_json::from_slice::<Value>(json) else { return Ok(()) };
    let mut wrong = Vec::new();
    let mut need_object = |field: String, value: Option<&Value>| {
        if value.is_some_and(Value::is_array) {
            wrong.push(FieldError::new(field, "must be an object"));
        }
    };
    for field in OBJECTS {
        need_object(field.to_owned(), value.get(field));
    }
    for field in LISTS {
        for (index, item) in value.get(field).and_then(Value::as_array).into_iter().flatten().enumerate() {
            need_object(format!("{field}[{index}]"), Some(item));
        }
    }
    if let Some(Ok(kind)) = value.get("kind").map(Kind::deserialize) {
        let empty = |field: &&&str| value.get(field).and_then(Value::as_array).is_some_and(Vec::is_empty);
        wrong.extend(LISTS.iter().filter(empty).filter_map(|field| foreign(kind, field)));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Problem::invalid(wrong)) }
}

#[cfg(test)]
mod tests {
    use lastseat_core::refusal::RefusalData;

    use super::*;

    #[test]
    fn arrays_do_not_pass_for_objects() {
        assert!(check(br#"{"policy":{},"pools":[{"key":"a"}],"payment":[]}"#).is_ok());
        assert!(check(br#"{"policy":[]}"#).is_err());
        assert!(check(br#"{"pools":[{},["a"]]}"#).is_err());
    }

    #[test]
    fn an_empty_list_of_another_kind_is_wrong_too() {
        let wrong = |json: &str| match check(json.as_bytes()).map_err(|problem| problem.0.data) {
            Err(RefusalData::Fields(wrong)) => wrong.iter().map(|wrong| wrong.field.clone()).collect(),
            _ => Vec::new(),
        };
        assert_eq!(
            wrong(r#"{"kind":"places","pools":[],"resources":[],"opening_hours":[]}"#),
            ["resources", "opening_hours"]
        );
        assert_eq!(wrong(r#"{"kind":"nights","pools":[],"resources":[]}"#), ["pools"]);
        assert!(wrong(r#"{"kind":"beds","pools":[]}"#).is_empty());
    }
}
