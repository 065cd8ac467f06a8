//! Every parameter Twilio documents for every operation there is here, and what becomes of it. The surface, its page
//! (`TWILIO.md`) and its tests read these tables: a parameter that is in none of them fails a test.

mod calls;
mod lists;
mod numbers;
mod page;

pub(super) use lists::EMPTY;
pub use page::markdown;

use super::{fault::Fault, form::Form, path::Resource, warning::Warning};

/// What one method of one resource takes.
#[derive(Debug)]
pub struct Operation {
    /// For example `Calls: create`.
    pub name: &'static str,
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// Its path, as Twilio documents it.
    pub path: &'static str,
    /// Its parameters.
    pub rows: &'static [Row],
}

/// Parameters with one fate.
#[derive(Debug)]
pub struct Row {
    /// As they are written on the wire.
    pub names: &'static [&'static str],
    /// What becomes of them.
    pub fate: Fate,
    /// More, for a person.
    pub note: &'static str,
}

/// What becomes of a parameter. An empty value asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It does what Twilio says.
    Honoured,
    /// 400 with error 20001, so that nobody believes it was done; these values ask for nothing and are taken.
    Refused(&'static [&'static str]),
    /// Taken, and its author is told that it does nothing: on the call's timeline and in a header of the answer. These
    /// values ask for nothing.
    Warned(&'static [&'static str]),
}

/// The parameters of pages.
const PAGES: Row = honoured(&["Page", "PageSize", "PageToken"]);

const fn honoured(names: &'static [&'static str]) -> Row {
    Row { names, fate: Fate::Honoured, note: "" }
}

const fn refused(names: &'static [&'static str]) -> Row {
    Row { names, fate: Fate::Refused(&[]), note: "" }
}

const fn warned(names: &'static [&'static str]) -> Row {
    Row { names, fate: Fate::Warned(&[]), note: "" }
}

impl Row {
    const fn unless(self, nothing: &'static [&'static str]) -> Row {
        let fate = match self.fate {
            Fate::Honoured => Fate::Honoured,
            Fate::Refused(_) => Fate::Refused(nothing),
            Fate::Warned(_) => Fate::Warned(nothing),
        };
        Row { fate, names: self.names, note: self.note }
    }

    const fn noting(self, note: &'static str) -> Row {
        Row { note, names: self.names, fate: self.fate }
    }
}

/// Every operation there is.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    let lists = lists::EMPTY.iter().map(|list| &list.operation);
    calls::OPERATIONS.iter().chain(numbers::OPERATIONS).chain(lists)
}

impl Operation {
    /// The operation of a method on a resource.
    pub(super) fn of(method: &str, resource: Resource<'_>) -> Option<&'static Operation> {
        let path = resource.documented();
        operations().find(|operation| operation.method == method && operation.path == path)
    }

    /// What becomes of a parameter; `None` when Twilio documents none of that name.
    #[must_use]
    pub fn row(&self, parameter: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.names.contains(&parameter))
    }

    /// What the author of this request should know about parameters that do nothing.
    ///
    /// # Errors
    /// When one asks for what cannot be done.
    pub(super) fn check(&self, form: &Form) -> Result<Vec<Warning>, Fault> {
        let mut warnings = Vec::new();
        let mut warn = |message| warnings.push(Warning::idle(message));
        for name in form.names() {
            let asks = |nothing: &[&str]| {
                let is_nothing = |value: &str| {
                    value.is_empty() || nothing.iter().any(|nothing| nothing.eq_ignore_ascii_case(value))
                };
                !form.all(name).all(is_nothing)
            };
            match self.row(name).map(|row| row.fate) {
                None => warn(format!("{} is not a parameter of this operation; ignored", shown(name))),
                Some(Fate::Refused(nothing)) if asks(nothing) => {
                    return Err(Fault::invalid(format!("{name} is not supported yet")));
                }
                Some(Fate::Warned(nothing)) if asks(nothing) => {
                    warn(format!("{name} is not supported yet and ignored"));
                }
                Some(_) => {}
            }
        }
        Ok(warnings)
    }
}

/// A name somebody made up, short and plain enough for a header: its first 40 bytes, those that cannot be seen as they stand
/// in an address (RFC 3986 section 2.1).
fn shown(name: &str) -> String {
    if name.is_empty() {
        return "The empty name".into();
    }
    let plain = |byte: u8| match byte {
        b'%' => "%25".to_owned(),
        byte if byte.is_ascii_graphic() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    name.bytes().take(40).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    fn operation(name: &str) -> &'static Operation {
        operations().find(|operation| operation.name == name).unwrap()
    }

    #[test]
    fn no_parameter_is_dropped_in_silence() {
        let create = operation("Calls: create");
        let told = create.check(&form("To=1&CallReason=Hi&Trim=trim-silence&Colour=red%0d%0a")).unwrap();
        assert_eq!(
            told.iter().map(|warning| warning.message.as_str()).collect::<Vec<_>>(),
            [
                "CallReason is not supported yet and ignored",
                "Trim is not supported yet and ignored",
                "Colour is not a parameter of this operation; ignored",
            ]
        );
        for (sent, shown) in [
            ("%C3%A9%E2%82%AC=1", "%C3%A9%E2%82%AC"),
            ("%00=1", "%00"),
            ("%2500=1", "%2500"),
            ("=1", "The empty name"),
        ] {
            let told = create.check(&form(sent)).unwrap();
            let message = format!("{shown} is not a parameter of this operation; ignored");
            assert_eq!(told, [Warning::idle(message)], "{sent}");
        }
        assert_eq!(create.check(&form("Record=true")).unwrap_err().code, 20001);
        assert_eq!(create.check(&form("Record=false&Record=&AsyncAmd=False&Byoc=")).unwrap(), []);
    }

    #[test]
    fn every_parameter_has_one_fate() {
        for operation in operations() {
            let mut names: Vec<_> = operation.rows.iter().flat_map(|row| row.names).collect();
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "{}", operation.name);
        }
    }

    #[test]
    fn the_page_is_what_the_tables_make() {
        assert_eq!(include_str!("../../../TWILIO.md"), markdown(), "bin/schema writes it anew");
    }
}
