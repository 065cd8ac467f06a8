//! `trunks`: one row per SIP trunk that has not been deleted.

use crate::{
    By, Needle,
    biography::{Biography, Nonsense, Turn},
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
    /// Since when it has its sources.
    pub claims: SourceClaims,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How many events it has had: what it is changed at.
    pub version: i64,
}

table!(TrunkRow: "trunks" v 3, key [sid],
    columns [sid, carrier, account, name, folded, inbound, outbound, credential_version, claims, created_at, updated_at, version],
    indexes [["carrier", "sid"], ["carrier", "folded", "sid"]]);

impl Biography for TrunkRow {
    type Of = Trunk;

    const SEARCHED: bool = true;

    fn texts(&self) -> Vec<Text> {
        vec![Text { carrier: self.carrier.clone(), field: Field::Name, text: self.folded.clone() }]
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
            (Some(row), E::CredentialReplaced {}) => {
                TrunkRow { credential_version: row.credential_version + 1, ..row }
            }
            (Some(_), E::Deleted {}) => return Ok(None),
            (None, _) | (Some(_), E::Created { .. }) => return Err(Nonsense::out_of_order(fact)),
        };
        Ok(Some(TrunkRow { updated_at: fact.at, version: fact.sequence, ..row }))
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
