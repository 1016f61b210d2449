//! Objects that name a field twice. Typed requests find them by themselves; this is for what is taken as it
//! comes: seating plans and merge patches, where the second would silently win.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The path of the first field that stands twice in its object, if there is one.
pub(crate) fn first_duplicate(json: &str) -> Option<String> {
    let mut found = None;
    let walk = Walk { path: String::new(), found: &mut found };
    // Broken JSON is told by whoever reads it.
    let _ = walk.deserialize(&mut serde_json::Deserializer::from_str(json));
    found
}

struct Walk<'a> {
    path: String,
    found: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let path = format!("{}[{index}]", self.path);
            if seq.next_element_seed(Walk { path, found: self.found })?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            if !seen.insert(key) {
                *self.found = Some(path);
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom("a field stands twice"));
            }
            map.next_value_seed(Walk { path, found: self.found })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_stands_twice_is_found_wherever_it_is() {
        assert_eq!(first_duplicate(r#"{"a":1,"b":[{},{"c":{"d":1,"d":2}}]}"#).as_deref(), Some("b[1].c.d"));
        assert_eq!(first_duplicate(r#"{"a":1,"\u0061":1}"#).as_deref(), Some("a"));
    }

    #[test]
    fn the_same_name_in_different_objects_is_fine() {
        assert_eq!(first_duplicate(r#"{"a":{"a":1.5},"b":[{"a":null},{"a":"x"},true,-1]}"#), None);
        assert_eq!(first_duplicate(r#"{"a":1,"#), None);
    }
}
