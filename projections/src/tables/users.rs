//! `users`: one row per user of the dashboard who has not been removed.

use crate::machine::{
    biography::{Biography, Nonsense, Turn},
    needle::Needle,
    reads::Noun,
    record::table,
};
use domain::{
    Sid, Timestamp,
    name::{Name, folded},
    user::{Email, Role, User, UserEvent},
};
use sea_query::Cond;
use serde::{Deserialize, Serialize};
use store::Fact;

/// A user of the dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserRow {
    /// Their identifier.
    pub sid: Sid,
    /// Their carrier.
    pub carrier: Sid,
    /// Always empty: users are the carrier's.
    #[serde(skip)]
    pub account: Option<Sid>,
    /// Their name.
    pub name: Name,
    /// The name as names are compared.
    #[serde(skip_serializing)]
    pub folded: String,
    /// What they sign in as.
    pub email: Email,
    /// What they may do.
    pub role: Role,
    /// Whether their second factor is on.
    pub two_factor: bool,
    /// When they last signed in completely.
    pub signed_in_at: Option<Timestamp>,
    /// When they were registered.
    pub created_at: Timestamp,
    /// When they last changed.
    pub updated_at: Timestamp,
    /// How many events they have had: what they are changed at.
    pub version: i64,
}

table!(UserRow: "users" v 4, key [sid],
    columns [sid, carrier, account, name, folded, email, role, two_factor, signed_in_at, created_at, updated_at, version],
    indexes [["carrier", "sid"], ["email"]]);

impl Biography for UserRow {
    type Of = User;

    fn sid(&self) -> &Sid {
        &self.sid
    }

    fn turn(row: Option<UserRow>, fact: &Fact, event: UserEvent) -> Turn<UserRow> {
        use UserEvent as E;
        let row = match (row, event) {
            (None, E::Registered { name, email, role, .. }) => UserRow {
                sid: fact.stream.clone(),
                carrier: fact.tenant.carrier.clone(),
                account: None,
                folded: folded(name.as_str()),
                name,
                email,
                role,
                two_factor: false,
                signed_in_at: None,
                created_at: fact.at,
                updated_at: fact.at,
                version: 1,
            },
            (Some(row), E::TwoFactorEnabled {}) => UserRow { two_factor: true, ..row },
            (Some(row), E::TwoFactorReset {}) => UserRow { two_factor: false, ..row },
            (Some(row), E::SignedIn {}) => UserRow { signed_in_at: Some(fact.at), ..row },
            (Some(row), E::RoleChanged { role }) => UserRow { role, ..row },
            (Some(row), E::RecoveryCodeUsed {} | E::RecoveryCodesReplaced {} | E::PasswordReplaced {}) => row,
            // Others' doing changes nothing about them.
            (Some(row), E::SignInFailed { .. } | E::SecondFactorFailed { .. }) => {
                return Ok(Some(UserRow { version: fact.sequence, ..row }));
            }
            (Some(_), E::Removed {}) => return Ok(None),
            (None, _) | (Some(_), E::Registered { .. }) => return Err(Nonsense::out_of_order(fact)),
        };
        Ok(Some(UserRow { updated_at: fact.at, version: fact.sequence, ..row }))
    }
}

/// Which users; an absent field asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Part of the name, in any case.
    pub name: Option<String>,
}

impl Noun for UserRow {
    type Filter = UserFilter;

    fn served(_: &UserFilter) -> Cond {
        Cond::all()
    }

    fn needles(filter: &UserFilter) -> Vec<Needle> {
        filter.name.as_deref().and_then(|text| Needle::name("folded", "", text)).into_iter().collect()
    }
}
