//! Who is calling whom: source address to trunk, dialled number to account, and the way out.
//!
//! Pure. A [`Directory`] is an immutable snapshot; whoever follows the log swaps in a new one, and a call keeps the one
//! it began with.

mod directory;
mod identity;
mod inbound;
mod outbound;
mod ways;

pub use directory::{AccountEntry, Directory, NumberEntry, TrunkEntry};
pub use identity::Identity;
pub use inbound::{Inbound, Refusal, Taken};
pub use outbound::{NoRoute, Route, caller_user};
pub use ways::{Next, Ways};

#[cfg(test)]
mod testing {
    //! A small network: two carriers, three trunks, some numbers.

    use super::*;
    use domain::{
        Kind, Sid,
        limits::Limits,
        phone_number::VoiceConfiguration,
        trunk::{Inbound as InboundSide, Outbound},
    };

    pub(super) fn sid(number: u128) -> Sid {
        of(Kind::Trunk, number)
    }

    pub(super) fn carrier(number: u128) -> Sid {
        of(Kind::Carrier, number)
    }

    pub(super) fn account(number: u128) -> Sid {
        of(Kind::Account, number)
    }

    fn of(kind: Kind, number: u128) -> Sid {
        let hex =
            format!("{}{number:032x}", Sid::from_uuid(kind, Default::default()).as_str().get(..2).unwrap());
        hex.parse().unwrap()
    }

    fn trunk(number: u128, of: u128, sources: &[&str], outbound: Option<Outbound>) -> TrunkEntry {
        let sources = sources.iter().map(|source| source.parse().unwrap()).collect();
        let country = "KH".parse().ok();
        let inbound = Some(InboundSide { sources, ..InboundSide::default() });
        TrunkEntry { sid: sid(number), carrier: carrier(of), country, inbound, outbound, password: None }
    }

    fn number(text: &str, owner: Option<u128>, enabled: bool, url: Option<&str>) -> NumberEntry {
        let voice_url = url.map(|url| url.parse().unwrap());
        let voice = VoiceConfiguration { voice_url, ..VoiceConfiguration::default() };
        let (number, account) = (text.parse().unwrap(), owner.map(account));
        NumberEntry { sid: of(Kind::PhoneNumber, 1), carrier: carrier(1), number, account, enabled, voice }
    }

    pub(super) fn out(host: &str, prefix: &str, plus_prefix: bool, trunk_prefix: bool) -> Outbound {
        let dial_string_prefix = prefix.into();
        Outbound { dial_string_prefix, plus_prefix, trunk_prefix, ..Outbound::to(host.parse().unwrap()) }
    }

    pub(super) fn directory() -> Directory {
        build(None)
    }

    pub(super) fn directory_with(outbound: Outbound) -> Directory {
        build(Some(outbound))
    }

    fn build(outbound: Option<Outbound>) -> Directory {
        let url = Some("https://example.com/voice");
        let trunks = vec![
            trunk(1, 1, &["192.0.2.0/24"], outbound),
            trunk(2, 2, &["192.0.3.9/32", "2001:db8::/32"], None),
            trunk(3, 1, &["192.0.2.9/32"], None),
            trunk(4, 2, &["192.0.2.7/32"], None),
            trunk(5, 1, &["2001:db8:1::/48", "192.0.3.0/24"], None),
        ];
        let numbers = vec![
            number("+85512345678", Some(1), true, url),
            number("1234", Some(1), true, url),
            number("2000", None, true, url),
            number("2001", Some(1), false, url),
            number("2002", Some(2), true, url),
            number("2003", Some(1), true, None),
        ];
        let account_entry = |number, enabled| AccountEntry {
            sid: account(number),
            carrier: carrier(1),
            enabled,
            country: "KH".parse().ok(),
            limits: Limits::default(),
        };
        Directory::new(trunks, numbers, vec![account_entry(1, true), account_entry(2, false)])
    }
}
