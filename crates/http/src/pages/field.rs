//! Fields of forms as templates show them, with what was typed and what is wrong with it.

use std::borrow::Cow;

use lastseat_core::refusal::FieldError;

/// A field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name in the form, and its id.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What is in it.
    pub value: String,
    /// What is wrong with that, as a sentence.
    pub error: Option<String>,
    /// `text`, `email`, `number`, `textarea`, ...
    pub kind: &'static str,
    /// What browsers may fill in.
    pub autocomplete: &'static str,
    /// What helps to fill it in.
    pub hint: Cow<'static, str>,
    /// Whether it has to be filled in.
    pub required: bool,
    /// What can be chosen: values and what they are called (`select`, `checkbox`).
    pub options: Vec<(String, String)>,
    /// The values that are chosen, for fields with more than one.
    pub chosen: Vec<String>,
    /// Id of a list of suggestions.
    pub list: &'static str,
    /// What is said of one that may be left empty; `optional` if nothing is said here.
    pub optional: &'static str,
    /// Whether it takes the whole width.
    pub full: bool,
}

impl Field {
    /// A field of one line.
    #[must_use]
    pub(crate) fn new(name: impl Into<String>, label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), label: label.into(), value: value.into(), kind: "text", ..Self::default() }
    }

    /// Of this kind.
    #[must_use]
    pub(crate) const fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// A list to choose one of.
    #[must_use]
    pub(crate) fn choices<'a>(mut self, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.kind = "select";
        self.options = options.into_iter().map(|(value, text)| (value.to_owned(), text.to_owned())).collect();
        self
    }

    /// Boxes to tick, several of them perhaps.
    #[must_use]
    pub(crate) fn boxes<'a>(
        mut self,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
        chosen: impl Iterator<Item = &'a str>,
    ) -> Self {
        self = self.choices(options);
        self.kind = "checkbox";
        self.chosen = chosen.map(str::to_owned).collect();
        self
    }

    /// With suggestions from the list of that id.
    #[must_use]
    pub(crate) const fn list(mut self, list: &'static str) -> Self {
        self.list = list;
        self
    }

    /// With this hint below.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// To be filled in by the browser if it knows.
    #[must_use]
    pub(crate) const fn autocomplete(mut self, autocomplete: &'static str) -> Self {
        self.autocomplete = autocomplete;
        self
    }

    /// Not to be left empty.
    #[must_use]
    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Not to be left empty alone: this says beside what.
    #[must_use]
    pub(crate) const fn optional(mut self, optional: &'static str) -> Self {
        self.optional = optional;
        self
    }

    /// Over the whole width.
    #[must_use]
    pub(crate) const fn full(mut self) -> Self {
        self.full = true;
        self
    }

    /// With the first of these errors that is about the field called `path`.
    #[must_use]
    pub(crate) fn errors(mut self, errors: &[FieldError], path: &str) -> Self {
        let found = errors.iter().find(|error| error.field == path);
        self.error = found.map(|error| sentence(&self.label, &error.message));
        self
    }
}

/// The name of a field and what is wrong with it, as a sentence.
#[must_use]
pub(crate) fn sentence(label: &str, message: &str) -> String {
    let begins_small = message.chars().next().is_some_and(char::is_lowercase);
    let text = if begins_small { format!("{label} {message}") } else { message.to_owned() };
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_become_sentences_and_sentences_stay() {
        assert_eq!(sentence("Name", "must not be empty"), "Name must not be empty.");
        assert_eq!(sentence("", "Choose at least one seat."), "Choose at least one seat.");
    }

    #[test]
    fn a_field_takes_the_error_that_is_about_it() {
        let errors =
            [FieldError::new("customer.name", "must not be empty"), FieldError::new("note", "is long")];
        let field = Field::new("name", "Name", "").errors(&errors, "customer.name");
        assert_eq!(field.error.as_deref(), Some("Name must not be empty."));
        assert_eq!(Field::new("email", "E-mail", "").errors(&errors, "customer.email").error, None);
    }
}
