//! `accounts`: one row per account.

use crate::machine::{
    biography::{Biography, Nonsense, Turn},
    needle::Needle,
    order::By,
    pieces::{Field, Text},
    reads::Noun,
    record::{is, table},
};
use domain::{
    Sid, Timestamp,
    account::{Account, AccountEvent},
    limits::Limits,
    name::{Name, folded},
};
use sea_query::Cond;
use serde::{Deserialize, Serialize};
use store::Fact;

/// An account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its identifier, the user name of its programs.
    pub sid: Sid,
    /// Its carrier.
    pub carrier: Sid,
    /// The same as `sid`: an account sees itself.
    #[serde(skip)]
    pub account: Option<Sid>,
    /// Friendly name.
    pub name: Name,
    /// The name as names are compared.
    #[serde(skip_serializing)]
    pub folded: String,
    /// Whether it may call.
    pub enabled: bool,
    /// How much it may call, and where to.
    pub limits: Limits,
    /// Which auth token opens it; the vault keeps it under this number.
    pub auth_token_version: i64,
    /// When its auth token was last made.
    pub auth_token_at: Timestamp,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How many events it has had: what it is changed at.
    pub version: i64,
}

table!(AccountRow: "accounts" v 5, key [sid],
    columns [sid, carrier, account, name, folded, enabled, limits, auth_token_version, auth_token_at, created_at, updated_at, version],
    indexes [["carrier", "sid"], ["carrier", "folded", "sid"]]);

impl Biography for AccountRow {
    type Of = Account;

    const SEARCHED: bool = true;

    fn texts(&self) -> Vec<Text> {
        vec![Text { carrier: self.carrier.clone(), field: Field::Name, text: self.folded.clone() }]
    }

    fn sid(&self) -> &Sid {
        &self.sid
    }

    fn turn(row: Option<AccountRow>, fact: &Fact, event: AccountEvent) -> Turn<AccountRow> {
        use AccountEvent as E;
        let row = match (row, event) {
            (None, E::Created { name, .. }) => {
                AccountRow::created(fact.stream.clone(), fact.tenant.carrier.clone(), name, fact.at)
            }
            (Some(row), E::Renamed { name }) => AccountRow { folded: folded(name.as_str()), name, ..row },
            // A look changes nothing of it, but its stream is one longer.
            (Some(row), E::AuthTokenShown {}) => {
                return Ok(Some(AccountRow { version: fact.sequence, ..row }));
            }
            (Some(row), E::Enabled {}) => AccountRow { enabled: true, ..row },
            (Some(row), E::Disabled {}) => AccountRow { enabled: false, ..row },
            (Some(row), E::Limited(limits)) => AccountRow { limits, ..row },
            (Some(row), E::AuthTokenReplaced { version }) => {
                AccountRow { auth_token_version: version, auth_token_at: fact.at, ..row }
            }
            (None, _) | (Some(_), E::Created { .. }) => return Err(Nonsense::out_of_order(fact)),
        };
        Ok(Some(AccountRow { updated_at: fact.at, version: fact.sequence, ..row }))
    }
}

impl AccountRow {
    /// An account that was just opened.
    #[must_use]
    pub fn created(sid: Sid, carrier: Sid, name: Name, at: Timestamp) -> AccountRow {
        AccountRow {
            account: Some(sid.clone()),
            sid,
            carrier,
            folded: folded(name.as_str()),
            name,
            enabled: true,
            limits: Limits::default(),
            auth_token_version: 1,
            auth_token_at: at,
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }
}

/// Which accounts; an absent field asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Part of the name, in any case.
    pub name: Option<String>,
    /// May call, or may not.
    pub enabled: Option<bool>,
}

impl Noun for AccountRow {
    type Filter = AccountFilter;

    fn rest(filter: &AccountFilter) -> Cond {
        Cond::all().add_option(filter.enabled.map(|enabled| is("enabled", enabled)))
    }

    fn served(_: &AccountFilter) -> Cond {
        Cond::all()
    }

    fn needles(filter: &AccountFilter) -> Vec<Needle> {
        filter.name.as_deref().and_then(|text| Needle::name("folded", "", text)).into_iter().collect()
    }

    fn ordered(by: By) -> Option<&'static str> {
        (by == By::Name).then_some("folded")
    }

    fn place(&self, by: By) -> String {
        if by == By::Name { self.folded.clone() } else { String::new() }
    }
}
