//! `carriers`: one row per carrier.

use crate::machine::{
    biography::{Biography, Nonsense, Turn},
    record::table,
};
use domain::{
    Sid, Timestamp,
    carrier::{Carrier, CarrierEvent},
    country::Country,
    name::Name,
};
use serde::{Deserialize, Serialize};
use store::Fact;

/// A carrier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CarrierRow {
    /// Its identifier.
    pub sid: Sid,
    /// The same again: every row names its carrier.
    #[serde(skip_serializing)]
    pub carrier: Sid,
    /// Always empty.
    #[serde(skip)]
    pub account: Option<Sid>,
    /// Company name.
    pub name: Name,
    /// Where it operates.
    pub country: Country,
    /// Since when, as a position of the log: its trunks read national numbers by it.
    #[serde(skip_serializing)]
    pub country_since: i64,
    /// The first label of its dashboard's address.
    pub subdomain: String,
    /// When it signed up.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How many events it has had: what it is changed at.
    pub version: i64,
}

table!(CarrierRow: "carriers" v 2, key [sid],
    columns [sid, carrier, account, name, country, country_since, subdomain, created_at, updated_at, version],
    indexes [["carrier"], ["subdomain"]]);

impl Biography for CarrierRow {
    type Of = Carrier;

    fn sid(&self) -> &Sid {
        &self.sid
    }

    fn turn(row: Option<CarrierRow>, fact: &Fact, event: CarrierEvent) -> Turn<CarrierRow> {
        use CarrierEvent as E;
        let row = match (row, event) {
            (None, E::SignedUp { name, country, subdomain }) => CarrierRow {
                sid: fact.stream.clone(),
                carrier: fact.stream.clone(),
                account: None,
                name,
                country,
                country_since: fact.position,
                subdomain: subdomain.into(),
                created_at: fact.at,
                updated_at: fact.at,
                version: 1,
            },
            (Some(row), E::SettingsUpdated { name, country }) => {
                let country_since = if country == row.country { row.country_since } else { fact.position };
                CarrierRow { name, country, country_since, ..row }
            }
            // Keys have a table of their own.
            (Some(row), E::ApiKeyCreated { .. } | E::ApiKeyRevoked { .. }) => {
                return Ok(Some(CarrierRow { version: fact.sequence, ..row }));
            }
            (None, _) | (Some(_), E::SignedUp { .. }) => return Err(Nonsense::out_of_order(fact)),
        };
        Ok(Some(CarrierRow { updated_at: fact.at, version: fact.sequence, ..row }))
    }
}
