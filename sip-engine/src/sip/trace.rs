//! A message ready for the wire, with what the log may show of it.

use super::headers::Headers;
use super::message::Message;
use bytes::Bytes;
use std::sync::Arc;

/// Headers whose values never reach a trace.
const SECRET: [&str; 2] = ["authorization", "proxy-authorization"];

/// A printed message. Cheap to clone: retransmissions share it.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub bytes: Bytes,
    pub summary: Arc<str>,
    pub shown: Bytes,
}

impl Wire {
    pub fn new(message: &Message) -> Wire {
        let bytes = message.to_bytes();
        let shown = redacted(message).unwrap_or_else(|| bytes.clone());
        Wire { bytes, summary: message.summary().into(), shown }
    }

    /// A received message, `bytes` as they came.
    pub fn received(message: &Message, bytes: &Bytes) -> Wire {
        let shown = redacted(message).unwrap_or_else(|| bytes.clone());
        Wire { bytes: bytes.clone(), summary: message.summary().into(), shown }
    }
}

/// The message without secrets; `None` if it holds none.
fn redacted(message: &Message) -> Option<Bytes> {
    if !SECRET.iter().any(|name| message.headers.get(name).is_some()) {
        return None;
    }
    let mut headers = Headers::default();
    for header in message.headers.iter() {
        let secret = SECRET.iter().any(|name| super::headers::same_name(&header.name, name));
        let value = if secret { Bytes::from_static(b"Digest [redacted]") } else { header.value.clone() };
        headers.push(header.name.clone(), value);
    }
    Some(Message { headers, ..message.clone() }.to_bytes())
}
