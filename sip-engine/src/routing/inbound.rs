//! An INVITE's way in: its source decides carrier and trunk, the dialled number decides the account.

use super::{Directory, NumberEntry, TrunkEntry};
use domain::{
    E164, Number, Sid, Tenant,
    call::{Callback, CallbackEvent, EndReason, Program},
    country::Country,
    phone_number::VoiceConfiguration,
};
use std::net::IpAddr;

/// Characters of a caller's or callee's name that are kept when it is no number.
const MAX_PARTY: usize = 64;

/// What becomes of an INVITE.
#[derive(Clone, Debug, PartialEq)]
pub enum Inbound {
    /// No trunk has this address: its packets are not read, and what was read before a trunk lost it gets 403.
    Stranger,
    /// It is answered by this application.
    Taken(Box<Taken>),
    /// It is turned away.
    Refused(Box<Refusal>),
}

/// A call somebody's application answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Whose call it is.
    pub tenant: Tenant,
    /// The account.
    pub account: Sid,
    /// Through which trunk it came.
    pub trunk: Sid,
    /// The dialled number in the inventory.
    pub phone_number: Sid,
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// What answers it.
    pub program: Program,
    /// Who is told about its progress.
    pub callback: Option<Callback>,
}

/// A call that is turned away, and what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Whose call it is, as far as that is known.
    pub tenant: Tenant,
    /// Through which trunk it came.
    pub trunk: Sid,
    /// The dialled number in the inventory, if it is there.
    pub phone_number: Option<Sid>,
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// The SIP answer: 404 or 403.
    pub code: u16,
    /// Why.
    pub reason: EndReason,
}

impl Directory {
    /// Where a call from `source` to `dialled` goes. `from` is the user part of its From header.
    #[must_use]
    pub fn inbound(&self, source: IpAddr, from: &str, dialled: &str) -> Inbound {
        let Some(trunk) = self.trunk_of(source) else { return Inbound::Stranger };
        let caller = spelled(from, trunk.country);
        let found = candidates(dialled, trunk.country)
            .into_iter()
            .find_map(|digits| self.number(&trunk.carrier, &digits));
        match found {
            Some(number) => self.to_number(trunk, number, caller),
            None => {
                refuse(trunk, None, caller, spelled(dialled, trunk.country), 404, EndReason::NumberNotFound)
            }
        }
    }

    fn to_number(&self, trunk: &TrunkEntry, number: &NumberEntry, from: String) -> Inbound {
        let to = number.number.to_string();
        let (code, reason) = match (&number.account, number.voice.program()) {
            (None, _) => (404, EndReason::NumberNotFound),
            _ if !number.enabled => (403, EndReason::NumberDisabled),
            (Some(account), _) if !self.is_enabled(account) => (403, EndReason::AccountDisabled),
            (_, None) => (404, EndReason::NotConfigured),
            (Some(account), Some(program)) => {
                return Inbound::Taken(Box::new(Taken {
                    tenant: Tenant::account(trunk.carrier.clone(), account.clone()),
                    account: account.clone(),
                    trunk: trunk.sid.clone(),
                    phone_number: number.sid.clone(),
                    from,
                    to,
                    program,
                    callback: callback(&number.voice),
                }));
            }
        };
        refuse(trunk, Some(number), from, to, code, reason)
    }
}

fn refuse(
    trunk: &TrunkEntry,
    number: Option<&NumberEntry>,
    from: String,
    to: String,
    code: u16,
    reason: EndReason,
) -> Inbound {
    let account = number.and_then(|number| number.account.clone());
    let tenant = Tenant { carrier: trunk.carrier.clone(), account };
    let phone_number = number.map(|number| number.sid.clone());
    Inbound::Refused(Box::new(Refusal {
        tenant,
        trunk: trunk.sid.clone(),
        phone_number,
        from,
        to,
        code,
        reason,
    }))
}

fn callback(voice: &VoiceConfiguration) -> Option<Callback> {
    let url = voice.status_callback_url.clone()?;
    Some(Callback { url, method: voice.status_callback_method, events: vec![CallbackEvent::Completed] })
}

/// The digits a dialled text may stand for, likeliest first: as it is, in national form with the trunk digit, with an
/// international prefix, in national form without a trunk digit.
fn candidates(dialled: &str, country: Option<Country>) -> Vec<String> {
    let clean: String = dialled.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    if let Some(digits) = clean.strip_prefix('+') {
        return vec![digits.to_owned()];
    }
    let mut candidates = vec![clean.clone()];
    if let Some(country) = country {
        let trunk_digit = country.trunk_digit();
        if let Some(rest) = clean.strip_prefix(trunk_digit).filter(|_| !trunk_digit.is_empty()) {
            candidates.push(format!("{}{rest}", country.calling_code()));
        }
    }
    candidates.extend(clean.strip_prefix("00").map(str::to_owned));
    if let Some(country) = country {
        candidates.push(format!("{}{clean}", country.calling_code()));
    }
    candidates
}

/// A party's number as it is shown: E.164 with plus or a short code; what the network said when it is neither.
pub(super) fn spelled(text: &str, country: Option<Country>) -> String {
    let national =
        country.filter(|_| !text.starts_with('+')).and_then(|country| E164::from_national(text, country));
    let number = national.map(Number::E164).or_else(|| text.parse().ok());
    let number = number.or_else(|| text.strip_prefix("00")?.parse().ok().map(Number::E164));
    number.map_or_else(|| printable(text), |number| number.to_string())
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_PARTY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::testing::*;

    fn to(directory: &Directory, source: &str, dialled: &str) -> (String, u16) {
        match directory.inbound(source.parse().unwrap(), "+15551230000", dialled) {
            Inbound::Stranger => ("stranger".into(), 0),
            Inbound::Taken(taken) => (taken.to, 200),
            Inbound::Refused(refusal) => (format!("{:?}", refusal.reason), refusal.code),
        }
    }

    #[test]
    fn a_number_is_found_however_it_is_dialled() {
        let directory = directory();
        for dialled in
            ["+85512345678", "85512345678", "012345678", "0085512345678", "12345678", "+855 12 345 678"]
        {
            assert_eq!(to(&directory, "192.0.2.1", dialled), ("+85512345678".into(), 200), "{dialled}");
        }
    }

    #[test]
    fn short_codes_are_dialled_as_they_are() {
        assert_eq!(to(&directory(), "192.0.2.1", "1234"), ("1234".into(), 200));
        assert_eq!(to(&directory(), "192.0.2.1", "01234").1, 404);
    }

    #[test]
    fn a_call_that_is_not_taken_says_why() {
        for (dialled, reason, code) in [
            ("+85519999999", "NumberNotFound", 404),
            ("2000", "NumberNotFound", 404),
            ("2001", "NumberDisabled", 403),
            ("2002", "AccountDisabled", 403),
            ("2003", "NotConfigured", 404),
            ("", "NumberNotFound", 404),
        ] {
            assert_eq!(to(&directory(), "192.0.2.1", dialled), (reason.into(), code), "{dialled}");
        }
    }

    #[test]
    fn a_stranger_is_nobody() {
        assert_eq!(to(&directory(), "198.51.100.1", "1234").0, "stranger");
    }

    #[test]
    fn the_longest_prefix_has_the_call() {
        let directory = directory();
        let trunk = |source: &str| directory.trunk_of(source.parse().unwrap()).map(|trunk| trunk.sid.clone());
        assert_eq!(trunk("192.0.2.1"), Some(sid(1)));
        assert_eq!(trunk("192.0.2.9"), Some(sid(3)), "192.0.2.9/32 is longer than 192.0.2.0/24");
        assert_eq!(trunk("::ffff:192.0.2.9"), Some(sid(3)), "mapped into IPv6");
        assert_eq!(trunk("2001:db8::7"), Some(sid(2)));
        assert_eq!(trunk("2001:db9::7"), None);
    }

    #[test]
    fn a_network_inside_another_carriers_takes_none_of_its_calls() {
        let directory = directory();
        let trunk = |source: &str| directory.trunk_of(source.parse().unwrap()).map(|trunk| trunk.sid.clone());
        assert_eq!(
            trunk("192.0.2.7"),
            Some(sid(1)),
            "carrier 2 names 192.0.2.7/32 inside carrier 1's network"
        );
        assert_eq!(
            trunk("2001:db8:1::7"),
            Some(sid(2)),
            "carrier 1 names 2001:db8:1::/48 inside carrier 2's"
        );
        assert_eq!(trunk("192.0.3.9"), Some(sid(2)), "carrier 1's wider network takes none of carrier 2's");
        assert_eq!(trunk("192.0.3.8"), Some(sid(5)));
    }

    #[test]
    fn the_number_of_another_carrier_is_not_found() {
        assert_eq!(to(&directory(), "192.0.3.9", "+85512345678").1, 404);
    }

    #[test]
    fn the_caller_is_spelled_as_a_number_where_it_is_one() {
        let cambodia = "KH".parse().ok();
        for (said, shown) in [
            ("+15551230000", "+15551230000"),
            ("15551230000", "+15551230000"),
            ("012345678", "+85512345678"),
            ("1234", "1234"),
            ("0015551230000", "+15551230000"),
            ("anonymous", "anonymous"),
            ("a\r\nb", "ab"),
            ("", ""),
        ] {
            assert_eq!(spelled(said, cambodia), shown, "{said:?}");
        }
        assert_eq!(spelled("2125551234", "US".parse().ok()), "+12125551234");
    }
}
