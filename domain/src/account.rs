//! An account: what a customer's program signs in as. Its SID and auth token are Twilio credentials.
//!
//! New ──► Enabled ◄──► Disabled

use crate::{
    Claim, Sid,
    aggregate::aggregate,
    limits::{InvalidLimits, Limits},
    name::Name,
    upcast::Upcaster,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Who manages an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// The carrier does, for its customer.
    #[default]
    CarrierManaged,
    /// The customer's own people do.
    CustomerManaged,
}

impl AccountKind {
    fn is_carrier_managed(&self) -> bool {
        *self == AccountKind::CarrierManaged
    }
}

/// An account's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    carrier: Option<Sid>,
    name: Option<Name>,
    #[serde(default)]
    kind: AccountKind,
    enabled: bool,
    #[serde(default)]
    limits: Limits,
    /// Which auth token opens it: 1 when it is created, one more with each replacement.
    auth_token_version: i64,
}

/// What can be asked of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccountCommand {
    /// Opens an account. Its auth token is in the vault.
    Create {
        /// The carrier it belongs to.
        carrier: Sid,
        /// Friendly name.
        name: Name,
        /// Who manages it.
        #[serde(default, skip_serializing_if = "AccountKind::is_carrier_managed")]
        kind: AccountKind,
    },
    /// Gives it another name.
    Rename {
        /// Friendly name.
        name: Name,
    },
    /// Lets it call again.
    Enable,
    /// Its programs get 401, its calls are refused and its live ones ended.
    Disable,
    /// Sets how much it may call, and where to.
    Limit(Limits),
    /// Makes the next auth token, which is in the vault already, the one that opens it.
    ReplaceAuthToken {
        /// Which: one more than the one before. No part of what tells one command from another, for who repeats a
        /// replacement does not know it.
        #[serde(skip)]
        version: i64,
    },
    /// Records that the auth token is shown.
    ShowAuthToken,
}

/// What happened to an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(AccountEventKind),
    derive(Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    doc = "What kind of thing happened to an account."
)]
#[expect(missing_docs, reason = "the fields are the command's")]
pub enum AccountEvent {
    /// The account exists and is enabled.
    Created { carrier: Sid, name: Name, kind: AccountKind },
    /// It has another name.
    Renamed { name: Name },
    /// It may call.
    Enabled {},
    /// It may not.
    Disabled {},
    /// This is how much it may call, and where to.
    Limited(Limits),
    /// The auth token of this version opens it, and no other.
    AuthTokenReplaced { version: i64 },
    /// Somebody looked at the auth token.
    AuthTokenShown {},
}

const UPCASTERS: &[Upcaster<AccountEventKind>] =
    &[Upcaster { was: "Created", from: 1, becomes: AccountEventKind::Created, lift: carrier_managed }];

/// Before there were kinds, every account was managed by its carrier.
fn carrier_managed(created: &mut Value) {
    if let Some(created) = created.as_object_mut() {
        created.insert("kind".to_owned(), json!(AccountKind::CarrierManaged));
    }
}

/// Why an account refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Creating it twice.
    #[error("this account exists already")]
    AlreadyExists,
    /// Any command before it was created.
    #[error("there is no such account")]
    NotFound,
    /// Limits that cannot be.
    #[error("{0}")]
    Limits(InvalidLimits),
    /// Replacing an auth token that is not the one it has now.
    #[error("its auth token was replaced a moment ago")]
    AuthTokenMoved,
}

impl AccountCommand {
    /// Opens a carrier-managed account.
    #[must_use]
    pub fn create(carrier: Sid, name: Name) -> AccountCommand {
        AccountCommand::Create { carrier, name, kind: AccountKind::CarrierManaged }
    }
}

impl Account {
    /// Who manages it.
    #[must_use]
    pub fn kind(&self) -> AccountKind {
        self.kind
    }

    /// Whether it exists and may call.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// How much it may call, and where to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Which auth token opens it; 0 before it exists.
    #[must_use]
    pub fn auth_token_version(&self) -> i64 {
        self.auth_token_version
    }

    /// The carrier it belongs to, once it exists.
    #[must_use]
    pub fn carrier(&self) -> Option<&Sid> {
        self.carrier.as_ref()
    }

    /// Every rule about accounts is in this one table.
    fn decide(&self, command: AccountCommand) -> Result<Vec<AccountEvent>, AccountError> {
        use {AccountCommand as C, AccountEvent as E};
        match command {
            C::Create { .. } if self.carrier.is_some() => Err(AccountError::AlreadyExists),
            C::Create { carrier, name, kind } => Ok(vec![E::Created { carrier, name, kind }]),
            _ if self.carrier.is_none() => Err(AccountError::NotFound),
            C::Rename { name } if self.name.as_ref() == Some(&name) => Ok(vec![]),
            C::Rename { name } => Ok(vec![E::Renamed { name }]),
            C::Enable if self.enabled => Ok(vec![]),
            C::Enable => Ok(vec![E::Enabled {}]),
            C::Disable if !self.enabled => Ok(vec![]),
            C::Disable => Ok(vec![E::Disabled {}]),
            C::Limit(limits) => {
                let limits = limits.checked().map_err(AccountError::Limits)?;
                Ok(if limits == self.limits { vec![] } else { vec![E::Limited(limits)] })
            }
            C::ReplaceAuthToken { version } if version == self.auth_token_version + 1 => {
                Ok(vec![E::AuthTokenReplaced { version }])
            }
            C::ReplaceAuthToken { .. } => Err(AccountError::AuthTokenMoved),
            C::ShowAuthToken => Ok(vec![E::AuthTokenShown {}]),
        }
    }

    fn on(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::Created { carrier, name, kind } => {
                (self.carrier, self.name, self.enabled) = (Some(carrier), Some(name), true);
                self.kind = kind;
                self.auth_token_version = 1;
            }
            AccountEvent::Renamed { name } => self.name = Some(name),
            AccountEvent::Enabled {} => self.enabled = true,
            AccountEvent::Disabled {} => self.enabled = false,
            AccountEvent::Limited(limits) => self.limits = limits,
            AccountEvent::AuthTokenReplaced { version } => self.auth_token_version = version,
            AccountEvent::AuthTokenShown {} => {}
        }
    }

    #[expect(clippy::unused_self, reason = "the same shape for every aggregate")]
    fn reserve(&self, _: &AccountEvent) -> Vec<Claim> {
        vec![]
    }
}

impl AccountEvent {
    /// Whether a person sees the account otherwise after it ([`crate::Stream::is_change`]). Every event says so for itself.
    fn is_change(&self) -> bool {
        match self {
            Self::Created { .. }
            | Self::Renamed { .. }
            | Self::Enabled {}
            | Self::Disabled {}
            | Self::Limited(_)
            | Self::AuthTokenReplaced { .. } => true,
            Self::AuthTokenShown {} => false,
        }
    }
}

aggregate!(Account, "account", Core, AccountCommand, AccountEvent as AccountEventKind lifted by UPCASTERS, AccountError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{given, name, sid};
    use crate::{
        Kind, Stream,
        upcast::{self, Stored},
    };
    use {AccountCommand as C, AccountEvent as E};

    fn created() -> E {
        of_kind(AccountKind::CarrierManaged)
    }

    fn of_kind(kind: AccountKind) -> E {
        E::Created { carrier: sid(Kind::Carrier, 1), name: name("Rocket Rides"), kind }
    }

    #[test]
    fn it_is_managed_by_whom_it_was_created_for() {
        let (carrier, name) = (sid(Kind::Carrier, 1), name("Rocket Rides"));
        let create = C::Create { carrier, name, kind: AccountKind::CustomerManaged };
        given::<Account>(vec![], create).then_expect_events(vec![of_kind(AccountKind::CustomerManaged)]);
        for kind in [AccountKind::CarrierManaged, AccountKind::CustomerManaged] {
            let mut account = Account::default();
            account.on(of_kind(kind));
            assert_eq!(account.kind(), kind);
        }
    }

    #[test]
    fn one_of_before_there_were_kinds_is_carrier_managed() {
        let payload = r#"{"Created":{"carrier":"VC00000000000000000000000000000001","name":"Rocket Rides"}}"#;
        let stored = Stored { event_type: "Created", schema_version: 1, payload };
        assert_eq!(upcast::decode(Account::UPCASTERS, &stored), Ok(created()));
        assert_eq!(Account::schema_version(&created()), 2);
    }

    #[test]
    fn an_account_is_created_once() {
        let create = C::create(sid(Kind::Carrier, 1), name("Rocket Rides"));
        given::<Account>(vec![], create.clone()).then_expect_events(vec![created()]);
        given::<Account>(vec![created()], create).then_expect_error(AccountError::AlreadyExists);
    }

    #[test]
    fn disabling_twice_changes_nothing() {
        given::<Account>(vec![created()], C::Disable).then_expect_events(vec![E::Disabled {}]);
        given::<Account>(vec![created(), E::Disabled {}], C::Disable).then_expect_events(vec![]);
        given::<Account>(vec![created(), E::Disabled {}], C::Enable).then_expect_events(vec![E::Enabled {}]);
    }

    #[test]
    fn limits_are_set_as_a_whole_and_the_same_ones_are_no_news() {
        let limits =
            Limits { calls_per_second: 3, countries: vec!["US".parse().unwrap()], ..Limits::default() };
        given::<Account>(vec![created()], C::Limit(limits.clone()))
            .then_expect_events(vec![E::Limited(limits.clone())]);
        given::<Account>(vec![created(), E::Limited(limits.clone())], C::Limit(limits))
            .then_expect_events(vec![]);
        given::<Account>(vec![created()], C::Limit(Limits::default())).then_expect_events(vec![]);
        let none = Limits { calls_at_once: 0, ..Limits::default() };
        given::<Account>(vec![created()], C::Limit(none))
            .then_expect_error(AccountError::Limits(InvalidLimits::AtOnce));
    }

    #[test]
    fn an_auth_token_is_replaced_by_its_successor() {
        let replace = |version| C::ReplaceAuthToken { version };
        given::<Account>(vec![], replace(1)).then_expect_error(AccountError::NotFound);
        given::<Account>(vec![created()], replace(2))
            .then_expect_events(vec![E::AuthTokenReplaced { version: 2 }]);
        for (history, version) in [(vec![], 1), (vec![], 3), (vec![E::AuthTokenReplaced { version: 2 }], 2)] {
            let history = [vec![created()], history].concat();
            given::<Account>(history, replace(version)).then_expect_error(AccountError::AuthTokenMoved);
        }
    }

    #[test]
    fn the_same_name_is_no_news() {
        given::<Account>(vec![created()], C::Rename { name: name("Rocket Rides") })
            .then_expect_events(vec![]);
    }
}
