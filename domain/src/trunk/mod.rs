//! A SIP trunk: where a carrier's calls come from (inbound sources) and where ours go to (outbound host).
//!
//! New ──► Held ──► Deleted

mod host;
mod networks;
mod sides;

pub use host::{Host, InvalidHost};
pub use networks::{MAX_NETWORKS, NetworkFault, NetworkList, canonical, too_wide};
pub use sides::{Inbound, Outbound, Transport};

use crate::{Claim, Sid, aggregate::aggregate, name::Name};
use serde::{Deserialize, Serialize};
use sides::{checked_inbound, checked_outbound};

/// A trunk's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trunk {
    carrier: Option<Sid>,
    name: Option<Name>,
    inbound: Option<Inbound>,
    outbound: Option<Outbound>,
    /// Whether a digest password was ever put into the vault.
    #[serde(default)]
    credential: bool,
    deleted: bool,
}

/// What can be asked of a trunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TrunkCommand {
    /// Makes a trunk for one direction or both.
    Create {
        /// The carrier it connects.
        carrier: Sid,
        /// Friendly name.
        name: Name,
        /// Who is taken to be it.
        inbound: Option<Inbound>,
        /// How to call through it.
        outbound: Option<Outbound>,
    },
    /// Gives it another name.
    Rename {
        /// Friendly name.
        name: Name,
    },
    /// Replaces who is taken to be it; `None` takes no more calls from it.
    ConfigureInbound(Option<Inbound>),
    /// Replaces how to call through it; `None` places no more calls through it. The digest password stays, so it is
    /// refused where that would hand an answer computed with it to another host.
    ConfigureOutbound(Option<Outbound>),
    /// Replaces how to call through it together with the digest password, which is in the vault already.
    ConfigureOutboundWithPassword {
        /// How to call through it.
        outbound: Outbound,
        /// The password's name in the vault.
        secret: String,
    },
    /// Records that the digest password it is made with is in the vault.
    ReplaceCredential,
    /// Removes it; its source addresses can then be another's.
    Delete,
}

/// What happened to a trunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(TrunkEventKind),
    derive(Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    doc = "What kind of thing happened to a trunk."
)]
#[expect(missing_docs, reason = "the fields are the command's")]
pub enum TrunkEvent {
    /// The trunk exists.
    Created { carrier: Sid, name: Name, inbound: Option<Inbound>, outbound: Option<Outbound> },
    /// It has another name.
    Renamed { name: Name },
    /// These are taken to be it.
    InboundConfigured(Option<Inbound>),
    /// This is how to call through it.
    OutboundConfigured(Option<Outbound>),
    /// The old digest password is not used any more; the new one is in the vault under this name, or as the first one.
    CredentialReplaced {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
    },
    /// It is gone.
    Deleted {},
}

/// Why a trunk refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrunkError {
    /// Creating it twice.
    #[error("this trunk exists already")]
    AlreadyExists,
    /// Any command before it was created or after it was deleted.
    #[error("there is no such trunk")]
    NotFound,
    /// It would neither take calls nor place any.
    #[error("a trunk takes calls, places calls, or both: give an inbound or an outbound side")]
    NoSide,
    /// A list of networks that is no good.
    #[error("{1}")]
    Networks(NetworkList, NetworkFault),
    /// A carrier said of its own trunk that we trust it.
    #[error("only an operator of this installation marks a trunk as trusted (setting sip.trusted_trunks)")]
    Trusted,
    /// A dial string prefix with other things than digits, or over 16 of them.
    #[error("the dial string prefix is at most 16 digits, * or #")]
    DialStringPrefix,
    /// A digest user name that is empty, too long, or has quotes or control characters.
    #[error("the user name is 1 to 64 characters without quotes")]
    Username,
    /// Another host, or a user name where there was none, without the password that goes with it.
    #[error("the stored password was for another host: give the password for this one")]
    PasswordNeeded,
}

impl Trunk {
    /// The carrier it belongs to, once it exists and is not deleted.
    #[must_use]
    pub fn carrier(&self) -> Option<&Sid> {
        self.carrier.as_ref().filter(|_| !self.deleted)
    }

    /// Whether it was deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// Who is taken to be this trunk, if calls come from it.
    #[must_use]
    pub fn inbound(&self) -> Option<&Inbound> {
        self.inbound.as_ref()
    }

    /// Every rule about trunks is in this one table.
    fn decide(&self, command: TrunkCommand) -> Result<Vec<TrunkEvent>, TrunkError> {
        use {TrunkCommand as C, TrunkError as R, TrunkEvent as E};
        match command {
            C::Create { .. } if self.carrier.is_some() => Err(R::AlreadyExists),
            C::Create { inbound: None, outbound: None, .. } => Err(R::NoSide),
            C::Create { carrier, name, inbound, outbound } => {
                let (inbound, outbound) = (checked_inbound(inbound)?, checked_outbound(outbound)?);
                Ok(vec![E::Created { carrier, name, inbound, outbound }])
            }
            _ if self.carrier.is_none() || self.deleted => Err(R::NotFound),
            C::Rename { name } if self.name.as_ref() == Some(&name) => Ok(vec![]),
            C::Rename { name } => Ok(vec![E::Renamed { name }]),
            C::ConfigureInbound(None) if self.inbound.is_some() && self.outbound.is_none() => Err(R::NoSide),
            C::ConfigureOutbound(None) if self.outbound.is_some() && self.inbound.is_none() => Err(R::NoSide),
            C::ConfigureInbound(inbound) => {
                let inbound = checked_inbound(inbound)?;
                Ok(if inbound == self.inbound { vec![] } else { vec![E::InboundConfigured(inbound)] })
            }
            C::ConfigureOutbound(outbound) => {
                let outbound = checked_outbound(outbound)?;
                if outbound.as_ref().is_some_and(|new| self.would_tell_password(new)) {
                    return Err(R::PasswordNeeded);
                }
                Ok(if outbound == self.outbound { vec![] } else { vec![E::OutboundConfigured(outbound)] })
            }
            C::ConfigureOutboundWithPassword { outbound, secret } => {
                let outbound = checked_outbound(Some(outbound))?;
                let changed = (outbound != self.outbound).then_some(E::OutboundConfigured(outbound));
                let replaced = E::CredentialReplaced { secret: Some(secret) };
                Ok(changed.into_iter().chain([replaced]).collect())
            }
            C::ReplaceCredential => Ok(vec![E::CredentialReplaced { secret: None }]),
            C::Delete => Ok(vec![E::Deleted {}]),
        }
    }

    /// Whether the stored password, which was given for one host, would be used towards another. An answer to a digest
    /// challenge can be guessed at offline (RFC 7616 section 5.7). A user name taken away and given again counts: the host
    /// may have changed in between.
    fn would_tell_password(&self, new: &Outbound) -> bool {
        let kept = |old: &Outbound| old.username.is_some() && old.host.is_same(&new.host);
        self.credential && new.username.is_some() && !self.outbound.as_ref().is_some_and(kept)
    }

    fn on(&mut self, event: TrunkEvent) {
        match event {
            TrunkEvent::Created { carrier, name, inbound, outbound } => {
                (self.carrier, self.name, self.inbound, self.outbound) =
                    (Some(carrier), Some(name), inbound, outbound);
            }
            TrunkEvent::Renamed { name } => self.name = Some(name),
            TrunkEvent::InboundConfigured(inbound) => self.inbound = inbound,
            TrunkEvent::OutboundConfigured(outbound) => self.outbound = outbound,
            TrunkEvent::CredentialReplaced { .. } => self.credential = true,
            TrunkEvent::Deleted {} => self.deleted = true,
        }
    }

    /// A source names one trunk of its carrier: two of them would leave open which one calls. Other carriers may have the
    /// same one; the dialled number tells them apart ([`crate::route`]).
    fn reserve(&self, event: &TrunkEvent) -> Vec<Claim> {
        let none = Vec::new();
        let old = self.inbound.as_ref().map_or(&none, |inbound| &inbound.sources);
        let (carrier, new) = match event {
            TrunkEvent::Created { carrier, inbound, .. } => (Some(carrier), inbound.as_ref()),
            TrunkEvent::InboundConfigured(inbound) => (self.carrier.as_ref(), inbound.as_ref()),
            TrunkEvent::Deleted {} => (self.carrier.as_ref(), None),
            _ => return vec![],
        };
        let Some(scope) = carrier.map(|carrier| format!("trunk_source:{carrier}")) else { return vec![] };
        let new = new.map_or(&none, |inbound| &inbound.sources);
        let released = old.iter().filter(|source| !new.contains(source));
        let taken = new.iter().filter(|source| !old.contains(source));
        let release = released.map(|source| Claim::release(&*scope, source.to_string()));
        release.chain(taken.map(|source| Claim::take(&*scope, source.to_string()))).collect()
    }
}

impl TrunkEvent {
    /// Whether a person sees the trunk otherwise after it ([`crate::Stream::is_change`]). Every event says so for itself.
    fn is_change(&self) -> bool {
        match self {
            Self::Created { .. }
            | Self::Renamed { .. }
            | Self::InboundConfigured(_)
            | Self::OutboundConfigured(_)
            | Self::CredentialReplaced { .. }
            | Self::Deleted {} => true,
        }
    }
}

aggregate!(Trunk, "trunk", Core, TrunkCommand, TrunkEvent as TrunkEventKind until Deleted, TrunkError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{given, name, sid};
    use crate::{Kind, Number, Stream};
    use {TrunkCommand as C, TrunkEvent as E};

    fn inbound(sources: &[&str]) -> Option<Inbound> {
        let sources = sources.iter().map(|source| source.parse().unwrap()).collect();
        Some(Inbound { sources, ..Inbound::default() })
    }

    fn outbound() -> Outbound {
        Outbound::to("sip.example.com:5080".parse().unwrap())
    }

    fn created(inbound: Option<Inbound>) -> E {
        E::Created { carrier: sid(Kind::Carrier, 1), name: name("Switch"), inbound, outbound: None }
    }

    #[test]
    fn a_source_belongs_to_one_trunk_of_its_carrier() {
        let mut trunk = Trunk::default();
        let scope = format!("trunk_source:{}", sid(Kind::Carrier, 1));
        let first = created(inbound(&["203.0.113.7/32", "2001:db8::/48"]));
        assert_eq!(trunk.claims(&first).len(), 2);
        trunk.on(first);
        let second = E::InboundConfigured(inbound(&["203.0.113.7/32", "198.51.100.0/24"]));
        let expected = [Claim::release(&*scope, "2001:db8::/48"), Claim::take(&*scope, "198.51.100.0/24")];
        assert_eq!(trunk.claims(&second), expected);
        assert_eq!(trunk.claims(&E::Deleted {}).len(), 2);
    }

    #[test]
    fn host_bits_of_a_source_are_dropped() {
        given::<Trunk>(vec![created(None)], C::ConfigureInbound(inbound(&["203.0.113.7/24"])))
            .then_expect_events(vec![E::InboundConfigured(inbound(&["203.0.113.0/24"]))]);
    }

    #[test]
    fn unsound_sources_are_refused() {
        let configure =
            |sources: &[&str]| given::<Trunk>(vec![created(None)], C::ConfigureInbound(inbound(sources)));
        let wrong = |fault| TrunkError::Networks(NetworkList::Sources, fault);
        configure(&[]).then_expect_error(wrong(NetworkFault::SourceCount));
        configure(&["0.0.0.0/0"])
            .then_expect_error(wrong(NetworkFault::TooWide("0.0.0.0/0".parse().unwrap())));
        configure(&["10.0.0.1/32", "10.0.0.1/32"])
            .then_expect_error(wrong(NetworkFault::Repeated("10.0.0.1/32".parse().unwrap())));
    }

    #[test]
    fn a_carrier_does_not_say_that_its_trunk_is_trusted() {
        let trusted = Inbound { trusted: true, ..inbound(&["203.0.113.7/32"]).unwrap() };
        given::<Trunk>(vec![created(None)], C::ConfigureInbound(Some(trusted)))
            .then_expect_error(TrunkError::Trusted);
        let trusted = Outbound { trusted: true, ..outbound() };
        given::<Trunk>(vec![created(None)], C::ConfigureOutbound(Some(trusted)))
            .then_expect_error(TrunkError::Trusted);
    }

    #[test]
    fn media_may_come_from_networks_of_its_own() {
        let with = |networks: &[&str]| Outbound {
            media_networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
            ..outbound()
        };
        let configure = |side| given::<Trunk>(vec![created(None)], C::ConfigureOutbound(Some(side)));
        configure(with(&["198.51.100.9/24"]))
            .then_expect_events(vec![E::OutboundConfigured(Some(with(&["198.51.100.0/24"])))]);
        configure(with(&["198.51.100.1/24", "198.51.100.2/24"])).then_expect_error(TrunkError::Networks(
            NetworkList::OutboundMedia,
            NetworkFault::Repeated("198.51.100.0/24".parse().unwrap()),
        ));
    }

    #[test]
    fn the_dial_string_is_plus_then_prefix_then_number() {
        let home = "KH".parse().ok();
        let with = |prefix: &str, plus_prefix, trunk_prefix| {
            let dial_string_prefix = prefix.to_owned();
            Outbound { dial_string_prefix, plus_prefix, trunk_prefix, ..outbound() }
        };
        for (prefix, plus, national, number, dialled) in [
            ("", false, false, "+85512345678", "85512345678"),
            ("", true, false, "+85512345678", "+85512345678"),
            ("99", false, false, "+85512345678", "9985512345678"),
            ("99", true, false, "+85512345678", "+9985512345678"),
            ("", false, true, "+85512345678", "012345678"),
            ("99", false, true, "+85512345678", "99012345678"),
            ("99", true, true, "+85512345678", "+99012345678"),
            ("99", true, true, "+12125551234", "+9912125551234"),
            ("", false, true, "+442079460018", "442079460018"),
            ("9", true, true, "1234", "91234"),
        ] {
            let number: Number = number.parse().unwrap();
            let side = with(prefix, plus, national);
            assert_eq!(side.dial_string(&number, home), dialled, "{prefix} {plus} {national} {number}");
        }
    }

    #[test]
    fn national_form_is_for_numbers_of_the_trunks_country() {
        let side = Outbound { trunk_prefix: true, ..outbound() };
        let dialled = |side: &Outbound, number: &str, home: &str| {
            side.dial_string(&number.parse().unwrap(), home.parse().ok())
        };
        assert_eq!(dialled(&side, "+442079460018", "GB"), "02079460018");
        assert_eq!(dialled(&side, "+77012345678", "RU"), "77012345678", "Kazakhstan is not Russia");
        assert_eq!(dialled(&side, "+74951234567", "RU"), "84951234567");
        let german = Outbound { country: "DE".parse().ok(), ..side };
        assert_eq!(
            dialled(&german, "+4930123456", "GB"),
            "030123456",
            "its own country before the carrier's"
        );
        assert_eq!(dialled(&german, "+442079460018", "GB"), "442079460018");
    }

    #[test]
    fn the_caller_has_no_prefix_and_a_national_one_no_plus() {
        let side =
            Outbound { dial_string_prefix: "99".into(), plus_prefix: true, trunk_prefix: true, ..outbound() };
        for (number, shown) in
            [("+85512345678", "012345678"), ("+12125551234", "+12125551234"), ("1234", "1234")]
        {
            assert_eq!(side.caller(&number.parse().unwrap(), "KH".parse().ok()), shown);
        }
    }

    #[test]
    fn a_trunk_has_a_side() {
        let create = |inbound, outbound| C::Create {
            carrier: sid(Kind::Carrier, 1),
            name: name("Switch"),
            inbound,
            outbound,
        };
        given::<Trunk>(vec![], create(None, None)).then_expect_error(TrunkError::NoSide);
        let inbound = inbound(&["203.0.113.7/32"]);
        given::<Trunk>(vec![created(inbound.clone())], C::ConfigureInbound(None))
            .then_expect_error(TrunkError::NoSide);
        let both = vec![created(inbound), E::OutboundConfigured(Some(outbound()))];
        given::<Trunk>(both, C::ConfigureInbound(None)).then_expect_events(vec![E::InboundConfigured(None)]);
    }

    #[test]
    fn a_deleted_trunk_refuses_everything() {
        given::<Trunk>(vec![created(None), E::Deleted {}], C::Delete).then_expect_error(TrunkError::NotFound);
    }

    #[test]
    fn a_stored_password_is_for_the_host_it_was_given_for() {
        let of = |host: &str, username: Option<&str>| {
            let (host, username) = (host.parse().unwrap(), username.map(str::to_owned));
            Outbound { host, username, ..outbound() }
        };
        let set = |outbound| E::OutboundConfigured(Some(outbound));
        let before = |then: Vec<E>| {
            let first = vec![
                created(None),
                set(of("sip.example.com", Some("us"))),
                E::CredentialReplaced { secret: None },
            ];
            first.into_iter().chain(then).collect::<Vec<_>>()
        };
        let configure = |then, new| given::<Trunk>(before(then), C::ConfigureOutbound(Some(new)));
        let evil = of("sip.evil.example", Some("us"));
        for then in [vec![], vec![set(of("sip.example.com", None))], vec![E::OutboundConfigured(None)]] {
            configure(then, evil.clone()).then_expect_error(TrunkError::PasswordNeeded);
        }
        let by_steps = vec![set(of("sip.evil.example", None))];
        configure(by_steps, evil.clone()).then_expect_error(TrunkError::PasswordNeeded);
        configure(vec![], of("sip.example.com:5070", Some("us")))
            .then_expect_error(TrunkError::PasswordNeeded);
        let same = of("SIP.example.com:5060", Some("other"));
        configure(vec![], same.clone()).then_expect_events(vec![set(same)]);
        let without = of("sip.evil.example", None);
        configure(vec![], without.clone()).then_expect_events(vec![set(without)]);
        let with = C::ConfigureOutboundWithPassword { outbound: evil.clone(), secret: "s1".into() };
        given::<Trunk>(before(vec![]), with)
            .then_expect_events(vec![set(evil), E::CredentialReplaced { secret: Some("s1".into()) }]);
    }

    #[test]
    fn odd_prefixes_and_names_are_refused() {
        let configure = |outbound| given::<Trunk>(vec![created(None)], C::ConfigureOutbound(Some(outbound)));
        configure(Outbound { dial_string_prefix: "+1".into(), ..outbound() })
            .then_expect_error(TrunkError::DialStringPrefix);
        configure(Outbound { username: Some("a\"b".into()), ..outbound() })
            .then_expect_error(TrunkError::Username);
    }
}
