//! A call's SIP dialog, as far as another process must know it to end the call.

use crate::trunk::Transport;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// How far the CSeq of whoever takes a dialog over is ahead of the last one written down (RFC 3261 section 12.2.1.1 allows
/// any gap, and a lower number is refused): a call lasts 24 hours at most, and says no more than ten things a second.
pub const CSEQ_AHEAD: u32 = 1 << 20;

/// What a BYE from our side needs (RFC 3261 section 12), or before the call is answered a CANCEL (section 9.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipDialog {
    /// The Call-ID.
    pub call_id: String,
    /// Our end: a From with its tag.
    pub local: String,
    /// The peer's end: a To with its tag.
    pub remote: String,
    /// The peer's Contact.
    pub target: String,
    /// The Route headers, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
    /// The last CSeq of ours.
    pub cseq: u32,
    /// Where the peer's signalling is.
    pub peer: SocketAddr,
    /// How it is carried.
    pub transport: Transport,
    /// The realm that asked for credentials when the call was placed: no other one is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The Via of our INVITE, while it has no answer: the peer has no tag then, and its target is the Request-URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}
