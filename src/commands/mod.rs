//! What the binary can be told to do; one file each.

pub mod audit;
pub mod demo;
pub mod doctor;
pub mod progress;
pub mod repair;
pub mod replay;
pub mod route;
pub mod serve;

use domain::visible::visible;
use std::fmt::Display;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_reorders_or_moves_the_cursor_is_written_out() {
        let name = "Ac\u{202e}em\u{1b}[2K\u{200b}\u{9b}1A";
        assert_eq!(shown(&name), "Ac\\u202eem\\u{1b}[2K\\u200b\\u{9b}1A");
        let usual = "two\tfields\nមេ ខ្មែរ שלום";
        assert_eq!(shown(&usual), usual);
    }
}
