//! A phone number: E.164 or short code, unique within its carrier, perhaps assigned to an account and configured.
//!
//! New ──► Held ──► Released

use crate::{
    Claim, Number, Sid,
    aggregate::aggregate,
    call::{Document, MAX_TWIML, Program},
    name::Name,
    trunk::canonical,
    webhook_url::{Method, WebhookUrl},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Where a number's calls are answered from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceConfiguration {
    /// Asked for TwiML when a call comes in; without it calls are refused.
    pub voice_url: Option<WebhookUrl>,
    /// How `voice_url` is asked.
    pub voice_method: Method,
    /// Asked when `voice_url` fails.
    pub voice_fallback_url: Option<WebhookUrl>,
    /// How the fallback is asked.
    pub voice_fallback_method: Method,
    /// Told when a call has ended.
    pub status_callback_url: Option<WebhookUrl>,
    /// How the status callback is told.
    pub status_callback_method: Method,
    /// A TwiML document kept here that answers instead of `voice_url`: calls can be taken without any server. At most
    /// [`MAX_TWIML`](crate::call::MAX_TWIML) characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twiml: Option<String>,
}

impl VoiceConfiguration {
    /// What answers a call to the number: the kept TwiML, or else the Voice URL.
    #[must_use]
    pub fn program(&self) -> Option<Program> {
        if let Some(twiml) = &self.twiml {
            return Some(Program::Inline(twiml.clone()));
        }
        Some(Program::Fetched(Document {
            url: self.voice_url.clone()?,
            method: self.voice_method,
            fallback_url: self.voice_fallback_url.clone(),
            fallback_method: self.voice_fallback_method,
        }))
    }
}

/// A phone number's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PhoneNumber {
    carrier: Option<Sid>,
    number: Option<Number>,
    account: Option<Sid>,
    enabled: bool,
    released: bool,
    voice: VoiceConfiguration,
    friendly_name: Option<Name>,
}

/// What can be asked of a phone number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PhoneNumberCommand {
    /// Adds the number to a carrier's inventory.
    Create {
        /// The carrier.
        carrier: Sid,
        /// The number.
        number: Number,
        /// Whether it takes calls.
        enabled: bool,
        /// The account that answers it, if any yet.
        account: Option<Sid>,
    },
    /// Lets it take calls.
    Enable,
    /// Its calls are refused.
    Disable,
    /// Gives it to an account. Another account's configuration does not come along.
    Assign {
        /// The account.
        account: Sid,
    },
    /// Takes it from its account and forgets the configuration.
    Unassign,
    /// Sets where its calls are answered from, as long as it is still this account's.
    ConfigureVoice {
        /// The account it is assigned to, as far as who configures it knows.
        account: Option<Sid>,
        /// Where its calls are answered from.
        voice: VoiceConfiguration,
    },
    /// Gives it a name of the account's choice.
    Rename {
        /// Friendly name.
        name: Name,
    },
    /// Takes its name away.
    Unname,
    /// An operator gives it the calls from this source that another carrier has had.
    GrantRoute {
        /// Where the calls come from.
        source: IpNet,
    },
    /// An operator took the calls from this source away from it, for another carrier.
    LoseRoute {
        /// Where the calls come from.
        source: IpNet,
    },
    /// Removes it from the inventory; the number can then be created anew.
    Release,
}

/// What happened to a phone number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(PhoneNumberEventKind),
    derive(Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    doc = "What kind of thing happened to a phone number."
)]
#[expect(missing_docs, reason = "the fields are the command's")]
pub enum PhoneNumberEvent {
    /// The carrier has the number.
    Created { carrier: Sid, number: Number, enabled: bool, account: Option<Sid> },
    /// It takes calls.
    Enabled {},
    /// It does not.
    Disabled {},
    /// It is this account's.
    Assigned { account: Sid },
    /// It is nobody's, and not configured.
    Unassigned {},
    /// Its calls are answered from here.
    VoiceConfigured(VoiceConfiguration),
    /// It has this name.
    Renamed { name: Name },
    /// It has no name.
    Unnamed {},
    /// Calls from this source are its own since now, whoever had them before.
    RouteGranted { source: IpNet },
    /// An operator gave the calls from this source to another carrier, which has the number as well.
    RouteLost { source: IpNet },
    /// It is gone.
    Released {},
}

/// Why a phone number refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneNumberError {
    /// Creating it twice.
    #[error("this phone number exists already")]
    AlreadyExists,
    /// Any command before it was created or after it was released.
    #[error("there is no such phone number")]
    NotFound,
    /// Configuring a number that has been given to another account meanwhile.
    #[error("this phone number is another account's now")]
    AnotherAccounts,
    /// Keeping a TwiML document that is too long.
    #[error("a TwiML document kept here has at most {MAX_TWIML} characters")]
    TwimlTooLong,
}

impl PhoneNumber {
    /// The carrier it belongs to, once it exists.
    #[must_use]
    pub fn carrier(&self) -> Option<&Sid> {
        self.carrier.as_ref()
    }

    /// Whether it was removed from the inventory.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.released
    }

    /// The account it is assigned to.
    #[must_use]
    pub fn account(&self) -> Option<&Sid> {
        self.account.as_ref()
    }

    /// Where its calls are answered from.
    #[must_use]
    pub fn voice(&self) -> &VoiceConfiguration {
        &self.voice
    }

    /// Every rule about phone numbers is in this one table.
    fn decide(&self, command: PhoneNumberCommand) -> Result<Vec<PhoneNumberEvent>, PhoneNumberError> {
        use {PhoneNumberCommand as C, PhoneNumberError as R, PhoneNumberEvent as E};
        match command {
            C::Create { .. } if self.carrier.is_some() => Err(R::AlreadyExists),
            C::Create { carrier, number, enabled, account } => {
                Ok(vec![E::Created { carrier, number, enabled, account }])
            }
            _ if self.carrier.is_none() || self.released => Err(R::NotFound),
            C::Enable if self.enabled => Ok(vec![]),
            C::Enable => Ok(vec![E::Enabled {}]),
            C::Disable if !self.enabled => Ok(vec![]),
            C::Disable => Ok(vec![E::Disabled {}]),
            C::Assign { account } if self.account.as_ref() == Some(&account) => Ok(vec![]),
            C::Assign { account } if self.account.is_none() => Ok(vec![E::Assigned { account }]),
            C::Assign { account } => Ok(vec![E::Unassigned {}, E::Assigned { account }]),
            C::Unassign if self.account.is_none() => Ok(vec![]),
            C::Unassign => Ok(vec![E::Unassigned {}]),
            C::ConfigureVoice { account, .. } if account != self.account => Err(R::AnotherAccounts),
            C::ConfigureVoice { voice, .. } if self.voice == voice => Ok(vec![]),
            C::ConfigureVoice { voice, .. } if is_too_long(&voice) => Err(R::TwimlTooLong),
            C::ConfigureVoice { voice, .. } => Ok(vec![E::VoiceConfigured(voice)]),
            C::Rename { name } if self.friendly_name.as_ref() == Some(&name) => Ok(vec![]),
            C::Rename { name } => Ok(vec![E::Renamed { name }]),
            C::Unname if self.friendly_name.is_none() => Ok(vec![]),
            C::Unname => Ok(vec![E::Unnamed {}]),
            C::GrantRoute { source } => Ok(vec![E::RouteGranted { source: canonical(source) }]),
            C::LoseRoute { source } => Ok(vec![E::RouteLost { source: canonical(source) }]),
            C::Release => Ok(vec![E::Released {}]),
        }
    }

    fn on(&mut self, event: PhoneNumberEvent) {
        use PhoneNumberEvent as E;
        match event {
            E::Created { carrier, number, enabled, account } => {
                (self.carrier, self.number, self.enabled, self.account) =
                    (Some(carrier), Some(number), enabled, account);
            }
            E::Enabled {} => self.enabled = true,
            E::Disabled {} => self.enabled = false,
            E::Assigned { account } => self.account = Some(account),
            E::Unassigned {} => {
                (self.account, self.voice, self.friendly_name) = (None, VoiceConfiguration::default(), None);
            }
            E::VoiceConfigured(voice) => self.voice = voice,
            E::Renamed { name } => self.friendly_name = Some(name),
            E::Unnamed {} => self.friendly_name = None,
            // Who is called is decided where all carriers are known.
            E::RouteGranted { .. } | E::RouteLost { .. } => {}
            E::Released {} => self.released = true,
        }
    }

    /// A number is one carrier's once: taken when it is created, free again when it is released.
    fn reserve(&self, event: &PhoneNumberEvent) -> Vec<Claim> {
        match (event, &self.carrier, &self.number) {
            (PhoneNumberEvent::Created { carrier, number, .. }, _, _) => {
                vec![Claim::take(format!("phone_number:{carrier}"), number.digits())]
            }
            (PhoneNumberEvent::Released {}, Some(carrier), Some(number)) => {
                vec![Claim::release(format!("phone_number:{carrier}"), number.digits())]
            }
            _ => vec![],
        }
    }
}

impl PhoneNumberCommand {
    fn addresses(&mut self) -> Vec<&mut WebhookUrl> {
        let PhoneNumberCommand::ConfigureVoice { voice, .. } = self else { return vec![] };
        let VoiceConfiguration { voice_url, voice_fallback_url, status_callback_url, .. } = voice;
        [voice_url, voice_fallback_url, status_callback_url].into_iter().flatten().collect()
    }

    fn twiml(&mut self) -> Option<&mut String> {
        match self {
            PhoneNumberCommand::ConfigureVoice { voice, .. } => voice.twiml.as_mut(),
            _ => None,
        }
    }
}

fn is_too_long(voice: &VoiceConfiguration) -> bool {
    voice.twiml.as_deref().is_some_and(crate::call::is_too_long)
}

impl PhoneNumberEvent {
    /// Whether a person sees the number otherwise after it ([`crate::Stream::is_change`]). Every event says so for itself.
    fn is_change(&self) -> bool {
        match self {
            Self::Created { .. }
            | Self::Enabled {}
            | Self::Disabled {}
            | Self::Assigned { .. }
            | Self::Unassigned {}
            | Self::VoiceConfigured(_)
            | Self::Renamed { .. }
            | Self::Unnamed {}
            | Self::RouteGranted { .. }
            | Self::RouteLost { .. }
            | Self::Released {} => true,
        }
    }
}

aggregate!(
    PhoneNumber,
    "phone_number",
    Core,
    PhoneNumberCommand,
    PhoneNumberEvent as PhoneNumberEventKind until Released,
    PhoneNumberError,
    addresses,
    twiml
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{given, name, sid};
    use crate::{Kind, Stream};
    use {PhoneNumberCommand as C, PhoneNumberEvent as E};

    fn created(account: Option<Sid>) -> E {
        E::Created { carrier: sid(Kind::Carrier, 1), number: "1234".parse().unwrap(), enabled: true, account }
    }

    #[test]
    fn moving_a_number_forgets_the_old_owners_configuration() {
        let (old, new) = (sid(Kind::Account, 1), sid(Kind::Account, 2));
        given::<PhoneNumber>(vec![created(Some(old))], C::Assign { account: new.clone() })
            .then_expect_events(vec![E::Unassigned {}, E::Assigned { account: new }]);
        let mut number = PhoneNumber::default();
        let voice =
            VoiceConfiguration { voice_url: "https://example.com/".parse().ok(), ..Default::default() };
        for event in [created(None), E::VoiceConfigured(voice), E::Unassigned {}] {
            number.on(event);
        }
        assert_eq!(number.voice(), &VoiceConfiguration::default());
    }

    #[test]
    fn a_number_that_moved_is_not_configured_by_the_account_it_left() {
        let (old, new) = (sid(Kind::Account, 1), sid(Kind::Account, 2));
        let voice =
            VoiceConfiguration { voice_url: "https://example.com/".parse().ok(), ..Default::default() };
        let configure = |account| C::ConfigureVoice { account: Some(account), voice: voice.clone() };
        let moved =
            || vec![created(Some(old.clone())), E::Unassigned {}, E::Assigned { account: new.clone() }];
        given::<PhoneNumber>(moved(), configure(old.clone()))
            .then_expect_error(PhoneNumberError::AnotherAccounts);
        given::<PhoneNumber>(moved(), configure(new.clone()))
            .then_expect_events(vec![E::VoiceConfigured(voice.clone())]);
    }

    #[test]
    fn a_kept_document_answers_before_any_application_is_asked() {
        let mut voice =
            VoiceConfiguration { voice_url: "https://example.com/".parse().ok(), ..Default::default() };
        assert!(matches!(voice.program(), Some(Program::Fetched(_))));
        voice.twiml = Some("<Response/>".into());
        assert_eq!(voice.program(), Some(Program::Inline("<Response/>".into())));
        assert_eq!(VoiceConfiguration::default().program(), None);
    }

    #[test]
    fn a_kept_document_has_an_end() {
        let configure = |length| {
            let voice = VoiceConfiguration { twiml: Some("x".repeat(length)), ..Default::default() };
            C::ConfigureVoice { account: None, voice }
        };
        given::<PhoneNumber>(vec![created(None)], configure(MAX_TWIML + 1))
            .then_expect_error(PhoneNumberError::TwimlTooLong);
        let address = format!("http://a:kept-{}@b/", "0".repeat(32));
        let full = format!("{address}{}", "x".repeat(MAX_TWIML - "http://a:@b/".len()));
        let voice = VoiceConfiguration { twiml: Some(full), ..Default::default() };
        given::<PhoneNumber>(vec![created(None)], C::ConfigureVoice { account: None, voice: voice.clone() })
            .then_expect_events(vec![E::VoiceConfigured(voice)]);
        let kept = VoiceConfiguration { twiml: Some("x".repeat(MAX_TWIML)), ..Default::default() };
        given::<PhoneNumber>(vec![created(None)], configure(MAX_TWIML))
            .then_expect_events(vec![E::VoiceConfigured(kept)]);
    }

    #[test]
    fn a_released_number_is_not_there_any_more() {
        given::<PhoneNumber>(vec![created(None), E::Released {}], C::Enable)
            .then_expect_error(PhoneNumberError::NotFound);
    }

    #[test]
    fn a_number_is_reserved_within_its_carrier() {
        let mut number = PhoneNumber::default();
        let scope = format!("phone_number:{}", sid(Kind::Carrier, 1));
        assert_eq!(number.claims(&created(None)), vec![Claim::take(&*scope, "1234")]);
        number.on(created(None));
        assert_eq!(number.claims(&E::Released {}), vec![Claim::release(&*scope, "1234")]);
        assert_eq!(number.claims(&E::Disabled {}), vec![]);
    }

    #[test]
    fn a_name_can_be_taken_away_once() {
        given::<PhoneNumber>(vec![created(None), E::Renamed { name: name("Desk") }], C::Unname)
            .then_expect_events(vec![E::Unnamed {}]);
        given::<PhoneNumber>(
            vec![created(None), E::Renamed { name: name("Desk") }, E::Unnamed {}],
            C::Unname,
        )
        .then_expect_events(vec![]);
    }

    #[test]
    fn what_changes_nothing_is_no_event() {
        given::<PhoneNumber>(vec![created(None)], C::Enable).then_expect_events(vec![]);
        given::<PhoneNumber>(vec![created(None)], C::Unassign).then_expect_events(vec![]);
        let (account, voice) = (None, VoiceConfiguration::default());
        given::<PhoneNumber>(vec![created(None)], C::ConfigureVoice { account, voice })
            .then_expect_events(vec![]);
        given::<PhoneNumber>(
            vec![created(None), E::Renamed { name: name("Desk") }],
            C::Rename { name: name("Desk") },
        )
        .then_expect_events(vec![]);
    }
}
