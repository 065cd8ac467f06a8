//! What is wrong with a request that was done all the same: its author is told in a header of the answer, and where there
//! is a call, on its timeline. Both are made of one list, so nothing is told in one place only.

use domain::call::CallCommand;
use poem::http::HeaderValue;

/// The header of the answer.
pub(super) const HEADER: &str = "x-trunkline-warning";
/// Twilio's code for a parameter that is wrong, here for one that does nothing.
const IDLE: u32 = 20001;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    /// Twilio's error code.
    pub code: u32,
    /// For a person.
    pub message: String,
}

impl Warning {
    /// A parameter that does nothing.
    pub fn idle(message: String) -> Warning {
        Warning { code: IDLE, message }
    }

    /// As it is told on a call's timeline.
    pub fn command(&self) -> CallCommand {
        CallCommand::Warn { code: self.code, message: self.message.clone() }
    }
}

/// All of them as the header's value; what a header cannot carry is a question mark there. None when there are none.
pub(super) fn header(warnings: &[Warning]) -> Option<HeaderValue> {
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let told: String = messages.join("; ").chars().map(plain).collect();
    HeaderValue::from_str(&told).ok().filter(|told| !told.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_told_whatever_it_is_about() {
        let warnings = [("one", 20001), ("\u{43a}\r\n\u{202e}", 21626)]
            .map(|(message, code)| Warning { code, message: message.into() });
        assert_eq!(header(&warnings).unwrap(), "one; ????");
        assert_eq!(header(&[]), None);
    }
}
