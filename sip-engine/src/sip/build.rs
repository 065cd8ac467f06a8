//! Builds responses out of requests and requests out of nothing. Echoed headers are copied, never printed anew.

use super::flow::{Flow, Transport};
use super::headers::Headers;
use super::message::{Message, Start, reason_phrase};
use super::text;
use super::values::tag;
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};

/// What we can do; the answer to a method that is not here is 405.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK";
/// The extensions we know (RFC 3262, RFC 4028); what requires another one is answered 420.
pub(crate) const SUPPORTED: &str = "100rel, timer";
/// What we read in bodies.
pub(crate) const ACCEPT: &str = "application/sdp, application/dtmf-relay, application/dtmf";
/// Our name in User-Agent and Server.
pub(crate) const AGENT: &str = "Trunkline";

/// A response with the headers RFC 3261 section 8.2.6 copies: Via, From, To, Call-ID, CSeq, byte for byte, the top Via
/// completed with `received` and `rport`, the To with `local_tag` unless it has one.
pub(crate) fn response(
    request: &Message,
    source: SocketAddr,
    code: u16,
    reason: Option<&str>,
    local_tag: Option<&str>,
) -> Message {
    let reason = reason.map_or_else(|| reason_phrase(code), clean);
    let mut headers = Headers::default();
    for (index, via) in request.headers.all("via").enumerate() {
        let value = if index == 0 { stamp_via(&via.value, source) } else { via.value.clone() };
        headers.push(via.name.clone(), value);
    }
    for name in ["from", "to", "call-id", "cseq"] {
        if let Some(header) = request.headers.get(name) {
            headers.push(header.name.clone(), header.value.clone());
        }
    }
    let untagged = code > 100 && tag(request, "to").is_none();
    if let (Some(local_tag), Some(to), true) = (local_tag, request.headers.get("to"), untagged) {
        headers.replace("to", [to.value.as_ref(), b";tag=".as_slice(), local_tag.as_bytes()].concat());
    }
    if let Some(stamp) = request.headers.get("timestamp").filter(|_| code == 100) {
        headers.push(stamp.name.clone(), stamp.value.clone());
    }
    Message { start: Start::Response { code, reason }, headers, body: Bytes::new() }
}

/// Copies Record-Route, as dialog-establishing responses need (RFC 3261 section 12.1.1).
pub(crate) fn copy_record_route(request: &Message, response: &mut Message) {
    for header in request.headers.all("record-route") {
        response.headers.push(header.name.clone(), header.value.clone());
    }
}

/// Completes the first value of a Via line with where the request really came from (RFC 3261 section 18.2.1, RFC 3581).
fn stamp_via(value: &[u8], source: SocketAddr) -> Bytes {
    // One byte is one character here, so that bytes which are not UTF-8 come out as they went in.
    let line: String = value.iter().map(|byte| char::from(*byte)).collect();
    let end = first_value_end(&line);
    let (first, rest) = line.split_at_checked(end).unwrap_or((&line, ""));
    let mut stamped = String::new();
    let mut pieces = text::split(first, ';').into_iter();
    stamped.push_str(&pieces.next().unwrap_or_default());
    for piece in pieces {
        let name = piece.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "received" => {}
            "rport" => stamped.push_str(&format!(";rport={}", source.port())),
            _ => {
                stamped.push(';');
                stamped.push_str(&piece);
            }
        }
    }
    stamped.push_str(&format!(";received={}", source.ip()));
    stamped.push_str(rest);
    stamped.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

fn first_value_end(line: &str) -> usize {
    text::find_unquoted(line, ',').unwrap_or(line.len())
}

/// The ACK of a refusal: it belongs to the INVITE's transaction, so Via and Request-URI are the INVITE's.
pub(crate) fn ack_of_refusal(invite: &Message, response: &Message) -> Message {
    let mut ack = within_transaction(invite, "ACK");
    if let Some(to) = response.headers.get("to") {
        ack.headers.replace("to", to.value.clone());
    }
    ack
}

/// The CANCEL of an INVITE: the same branch, the same everything (RFC 3261 section 9.1).
pub(crate) fn cancel(invite: &Message) -> Message {
    within_transaction(invite, "CANCEL")
}

fn within_transaction(invite: &Message, method: &str) -> Message {
    let mut message = Message::request(method, invite.uri());
    for header in invite.headers.iter() {
        let copied = ["via", "max-forwards", "route", "from", "to", "call-id"]
            .iter()
            .any(|name| super::headers::same_name(&header.name, name));
        if copied {
            message.headers.push(header.name.clone(), header.value.clone());
        }
    }
    let number = super::values::CSeq::of(invite).map(|cseq| cseq.number).unwrap_or_default();
    message.headers.push("CSeq", format!("{number} {method}"));
    message
}

/// The address we are known by: `advertise` instead of the local one where the families agree.
pub(crate) fn known_as(local: SocketAddr, advertise: Option<IpAddr>) -> SocketAddr {
    let ip = advertise.filter(|ip| ip.is_ipv4() == local.is_ipv4()).unwrap_or(local.ip());
    SocketAddr::new(ip, local.port())
}

/// A Via of our own.
pub(crate) fn via(flow: &Flow, advertise: Option<IpAddr>, branch: &str) -> String {
    format!("SIP/2.0/{} {};branch={branch};rport", flow.transport, known_as(flow.local, advertise))
}

/// A Contact of our own.
pub(crate) fn contact(flow: &Flow, advertise: Option<IpAddr>) -> String {
    let transport = if flow.transport == Transport::Tcp { ";transport=tcp" } else { "" };
    format!("<sip:{}{transport}>", known_as(flow.local, advertise))
}

/// A reason phrase or another single line of ours, control characters replaced.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(256).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advertised_address_stands_for_those_of_its_family_only() {
        let advertise = "203.0.113.1".parse().ok();
        for (local, known) in
            [("10.0.0.1:5060", "203.0.113.1:5060"), ("[2001:db8::1]:5060", "[2001:db8::1]:5060")]
        {
            assert_eq!(known_as(local.parse().unwrap(), advertise), known.parse().unwrap());
        }
    }
}
