//! What every message must have before anybody believes it (RFC 3261 section 8.1.1, 8.2; RFC 4475 for the odd cases).

use super::message::Message;
use super::values::{CSeq, Via, tag};
use super::{build, headers, session, text};

/// A refusal, and the headers its response needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub fn new(code: u16, reason: &'static str) -> Refusal {
        Refusal { code, reason, headers: Vec::new() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Refusal {
        self.headers.push((name, value.into()));
        self
    }
}

/// Fields that stand exactly once; a second one is how requests are smuggled past a proxy.
const SINGLE: [&str; 4] = ["from", "to", "call-id", "cseq"];
/// Fields that stand at most once.
const AT_MOST_ONCE: [&str; 4] = ["max-forwards", "content-type", "content-length", "expires"];

/// Fields whose parameters we read: one with an element that is not there is broken (RFC 4475 section 3.1.2.1).
const STRUCTURED: [&str; 6] = ["via", "from", "to", "contact", "record-route", "route"];

/// The well-formedness of a request.
pub(crate) fn request(message: &Message) -> Result<(), Refusal> {
    if Via::of(message).is_some_and(|via| via.version != "2.0") {
        return Err(Refusal::new(400, "Via of another version"));
    }
    let empty = |name: &&str| message.headers.all(name).any(|field| text::has_empty_piece(&field.text()));
    if STRUCTURED.iter().any(empty) {
        return Err(Refusal::new(400, "Extraneous separators"));
    }
    for name in SINGLE {
        match message.headers.all(name).count() {
            1 => {}
            0 => return Err(Refusal::new(400, "Missing header field")),
            _ => return Err(Refusal::new(400, "Header field twice")),
        }
    }
    if AT_MOST_ONCE.iter().any(|name| message.headers.all(name).count() > 1) {
        return Err(Refusal::new(400, "Header field twice"));
    }
    let cseq = CSeq::of(message).ok_or(Refusal::new(400, "Malformed CSeq"))?;
    if Some(cseq.method.as_str()) != message.method() {
        return Err(Refusal::new(400, "CSeq of another method"));
    }
    addresses(message)?;
    max_forwards(message)?;
    Ok(())
}

fn addresses(message: &Message) -> Result<(), Refusal> {
    for name in ["from", "to"] {
        let value = message.headers.text(name).unwrap_or_default();
        super::values::address_uri(&value)
            .and_then(|uri| super::uri::Uri::parse(&uri))
            .ok_or(Refusal::new(400, "Malformed From or To"))?;
    }
    let call_id = message.headers.text("call-id").unwrap_or_default();
    if call_id.is_empty() || call_id.len() > 512 || call_id.contains(is_gap) {
        return Err(Refusal::new(400, "Malformed Call-ID"));
    }
    let long = |name| tag(message, name).is_some_and(|tag| tag.len() > 512);
    if long("from") || long("to") {
        return Err(Refusal::new(400, "Tag too long"));
    }
    Ok(())
}

fn is_gap(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn max_forwards(message: &Message) -> Result<(), Refusal> {
    let Some(value) = message.headers.text("max-forwards") else { return Ok(()) };
    value.parse::<u8>().map(|_| ()).map_err(|_| Refusal::new(400, "Malformed Max-Forwards"))
}

/// A response is believed with one Via of ours, and From, To, Call-ID, CSeq; anything else is dropped.
pub(crate) fn response(message: &Message) -> bool {
    SINGLE.iter().all(|name| message.headers.all(name).count() == 1)
        && message.headers.list("via").len() == 1
        && Via::of(message).is_some_and(|via| via.version == "2.0")
        && CSeq::of(message).is_some()
}

/// Whether a response echoes what the request it names by its branch said of itself (RFC 3261 sections 8.2.6.2, 18.1.2).
pub(crate) fn answers(request: &Message, response: &Message) -> bool {
    let call_id = |message: &Message| message.headers.get("call-id").map(|header| header.value.clone());
    let sent_by = |message: &Message| Via::of(message).map(|via| via.sent_by);
    CSeq::of(request) == CSeq::of(response)
        && sent_by(request) == sent_by(response)
        && call_id(request) == call_id(response)
        && tag(request, "from") == tag(response, "from")
}

/// What we refuse whoever asks: methods, schemes, extensions and bodies we do not know.
pub(crate) fn acceptable(message: &Message) -> Result<(), Refusal> {
    let method = message.method().unwrap_or_default();
    if !build::ALLOW.split(", ").any(|known| known == method) {
        return Err(unknown_method(method));
    }
    let scheme = super::uri::Uri::parse(message.uri()).map(|uri| uri.scheme);
    match scheme {
        None => return Err(Refusal::new(400, "Malformed Request-URI")),
        Some(super::uri::Scheme::Other(_)) => return Err(Refusal::new(416, "Unsupported URI Scheme")),
        Some(_) => {}
    }
    let unknown = unknown_extensions(message);
    if !unknown.is_empty() && method != "CANCEL" {
        return Err(Refusal::new(420, "Bad Extension").with("Unsupported", unknown.join(", ")));
    }
    body(message)
}

/// What is required that we do not know.
fn unknown_extensions(message: &Message) -> Vec<String> {
    let known = |tag: &String| build::SUPPORTED.split(", ").any(|known| known.eq_ignore_ascii_case(tag));
    let mut required = message.headers.list("require");
    required.retain(|tag| !known(tag));
    required
}

fn unknown_method(method: &str) -> Refusal {
    match method {
        // Event packages are refused in their own words (RFC 6665 section 4.2.1.1).
        "SUBSCRIBE" | "PUBLISH" => Refusal::new(489, "Bad Event").with("Allow", build::ALLOW),
        _ => Refusal::new(405, "Method Not Allowed").with("Allow", build::ALLOW),
    }
}

/// A session that would be too short (RFC 4028 section 9).
pub(crate) fn session(request: &Message) -> Result<(), Refusal> {
    match session::is_too_short(request) {
        true => {
            Err(Refusal::new(422, "Session Interval Too Small").with("Min-SE", session::MIN_SE.to_string()))
        }
        false => Ok(()),
    }
}

fn body(message: &Message) -> Result<(), Refusal> {
    let encoding = message.headers.text("content-encoding");
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Refusal::new(415, "Unsupported Media Type").with("Accept-Encoding", "identity"));
    }
    let offers = matches!(message.method(), Some("INVITE" | "UPDATE"));
    if offers && !message.body.is_empty() && message.sdp().is_none() {
        return Err(Refusal::new(415, "Unsupported Media Type").with("Accept", build::ACCEPT));
    }
    Ok(())
}

/// True if a header of ours may be sent by a caller of ours: those that steer dialogs are built here only.
pub(crate) fn may_add(name: &str) -> bool {
    const OURS: [&str; 12] = [
        "via",
        "from",
        "to",
        "call-id",
        "cseq",
        "max-forwards",
        "record-route",
        "route",
        "content-length",
        "content-type",
        "authorization",
        "proxy-authorization",
    ];
    !OURS.iter().any(|ours| headers::same_name(name.as_bytes(), ours))
}
