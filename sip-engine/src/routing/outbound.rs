//! A call's way out: the carrier's trunk, and how the number is written for it.

use super::{Directory, TrunkEntry};
use domain::{
    Number, Sid,
    call::EndReason,
    country::Country,
    emergency::is_emergency,
    limits::Forbidden,
    sip_address::SipAddress,
    trunk::{Outbound, Transport},
};
use std::sync::Arc;

/// How to place one call.
#[derive(Clone)]
pub struct Route {
    /// Through which trunk.
    pub trunk: Sid,
    /// The user part for the callee, escaped for a SIP URI.
    pub to_user: String,
    /// The user part for the caller, escaped for a SIP URI.
    pub from_user: String,
    /// The trunk's host, a name or an address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the trunk names that port. Where it does not, a host name's SRV records tell it (RFC 3263 section 4.2).
    pub port_given: bool,
    /// UDP or TCP.
    pub transport: Transport,
    /// User name and password, where the trunk has them.
    pub credentials: Option<(String, Arc<str>)>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route")
            .field("trunk", &self.trunk)
            .field("uri", &self.request_uri())
            .finish_non_exhaustive()
    }
}

/// Why a call cannot be placed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// The text is neither E.164 nor a short code (Twilio 13223).
    #[error("not a number that can be called")]
    NotANumber,
    /// The carrier has no trunk for outbound calls (Twilio 13224).
    #[error("the carrier has no trunk for outbound calls")]
    NoTrunk,
    /// None of the carrier's trunks has this phone's address among its sources.
    #[error("no inbound trunk has this phone's address among its sources")]
    StrangersPhone,
    /// The account is disabled or unknown.
    #[error("the account is disabled")]
    AccountDisabled,
    /// It is an emergency number, and no trunk of the carrier takes emergency calls (Twilio 13225).
    #[error("this is an emergency number, and none of the carrier's trunks takes emergency calls")]
    Emergency,
    /// The account may not call there (Twilio 13227).
    #[error("{0}")]
    Forbidden(Forbidden),
}

impl NoRoute {
    /// Why the call ends, then.
    #[must_use]
    pub fn reason(&self) -> EndReason {
        match self {
            NoRoute::NotANumber => EndReason::DestinationNotFound,
            NoRoute::NoTrunk | NoRoute::StrangersPhone => EndReason::NoRoute,
            NoRoute::AccountDisabled => EndReason::AccountDisabled,
            NoRoute::Emergency => EndReason::EmergencyNotTaken,
            NoRoute::Forbidden(_) => EndReason::DestinationForbidden,
        }
    }
}

impl Route {
    /// `sip:user@host:port`, with `;transport=tcp` where it is TCP. See [`Route::authority`].
    #[must_use]
    pub fn request_uri(&self) -> String {
        let transport = if self.transport == Transport::Tcp { ";transport=tcp" } else { "" };
        format!("sip:{}@{}{transport}", self.to_user, self.authority())
    }

    /// `host:port`, an IPv6 address in brackets; without the port where the trunk names none: a next hop that read one would
    /// ask for no SRV records (RFC 3263 section 4.2).
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port_given { format!("{host}:{}", self.port) } else { host }
    }
}

impl Directory {
    /// How `account` of `carrier` calls `to`: the carrier's trunks for outbound calls in the order they are tried, the
    /// oldest first. Never empty.
    ///
    /// # Errors
    /// [`NoRoute`] when it cannot.
    pub fn outbound(
        &self,
        carrier: &Sid,
        account: &Sid,
        from: &str,
        to: &str,
    ) -> Result<Vec<Route>, NoRoute> {
        if let Ok(phone) = to.parse() {
            return self.to_phone(carrier, account, from, &phone).map(|route| vec![route]);
        }
        let number = Number::stored(to).map_err(|_| NoRoute::NotANumber)?;
        // Whatever a customer owes its carrier, who calls for help is let through.
        let emergency = self.is_emergency(account, to);
        if !emergency && !self.is_enabled(account) {
            return Err(NoRoute::AccountDisabled);
        }
        self.may_call(account, emergency, &number)?;
        let own = || self.trunks.iter().filter(|trunk| trunk.carrier == *carrier && trunk.outbound.is_some());
        let routes: Vec<_> = own()
            .filter(|trunk| trunk.may_take(emergency || trunk.sends_for_help(&number), to))
            .filter_map(|trunk| route(trunk, from, &number))
            .collect();
        let none = if emergency || own().next().is_some() { NoRoute::Emergency } else { NoRoute::NoTrunk };
        if routes.is_empty() { Err(none) } else { Ok(routes) }
    }

    /// An account calls where it may, and for help anywhere.
    fn may_call(&self, account: &Sid, emergency: bool, number: &Number) -> Result<(), NoRoute> {
        let limits = self.limits_of(account);
        let allowed = if emergency { Ok(()) } else { limits.allow(number, self.country_of(account)) };
        allowed.map_err(NoRoute::Forbidden)
    }
}

impl TrunkEntry {
    /// Calls for help, in the account's country or where they arrive, go only through trunks that take them.
    fn may_take(&self, emergency: bool, dialled: &str) -> bool {
        self.takes_emergencies() || !(emergency || self.hears_an_emergency(dialled))
    }

    fn takes_emergencies(&self) -> bool {
        self.outbound.as_ref().is_some_and(|outbound| outbound.emergency)
    }

    /// Whether these digits call for help where its calls arrive: another country's short code may be its ambulance.
    fn hears_an_emergency(&self, dialled: &str) -> bool {
        let country = self.outbound.as_ref().and_then(|outbound| outbound.country).or(self.country);
        country.is_some_and(|country| is_emergency(dialled, Some(country)))
    }

    /// Whether this number calls for help in one of the forms in which it leaves through the trunk.
    fn sends_for_help(&self, number: &Number) -> bool {
        self.outbound.as_ref().is_some_and(|outbound| outbound.calls_for_help(number, self.country))
    }
}

/// The way through this trunk, if calls go through it.
fn route(trunk: &TrunkEntry, from: &str, number: &Number) -> Option<Route> {
    let outbound = trunk.outbound.as_ref()?;
    let (host, port) = outbound.host.name_and_port();
    Some(Route {
        trunk: trunk.sid.clone(),
        to_user: escaped(&outbound.dial_string(number, trunk.country)),
        from_user: caller_user(outbound, trunk.country, from),
        host: host.to_owned(),
        port,
        port_given: outbound.host.names_port(),
        transport: outbound.transport,
        credentials: outbound.username.clone().zip(trunk.password.clone()),
    })
}

impl Directory {
    /// How a phone is rung at its own address: only where the carrier's calls may come from, so that nobody has calls sent
    /// to a stranger's address. A switch may be there as well, for which the user is a number: it is called under the same
    /// rules as through a trunk.
    fn to_phone(
        &self,
        carrier: &Sid,
        account: &Sid,
        from: &str,
        phone: &SipAddress,
    ) -> Result<Route, NoRoute> {
        if !self.is_enabled(account) {
            return Err(NoRoute::AccountDisabled);
        }
        let emergency = self.is_emergency(account, &phone.user);
        if let Ok(number) = Number::written_in(&phone.user, self.country_of(account)) {
            self.may_call(account, emergency, &number)?;
        }
        let has = |trunk: &&TrunkEntry| trunk.sources().iter().any(|source| source.contains(&phone.ip));
        let own = self.trunks.iter().filter(|trunk| trunk.carrier == *carrier).filter(has);
        let (there, mut taking) =
            (own.clone().count(), own.filter(|trunk| trunk.may_take(emergency, &phone.user)));
        let none = if there == 0 { NoRoute::StrangersPhone } else { NoRoute::Emergency };
        let trunk = taking.next().ok_or(none)?;
        Ok(Route {
            trunk: trunk.sid.clone(),
            to_user: if phone.user.is_empty() { "test".into() } else { escaped(&phone.user) },
            from_user: escaped(from),
            host: phone.ip.to_string(),
            port: phone.port,
            port_given: true,
            transport: Transport::Udp,
            credentials: None,
        })
    }
}

/// The user part for a caller, in the form the trunk wants numbers in; what is no number as it is. Escaped for a SIP URI.
#[must_use]
pub fn caller_user(outbound: &Outbound, home: Option<Country>, from: &str) -> String {
    escaped(&Number::stored(from).map_or_else(|_| from.to_owned(), |number| outbound.caller(&number, home)))
}

/// RFC 3261 section 25.1: `user` is unreserved, user-unreserved or escaped.
fn escaped(user: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()&=+$,;?/".contains(c);
    let mut escaped = String::new();
    for c in user.chars().take(64) {
        if plain(c) {
            escaped.push(c);
        } else {
            let mut buffer = [0; 4];
            c.encode_utf8(&mut buffer).bytes().for_each(|byte| escaped.push_str(&format!("%{byte:02X}")));
        }
    }
    if escaped.is_empty() { "anonymous".into() } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::testing::*;

    fn uri(directory: &Directory, to: &str) -> String {
        directory
            .outbound(&carrier(1), &account(1), "+85512345678", to)
            .map_or_else(|no| no.to_string(), |routes| routes[0].request_uri())
    }

    #[test]
    fn the_dial_string_follows_the_trunks_rules() {
        let cases = [
            ("", false, false, "sip:85510000001@sip.example.com:5080"),
            ("", true, false, "sip:+85510000001@sip.example.com:5080"),
            ("9#", false, false, "sip:9%2385510000001@sip.example.com:5080"),
            ("", false, true, "sip:010000001@sip.example.com:5080"),
            ("7", false, true, "sip:7010000001@sip.example.com:5080"),
            ("99", true, false, "sip:+9985510000001@sip.example.com:5080"),
        ];
        for (prefix, plus, national, expected) in cases {
            let directory = directory_with(out("sip.example.com:5080", prefix, plus, national));
            assert_eq!(uri(&directory, "+85510000001"), expected);
        }
    }

    #[test]
    fn a_port_that_the_trunk_does_not_name_is_not_in_the_uri() {
        for (host, expected) in [
            ("sip.example.com", "sip:85510000001@sip.example.com"),
            ("sip.example.com:5060", "sip:85510000001@sip.example.com:5060"),
            ("192.0.2.1", "sip:85510000001@192.0.2.1"),
            ("[2001:db8::1]:5060", "sip:85510000001@[2001:db8::1]:5060"),
        ] {
            assert_eq!(uri(&directory_with(out(host, "", false, false)), "+85510000001"), expected);
        }
        let tcp = Outbound { transport: Transport::Tcp, ..out("sip.example.com", "", false, false) };
        assert_eq!(
            uri(&directory_with(tcp), "+85510000001"),
            "sip:85510000001@sip.example.com;transport=tcp"
        );
    }

    #[test]
    fn the_caller_has_no_dial_string_prefix() {
        let directory = directory_with(out("[2001:db8::1]", "9", true, false));
        let route = &directory.outbound(&carrier(1), &account(1), "+85512345678", "1234").unwrap()[0];
        assert_eq!(
            (route.from_user.as_str(), route.request_uri().as_str()),
            ("+85512345678", "sip:91234@[2001:db8::1]")
        );
        let route = &directory.outbound(&carrier(1), &account(1), "Mr \"X\"", "1234").unwrap()[0];
        assert_eq!(route.from_user, "Mr%20%22X%22");
    }

    #[test]
    fn a_number_that_is_an_emergency_where_the_trunk_leads_goes_only_where_such_calls_are_taken() {
        let german = Outbound { country: "DE".parse().ok(), ..out("sip.example.com", "", false, false) };
        let directory = directory_with(german.clone());
        assert_eq!(uri(&directory, "110"), NoRoute::Emergency.to_string(), "not one in Cambodia");
        assert_eq!(uri(&directory, "1234"), "sip:1234@sip.example.com");
        let directory = directory_with(Outbound { emergency: true, ..german });
        assert_eq!(uri(&directory, "110"), "sip:110@sip.example.com");
    }

    #[test]
    fn what_leaves_is_judged_as_the_trunks_country_reads_it() {
        let national = directory_with(out("sip.example.com", "", false, true));
        for to in ["+8550112", "+8550119", "+8550117", "+85500112", "00112", "011911", "1911"] {
            assert_eq!(uri(&national, to), NoRoute::Emergency.to_string(), "{to}");
        }
        for to in ["+855088163123456", "+855012025550123", "+85500881631234"] {
            let refused = uri(&national, to);
            assert!(refused.contains("is no number of its country"), "{to}: {refused}");
        }
        let nine = directory_with(out("sip.example.com", "9", false, false));
        assert_eq!(uri(&nine, "11"), NoRoute::Emergency.to_string(), "it would leave as 911");
        assert_eq!(uri(&nine, "1234"), "sip:91234@sip.example.com");
    }

    #[test]
    fn a_phone_is_rung_at_its_own_address_where_the_carriers_calls_may_come_from() {
        let directory = directory();
        assert_eq!(uri(&directory, "sip:me@192.0.2.40:5080"), "sip:me@192.0.2.40:5080");
        assert_eq!(uri(&directory, "sip:192.0.2.40"), "sip:test@192.0.2.40:5060");
        let strange = NoRoute::StrangersPhone.to_string();
        assert_eq!(uri(&directory, "sip:me@198.51.100.1"), strange);
        assert_eq!(uri(&directory, "sip:me@192.0.4.1"), strange);
    }

    #[test]
    fn a_number_at_a_switchs_address_is_called_as_through_a_trunk() {
        let directory = directory();
        for user in ["911", "119", "9-1-1"] {
            assert_eq!(uri(&directory, &format!("sip:{user}@192.0.2.40")), NoRoute::Emergency.to_string());
        }
        for user in ["+881612345678", "+15551230000", "+1-555-123-0000"] {
            let refused = uri(&directory, &format!("sip:{user}@192.0.2.40"));
            assert!(refused.contains("the account may not call"), "{user}: {refused}");
        }
        for user in ["+85510000001", "010000001", "1234", "alice"] {
            assert_eq!(
                uri(&directory, &format!("sip:{user}@192.0.2.40")),
                format!("sip:{user}@192.0.2.40:5060")
            );
        }
        let taking = Outbound { emergency: true, ..out("sip.example.com", "", false, false) };
        assert_eq!(uri(&directory_with(taking), "sip:119@192.0.2.40"), "sip:119@192.0.2.40:5060");
    }

    #[test]
    fn a_call_that_cannot_be_placed_says_why() {
        assert_eq!(uri(&directory(), "+85510000001"), NoRoute::NoTrunk.to_string());
        let directory = directory_with(out("sip.example.com", "", false, false));
        assert_eq!(uri(&directory, "someone"), NoRoute::NotANumber.to_string());
        let refused = directory.outbound(&carrier(1), &account(2), "1", "1234").unwrap_err();
        assert_eq!(refused, NoRoute::AccountDisabled);
    }
}
