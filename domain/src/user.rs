//! A user of the dashboard: someone at a carrier, with a role and the state of their second factor.
//!
//! New ──► Active (two-factor pending ──► on) ──► Removed

use crate::{Claim, Sid, aggregate::aggregate, name::Name};
use serde::{Deserialize, Serialize};

/// What a user may do at their carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, people included.
    Owner,
    /// Everything but people.
    Admin,
    /// Look.
    #[default]
    Member,
}

/// An e-mail address: one `@`, no spaces, at most 254 characters, kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// Why a text is not an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl Email {
    /// The address in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Email {
    type Err = InvalidEmail;
    fn from_str(text: &str) -> Result<Email, InvalidEmail> {
        let text = text.trim().to_lowercase();
        let clean =
            text.len() <= 254 && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != ',');
        match text.split_once('@') {
            Some((local, host)) if clean && !local.is_empty() && !host.is_empty() && !host.contains('@') => {
                Ok(Email(text))
            }
            _ => Err(InvalidEmail),
        }
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;
    fn try_from(text: String) -> Result<Email, InvalidEmail> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// A user's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    carrier: Option<Sid>,
    email: Option<Email>,
    role: Role,
    two_factor: bool,
    removed: bool,
}

/// What can be asked of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UserCommand {
    /// Makes the user. The password's hash is in the vault.
    Register {
        /// Their carrier.
        carrier: Sid,
        /// Their name.
        name: Name,
        /// Their address, unique among users.
        email: Email,
        /// What they may do.
        role: Role,
    },
    /// Records that an authenticator app was set up and its first code was right. The seed is in the vault.
    EnableTwoFactor,
    /// Takes the second factor away; it must be set up again before anything else opens.
    ResetTwoFactor,
    /// Records that a one-time recovery code was used up.
    UseRecoveryCode,
    /// Records that new recovery codes took the place of the old ones in the vault.
    ReplaceRecoveryCodes,
    /// Records that the password was replaced in the vault.
    ReplacePassword,
    /// Records a complete sign-in (password and second factor).
    SignIn,
    /// Records wrong passwords.
    FailSignIn {
        /// How many since the last record.
        tries: u32,
    },
    /// Records wrong codes, given after the right password.
    FailSecondFactor {
        /// How many since the last record.
        tries: u32,
    },
    /// Gives another role.
    ChangeRole {
        /// What they may do.
        role: Role,
    },
    /// Ends their access.
    Remove,
}

/// What happened to a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(UserEventKind),
    derive(Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    doc = "What kind of thing happened to a user."
)]
#[expect(missing_docs, reason = "the fields are the command's")]
pub enum UserEvent {
    /// The user exists.
    Registered { carrier: Sid, name: Name, email: Email, role: Role },
    /// The second factor is on.
    TwoFactorEnabled {},
    /// The second factor must be set up anew.
    TwoFactorReset {},
    /// One recovery code less.
    RecoveryCodeUsed {},
    /// The old recovery codes open nothing any more.
    RecoveryCodesReplaced {},
    /// The old password opens nothing any more.
    PasswordReplaced {},
    /// They signed in.
    SignedIn {},
    /// Somebody gave a wrong password for them.
    SignInFailed { tries: u32 },
    /// Somebody gave their password and a wrong code.
    SecondFactorFailed { tries: u32 },
    /// They have another role.
    RoleChanged { role: Role },
    /// They have no access any more.
    Removed {},
}

/// Why a user refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Registering twice.
    #[error("this user exists already")]
    AlreadyExists,
    /// Any command before registration or after removal.
    #[error("there is no such user")]
    NotFound,
    /// Signing in or using a recovery code without a second factor.
    #[error("two-factor authentication is not set up")]
    TwoFactorMissing,
    /// Setting up a second factor over a working one.
    #[error("two-factor authentication is set up already")]
    TwoFactorAlreadyEnabled,
}

impl User {
    /// The carrier they belong to, once they exist and are not removed.
    #[must_use]
    pub fn carrier(&self) -> Option<&Sid> {
        self.carrier.as_ref().filter(|_| !self.removed)
    }

    /// What they may do.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether the second factor is on.
    #[must_use]
    pub fn has_two_factor(&self) -> bool {
        self.two_factor
    }

    /// Every rule about users is in this one table.
    fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        use {UserCommand as C, UserError as R, UserEvent as E};
        match command {
            C::Register { .. } if self.carrier.is_some() => Err(R::AlreadyExists),
            C::Register { carrier, name, email, role } => {
                Ok(vec![E::Registered { carrier, name, email, role }])
            }
            _ if self.carrier.is_none() || self.removed => Err(R::NotFound),
            C::EnableTwoFactor if self.two_factor => Err(R::TwoFactorAlreadyEnabled),
            C::EnableTwoFactor => Ok(vec![E::TwoFactorEnabled {}]),
            C::ResetTwoFactor if !self.two_factor => Ok(vec![]),
            C::ResetTwoFactor => Ok(vec![E::TwoFactorReset {}]),
            C::UseRecoveryCode | C::ReplaceRecoveryCodes | C::SignIn if !self.two_factor => {
                Err(R::TwoFactorMissing)
            }
            C::ReplaceRecoveryCodes => Ok(vec![E::RecoveryCodesReplaced {}]),
            C::UseRecoveryCode => Ok(vec![E::RecoveryCodeUsed {}]),
            C::SignIn => Ok(vec![E::SignedIn {}]),
            C::FailSignIn { tries } => Ok(vec![E::SignInFailed { tries }]),
            C::FailSecondFactor { tries } => Ok(vec![E::SecondFactorFailed { tries }]),
            C::ReplacePassword => Ok(vec![E::PasswordReplaced {}]),
            C::ChangeRole { role } if self.role == role => Ok(vec![]),
            C::ChangeRole { role } => Ok(vec![E::RoleChanged { role }]),
            C::Remove => Ok(vec![E::Removed {}]),
        }
    }

    fn on(&mut self, event: UserEvent) {
        use UserEvent as E;
        match event {
            E::Registered { carrier, email, role, .. } => {
                (self.carrier, self.email, self.role) = (Some(carrier), Some(email), role);
            }
            E::TwoFactorEnabled {} => self.two_factor = true,
            E::TwoFactorReset {} => self.two_factor = false,
            E::RoleChanged { role } => self.role = role,
            E::Removed {} => self.removed = true,
            E::RecoveryCodeUsed {}
            | E::RecoveryCodesReplaced {}
            | E::PasswordReplaced {}
            | E::SignedIn {} => {}
            E::SignInFailed { .. } | E::SecondFactorFailed { .. } => {}
        }
    }

    /// An e-mail address signs in as one user.
    fn reserve(&self, event: &UserEvent) -> Vec<Claim> {
        match (event, &self.email) {
            (UserEvent::Registered { email, .. }, _) => vec![Claim::take("user_email", email.as_str())],
            (UserEvent::Removed {}, Some(email)) => vec![Claim::release("user_email", email.as_str())],
            _ => vec![],
        }
    }
}

impl UserEvent {
    /// Whether a person sees the user otherwise after it ([`crate::Stream::is_change`]). Every event says so for itself.
    fn is_change(&self) -> bool {
        match self {
            Self::Registered { .. }
            | Self::TwoFactorEnabled {}
            | Self::TwoFactorReset {}
            | Self::RecoveryCodeUsed {}
            | Self::RecoveryCodesReplaced {}
            | Self::PasswordReplaced {}
            | Self::SignedIn {}
            | Self::RoleChanged { .. }
            | Self::Removed {} => true,
            Self::SignInFailed { .. } | Self::SecondFactorFailed { .. } => false,
        }
    }
}

aggregate!(User, "user", Core, UserCommand, UserEvent as UserEventKind until Removed, UserError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{given, name, sid};
    use crate::{Kind, Stream};
    use {UserCommand as C, UserEvent as E};

    fn registered() -> E {
        let (carrier, email) = (sid(Kind::Carrier, 1), "Ada@Example.com".parse().unwrap());
        E::Registered { carrier, name: name("Ada"), email, role: Role::Owner }
    }

    #[test]
    fn nobody_signs_in_without_a_second_factor() {
        given::<User>(vec![registered()], C::SignIn).then_expect_error(UserError::TwoFactorMissing);
        given::<User>(vec![registered(), E::TwoFactorEnabled {}], C::SignIn)
            .then_expect_events(vec![E::SignedIn {}]);
        given::<User>(vec![registered(), E::TwoFactorEnabled {}, E::TwoFactorReset {}], C::UseRecoveryCode)
            .then_expect_error(UserError::TwoFactorMissing);
    }

    #[test]
    fn a_working_second_factor_is_not_set_up_over() {
        given::<User>(vec![registered(), E::TwoFactorEnabled {}], C::EnableTwoFactor)
            .then_expect_error(UserError::TwoFactorAlreadyEnabled);
    }

    #[test]
    fn a_removed_user_can_do_nothing() {
        given::<User>(vec![registered(), E::Removed {}], C::ReplacePassword)
            .then_expect_error(UserError::NotFound);
    }

    #[test]
    fn an_address_signs_in_as_one_user_whatever_its_case() {
        assert_eq!(User::default().claims(&registered()), vec![Claim::take("user_email", "ada@example.com")]);
        for bad in ["", "ada", "@example.com", "a@b@c", "a b@c", "a@b,c@d", "a@b\r\nBcc: x"] {
            assert!(bad.parse::<Email>().is_err(), "{bad:?}");
        }
    }
}
