//! What the binary can be told to do; one file each.

pub mod audit;
pub mod demo;
pub mod doctor;
pub mod progress;
pub mod repair;
pub mod replay;
pub mod route;
pub mod serve;

use crate::config::Config;
use domain::visible::visible;
use std::{fmt::Display, process::ExitCode};
use store::audit::{AuditError, Wrong};

/// A line for a person at a terminal. Names and addresses are others' words: what reorders text, hides in it or moves the
/// cursor is written out.
#[must_use]
pub fn shown(line: &dyn Display) -> String {
    let (line, mut shown) = (line.to_string(), String::new());
    for c in visible(&line).chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            c if c.is_control() => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// Prints such a line.
pub fn say(line: &dyn Display) {
    println!("{}", shown(line));
}

/// Fails with what an audit found, and says what to do about it.
fn not_as_written(config: &Config, error: &AuditError) -> ExitCode {
    let code = crate::fail_on(config, error);
    if let Some(advice) = advice(error) {
        eprintln!("trunkline: {advice}");
    }
    code
}

/// What to do about a log that is not as it was written; nothing about what `trunkline repair` sets right, or a database
/// that failed.
fn advice(error: &AuditError) -> Option<String> {
    let good = match error {
        AuditError::Found(found) if matches!(found.what, Wrong::NotDerived(_) | Wrong::Busy) => return None,
        AuditError::Found(found) => {
            let last = found.position - 1;
            format!("it is as written up to position {last} of log {}", found.log.as_str())
        }
        AuditError::SealGone(_) => "what it still has may be as written, and is not all there was".to_owned(),
        AuditError::Store(_) => return None,
    };
    Some(format!(
        "no command sets this right: stop the servers and restore the last backup from before it; {good}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Log;
    use store::audit::Finding;

    #[test]
    fn whoever_finds_a_log_edited_is_told_what_to_do_and_how_far_it_is_good() {
        let found = |what| AuditError::Found(Finding { log: Log::Core, position: 7, stream: None, what });
        let said = advice(&found(Wrong::Edited)).unwrap();
        assert!(
            said.contains("restore the last backup") && said.ends_with("position 6 of log core"),
            "{said}"
        );
        assert!(advice(&AuditError::SealGone("ab".into())).is_some());
        assert_eq!(advice(&found(Wrong::NotDerived("a row".into()))), None);
    }

    #[test]
    fn a_name_that_reorders_or_moves_the_cursor_is_written_out() {
        let name = "Ac\u{202e}em\u{1b}[2K\u{200b}\u{9b}1A";
        assert_eq!(shown(&name), "Ac\\u202eem\\u{1b}[2K\\u200b\\u{9b}1A");
        let usual = "two\tfields\nមេ ខ្មែរ שלום";
        assert_eq!(shown(&usual), usual);
    }
}
