//! Who is calling whom: source address to trunk, dialled number to account, and the way out.
//!
//! Pure. A [`Directory`] is an immutable snapshot; whoever follows the log swaps in a new one, and a call keeps the one
//! it began with.

mod directory;
mod identity;
mod inbound;
mod outbound;
mod silent;
mod ways;

pub use directory::{AccountEntry, Directory, NumberEntry, TrunkEntry};
pub use identity::Identity;
pub use inbound::{Inbound, Refusal, Taken};
pub use outbound::{NoRoute, Route, caller_user};
pub use silent::Silent;
pub use ways::{Next, Ways};

#[cfg(test)]
mod testing {
    //! A small network: two carriers, three trunks, some numbers.

    use super::*;
    use domain::{
        Kind, Sid,
        limits::Limits,
        phone_number::VoiceConfiguration,
        route::{NumberClaims, SourceClaims},
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
        let sources: Vec<_> = sources.iter().map(|source| source.parse().unwrap()).collect();
        TrunkEntry {
            sid: sid(number),
            carrier: carrier(of),
            country: "KH".parse().ok(),
            claims: SourceClaims::default().configured(&sources, false, 1),
            inbound: Some(InboundSide { sources, ..InboundSide::default() }),
            outbound,
            password: None,
        }
    }

    /// A number of a carrier's account, in its inventory since `since`.
    pub(super) fn entry(of: u128, text: &str, since: i64) -> NumberEntry {
        let claims = NumberClaims { since, granted: vec![] };
        let own = number(text, Some(of), true, Some("https://example.com/voice"));
        NumberEntry { carrier: carrier(of), claims, ..own }
    }

    /// Trunks 1, 2, … of these carriers, each with one source since then.
    pub(super) fn shared_trunks(sources: &[(u128, &str, i64)]) -> Vec<TrunkEntry> {
        let trunks = sources.iter().zip(1..).map(|((of, source, since), no)| TrunkEntry {
            claims: SourceClaims::default().configured(&[source.parse().unwrap()], false, *since),
            ..trunk(no, *of, &[source], None)
        });
        trunks.collect()
    }

    /// Carriers that are called from each other's addresses, and their numbers, each since then.
    pub(super) fn shared(sources: &[(u128, &str, i64)], numbers: &[(u128, &str, i64)]) -> Directory {
        let numbers = numbers.iter().map(|(of, text, since)| entry(*of, text, *since));
        Directory::new(shared_trunks(sources), numbers.collect(), vec![])
    }

    fn number(text: &str, owner: Option<u128>, enabled: bool, url: Option<&str>) -> NumberEntry {
        let voice_url = url.map(|url| url.parse().unwrap());
        let voice = VoiceConfiguration { voice_url, ..VoiceConfiguration::default() };
        let (number, account) = (text.parse().unwrap(), owner.map(account));
        let claims = NumberClaims { since: 1, granted: vec![] };
        NumberEntry {
            sid: of(Kind::PhoneNumber, 1),
            carrier: carrier(1),
            number,
            account,
            enabled,
            voice,
            claims,
        }
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
            trunk(5, 1, &["2001:db8:1::/48"], None),
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
