//! One SIP message: start line, headers, body. What was received can be printed again byte for byte where it matters.

use super::headers::Headers;
use bytes::{BufMut, Bytes, BytesMut};

/// The first line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// `INVITE sip:1234@host SIP/2.0`
    Request {
        /// The method, case kept (methods are case-sensitive).
        method: String,
        /// The Request-URI as received.
        uri: String,
    },
    /// `SIP/2.0 200 OK`
    Response {
        /// 100 to 699.
        code: u16,
        /// The reason phrase, control characters replaced.
        reason: String,
    },
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The start line.
    pub start: Start,
    /// The header fields.
    pub headers: Headers,
    /// The body, `Content-Length` bytes.
    pub body: Bytes,
}

impl Message {
    /// A request without headers.
    #[must_use]
    pub fn request(method: &str, uri: &str) -> Message {
        let start = Start::Request { method: method.to_owned(), uri: uri.to_owned() };
        Message { start, headers: Headers::default(), body: Bytes::new() }
    }

    /// The method of a request.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The Request-URI of a request, empty for a response.
    #[must_use]
    pub fn uri(&self) -> &str {
        match &self.start {
            Start::Request { uri, .. } => uri,
            Start::Response { .. } => "",
        }
    }

    /// The status code of a response.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { code, .. } => Some(*code),
        }
    }

    /// Sets body and Content-Type.
    pub(crate) fn set_body(&mut self, content_type: &str, body: Bytes) {
        if !body.is_empty() {
            self.headers.push("Content-Type", content_type.to_owned());
            self.body = body;
        }
    }

    /// The body if it is a session description: its own Content-Type says so, or there is none.
    #[must_use]
    pub fn sdp(&self) -> Option<Bytes> {
        if self.body.is_empty() {
            return None;
        }
        let Some(kind) = self.headers.text("content-type") else { return Some(self.body.clone()) };
        match media_type(&kind).as_str() {
            "application/sdp" => Some(self.body.clone()),
            "multipart/mixed" | "multipart/alternative" => super::multipart::sdp(&kind, &self.body),
            _ => None,
        }
    }

    /// The message as it goes over the wire; Content-Length is computed here and never taken from the headers.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(512 + self.body.len());
        out.put_slice(self.start_line().as_bytes());
        for header in self.headers.iter() {
            if super::headers::same_name(&header.name, "content-length") {
                continue;
            }
            out.put_slice(&header.name);
            out.put_slice(b": ");
            out.put_slice(&header.value);
            out.put_slice(b"\r\n");
        }
        out.put_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes());
        out.put_slice(&self.body);
        out.freeze()
    }

    fn start_line(&self) -> String {
        match &self.start {
            Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response { code, reason } => format!("SIP/2.0 {code} {reason}\r\n"),
        }
    }

    /// `INVITE sip:1234@host` or `200 OK (INVITE)`, for people.
    #[must_use]
    pub fn summary(&self) -> String {
        match &self.start {
            Start::Request { method, uri } => format!("{method} {uri}"),
            Start::Response { code, reason } => {
                let method = super::values::CSeq::of(self).map(|cseq| cseq.method);
                format!("{code} {reason} ({})", method.unwrap_or_default())
            }
        }
    }
}

/// A Content-Type's own part, lower case.
pub(crate) fn media_type(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The standard reason phrase.
#[must_use]
pub fn reason_phrase(code: u16) -> String {
    match code {
        489 => return "Bad Event".to_owned(),
        420 => return "Bad Extension".to_owned(),
        _ => {}
    }
    let code = ezk_sip_types::StatusCode::from(code);
    code.text().map_or_else(|| "Unknown".to_owned(), str::to_owned)
}
