//! Whom an outgoing call may show as its caller. One rule for every way a call can leave: the Calls API's `From`,
//! `<Dial callerId>`, and a `<Dial>` that says nothing.

use crate::{Number, Sid, country::Country};
use std::fmt;

/// What a caller is called who does not want to be known (RFC 3323 section 4.1.1.3).
pub const ANONYMOUS: &str = "anonymous";

/// Words that networks write where a caller's number would be, when there is none to be shown.
const NOBODY: [&str; 6] = ["", ANONYMOUS, "restricted", "unavailable", "unknown", "private"];

/// Whom a call shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerId {
    /// This number; or, where the network that brought a call said no number, what it said.
    Shown(String),
    /// Nobody: the caller wants it so, or its network does not know.
    Hidden,
}

/// Somebody else's number was to be shown (Twilio's 13214 for `<Dial>`, 21210 for the Calls API).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} may not be shown: it is neither a party of this call nor an enabled number of the account")]
pub struct NotTheirs(pub String);

/// What an account may show, and on which call.
pub struct Parties<'a> {
    /// Who calls, on the call that dials; none where there is no such call.
    pub calling: Option<&'a str>,
    /// Who was called on it.
    pub called: Option<&'a str>,
    /// Whose national numbers the account writes.
    pub country: Option<Country>,
    /// Whether a number is an enabled one of the account's.
    pub owns: &'a dyn Fn(&Number) -> bool,
}

impl CallerId {
    /// A party as a call has it.
    #[must_use]
    pub fn of(party: &str) -> CallerId {
        let nobody = NOBODY.iter().any(|word| party.trim().eq_ignore_ascii_case(word));
        if nobody { CallerId::Hidden } else { CallerId::Shown(party.to_owned()) }
    }

    /// Whether we know that whoever is shown calls, and may vouch for it (RFC 3325 section 5), on a call that another one
    /// dials. What a caller from outside says of itself, `said`, is nothing that we know, be it a number of the account's
    /// or not; unless a network that is trusted names the same one, `asserted`.
    #[must_use]
    pub fn is_authentic(&self, said: Option<&str>, asserted: Option<&str>) -> bool {
        let is = |party: &str| CallerId::of(party) == *self;
        !said.is_some_and(is) || asserted.is_some_and(is)
    }

    /// The party as it is told to applications and people.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            CallerId::Shown(party) => party,
            CallerId::Hidden => ANONYMOUS,
        }
    }
}

impl fmt::Display for CallerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Parties<'_> {
    /// Whom the call shows when this is asked for; whoever calls, when nothing is.
    ///
    /// # Errors
    /// [`NotTheirs`] when it is not for this account to show.
    pub fn shown(&self, wanted: Option<&str>) -> Result<CallerId, NotTheirs> {
        let mut parties = [self.calling, self.called].into_iter().flatten();
        let Some(wanted) = wanted.map(str::trim) else {
            return self.calling.map(CallerId::of).ok_or_else(|| refused(""));
        };
        if let Some(party) = parties.find(|party| CallerId::of(party).as_str() == wanted) {
            return Ok(CallerId::of(party));
        }
        // A short code may look like a number as people of the country write it.
        if self.is_own(wanted) {
            return Ok(CallerId::Shown(wanted.to_owned()));
        }
        let number = Number::written_in(wanted, self.country).map_err(|_| refused(wanted))?;
        let text = number.to_string();
        let is_party = [self.calling, self.called].contains(&Some(text.as_str()));
        if is_party || (self.owns)(&number) { Ok(CallerId::Shown(text)) } else { Err(refused(wanted)) }
    }

    /// Whom a call for help shows, where it would show this: somebody who can be called back. Else whoever calls, or else
    /// the account's own number that was called; nobody only where there is neither.
    #[must_use]
    pub fn reachable(&self, shown: Option<&CallerId>) -> CallerId {
        let own = self.called.filter(|called| self.is_own(called));
        let candidates = [shown.cloned(), self.calling.map(CallerId::of), own.map(CallerId::of)];
        let known = candidates.into_iter().flatten().find(|candidate| *candidate != CallerId::Hidden);
        known.unwrap_or(CallerId::Hidden)
    }

    fn is_own(&self, stored: &str) -> bool {
        Number::stored(stored).is_ok_and(|number| (self.owns)(&number))
    }
}

/// Whether a number that `holder` has is for `account` to show, and for us to vouch for (RFC 3325).
#[must_use]
pub fn is_theirs(account: &Sid, holder: Option<&Sid>, enabled: bool) -> bool {
    enabled && holder == Some(account)
}

fn refused(wanted: &str) -> NotTheirs {
    NotTheirs(wanted.chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, testing::sid};

    /// A call from a stranger to the account's number, by an account that has one more.
    fn shown(calling: &str, wanted: Option<&str>) -> Result<String, String> {
        let owns = |number: &Number| number.to_string() == "+85512000002";
        let (calling, called) = (Some(calling), Some("+85512000001"));
        let parties = Parties { calling, called, country: "KH".parse().ok(), owns: &owns };
        parties.shown(wanted).map(|shown| shown.to_string()).map_err(|no| no.0)
    }

    #[test]
    fn an_account_shows_the_parties_of_the_call_and_its_own_numbers() {
        for (wanted, number) in [
            (None, "+15551230000"),
            (Some("+15551230000"), "+15551230000"),
            (Some("+85512000001"), "+85512000001"),
            (Some("012 000 001"), "+85512000001"),
            (Some("+85512000002"), "+85512000002"),
        ] {
            assert_eq!(shown("+15551230000", wanted), Ok(number.to_owned()), "{wanted:?}");
        }
    }

    #[test]
    fn a_short_code_that_could_be_a_national_number_is_itself() {
        let owns = |number: &Number| *number == Number::short_code("1234567").unwrap();
        for called in ["1234567", "+85512000001"] {
            let (calling, country) = (Some("+15551230000"), "KH".parse().ok());
            let parties = Parties { calling, called: Some(called), country, owns: &owns };
            assert_eq!(parties.shown(Some("1234567")), Ok(CallerId::Shown("1234567".into())), "{called}");
        }
        let parties = Parties { calling: None, called: None, country: "KH".parse().ok(), owns: &owns };
        assert!(parties.shown(Some("1234568")).is_err());
    }

    #[test]
    fn a_call_for_help_shows_somebody_who_can_be_called_back() {
        let owns = |number: &Number| number.to_string() == "+85512000001";
        let shown = |number: &str| CallerId::Shown(number.to_owned());
        for (calling, called, wanted, expected) in [
            ("+15551230000", "+85512000001", Some(shown("+85512000002")), shown("+85512000002")),
            ("+15551230000", "+85512000001", None, shown("+15551230000")),
            ("+15551230000", "+85512000001", Some(CallerId::Hidden), shown("+15551230000")),
            ("anonymous", "+85512000001", Some(CallerId::Hidden), shown("+85512000001")),
            ("anonymous", "+85512000003", None, CallerId::Hidden),
        ] {
            let (calling, called) = (Some(calling), Some(called));
            let parties = Parties { calling, called, country: "KH".parse().ok(), owns: &owns };
            assert_eq!(parties.reachable(wanted.as_ref()), expected, "{calling:?} {wanted:?}");
        }
    }

    #[test]
    fn what_a_caller_from_outside_says_of_itself_is_not_vouched_for() {
        let (own, stranger) = ("+85512000001", "+15551230000");
        for (shown, said, asserted, authentic) in [
            (own, Some(own), None, false),
            (own, Some(own), Some(stranger), false),
            (own, Some(own), Some(own), true),
            (own, Some(stranger), None, true),
            (own, None, None, true),
        ] {
            assert_eq!(CallerId::of(shown).is_authentic(said, asserted), authentic, "{shown} {said:?}");
        }
    }

    #[test]
    fn an_account_shows_nobody_elses_number() {
        for wanted in ["911", "112", "+85512000003", "+15550000000", "my shop", "anonymous", ""] {
            assert_eq!(shown("+15551230000", Some(wanted)), Err(wanted.to_owned()));
        }
    }

    #[test]
    fn a_hidden_caller_stays_hidden_whether_named_or_not() {
        for calling in ["anonymous", "Anonymous", "", "restricted"] {
            assert_eq!(shown(calling, None), Ok("anonymous".to_owned()), "{calling:?}");
        }
        assert_eq!(shown("anonymous", Some("anonymous")), Ok("anonymous".to_owned()));
        assert_eq!(shown("anonymous", Some("+85512000002")), Ok("+85512000002".to_owned()));
    }

    #[test]
    fn a_call_of_the_api_shows_numbers_of_the_account_only() {
        let owns = |number: &Number| number.to_string() == "1234";
        let parties = Parties { calling: None, called: None, country: None, owns: &owns };
        assert_eq!(parties.shown(Some("1234")), Ok(CallerId::Shown("1234".into())));
        for wanted in [None, Some("911"), Some("+85512000002")] {
            assert!(parties.shown(wanted).is_err(), "{wanted:?}");
        }
    }

    #[test]
    fn a_number_that_is_disabled_or_anothers_is_not_theirs() {
        let (one, other) = (sid(Kind::Account, 1), sid(Kind::Account, 2));
        assert!(is_theirs(&one, Some(&one), true));
        for (holder, enabled) in [(Some(&one), false), (Some(&other), true), (None, true)] {
            assert!(!is_theirs(&one, holder, enabled));
        }
    }
}
