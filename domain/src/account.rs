//! An account: what a customer's program signs in as. Its SID and auth token are Twilio credentials.
//!
//! New ──► Enabled ◄──► Disabled

use crate::{Claim, Sid, aggregate::aggregate, name::Name};
use serde::{Deserialize, Serialize};

/// An account's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    carrier: Option<Sid>,
    name: Option<Name>,
    enabled: bool,
}

/// What can be asked of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccountCommand {
    /// Opens a carrier-managed account. Its auth token is in the vault.
    Create {
        /// The carrier it belongs to.
        carrier: Sid,
        /// Friendly name.
        name: Name,
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
    /// Records that the auth token was replaced in the vault.
    ReplaceAuthToken,
}

/// What happened to an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::IntoStaticStr)]
#[expect(missing_docs, reason = "the fields are the command's")]
pub enum AccountEvent {
    /// The account exists and is enabled.
    Created { carrier: Sid, name: Name },
    /// It has another name.
    Renamed { name: Name },
    /// It may call.
    Enabled {},
    /// It may not.
    Disabled {},
    /// The old auth token opens nothing any more.
    AuthTokenReplaced {},
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
}

impl Account {
    /// Whether it exists and may call.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
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
            C::Create { carrier, name } => Ok(vec![E::Created { carrier, name }]),
            _ if self.carrier.is_none() => Err(AccountError::NotFound),
            C::Rename { name } if self.name.as_ref() == Some(&name) => Ok(vec![]),
            C::Rename { name } => Ok(vec![E::Renamed { name }]),
            C::Enable if self.enabled => Ok(vec![]),
            C::Enable => Ok(vec![E::Enabled {}]),
            C::Disable if !self.enabled => Ok(vec![]),
            C::Disable => Ok(vec![E::Disabled {}]),
            C::ReplaceAuthToken => Ok(vec![E::AuthTokenReplaced {}]),
        }
    }

    fn on(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::Created { carrier, name } => {
                (self.carrier, self.name, self.enabled) = (Some(carrier), Some(name), true);
            }
            AccountEvent::Renamed { name } => self.name = Some(name),
            AccountEvent::Enabled {} => self.enabled = true,
            AccountEvent::Disabled {} => self.enabled = false,
            AccountEvent::AuthTokenReplaced {} => {}
        }
    }

    #[expect(clippy::unused_self, reason = "the same shape for every aggregate")]
    fn reserve(&self, _: &AccountEvent) -> Vec<Claim> {
        vec![]
    }
}

aggregate!(Account, "account", Core, AccountCommand, AccountEvent, AccountError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::testing::{given, name, sid};
    use {AccountCommand as C, AccountEvent as E};

    fn created() -> E {
        E::Created { carrier: sid(Kind::Carrier, 1), name: name("Rocket Rides") }
    }

    #[test]
    fn an_account_is_created_once() {
        let create = C::Create { carrier: sid(Kind::Carrier, 1), name: name("Rocket Rides") };
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
    fn a_token_of_an_unknown_account_cannot_be_replaced() {
        given::<Account>(vec![], C::ReplaceAuthToken).then_expect_error(AccountError::NotFound);
        given::<Account>(vec![created()], C::ReplaceAuthToken)
            .then_expect_events(vec![E::AuthTokenReplaced {}]);
    }

    #[test]
    fn the_same_name_is_no_news() {
        given::<Account>(vec![created()], C::Rename { name: name("Rocket Rides") })
            .then_expect_events(vec![]);
    }
}
