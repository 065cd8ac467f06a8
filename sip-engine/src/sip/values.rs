//! Header values parsed on demand: Via, CSeq and the addresses in From, To and Contact. The raw text stays what is echoed.

use super::event::Party;
use super::message::Message;
use super::text;
use super::uri::Uri;
use std::net::SocketAddr;

/// How many hops a request of ours may take (RFC 3261 section 8.1.1.6).
pub const MAX_FORWARDS: u8 = 70;

/// The topmost Via value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// Host and port as written, lower case: the sender's own idea of itself.
    pub sent_by: String,
    /// The host of it.
    pub host: String,
    /// The port of it.
    pub port: Option<u16>,
    /// The branch, case kept.
    pub branch: Option<String>,
    /// True with an `rport` parameter, filled in or not.
    pub rport: bool,
    /// The protocol's version, `2.0`; a request of another one must still be told so.
    pub version: String,
}

impl Via {
    /// The magic cookie of RFC 3261 branches.
    pub const COOKIE: &'static str = "z9hG4bK";

    /// Reads the first value of the first Via.
    #[must_use]
    pub fn of(message: &Message) -> Option<Via> {
        let line = message.headers.text("via")?;
        let value = text::split_list(&line).into_iter().next()?;
        Via::parse(&value)
    }

    fn parse(value: &str) -> Option<Via> {
        let own = value.get(..text::find_unquoted(value, ';').unwrap_or(value.len()))?;
        // "SIP / 2.0 / UDP host : port" may hold white space everywhere (RFC 4475 section 3.1.1.1).
        let mut parts = own.splitn(3, '/').map(str::trim);
        let (name, version) = (parts.next()?, parts.next()?);
        let plain = |c: char| c.is_ascii_digit() || c == '.';
        if !name.eq_ignore_ascii_case("SIP") || version.is_empty() || !version.chars().all(plain) {
            return None;
        }
        let (_, sent_by) = parts.next()?.split_once(char::is_whitespace)?;
        let sent_by: String = sent_by.split_whitespace().collect::<String>().to_ascii_lowercase();
        let (host, port) = super::uri::host_port(&sent_by)?;
        Some(Via {
            host,
            port,
            sent_by,
            branch: text::parameter_value(value, "branch").filter(|branch| !branch.is_empty()),
            rport: text::parameters(value).iter().any(|(name, _)| name == "rport"),
            version: version.to_owned(),
        })
    }

    /// Where a UDP response goes: RFC 3581 with `rport`; without it to the source's IP and the sent-by port as RFC 3261
    /// section 18.2.2 says, unless sent-by and source disagree about the IP (a NAT between us): then only the source
    /// port can work. `maddr` is not obeyed, it would make us a reflector.
    #[must_use]
    pub fn reply_to(&self, source: SocketAddr) -> SocketAddr {
        let same_ip = self.host.parse().is_ok_and(|ip: std::net::IpAddr| ip == source.ip());
        if self.rport || !same_ip {
            return source;
        }
        SocketAddr::new(source.ip(), self.port.unwrap_or(5060))
    }
}

/// CSeq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2^31 (RFC 3261 section 8.1.1.5).
    pub number: u32,
    /// The method.
    pub method: String,
}

impl CSeq {
    /// Reads the CSeq of a message.
    #[must_use]
    pub fn of(message: &Message) -> Option<CSeq> {
        let line = message.headers.text("cseq")?;
        let mut words = line.split_ascii_whitespace();
        let (number, method) = (words.next()?, words.next()?);
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<u32>().ok().filter(|number| digits && *number < 1 << 31)?;
        (words.next().is_none()).then(|| CSeq { number, method: method.to_owned() })
    }
}

/// Whether an option tag stands in a header such as Supported or Require (RFC 3261 section 19.2).
#[must_use]
pub fn has_option(message: &Message, name: &str, option: &str) -> bool {
    message.headers.list(name).iter().any(|tag| tag.trim().eq_ignore_ascii_case(option))
}

/// The tag of a From or To, case kept.
#[must_use]
pub fn tag(message: &Message, name: &str) -> Option<String> {
    let line = message.headers.text(name)?;
    text::parameter_value(&line, "tag").filter(|tag| !tag.is_empty())
}

/// The URI of a name-addr or addr-spec, as written.
#[must_use]
pub fn address_uri(value: &str) -> Option<String> {
    if let Some(open) = text::find_unquoted(value, '<') {
        let inside = value.get(open + 1..)?;
        return inside.split('>').next().filter(|_| inside.contains('>')).map(|uri| uri.trim().to_owned());
    }
    // Without brackets, parameters belong to the header (RFC 3261 section 20).
    let uri = value.split(';').next()?.trim();
    (uri.contains(':') && !uri.contains(char::is_whitespace)).then(|| uri.to_owned())
}

/// Reads a From, To or P-Asserted-Identity value.
#[must_use]
pub fn party(value: &str) -> Option<Party> {
    let uri = address_uri(value)?;
    let parsed = Uri::parse(&uri)?;
    let display = text::find_unquoted(value, '<').and_then(|open| value.get(..open)).map(str::trim);
    Some(Party {
        // Names are shown and logged: what steers a terminal is taken out.
        display: display
            .filter(|name| !name.is_empty())
            .map(|name| super::build::clean(&text::unquote(name))),
        user: super::build::clean(&parsed.dialled()),
        host: parsed.host,
        uri: super::build::clean(&uri),
    })
}

/// Whether the caller's identity is to be kept from others: by a Privacy of `id` or `user` (RFC 3323 section 4.2, RFC
/// 3325 section 9.3), because From is the anonymous one (RFC 3323 section 4.1.1.3), or by a Remote-Party-ID of the caller
/// whose privacy is not off (draft-ietf-sip-privacy-04 section 5, which came before and is still sent).
#[must_use]
pub fn wants_privacy(message: &Message) -> bool {
    let asked = message.headers.all("privacy").any(|header| {
        let text = header.text().to_ascii_lowercase();
        text.split([';', ',']).any(|word| matches!(word.trim(), "id" | "user"))
    });
    let from = message.headers.text("from").and_then(|from| party(&from));
    let hidden = message.headers.list("remote-party-id").iter().any(|party| hides(party));
    asked || hidden || from.is_some_and(|from| from.host == "anonymous.invalid")
}

/// Whether a Remote-Party-ID is of whoever calls, as it is where it does not say of whom, and hides something.
fn hides(remote_party: &str) -> bool {
    let said = |name| text::parameter_value(remote_party, name).map(|value| value.to_ascii_lowercase());
    let of_caller = said("party").is_none_or(|party| party.trim_matches('"') == "calling");
    // It may say several, as in `privacy="name,uri"`, and of whom, as in `full-network`; `name` leaves the number open.
    let kinds = said("privacy").unwrap_or_default();
    let mut kinds = kinds.trim_matches('"').split([',', '-', ' ']);
    of_caller && kinds.any(|kind| matches!(kind, "full" | "uri" | "ipaddr" | "id"))
}

/// Whom the network before us vouches for: the first P-Asserted-Identity (RFC 3325 section 9.1).
#[must_use]
pub fn asserted(message: &Message) -> Option<Party> {
    let first = message.headers.list("p-asserted-identity").into_iter().next()?;
    party(&first).filter(|party| !party.user.is_empty())
}

/// How many more hops a request may take; what RFC 3261 section 8.1.1.6 has it begin with where it does not say.
#[must_use]
pub fn hops(message: &Message) -> u8 {
    message.headers.text("max-forwards").and_then(|text| text.parse().ok()).unwrap_or(MAX_FORWARDS)
}

/// The URI of the first Contact, not `*`.
#[must_use]
pub fn contact_uri(message: &Message) -> Option<String> {
    let first = message.headers.list("contact").into_iter().next()?;
    let can_be_asked =
        |uri: &String| !uri.contains(|c: char| c.is_whitespace() || c.is_control() || c == '<');
    address_uri(&first).filter(can_be_asked).filter(|uri| Uri::parse(uri).is_some_and(|uri| uri.is_sip()))
}
