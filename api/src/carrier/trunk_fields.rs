//! The two sides of a trunk as the API writes them, and what a dial string looks like.

use super::text::Text;
use crate::{App, fields::Fields};
use domain::{
    E164, Number,
    country::Country,
    outbound::refusal,
    trunk::{Host, Inbound, Outbound, Transport, TrunkError},
};
use ipnet::IpNet;
use poem_openapi::{Enum, Object};
use std::net::{IpAddr, SocketAddr};

/// Most characters of a digest password.
const LONGEST_PASSWORD: usize = 128;

/// Who is taken to be the trunk.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub(super) struct InboundConfig {
    /// Addresses (`203.0.113.7`) and networks (`203.0.113.0/24`) its calls come from; 1 to 64.
    sources: Vec<Text>,
    /// ISO code of the country whose national numbers it dials; the carrier's when left out.
    country: Option<Text>,
    /// Networks its RTP may come from beside its sources and the address it signals: gateways apart from its SIP; up to 64.
    media_networks: Option<Vec<Text>>,
    /// Whether its RTP comes from another port than the one it wants ours at.
    asymmetric_rtp: Option<bool>,
    /// Whether it is inside the trust domain (RFC 3325). Only the operator of the installation sets it; it may be sent back
    /// as it was read.
    trusted: Option<bool>,
}

/// How SIP is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum SipTransport {
    /// Over UDP.
    Udp,
    /// Over TCP.
    Tcp,
}

/// How to call through the trunk.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub(super) struct OutboundConfig {
    /// Host name or address, with `:port` if it is not 5060; IPv6 in brackets.
    host: Text,
    /// UDP unless given.
    transport: Option<SipTransport>,
    /// Up to 16 digits, `*` or `#` put before every number.
    dial_string_prefix: Option<Text>,
    /// Whether a plus goes before everything, prefix included.
    plus_prefix: Option<bool>,
    /// Whether numbers of the trunk's country go in national form, with its trunk digit; the rest stay international.
    trunk_prefix: Option<bool>,
    /// ISO code of the country whose numbers are national to it; the inbound side's when left out, else the carrier's.
    country: Option<Text>,
    /// User name for digest authentication.
    username: Option<Text>,
    /// Password for digest authentication, up to 128 characters; never shown again. Another host needs it again.
    pub(super) password: Option<Text>,
    /// Whether it takes emergency calls (112, 911, …); they go to no other trunk.
    emergency: Option<bool>,
    /// Networks its RTP may come from beside the address it signals: gateways apart from its SIP; up to 64.
    media_networks: Option<Vec<Text>>,
    /// Whether its RTP comes from another port than the one it wants ours at.
    asymmetric_rtp: Option<bool>,
    /// Whether it is inside the trust domain (RFC 3325). Only the operator of the installation sets it; it may be sent back
    /// as it was read.
    trusted: Option<bool>,
}

/// How calls go through the trunk, with an example.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct OutboundView {
    /// Host name or address, with port if it is not 5060.
    host: String,
    /// UDP or TCP.
    transport: SipTransport,
    /// Put before every number.
    dial_string_prefix: String,
    /// Whether a plus goes before everything, prefix included.
    plus_prefix: bool,
    /// Whether numbers of the trunk's country go in national form, with its trunk digit; the rest stay international.
    trunk_prefix: bool,
    /// ISO code of the country whose numbers are national to it, where it is not the inbound side's or the carrier's.
    country: Option<String>,
    /// User name for digest authentication.
    username: Option<String>,
    /// Whether a digest password is kept.
    has_password: bool,
    /// Whether it takes emergency calls (112, 911, …).
    emergency: bool,
    /// Networks its RTP may come from beside the address it signals.
    media_networks: Vec<String>,
    /// Whether its RTP comes from another port than the one it wants ours at.
    asymmetric_rtp: bool,
    /// Whether it is inside the trust domain (RFC 3325), as the operator of the installation says.
    trusted: bool,
    /// What a number of the trunk's country becomes.
    example_dial_string: String,
    /// The whole Request-URI of the example.
    example_request_uri: String,
}

impl InboundConfig {
    /// The inbound side, unless something is wrong with it. `trusted` is what the operator says of this trunk.
    pub(super) fn read(&self, fields: &mut Fields, trusted: bool) -> Option<Inbound> {
        let country = fields.maybe("inbound.country", self.country.as_deref());
        let sources = networks(fields, "inbound.sources", &self.sources);
        let media = self.media_networks.as_deref().unwrap_or_default();
        let media_networks = networks(fields, "inbound.media_networks", media);
        not_set(fields, "inbound.trusted", self.trusted, trusted);
        Some(Inbound {
            sources: sources?,
            country: country?,
            media_networks: media_networks?,
            asymmetric_rtp: self.asymmetric_rtp.unwrap_or_default(),
            trusted: false,
        })
    }

    /// As it is shown.
    pub(super) fn new(inbound: &Inbound, trusted: bool) -> InboundConfig {
        let texts = |networks: &[IpNet]| networks.iter().map(written).map(Text::from).collect();
        InboundConfig {
            sources: texts(&inbound.sources),
            country: inbound.country.map(|country| country.code().to_owned().into()),
            media_networks: Some(texts(&inbound.media_networks)),
            asymmetric_rtp: Some(inbound.asymmetric_rtp),
            trusted: Some(trusted),
        }
    }
}

/// Trust is the operator's to give: a carrier may only say what is so already.
fn not_set(fields: &mut Fields, field: &str, asked: Option<bool>, trusted: bool) {
    if asked.is_some_and(|asked| asked != trusted) {
        fields.wrong(field, TrunkError::Trusted);
    }
}

fn networks(fields: &mut Fields, field: &str, texts: &[Text]) -> Option<Vec<IpNet>> {
    let read: Vec<_> =
        texts.iter().enumerate().map(|(at, text)| network(fields, &format!("{field}.{at}"), text)).collect();
    read.into_iter().collect()
}

/// A network, or one address as the network of itself.
fn network(fields: &mut Fields, field: &str, text: &str) -> Option<IpNet> {
    let text = text.trim();
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let message = "Give an address like 203.0.113.7 or a network like 203.0.113.0/24.";
    network.map_err(|_| fields.wrong(field, message)).ok()
}

/// A network as people write it: one address without its length.
fn written(network: &IpNet) -> String {
    match network.prefix_len() == network.max_prefix_len() {
        true => network.addr().to_string(),
        false => network.to_string(),
    }
}

impl OutboundConfig {
    /// The outbound side, unless something is wrong with it. `trusted` is what the operator says of this trunk.
    pub(super) fn read(&self, fields: &mut Fields, trusted: bool) -> Option<Outbound> {
        let host: Option<Host> = fields.read("outbound.host", &self.host);
        let country = fields.maybe("outbound.country", self.country.as_deref());
        if self
            .password
            .as_ref()
            .is_some_and(|text| text.is_empty() || text.chars().count() > LONGEST_PASSWORD)
        {
            fields.wrong(
                "outbound.password",
                format!("give 1 to {LONGEST_PASSWORD} characters, or leave it out"),
            );
        }
        if self.password.is_some() && self.username.is_none() {
            fields.wrong("outbound.username", "give the user name the password is for");
        }
        let transport = match self.transport {
            Some(SipTransport::Tcp) => Transport::Tcp,
            Some(SipTransport::Udp) | None => Transport::Udp,
        };
        let media = self.media_networks.as_deref().unwrap_or_default();
        let media_networks = networks(fields, "outbound.media_networks", media);
        not_set(fields, "outbound.trusted", self.trusted, trusted);
        Some(Outbound {
            host: host?,
            transport,
            dial_string_prefix: self.dial_string_prefix.as_deref().unwrap_or_default().to_owned(),
            plus_prefix: self.plus_prefix.unwrap_or_default(),
            trunk_prefix: self.trunk_prefix.unwrap_or_default(),
            username: self.username.as_deref().map(str::to_owned),
            country: country?,
            emergency: self.emergency.unwrap_or_default(),
            media_networks: media_networks?,
            asymmetric_rtp: self.asymmetric_rtp.unwrap_or_default(),
            trusted: false,
        })
    }
}

impl OutboundView {
    pub(super) fn new(
        outbound: Outbound,
        home: Option<Country>,
        has_password: bool,
        trusted: bool,
    ) -> OutboundView {
        let home = outbound.country.or(home);
        let example = home.and_then(E164::example).map(|number| preview(&outbound, &number.into(), home));
        let (example_dial_string, example_request_uri) = example.unwrap_or_default();
        OutboundView {
            host: outbound.host.into(),
            transport: match outbound.transport {
                Transport::Udp => SipTransport::Udp,
                Transport::Tcp => SipTransport::Tcp,
            },
            dial_string_prefix: outbound.dial_string_prefix,
            plus_prefix: outbound.plus_prefix,
            trunk_prefix: outbound.trunk_prefix,
            country: outbound.country.map(|country| country.code().to_owned()),
            has_password: has_password && outbound.username.is_some(),
            username: outbound.username,
            emergency: outbound.emergency,
            media_networks: outbound.media_networks.iter().map(written).collect(),
            asymmetric_rtp: outbound.asymmetric_rtp,
            trusted,
            example_dial_string,
            example_request_uri,
        }
    }
}

/// That no call is sent to the address a trunk names as its host. What a name leads to is only known when it is called.
pub(super) fn never_called(app: &App, outbound: &Outbound) -> Option<String> {
    let (host, port) = outbound.host.name_and_port();
    let address = SocketAddr::new(host.parse().ok()?, port);
    let reachable = (app.config.reachable.0)(address);
    (!reachable).then(|| format!("No call is placed through it: {}.", refusal(host)))
}

/// What this side makes of a number: dial string and Request-URI.
pub(super) fn preview(outbound: &Outbound, number: &Number, home: Option<Country>) -> (String, String) {
    let dial_string = outbound.dial_string(number, home);
    let transport = match outbound.transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
    };
    // In a SIP URI's user part a `#` is written as its escape (RFC 3261 section 25.1).
    let user = dial_string.replace('#', "%23");
    let request_uri = format!("sip:{user}@{}{transport}", outbound.host.as_str());
    (dial_string, request_uri)
}
