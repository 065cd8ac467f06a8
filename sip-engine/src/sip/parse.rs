//! Bytes to messages, within limits. Whatever arrives, the result is a message, or a reason with the best answer to it.

use super::headers::{Header, Headers};
use super::message::{Message, Start};
use super::text;
use bytes::Bytes;

/// Longest datagram taken, bytes.
pub const MAX_DATAGRAM: usize = 65_535;
/// Longest message taken from a stream, head and body, bytes.
pub const MAX_STREAM_MESSAGE: usize = 256 * 1024;
/// Longest head (start line and headers), bytes.
pub const MAX_HEAD: usize = 64 * 1024;
/// Longest single header, folded lines together, bytes.
pub const MAX_LINE: usize = 8 * 1024;
/// Most header fields.
pub const MAX_HEADERS: usize = 256;

/// Why bytes are not a usable message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Nothing but line ends: a keep-alive.
    #[error("a keep-alive")]
    KeepAlive,
    /// No start line we could answer to, or no end of the headers: dropped without an answer.
    #[error("not a SIP message")]
    NotSip,
    /// A request that can be answered: `code` and `reason` say how. `message` holds what could be read.
    #[error("{code} {reason}")]
    Refuse {
        /// 400, 413, 505, …
        code: u16,
        /// What is wrong.
        reason: &'static str,
        /// The request as far as it could be read.
        message: Box<Message>,
    },
}

/// Reads one whole message as a datagram carries it. Without a Content-Length the body is the rest; bytes behind the
/// Content-Length are ignored (RFC 3261 section 18.3).
///
/// # Errors
/// [`Malformed`]
pub fn parse_datagram(datagram: &Bytes) -> Result<Message, Malformed> {
    let start =
        datagram.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).ok_or(Malformed::KeepAlive)?;
    let datagram = datagram.slice(start..);
    let end = head_end(&datagram).ok_or(Malformed::NotSip)?;
    let message = parse_head(&datagram.slice(..end))?;
    let rest = datagram.slice(end..);
    match content_length(&message) {
        Ok(None) => Ok(Message { body: rest, ..message }),
        Ok(Some(length)) if length <= rest.len() => Ok(Message { body: rest.slice(..length), ..message }),
        Ok(Some(_)) => Err(refuse(400, "Content-Length longer than the datagram", message)),
        Err(reason) => Err(refuse(400, reason, message)),
    }
}

/// The length of the head including the empty line, or `None` if it is not there yet. CRLF and bare LF both end lines.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\n' {
            continue;
        }
        let line = bytes.get(line_start..at).unwrap_or_default();
        if line.strip_suffix(b"\r").unwrap_or(line).is_empty() {
            return Some(at + 1);
        }
        line_start = at + 1;
    }
    None
}

/// Reads start line and headers; the body stays empty.
pub(crate) fn parse_head(head: &Bytes) -> Result<Message, Malformed> {
    let mut lines = Lines { rest: head.clone() };
    let start = parse_start(&lines.next().ok_or(Malformed::NotSip)?)?;
    let mut message = Message { start: start.0, headers: Headers::default(), body: Bytes::new() };
    let mut refusal = start.1;
    if head.len() > MAX_HEAD {
        return Err(refuse(513, "Message too large", message));
    }
    for line in lines {
        match parse_header(&line) {
            _ if message.headers.len() >= MAX_HEADERS => refusal = Some((400, "Too many headers")),
            Ok(header) => message.headers.push(header.name, header.value),
            Err(reason) => refusal = Some((400, reason)),
        }
    }
    match refusal {
        Some((code, reason)) => Err(refuse(code, reason, message)),
        None => Ok(message),
    }
}

fn refuse(code: u16, reason: &'static str, message: Message) -> Malformed {
    if message.method().is_none() {
        return Malformed::NotSip;
    }
    Malformed::Refuse { code, reason, message: Box::new(message) }
}

/// The Content-Length of a message: a bounded number, at most once.
pub(crate) fn content_length(message: &Message) -> Result<Option<usize>, &'static str> {
    let mut fields = message.headers.all("content-length");
    let Some(field) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err("Content-Length twice");
    }
    let digits = std::str::from_utf8(&field.value).unwrap_or_default();
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let length =
        plain.then(|| digits.parse::<u32>().ok()).flatten().ok_or("Content-Length is not a length")?;
    Ok(Some(length as usize))
}

type Flaw = (u16, &'static str);

fn parse_start(line: &Bytes) -> Result<(Start, Option<Flaw>), Malformed> {
    // White space behind the version is nothing to refuse a request for (RFC 4475 section 3.1.2.10).
    let line = String::from_utf8_lossy(line);
    let text = line.trim_end_matches([' ', '\t']);
    if text.get(..8).is_some_and(|version| version.eq_ignore_ascii_case("SIP/2.0 ")) {
        return parse_status(text.get(8..).unwrap_or_default()).map(|start| (start, None));
    }
    let (method, rest) = text.split_once(' ').ok_or(Malformed::NotSip)?;
    let (uri, version) = rest.rsplit_once(' ').ok_or(Malformed::NotSip)?;
    let is_version = version.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("SIP/"));
    if !is_version || method.is_empty() || method.len() > 64 || !method.bytes().all(is_token) {
        return Err(Malformed::NotSip);
    }
    let odd_uri =
        uri.is_empty() || uri.starts_with('<') || uri.chars().any(|c| c.is_whitespace() || c.is_control());
    let flaw = if !version.eq_ignore_ascii_case("SIP/2.0") {
        Some((505, "Version Not Supported"))
    } else if odd_uri {
        Some((400, "Malformed Request-URI"))
    } else {
        None
    };
    Ok((Start::Request { method: method.to_owned(), uri: uri.to_owned() }, flaw))
}

fn parse_status(rest: &str) -> Result<Start, Malformed> {
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let code = code.parse::<u16>().ok().filter(|code| (100..700).contains(code)).ok_or(Malformed::NotSip)?;
    let reason = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(256).collect();
    Ok(Start::Response { code, reason })
}

/// `token` of RFC 3261 section 25.1.
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

fn parse_header(line: &Bytes) -> Result<Header, &'static str> {
    if line.len() > MAX_LINE {
        return Err("Header too long");
    }
    let colon = line.iter().position(|byte| *byte == b':').ok_or("Header without a colon")?;
    // HCOLON allows white space before the colon, so the name must be trimmed before anybody compares it.
    let name = trim(&line.slice(..colon));
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err("Malformed header name");
    }
    let value = trim(&line.slice(colon + 1..));
    if text::breaks_out(&value) {
        return Err("Control character in a header");
    }
    Ok(Header { name, value })
}

fn trim(bytes: &Bytes) -> Bytes {
    bytes.slice_ref(bytes.trim_ascii())
}

/// Logical lines: folded ones joined by a single space, up to the empty line.
struct Lines {
    rest: Bytes,
}

impl Lines {
    fn physical(&mut self) -> Option<Bytes> {
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        let line = self.rest.split_to(end + 1);
        let line = line.slice(..end);
        Some(if line.ends_with(b"\r") { line.slice(..end - 1) } else { line })
    }

    fn folds(&self) -> bool {
        let text = self.rest.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
        self.rest.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'))
            && text.is_some_and(|at| self.rest.get(at).is_some_and(|byte| !matches!(byte, b'\r' | b'\n')))
    }
}

impl Iterator for Lines {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let first = self.physical().filter(|line| !line.is_empty())?;
        if !self.folds() {
            return Some(first);
        }
        let mut joined = first.trim_ascii_end().to_vec();
        while self.folds() {
            let more = self.physical()?;
            joined.push(b' ');
            joined.extend_from_slice(more.trim_ascii());
        }
        Some(Bytes::from(joined))
    }
}
