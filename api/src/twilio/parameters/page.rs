//! The page about the parameters, made from the tables.

use super::{EMPTY, Fate, Operation, Row, operations};
use std::fmt::Write;

const HEAD: &str = "<!-- Written by bin/schema from api/src/twilio/parameters; a test compares them. -->
# Twilio's API, as it is spoken here

Every operation under `/2010-04-01`, with every parameter Twilio documents for it. Anything else Twilio has answers 404
(20404), another method 405 (20004).

An empty value asks for nothing. *Refused* is 400 with error 20001: nothing was done. *A warning* means that the request
was done without it, and that its author is told: on the call's timeline (20001), and in the header `X-Trunkline-Warning`
of the answer. So is a parameter that is none of Twilio's.

What may not stand in a request line is percent-encoded, as every SDK does: `StartTime%3E=2026-11-23`, not
`StartTime>=2026-11-23`. With a raw `<`, `>`, blank or the like in it, a request is no HTTP (RFC 9112 section 3.2), and is
answered with 400 and no body before anybody reads it.
";

/// The page, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    for operation in operations() {
        section(&mut page, operation);
    }
    page
}

fn section(page: &mut String, operation: &Operation) {
    let Operation { name, method, path, rows } = operation;
    let _ = writeln!(page, "\n## {name}\n\n`{method} /2010-04-01{path}`");
    if EMPTY.iter().any(|list| list.operation.name == *name) {
        let _ = writeln!(page, "\nEmpty: what it lists does not exist yet.");
    }
    if rows.is_empty() {
        let _ = writeln!(page, "\nNo parameters.");
        return;
    }
    let _ = writeln!(page, "\n| parameters | |\n|---|---|");
    for row in *rows {
        let _ = writeln!(page, "{}", line(row));
    }
}

fn line(row: &Row) -> String {
    let names: Vec<_> = row.names.iter().map(|name| format!("`{name}`")).collect();
    let (fate, nothing) = match row.fate {
        Fate::Honoured => ("honoured", [].as_slice()),
        Fate::Refused(nothing) => ("refused", nothing),
        Fate::Warned(nothing) => ("a warning", nothing),
    };
    let unless: Vec<_> = nothing.iter().map(|value| format!("`{value}`")).collect();
    let unless = if unless.is_empty() { String::new() } else { format!(", unless {}", unless.join(" or ")) };
    let note = if row.note.is_empty() { String::new() } else { format!(": {}", row.note) };
    format!("| {} | {fate}{unless}{note} |", names.join(", "))
}
