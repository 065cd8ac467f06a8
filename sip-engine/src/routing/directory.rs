//! The snapshot calls are routed by.

use domain::{
    Number, Sid,
    caller_id::is_theirs,
    country::Country,
    emergency::is_emergency,
    limits::Limits,
    phone_number::VoiceConfiguration,
    route::{NumberClaims, SourceClaims},
    sip_address::SipAddress,
    trunk::{Inbound, Outbound, canonical},
};
use ipnet::IpNet;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

/// A trunk as routing sees it.
#[derive(Clone)]
pub struct TrunkEntry {
    /// Its identifier.
    pub sid: Sid,
    /// Whose it is.
    pub carrier: Sid,
    /// Whose national numbers it dials: the trunk's country, or else the carrier's.
    pub country: Option<Country>,
    /// Who is taken to be it, if it takes calls.
    pub inbound: Option<Inbound>,
    /// Since when it has its sources.
    pub claims: SourceClaims,
    /// How to call through it, if one can.
    pub outbound: Option<Outbound>,
    /// The digest password that goes with `outbound`'s user name.
    pub password: Option<Arc<str>>,
}

impl std::fmt::Debug for TrunkEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrunkEntry")
            .field("sid", &self.sid)
            .field("sources", &self.sources())
            .finish_non_exhaustive()
    }
}

impl TrunkEntry {
    /// Where its INVITEs come from; empty when it takes no calls.
    #[must_use]
    pub fn sources(&self) -> &[IpNet] {
        self.inbound.as_ref().map_or(&[], |inbound| &inbound.sources)
    }

    /// Whom a call through it says to be from, as applications are told.
    #[must_use]
    pub fn spelled(&self, said: &str) -> String {
        super::inbound::spelled(said, self.country)
    }

    /// Whom its network vouches for as the caller (RFC 3325), when an operator trusts it with that.
    #[must_use]
    pub fn asserts(&self, said: Option<&str>) -> Option<String> {
        let trusted = self.inbound.as_ref().is_some_and(|inbound| inbound.trusted);
        said.filter(|_| trusted).map(|said| self.spelled(said))
    }
}

/// A phone number as routing sees it.
#[derive(Clone, Debug)]
pub struct NumberEntry {
    /// Its identifier.
    pub sid: Sid,
    /// Whose inventory it is in.
    pub carrier: Sid,
    /// The number.
    pub number: Number,
    /// The account it is assigned to.
    pub account: Option<Sid>,
    /// Whether it takes calls.
    pub enabled: bool,
    /// What answers it.
    pub voice: VoiceConfiguration,
    /// Since when it is the carrier's.
    pub claims: NumberClaims,
}

/// An account as routing sees it.
#[derive(Clone, Debug)]
pub struct AccountEntry {
    /// Its identifier.
    pub sid: Sid,
    /// Whose customer it is.
    pub carrier: Sid,
    /// Whether it may call.
    pub enabled: bool,
    /// Whose national numbers it writes: its carrier's country.
    pub country: Option<Country>,
    /// How much it may call, and where to.
    pub limits: Limits,
}

/// Everything routing knows.
#[derive(Debug, Default)]
pub struct Directory {
    /// By length of the network, longest last: those who have it, by index in `trunks`.
    sources: BTreeMap<u8, HashMap<IpNet, Vec<usize>>>,
    pub(super) trunks: Vec<TrunkEntry>,
    numbers: HashMap<(Sid, Box<str>), NumberEntry>,
    accounts: HashMap<Sid, AccountEntry>,
    newest_claim: i64,
    carriers: usize,
}

impl Directory {
    /// A snapshot of these.
    #[must_use]
    pub fn new(
        mut trunks: Vec<TrunkEntry>,
        numbers: Vec<NumberEntry>,
        accounts: Vec<AccountEntry>,
    ) -> Directory {
        trunks.sort_by(|one, other| one.sid.cmp(&other.sid));
        let mut sources: BTreeMap<u8, HashMap<IpNet, Vec<usize>>> = BTreeMap::new();
        for (index, trunk) in trunks.iter().enumerate() {
            for source in trunk.sources().iter().copied().map(canonical) {
                sources.entry(source.prefix_len()).or_default().entry(source).or_default().push(index);
            }
        }
        let key = |entry: &NumberEntry| (entry.carrier.clone(), Box::from(entry.number.digits()));
        let numbers = numbers.into_iter().map(|entry| (key(&entry), entry)).collect();
        let accounts = accounts.into_iter().map(|entry| (entry.sid.clone(), entry)).collect();
        let claims = trunks.iter().flat_map(|trunk| &trunk.claims.sources);
        let newest_claim = claims.map(|(_, since)| *since).max().unwrap_or_default();
        let carriers = carriers(&trunks, &accounts);
        Directory { sources, trunks, numbers, accounts, newest_claim, carriers }
    }

    /// The trunks that calls from this address may come through, whoever's: those with the narrowest network first, older
    /// ones first. IPv4 addresses mapped into IPv6 count as IPv4.
    pub fn trunks_of(&self, source: IpAddr) -> impl Iterator<Item = &TrunkEntry> {
        let source = source.to_canonical();
        let named = self.sources.iter().rev().filter_map(move |(length, networks)| {
            let network = IpNet::new(source, *length).ok()?.trunc();
            networks.get(&network)
        });
        named.flatten().filter_map(|index| self.trunks.get(*index))
    }

    /// Whether any trunk has this address as a source.
    #[must_use]
    pub fn knows(&self, source: IpAddr) -> bool {
        self.trunks_of(source).next().is_some()
    }

    /// The newest claim any trunk has to a source, as a position of the log.
    #[must_use]
    pub fn newest_claim(&self) -> i64 {
        self.newest_claim
    }

    /// The carrier that claimed this address first, of those that have it now.
    #[must_use]
    pub fn first_of(&self, source: IpAddr) -> Option<&Sid> {
        let source = source.to_canonical();
        let first = self.trunks_of(source).min_by_key(|trunk| trunk.claims.of(source).unwrap_or_default());
        first.map(|trunk| &trunk.carrier)
    }

    /// Since which claim, as a position of the log, this trunk's carrier is told of what comes from this address and is
    /// turned away: its own claim to the address, where no other carrier's is older; of an address that nobody has, since it
    /// claimed anything. `None` where it is told nothing.
    #[must_use]
    pub fn told_since(&self, trunk: &TrunkEntry, source: IpAddr) -> Option<i64> {
        let source = source.to_canonical();
        let others = self.trunks_of(source).filter(|other| other.carrier != trunk.carrier);
        let oldest = others.map(|other| other.claims.of(source).unwrap_or_default()).min();
        match trunk.claims.of(source) {
            Some(own) => oldest.is_none_or(|oldest| own < oldest).then_some(own),
            None if oldest.is_some() => None,
            None => Some(trunk.claims.sources.iter().map(|(_, since)| *since).min().unwrap_or_default()),
        }
    }

    /// The trunk of this identifier.
    #[must_use]
    pub fn trunk(&self, sid: &Sid) -> Option<&TrunkEntry> {
        let at = self.trunks.binary_search_by(|trunk| trunk.sid.cmp(sid)).ok()?;
        self.trunks.get(at)
    }

    /// Whose national numbers an account writes.
    #[must_use]
    pub fn country_of(&self, account: &Sid) -> Option<Country> {
        self.accounts.get(account)?.country
    }

    /// How much an account may call, and where to.
    #[must_use]
    pub fn limits_of(&self, account: &Sid) -> Limits {
        self.accounts.get(account).map(|entry| entry.limits.clone()).unwrap_or_default()
    }

    /// Whether an account that calls this calls for help, in its own country; by number, or by one at a switch's address.
    #[must_use]
    pub fn is_emergency(&self, account: &Sid, to: &str) -> bool {
        let phone: Result<SipAddress, _> = to.parse();
        is_emergency(phone.as_ref().map_or(to, |phone| &phone.user), self.country_of(account))
    }

    /// Whether calls come through more than one trunk.
    #[must_use]
    pub fn has_other_trunks(&self) -> bool {
        self.trunks.iter().filter(|trunk| !trunk.sources().is_empty()).nth(1).is_some()
    }

    /// How many carriers have calls, or may have: through a trunk, or by an account.
    #[must_use]
    pub fn carriers(&self) -> usize {
        self.carriers
    }

    /// Whose customer an account is.
    #[must_use]
    pub fn carrier_of(&self, account: &Sid) -> Option<&Sid> {
        self.accounts.get(account).map(|entry| &entry.carrier)
    }

    /// Whether there is more than one account.
    #[must_use]
    pub fn has_other_accounts(&self) -> bool {
        self.accounts.len() > 1
    }

    /// A number in a carrier's inventory, by its digits without plus.
    #[must_use]
    pub fn number(&self, carrier: &Sid, digits: &str) -> Option<&NumberEntry> {
        self.numbers.get(&(carrier.clone(), Box::from(digits)))
    }

    /// Whether this is a number that the account may show, and that we vouch for.
    #[must_use]
    pub fn owns(&self, account: &Sid, number: &Number) -> bool {
        let entry = self.accounts.get(account).and_then(|known| self.number(&known.carrier, number.digits()));
        entry.is_some_and(|entry| {
            entry.number == *number && is_theirs(account, entry.account.as_ref(), entry.enabled)
        })
    }

    /// Whether this account exists and may call.
    #[must_use]
    pub fn is_enabled(&self, account: &Sid) -> bool {
        self.accounts.get(account).is_some_and(|entry| entry.enabled)
    }
}

fn carriers(trunks: &[TrunkEntry], accounts: &HashMap<Sid, AccountEntry>) -> usize {
    let called = trunks.iter().filter(|trunk| !trunk.sources().is_empty()).map(|trunk| &trunk.carrier);
    called.chain(accounts.values().map(|account| &account.carrier)).collect::<HashSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use crate::routing::testing::*;

    #[test]
    fn whoever_claims_an_address_later_is_told_nothing_of_it() {
        let directory = shared(&[(1, "203.0.113.7/32", 3), (2, "203.0.113.0/24", 8)], &[]);
        let told = |trunk: u128, source: &str| {
            directory.told_since(directory.trunk(&sid(trunk)).unwrap(), source.parse().unwrap())
        };
        assert_eq!((told(1, "203.0.113.7"), told(2, "203.0.113.7")), (Some(3), None));
        assert_eq!((told(1, "203.0.113.8"), told(2, "203.0.113.8")), (None, Some(8)));
        assert_eq!((told(1, "203.0.112.1"), told(2, "203.0.112.1")), (Some(3), Some(8)), "nobody has it");
        assert_eq!(directory.newest_claim(), 8);
        let carrier = |trunk: u128| directory.trunk(&sid(trunk)).map(|trunk| trunk.carrier.clone());
        assert_eq!(directory.first_of("203.0.113.7".parse().unwrap()).cloned(), carrier(1));
        assert_eq!(directory.first_of("203.0.113.8".parse().unwrap()).cloned(), carrier(2));
        assert_eq!(directory.first_of("203.0.112.1".parse().unwrap()), None);
    }
}
