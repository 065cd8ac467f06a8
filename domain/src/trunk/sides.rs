//! The two sides of a trunk: who is taken to be it, and how to call through it.

use super::{Host, NetworkList};
use crate::{E164, Number, country::Country, emergency::is_emergency, trunk::TrunkError, visible::unseen};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Who is taken to be this trunk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// Addresses and networks its INVITEs come from. Trunks of several carriers may share them: the dialled number and the
    /// earlier claim decide (see [`crate::route`]); between trunks of one carrier the longest prefix does.
    pub sources: Vec<IpNet>,
    /// Whose national numbers it dials; the carrier's country when absent.
    pub country: Option<Country>,
    /// Where its RTP may come from beside its sources and what it signals: gateways apart from its SIP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_networks: Vec<IpNet>,
    /// Whether its RTP comes from another port than it wants ours at (RFC 4961 is not kept).
    #[serde(default, skip_serializing_if = "is_off")]
    pub asymmetric_rtp: bool,
    /// Whether it is inside our trust domain (RFC 3325). The operator says so by a setting, so it is in no event.
    #[serde(skip)]
    pub trusted: bool,
}

/// How SIP is carried to an outbound host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// RFC 3261 section 18 over UDP.
    #[default]
    Udp,
    /// Over TCP.
    Tcp,
}

/// How to call through this trunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbound {
    /// Host name or address, perhaps with a port.
    pub host: Host,
    /// UDP or TCP.
    pub transport: Transport,
    /// Digits put before every number.
    pub dial_string_prefix: String,
    /// Whether a plus goes before everything, prefix included.
    pub plus_prefix: bool,
    /// Whether numbers of the trunk's country go in national form, with its trunk digit; the rest stay international.
    pub trunk_prefix: bool,
    /// User name for digest authentication; the password is in the vault.
    pub username: Option<String>,
    /// Whose numbers are national to it; the inbound side's when absent, else the carrier's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// Whether it takes emergency calls (112, 911, …); others go to no trunk that does not say so.
    #[serde(default, skip_serializing_if = "is_off")]
    pub emergency: bool,
    /// Where its RTP may come from beside what it signals: gateways apart from its SIP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_networks: Vec<IpNet>,
    /// Whether its RTP comes from another port than it wants ours at (RFC 4961 is not kept).
    #[serde(default, skip_serializing_if = "is_off")]
    pub asymmetric_rtp: bool,
    /// Whether it is inside our trust domain (RFC 3325). The operator says so by a setting, so it is in no event.
    #[serde(skip)]
    pub trusted: bool,
}

fn is_off(flag: &bool) -> bool {
    !flag
}

impl Outbound {
    /// Calls to this host over UDP, numbers as digits, with nothing else said.
    #[must_use]
    pub fn to(host: Host) -> Outbound {
        Outbound {
            host,
            transport: Transport::Udp,
            dial_string_prefix: String::new(),
            plus_prefix: false,
            trunk_prefix: false,
            username: None,
            country: None,
            emergency: false,
            media_networks: Vec::new(),
            asymmetric_rtp: false,
            trusted: false,
        }
    }

    /// The user part of the Request-URI that calls `number` from a trunk in `home`: plus, prefix, number, in this order. A
    /// short code takes neither plus nor trunk digit.
    #[must_use]
    pub fn dial_string(&self, number: &Number, home: Option<Country>) -> String {
        let plus = if self.plus_prefix && !number.is_short_code() { "+" } else { "" };
        format!("{plus}{}{}", self.dial_string_prefix, self.written(number, home))
    }

    /// Whether this number, as it leaves through a trunk in `home`, is a call for help where it arrives: as it is, in the
    /// national form, or with the prefix before it. Another country's short code may be its ambulance.
    #[must_use]
    pub fn calls_for_help(&self, number: &Number, home: Option<Country>) -> bool {
        let forms = [number.to_string(), self.written(number, home), self.dial_string(number, home)];
        forms.iter().any(|dialled| is_emergency(dialled, self.country.or(home)))
    }

    /// The caller as the trunk wants numbers: without the prefix that only dials, and a national one without plus.
    #[must_use]
    pub fn caller(&self, number: &Number, home: Option<Country>) -> String {
        let international = matches!(number, Number::E164(number) if !self.is_national(number, home));
        let plus = if self.plus_prefix && international { "+" } else { "" };
        format!("{plus}{}", self.written(number, home))
    }

    fn written(&self, number: &Number, home: Option<Country>) -> String {
        match number {
            Number::E164(number) if self.is_national(number, home) => number.national(),
            number => number.digits().to_owned(),
        }
    }

    fn is_national(&self, number: &E164, home: Option<Country>) -> bool {
        self.trunk_prefix && self.country.or(home).is_some_and(|home| number.country() == Some(home))
    }
}

/// The side as it is kept, or what is wrong with it.
pub(super) fn checked_inbound(inbound: Option<Inbound>) -> Result<Option<Inbound>, TrunkError> {
    let Some(inbound) = inbound else { return Ok(None) };
    if inbound.trusted {
        return Err(TrunkError::Trusted);
    }
    let sources = NetworkList::Sources.checked(&inbound.sources)?;
    let media_networks = NetworkList::InboundMedia.checked(&inbound.media_networks)?;
    Ok(Some(Inbound { sources, media_networks, ..inbound }))
}

/// The side as it is kept, or what is wrong with it.
pub(super) fn checked_outbound(outbound: Option<Outbound>) -> Result<Option<Outbound>, TrunkError> {
    let Some(outbound) = outbound else { return Ok(None) };
    if outbound.trusted {
        return Err(TrunkError::Trusted);
    }
    let prefix = &outbound.dial_string_prefix;
    if prefix.len() > 16 || !prefix.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#')) {
        return Err(TrunkError::DialStringPrefix);
    }
    let sound = |name: &String| {
        (1..=64).contains(&name.chars().count())
            && !name.chars().any(|c| c == '"' || c == '\\')
            && unseen(name).is_none()
    };
    if !outbound.username.as_ref().is_none_or(sound) {
        return Err(TrunkError::Username);
    }
    let media_networks = NetworkList::OutboundMedia.checked(&outbound.media_networks)?;
    Ok(Some(Outbound { media_networks, ..outbound }))
}
