//! The tables of the form: `pools[0].key`, `opening_hours[2].from`. Empty rows do not count; a button adds one.

use crate::pages::form::Form;

/// The tables, each with the column without which a row says nothing.
const TABLES: [&str; 3] = ["pools", "resources", "opening_hours"];
/// Most rows that a form may have.
pub(super) const MAX_ROWS: usize = 1_000;
/// The name of the button that adds a row.
pub(super) const ADD: &str = "add";

/// The rows of a table that the form has, counting from 0.
pub(super) fn count(form: &Form, table: &str) -> usize {
    let number = |(name, _): (&str, &str)| {
        split(name).filter(|(found, ..)| *found == table).map(|(_, row, _)| row + 1)
    };
    form.fields().filter_map(number).max().unwrap_or(0).min(MAX_ROWS)
}

/// `pools[3].key` as its table, its row and its column.
fn split(name: &str) -> Option<(&str, usize, &str)> {
    let (table, rest) = name.split_once('[')?;
    let (row, column) = rest.split_once("].")?;
    Some((table, row.parse().ok().filter(|row| *row < MAX_ROWS)?, column))
}

/// The form without its empty rows, the others numbered anew, so that errors name the rows that are shown.
pub(super) fn compact(form: &Form) -> Form {
    let kept = |table: &str| -> Vec<usize> {
        let says_something = |row: &usize| {
            let prefix = format!("{table}[{row}].");
            form.fields().any(|(name, value)| {
                name.strip_prefix(prefix.as_str()).is_some_and(|column| column != "kept")
                    && !value.trim().is_empty()
            })
        };
        (0..count(form, table)).filter(says_something).collect()
    };
    let rows = TABLES.map(|table| (table, kept(table)));
    let mut compact = Form::default();
    for (name, value) in form.fields() {
        let Some((table, row, column)) = split(name) else {
            compact.push(name, value);
            continue;
        };
        let Some((_, kept)) = rows.iter().find(|(found, _)| *found == table) else { continue };
        if let Some(now) = kept.iter().position(|kept| *kept == row) {
            compact.push(format!("{table}[{now}].{column}"), value);
        }
    }
    compact
}

/// Adds a row if the button for that was pressed.
pub(super) fn grow(form: &mut Form) -> bool {
    let Some(table) = form.find(ADD).filter(|table| TABLES.contains(table)).map(str::to_owned) else {
        return false;
    };
    let row = count(form, &table);
    if row < MAX_ROWS {
        form.push(format!("{table}[{row}].{}", if table == "opening_hours" { "from" } else { "title" }), "");
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        Form::new(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn empty_rows_are_left_out_and_the_others_close_up() {
        let sent = form(&[
            ("title", "x"),
            ("pools[0].title", ""),
            ("pools[0].price", " "),
            ("pools[1].title", "Adult"),
            ("pools[2].price", "5"),
        ]);
        let compact = compact(&sent);
        assert_eq!(compact.get("title"), "x");
        assert_eq!(compact.get("pools[0].title"), "Adult");
        assert_eq!(compact.get("pools[1].price"), "5");
        assert_eq!(count(&compact, "pools"), 2);
    }

    #[test]
    fn a_button_adds_a_row_to_its_table_only() {
        let mut sent = form(&[("pools[0].title", "Adult"), (ADD, "pools")]);
        assert!(grow(&mut sent));
        assert_eq!((count(&sent, "pools"), count(&sent, "resources")), (2, 0));
        assert!(!grow(&mut form(&[(ADD, "policies")])));
    }

    #[test]
    fn rows_beyond_the_limit_do_not_exist() {
        assert_eq!(
            count(&form(&[("pools[99999999999].title", "x"), ("pools[5000].title", "x")]), "pools"),
            0
        );
    }
}
