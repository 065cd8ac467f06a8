//! An INVITE's way in: its source says which trunks it may come through, the dialled number decides among them, and
//! with it carrier and account. Where two carriers hold both, [`domain::route`] says whose the call is.

use super::{Directory, NumberEntry, TrunkEntry};
use domain::{
    Number, Sid, Tenant,
    call::{Callback, CallbackEvent, EndReason, Program},
    country::Country,
    e164::readings,
    phone_number::VoiceConfiguration,
    route::RouteClaim,
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
    /// Several carriers are called from there, and none of them has the number: it gets 404, and whose it was is not known.
    Nobodys,
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

impl Inbound {
    /// The SIP code it is refused with, if it is.
    #[must_use]
    pub fn refused_with(&self) -> Option<u16> {
        match self {
            Inbound::Taken(_) => None,
            Inbound::Stranger => Some(403),
            Inbound::Nobodys => Some(404),
            Inbound::Refused(refusal) => Some(refusal.code),
        }
    }
}

impl Directory {
    /// Where a call from `source` to `dialled` goes. `from` is the user part of its From header.
    #[must_use]
    pub fn inbound(&self, source: IpAddr, from: &str, dialled: &str) -> Inbound {
        let source = source.to_canonical();
        if let Some(Way { trunk, number, .. }) = self.way(source, dialled) {
            return self.to_number(trunk, number, spelled(from, trunk.country));
        }
        let mut trunks = self.trunks_of(source);
        match trunks.next() {
            None => Inbound::Stranger,
            Some(first) if trunks.all(|trunk| trunk.carrier == first.carrier) => {
                let (from, to) = (spelled(from, first.country), spelled(dialled, first.country));
                refuse(first, None, from, to, 404, EndReason::NumberNotFound)
            }
            Some(_) => Inbound::Nobodys,
        }
    }

    /// The trunk and number of whoever has calls from there to this number; within a carrier the trunk with the narrowest
    /// network.
    fn way(&self, source: IpAddr, dialled: &str) -> Option<Way<'_>> {
        let mut ways: Vec<Way<'_>> = Vec::new();
        for way in self.trunks_of(source).filter_map(|trunk| self.way_through(trunk, source, dialled)) {
            match ways.iter_mut().find(|known| known.trunk.carrier == way.trunk.carrier) {
                // A wider network it has had for longer is its claim as well.
                Some(known) if known.number.sid == way.number.sid => known.claim = known.claim.max(way.claim),
                Some(_) => {}
                None => ways.push(way),
            }
        }
        ways.into_iter().max_by_key(|way| way.claim)
    }

    fn way_through<'d>(&'d self, trunk: &'d TrunkEntry, source: IpAddr, dialled: &str) -> Option<Way<'d>> {
        let mut readings = readings(dialled, trunk.country).into_iter();
        let found = |(digits, national): (String, bool)| {
            self.number(&trunk.carrier, &digits).map(|number| (number, national))
        };
        let (number, national) = readings.find_map(found)?;
        let claim = RouteClaim::new(&trunk.claims, &number.claims, source, national)?;
        Some(Way { trunk, number, claim })
    }

    fn to_number(&self, trunk: &TrunkEntry, number: &NumberEntry, from: String) -> Inbound {
        let to = number.number.to_string();
        let (code, reason) = match (&number.account, number.voice.program()) {
            (None, _) => (404, EndReason::NumberNotFound),
            _ if !number.enabled => (403, EndReason::NumberDisabled),
            (Some(account), _) if !self.is_enabled(account) && !self.is_emergency(account, &to) => {
                (403, EndReason::AccountDisabled)
            }
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

/// One carrier's hold on a call.
struct Way<'d> {
    trunk: &'d TrunkEntry,
    number: &'d NumberEntry,
    claim: RouteClaim,
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

/// A party's number as it is shown: E.164 with plus or a short code; what the network said when it is neither.
pub(super) fn spelled(text: &str, country: Option<Country>) -> String {
    Number::written_in(text, country).map_or_else(|_| printable(text), |number| number.to_string())
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
            Inbound::Nobodys => ("nobody's".into(), 404),
        }
    }

    /// Through which trunk a call from there goes, whatever becomes of it.
    fn through(directory: &Directory, source: &str, dialled: &str) -> Option<Sid> {
        match directory.inbound(source.parse().unwrap(), "+15551230000", dialled) {
            Inbound::Taken(taken) => Some(taken.trunk),
            Inbound::Refused(refusal) => Some(refusal.trunk),
            Inbound::Stranger | Inbound::Nobodys => None,
        }
    }

    #[test]
    fn a_number_is_found_however_it_is_dialled() {
        let directory = directory();
        for dialled in
            ["+85512345678", "85512345678", "012345678", "0085512345678", "12345678", "+855 (0)12 345 678"]
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
    fn within_a_carrier_the_narrowest_network_has_the_call() {
        let directory = directory();
        let trunk = |source: &str| through(&directory, source, "1234");
        assert_eq!(trunk("192.0.2.1"), Some(sid(1)));
        assert_eq!(trunk("192.0.2.9"), Some(sid(3)), "192.0.2.9/32 is narrower than 192.0.2.0/24");
        assert_eq!(trunk("::ffff:192.0.2.9"), Some(sid(3)), "mapped into IPv6");
        assert_eq!(trunk("2001:db8:1::7"), Some(sid(5)));
        assert_eq!(trunk("2001:db9::7"), None);
    }

    #[test]
    fn two_carriers_called_from_one_address_each_get_their_numbers_calls() {
        let directory = shared(
            &[(1, "203.0.113.7/32", 10), (2, "203.0.113.7/32", 20)],
            &[(1, "+85512345678", 11), (2, "+85587654321", 21)],
        );
        assert_eq!(through(&directory, "203.0.113.7", "+85512345678"), Some(sid(1)));
        assert_eq!(through(&directory, "203.0.113.7", "+85587654321"), Some(sid(2)));
        assert_eq!(through(&directory, "203.0.113.7", "087654321"), Some(sid(2)), "as each dials it");
        assert_eq!(to(&directory, "203.0.113.7", "+85519999999"), ("nobody's".into(), 404));
    }

    #[test]
    fn the_width_of_a_source_takes_nobodys_calls() {
        let numbers = [(1, "+85512345678", 11), (2, "+85512345678", 21)];
        let directory = shared(&[(1, "203.0.113.0/24", 10), (2, "203.0.113.7/32", 20)], &numbers);
        assert_eq!(through(&directory, "203.0.113.7", "+85512345678"), Some(sid(1)), "its claim is older");
        let directory = shared(&[(1, "203.0.113.7/32", 30), (2, "203.0.113.0/24", 20)], &numbers);
        assert_eq!(through(&directory, "203.0.113.7", "+85512345678"), Some(sid(2)), "its claim is older");
    }

    #[test]
    fn a_later_claim_changes_no_route_whatever_comes_later() {
        let older = [(1, "203.0.113.7/32", 10), (2, "203.0.113.7/32", 5)];
        let directory = shared(&older, &[(1, "+85512345678", 11), (2, "+85512345678", 40)]);
        assert_eq!(
            through(&directory, "203.0.113.7", "+85512345678"),
            Some(sid(1)),
            "source first, number later"
        );
        let directory = shared(&older, &[(1, "+85512345", 11), (2, "012345", 40)]);
        assert_eq!(
            through(&directory, "203.0.113.7", "012345"),
            Some(sid(1)),
            "the same digits as a short code"
        );
        let narrower = [(1, "203.0.113.0/24", 10), (2, "203.0.113.7/32", 20), (1, "203.0.113.7/32", 50)];
        let directory = shared(&narrower, &[(1, "+85512345678", 11), (2, "+85512345678", 20)]);
        assert_eq!(
            through(&directory, "203.0.113.7", "+85512345678"),
            Some(sid(3)),
            "a trunk of its own beside"
        );
    }

    #[test]
    fn an_operator_moves_calls_to_the_later_carrier() {
        let both = [(1, "203.0.113.7/32", 10), (2, "203.0.113.0/24", 20)];
        let mut numbers = [entry(1, "+85512345678", 11), entry(2, "+85512345678", 21)];
        numbers[1].claims = numbers[1].claims.clone().with("203.0.113.7/32".parse().unwrap(), 30);
        let directory = Directory::new(shared_trunks(&both), numbers.to_vec(), vec![]);
        assert_eq!(through(&directory, "203.0.113.7", "+85512345678"), Some(sid(2)));
        assert_eq!(
            through(&directory, "203.0.113.8", "+85512345678"),
            Some(sid(2)),
            "it alone is called from there"
        );
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
        assert_eq!(spelled("01185512345678", "US".parse().ok()), "+85512345678");
    }
}
