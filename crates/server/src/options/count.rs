//! How many of something, as it is written in flags.

/// A number of things, at least one.
///
/// # Errors
/// A sentence, for anything else.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("give a whole number, at least 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_no_number_of_things() {
        assert_eq!((count("1"), count("20000")), (Ok(1), Ok(20_000)));
        for wrong in ["0", "-1", "", "many", "1.5"] {
            assert!(count(wrong).is_err(), "{wrong}");
        }
    }
}
