//! `trunks`: one row per SIP trunk that has not been deleted.

use super::networks;
use crate::machine::{
    biography::{Biography, Nonsense, Turn},
    needle::Needle,
    order::By,
    pieces::{Field, Text},
    reads::{Noun, present},
    record::table,
};
use domain::{
    Sid, Timestamp,
    name::{Name, folded},
    route::SourceClaims,
    trunk::{Inbound, Outbound, Trunk, TrunkEvent},
};
use sea_query::Cond;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::Fact;

/// A SIP trunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrunkRow {
    /// Its identifier.
    pub sid: Sid,
    /// The carrier it connects.
    pub carrier: Sid,
    /// Always empty: trunks are the carrier's.
    #[serde(skip)]
    pub account: Option<Sid>,
    /// Friendly name.
    pub name: Name,
    /// The name as names are compared.
    #[serde(skip_serializing)]
    pub folded: String,
    /// Who is taken to be it, if it takes calls.
    pub inbound: Option<Inbound>,
    /// How to call through it, if it does.
    pub outbound: Option<Outbound>,
    /// How often its digest password was set: 0 when there is none. A new number means a new password in the vault.
    pub credential_version: i64,
    /// The name its digest password has in the vault; none for the one it was made with.
    pub credential: Option<String>,
    /// Since when it has its sources.
    pub claims: SourceClaims,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How many events it has had: what it is changed at.
    pub version: i64,
}

table!(TrunkRow: "trunks" v 7, key [sid],
    columns [sid, carrier, account, name, folded, inbound, outbound, credential_version, credential, claims, created_at,
        updated_at, version],
    indexes [["carrier", "sid"], ["carrier", "folded", "sid"]]);

impl Biography for TrunkRow {
    type Of = Trunk;

    const SEARCHED: bool = true;

    fn texts(&self) -> Vec<Text> {
        let name = Text { carrier: self.carrier.clone(), field: Field::Name, text: self.folded.clone() };
        std::iter::once(name).chain(networks::texts(&self.claims)).collect()
    }

    fn sid(&self) -> &Sid {
        &self.sid
    }

    fn turn(row: Option<TrunkRow>, fact: &Fact, event: TrunkEvent) -> Turn<TrunkRow> {
        use TrunkEvent as E;
        let row = match (row, event) {
            (None, E::Created { name, inbound, outbound, .. }) => {
                let carrier = fact.tenant.carrier.clone();
                let row = TrunkRow::created(fact.stream.clone(), carrier, name, (None, outbound), fact.at);
                row.taking(inbound, fact.position)
            }
            (Some(row), E::Renamed { name }) => TrunkRow { folded: folded(name.as_str()), name, ..row },
            (Some(row), E::InboundConfigured(inbound)) => row.taking(inbound, fact.position),
            (Some(row), E::OutboundConfigured(outbound)) => TrunkRow { outbound, ..row },
            (Some(row), E::CredentialReplaced { secret }) => {
                TrunkRow { credential_version: row.credential_version + 1, credential: secret, ..row }
            }
            (Some(_), E::Deleted {}) => return Ok(None),
            (None, _) | (Some(_), E::Created { .. }) => return Err(Nonsense::out_of_order(fact)),
        };
        Ok(Some(TrunkRow { updated_at: fact.at, version: fact.sequence, ..row }))
    }

    /// Its carrier's other trunks may have had its sources for longer.
    fn kin(fact: &Fact, event: &TrunkEvent) -> Option<(&'static str, String)> {
        use TrunkEvent as E;
        let takes = matches!(event, E::Created { inbound: Some(_), .. } | E::InboundConfigured(Some(_)));
        takes.then(|| ("carrier", fact.tenant.carrier.as_str().to_owned()))
    }

    fn turn_among(
        row: Option<TrunkRow>,
        others: &HashMap<Sid, TrunkRow>,
        fact: &Fact,
        event: TrunkEvent,
    ) -> Turn<TrunkRow> {
        let takes = TrunkRow::kin(fact, &event).is_some();
        let begins = row.as_ref().is_none_or(|row| row.inbound.is_none());
        let row = TrunkRow::turn(row, fact, event)?;
        Ok(row.map(|row| if takes { row.inheriting(others, begins) } else { row }))
    }
}

impl TrunkRow {
    /// With this inbound side since `position`.
    fn taking(self, inbound: Option<Inbound>, position: i64) -> TrunkRow {
        let country = |side: &Option<Inbound>| side.as_ref().map(|side| side.country);
        let same = country(&self.inbound) == country(&inbound);
        let sources = inbound.as_ref().map_or(&[][..], |side| &side.sources);
        TrunkRow { claims: self.claims.configured(sources, same, position), inbound, ..self }
    }

    /// With the age its addresses have in the carrier's other trunks; and, where it begins to take calls, with the age of
    /// how they all read national numbers there, if it reads them like those.
    fn inheriting(self, others: &HashMap<Sid, TrunkRow>, begins: bool) -> TrunkRow {
        let kin = others.values().filter(|other| other.carrier == self.carrier && other.sid != self.sid);
        let kin: Vec<&TrunkRow> = kin.filter(|other| other.claims.meets(&self.claims)).collect();
        let country = self.inbound.as_ref().map(|side| side.country);
        let reads_alike = |other: &&TrunkRow| other.inbound.as_ref().map(|side| side.country) == country;
        let alike = begins && kin.iter().all(reads_alike);
        let read = kin.iter().map(|other| other.claims.country).max().filter(|_| alike);
        let mut claims = self.claims.clone();
        for other in kin {
            claims = claims.inheriting(&other.claims);
        }
        claims.country = read.map_or(claims.country, |since| since.min(claims.country));
        TrunkRow { claims, ..self }
    }

    /// A trunk that was just made, without a password.
    #[must_use]
    pub fn created(
        sid: Sid,
        carrier: Sid,
        name: Name,
        (inbound, outbound): (Option<Inbound>, Option<Outbound>),
        at: Timestamp,
    ) -> TrunkRow {
        TrunkRow {
            sid,
            carrier,
            account: None,
            folded: folded(name.as_str()),
            name,
            inbound,
            outbound,
            credential_version: 0,
            credential: None,
            claims: SourceClaims::default(),
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }
}

/// Which trunks; an absent field asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrunkFilter {
    /// Part of the name, in any case.
    pub name: Option<String>,
    /// Takes calls, or does not.
    pub inbound: Option<bool>,
    /// Places calls, or does not.
    pub outbound: Option<bool>,
}

impl Noun for TrunkRow {
    type Filter = TrunkFilter;

    fn rest(filter: &TrunkFilter) -> Cond {
        Cond::all()
            .add_option(filter.inbound.map(|wanted| present("inbound", wanted)))
            .add_option(filter.outbound.map(|wanted| present("outbound", wanted)))
    }

    fn served(_: &TrunkFilter) -> Cond {
        Cond::all()
    }

    fn needles(filter: &TrunkFilter) -> Vec<Needle> {
        filter.name.as_deref().and_then(|text| Needle::name("folded", "", text)).into_iter().collect()
    }

    fn ordered(by: By) -> Option<&'static str> {
        (by == By::Name).then_some("folded")
    }

    fn place(&self, by: By) -> String {
        if by == By::Name { self.folded.clone() } else { String::new() }
    }
}
