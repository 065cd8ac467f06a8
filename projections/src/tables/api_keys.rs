//! `api_keys`: one row per Carrier API key, revoked ones included.

use crate::machine::{
    biography::{Biography, Nonsense, Turn},
    reads::{Noun, present},
    record::table,
};
use domain::{
    Sid, Timestamp,
    carrier::{Carrier, CarrierEvent},
    name::Name,
};
use sea_query::Cond;
use serde::{Deserialize, Serialize};
use store::Fact;

/// A Carrier API key; its secret's digest is in the vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRow {
    /// Its identifier.
    pub sid: Sid,
    /// The carrier it opens.
    pub carrier: Sid,
    /// Always empty: keys are the carrier's.
    #[serde(skip)]
    pub account: Option<Sid>,
    /// What it is for.
    pub name: Name,
    /// Its last four characters.
    pub last_four: String,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

table!(ApiKeyRow: "api_keys" v 1, key [sid],
    columns [sid, carrier, account, name, last_four, revoked_at, created_at],
    indexes [["carrier", "sid"]]);

impl Biography for ApiKeyRow {
    type Of = Carrier;

    fn subject(_: &Fact, event: &CarrierEvent) -> Option<Sid> {
        match event {
            CarrierEvent::ApiKeyCreated { key, .. } | CarrierEvent::ApiKeyRevoked { key } => {
                Some(key.clone())
            }
            CarrierEvent::SignedUp { .. } | CarrierEvent::SettingsUpdated { .. } => None,
        }
    }

    fn sid(&self) -> &Sid {
        &self.sid
    }

    fn turn(row: Option<ApiKeyRow>, fact: &Fact, event: CarrierEvent) -> Turn<ApiKeyRow> {
        use CarrierEvent as E;
        match (row, event) {
            // A log may hold a second birth, of a revoked key: the row is then the new one's.
            (_, E::ApiKeyCreated { key, name, last_four }) => Ok(Some(ApiKeyRow {
                sid: key,
                carrier: fact.tenant.carrier.clone(),
                account: None,
                name,
                last_four,
                revoked_at: None,
                created_at: fact.at,
            })),
            (Some(row), E::ApiKeyRevoked { .. }) => Ok(Some(ApiKeyRow { revoked_at: Some(fact.at), ..row })),
            (row, E::SignedUp { .. } | E::SettingsUpdated { .. }) => Ok(row),
            (None, E::ApiKeyRevoked { .. }) => Err(Nonsense::out_of_order(fact)),
        }
    }
}

/// Which keys; an absent field asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiKeyFilter {
    /// Revoked ones, or those that open.
    pub revoked: Option<bool>,
}

impl Noun for ApiKeyRow {
    type Filter = ApiKeyFilter;

    fn served(_: &ApiKeyFilter) -> Cond {
        Cond::all()
    }

    fn rest(filter: &ApiKeyFilter) -> Cond {
        Cond::all().add_option(filter.revoked.map(|wanted| present("revoked_at", wanted)))
    }
}
