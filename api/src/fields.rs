//! Reads the fields of a request and keeps everything that is wrong with them, so that it is told at once.

use crate::problem::{FieldError, Refusal};
use domain::{Kind, Sid};
use std::{fmt::Display, str::FromStr};

/// What is wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<FieldError>);

impl Fields {
    /// Notes that `field` is wrong.
    pub(crate) fn wrong(&mut self, field: impl Into<String>, message: impl Display) {
        self.0.push(FieldError { field: field.into(), message: sentence(&message.to_string()) });
    }

    /// The field's value, unless it is wrong.
    pub(crate) fn read<T: FromStr<Err: Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error| self.wrong(field, error)).ok()
    }

    /// The same for a field that may be left out; `Some(None)` when it is.
    pub(crate) fn maybe<T: FromStr<Err: Display>>(
        &mut self,
        field: &str,
        text: Option<&str>,
    ) -> Option<Option<T>> {
        match text {
            Some(text) => self.read(field, text).map(Some),
            None => Some(None),
        }
    }

    /// An identifier of this kind that may be left out.
    pub(crate) fn sid(&mut self, kind: Kind, field: &str, text: Option<&str>) -> Option<Sid> {
        let parsed = Sid::parse_as(kind, text?);
        parsed
            .map_err(|_| self.wrong(field, format!("not an identifier that begins with {}", kind.prefix())))
            .ok()
    }

    /// Everything that is wrong, if anything is.
    pub(crate) fn done(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::invalid(self.0)) }
    }

    /// `value`, when nothing is wrong.
    ///
    /// A value is missing only when something was noted, so the second refusal is never seen.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        self.done()?;
        value.ok_or_else(Refusal::internal)
    }
}

/// With a capital and a full stop, as people read it under a field.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let head = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let dot = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{head}{}{dot}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{name::Name, user::Email};

    #[test]
    fn everything_wrong_is_told_at_once() {
        let mut fields = Fields::default();
        let name: Option<Name> = fields.read("name", " ");
        let email: Option<Email> = fields.read("email", "nobody");
        let refusal = fields.finish(name.zip(email)).unwrap_err();
        let told: Vec<&str> = refusal.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(told, ["name", "email"]);
        assert_eq!(refusal.errors[1].message, "Not an e-mail address.");
    }
}
