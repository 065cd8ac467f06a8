//! `accounts`: one row per account.

use crate::{
    biography::{Biography, Nonsense, Turn},
    reads::{Noun, contains},
    record::{is, table},
};
use domain::{
    Sid, Timestamp,
    account::{Account, AccountEvent},
    name::Name,
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
    /// Whether it may call.
    pub enabled: bool,
    /// When its auth token was last made.
    pub auth_token_at: Timestamp,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

table!(AccountRow: "accounts" v 1, key [sid],
    columns [sid, carrier, account, name, enabled, auth_token_at, created_at, updated_at],
    indexes [["carrier", "sid"]]);

impl Biography for AccountRow {
    type Of = Account;

    fn sid(&self) -> &Sid {
        &self.sid
    }

    fn turn(row: Option<AccountRow>, fact: &Fact, event: AccountEvent) -> Turn<AccountRow> {
        use AccountEvent as E;
        let row = match (row, event) {
            (None, E::Created { name, .. }) => AccountRow {
                sid: fact.stream.clone(),
                carrier: fact.tenant.carrier.clone(),
                account: Some(fact.stream.clone()),
                name,
                enabled: true,
                auth_token_at: fact.at,
                created_at: fact.at,
                updated_at: fact.at,
            },
            (Some(row), E::Renamed { name }) => AccountRow { name, ..row },
            (Some(row), E::Enabled {}) => AccountRow { enabled: true, ..row },
            (Some(row), E::Disabled {}) => AccountRow { enabled: false, ..row },
            (Some(row), E::AuthTokenReplaced {}) => AccountRow { auth_token_at: fact.at, ..row },
            (None, _) | (Some(_), E::Created { .. }) => return Err(Nonsense::out_of_order(fact)),
        };
        Ok(Some(AccountRow { updated_at: fact.at, ..row }))
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

    fn condition(filter: &AccountFilter) -> Cond {
        Cond::all()
            .add_option(filter.name.as_deref().map(|text| contains("name", text)))
            .add_option(filter.enabled.map(|enabled| is("enabled", enabled)))
    }
}
