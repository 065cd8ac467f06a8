//! The two sides of a trunk as the API writes them, and what a dial string looks like.

use super::text::Text;
use crate::fields::Fields;
use domain::{
    Number,
    country::Country,
    trunk::{Host, Inbound, Outbound, Transport},
};
use ipnet::IpNet;
use poem_openapi::{Enum, Object};
use std::net::IpAddr;

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
    /// Whether a plus goes before international numbers.
    plus_prefix: Option<bool>,
    /// Whether numbers go in national form with the country's trunk digit.
    trunk_prefix: Option<bool>,
    /// User name for digest authentication.
    username: Option<Text>,
    /// Password for digest authentication, up to 128 characters; never shown again.
    pub(super) password: Option<Text>,
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
    /// Whether a plus goes before international numbers.
    plus_prefix: bool,
    /// Whether numbers go in national form with the country's trunk digit.
    trunk_prefix: bool,
    /// User name for digest authentication.
    username: Option<String>,
    /// Whether a digest password is kept.
    has_password: bool,
    /// What an international number becomes.
    example_dial_string: String,
    /// The whole Request-URI of the example.
    example_request_uri: String,
}

impl InboundConfig {
    /// The inbound side, unless something is wrong with it.
    pub(super) fn read(&self, fields: &mut Fields) -> Option<Inbound> {
        let country = fields.maybe("inbound.country", self.country.as_deref());
        let sources: Vec<_> =
            self.sources.iter().enumerate().map(|(at, text)| source(fields, at, text)).collect();
        Some(Inbound { sources: sources.into_iter().collect::<Option<_>>()?, country: country? })
    }
}

/// A network, or one address as the network of itself.
fn source(fields: &mut Fields, at: usize, text: &str) -> Option<IpNet> {
    let text = text.trim();
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let message = "Give an address like 203.0.113.7 or a network like 203.0.113.0/24.";
    network.map_err(|_| fields.wrong(format!("inbound.sources.{at}"), message)).ok()
}

impl From<Inbound> for InboundConfig {
    fn from(inbound: Inbound) -> InboundConfig {
        let text = |net: &IpNet| match net.prefix_len() == net.max_prefix_len() {
            true => net.addr().to_string(),
            false => net.to_string(),
        };
        let sources = inbound.sources.iter().map(text).map(Text::from).collect();
        InboundConfig { sources, country: inbound.country.map(|country| country.code().to_owned().into()) }
    }
}

impl OutboundConfig {
    /// The outbound side, unless something is wrong with it.
    pub(super) fn read(&self, fields: &mut Fields) -> Option<Outbound> {
        let host: Option<Host> = fields.read("outbound.host", &self.host);
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
        Some(Outbound {
            host: host?,
            transport,
            dial_string_prefix: self.dial_string_prefix.as_deref().unwrap_or_default().to_owned(),
            plus_prefix: self.plus_prefix.unwrap_or_default(),
            trunk_prefix: self.trunk_prefix.unwrap_or_default(),
            username: self.username.as_deref().map(str::to_owned),
        })
    }
}

impl OutboundView {
    pub(super) fn new(outbound: Outbound, has_password: bool) -> OutboundView {
        let example = example_number(None).map(|number| preview(&outbound, &number));
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
            has_password: has_password && outbound.username.is_some(),
            username: outbound.username,
            example_dial_string,
            example_request_uri,
        }
    }
}

/// A number to show an example with: one of `country`, else of Cambodia, whose national form shows a trunk digit.
pub(super) fn example_number(country: Option<Country>) -> Option<Number> {
    let code = country.map_or("855", Country::calling_code);
    format!("+{code}23456789").parse().ok()
}

/// What this side makes of a number: dial string and Request-URI.
pub(super) fn preview(outbound: &Outbound, number: &Number) -> (String, String) {
    let dial_string = outbound.dial_string(number);
    let transport = match outbound.transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
    };
    // In a SIP URI's user part a `#` is written as its escape (RFC 3261 section 25.1).
    let user = dial_string.replace('#', "%23");
    let request_uri = format!("sip:{user}@{}{transport}", outbound.host.as_str());
    (dial_string, request_uri)
}
