//! Fields of the form `quantity:price:key`: so many units of a pool, at the price that the page showed.

use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_core::refusal::FieldError;

use crate::pages::form::Form;

/// The name of the fields.
pub(crate) const TAKE: &str = "take";
/// The name of the field by which all quantities are multiplied.
pub(crate) const EACH: &str = "each";

/// What a form asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What.
    pub claim: Claim,
    /// What it cost on the page, in minor units.
    pub total: Option<i64>,
}

/// So many units of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Take<'a> {
    /// Units.
    pub quantity: i64,
    /// Price of one that the page showed, in minor units.
    pub price: i64,
    /// Key of the pool.
    pub key: &'a str,
}

impl<'a> Take<'a> {
    /// Reads a field.
    pub(crate) fn parse(value: &'a str) -> Option<Self> {
        let mut parts = value.splitn(3, ':');
        let quantity = parts.next()?.parse().ok()?;
        let price = parts.next()?.parse().ok()?;
        Some(Self { quantity, price, key: parts.next()? })
    }

    /// The value of the field.
    pub(crate) fn value(&self) -> String {
        format!("{}:{}:{}", self.quantity, self.price, self.key)
    }
}

/// How many units of this pool were chosen so far.
#[must_use]
pub(crate) fn chosen(form: &Form, key: &str) -> i64 {
    let takes = form.all(TAKE).filter_map(Take::parse);
    takes.filter(|take| take.key == key).map(|take| take.quantity).last().unwrap_or(0)
}

/// What the fields of a form ask for together.
///
/// # Errors
/// `nothing` if they ask for nothing, and what cannot be read.
pub(crate) fn wanted(form: &Form, nothing: &str) -> Result<Wanted, Vec<FieldError>> {
    let wrong = |text: &str| vec![FieldError::new("choice", text)];
    let each: i64 = match form.get(EACH) {
        "" => 1,
        text => text.parse().map_err(|_| wrong("How many you want cannot be read. Choose again."))?,
    };
    let mut lines = Vec::new();
    let mut total = Some(0i64);
    for value in form.all(TAKE).filter(|value| !value.is_empty()) {
        let take = Take::parse(value).ok_or_else(|| wrong("What you chose cannot be read. Choose again."))?;
        let Some(quantity) = take.quantity.checked_mul(each).filter(|quantity| *quantity != 0) else {
            continue;
        };
        total = total.and_then(|total| total.checked_add(quantity.checked_mul(take.price)?));
        lines.push(LineSpec { pool: take.key.to_owned(), quantity });
    }
    if lines.is_empty() {
        return Err(wrong(nothing));
    }
    Ok(Wanted { claim: Claim::Lines(lines), total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(takes: &[&str], each: &str) -> Form {
        let mut form = Form::default();
        for take in takes {
            form.push(TAKE, *take);
        }
        form.push(EACH, each);
        form
    }

    #[test]
    fn fields_add_up_to_lines_and_the_total_that_was_seen() {
        let wanted = wanted(&form(&["2:100:adult", "0:50:child", "1:7:a:b/c"], ""), "nothing").unwrap();
        let lines = vec![
            LineSpec { pool: "adult".into(), quantity: 2 },
            LineSpec { pool: "a:b/c".into(), quantity: 1 },
        ];
        assert_eq!(wanted, Wanted { claim: Claim::Lines(lines), total: Some(207) });
    }

    #[test]
    fn each_multiplies_all_of_them() {
        let wanted = wanted(&form(&["1:100:a", "1:50:b"], "3"), "nothing").unwrap();
        assert_eq!(wanted.total, Some(450));
    }

    #[test]
    fn nothing_and_nonsense_are_told_apart() {
        let message =
            |takes: &[&str], each| wanted(&form(takes, each), "nothing").unwrap_err()[0].message.clone();
        assert_eq!(message(&[], ""), "nothing");
        assert_eq!(message(&["0:1:a"], ""), "nothing");
        assert!(message(&["a"], "").contains("cannot be read"));
        assert!(message(&["1:1:a"], "x").contains("cannot be read"));
        let huge = i64::MAX.to_string();
        assert_eq!(wanted(&form(&[&format!("{huge}:{huge}:a")], ""), "").unwrap().total, None);
    }

    #[test]
    fn what_was_chosen_is_found_again() {
        let form = form(&["2:100:adult"], "");
        assert_eq!((chosen(&form, "adult"), chosen(&form, "child")), (2, 0));
    }
}
