//! What the call engine can ask of the SIP endpoint.
//!
//! A command for a leg that has already ended does nothing: the leg's closing event is on its way to the caller.

use super::flow::{LegKey, Transport};
use bytes::Bytes;
use domain::call::SipDialog;
use ipnet::IpNet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One order to the endpoint.
#[derive(Debug, Clone)]
pub enum Command {
    /// Answers the request of this leg that waits for one: the initial INVITE, a re-INVITE or an UPDATE.
    ///
    /// 1xx may be sent several times (the initial INVITE only); 2xx needs `sdp` unless the peer's request carried none
    /// and none is offered; 300-699 to the initial INVITE ends the leg with `Event::Ended{by: Us}`.
    Respond {
        /// The leg.
        leg: LegKey,
        /// 101 to 699. 100 was sent by itself.
        code: u16,
        /// Reason phrase; the standard one when `None`.
        reason: Option<String>,
        /// Further headers, such as `Retry-After` or `Contact` for a redirect. Names and values with CR or LF are dropped.
        headers: Vec<(String, String)>,
        /// An SDP body.
        sdp: Option<Bytes>,
    },
    /// Names the networks of the trunk that a leg which arrived belongs to. Until then it is the address it came from.
    ///
    /// A Contact or Record-Route steers our requests to an address in them and nowhere else, and requests inside the
    /// dialog from anybody else do nothing, whatever tags they know.
    Confine {
        /// The leg.
        leg: LegKey,
        /// Addresses of the same peer.
        networks: Arc<[IpNet]>,
    },
    /// Places a call.
    Invite(Box<Invite>),
    /// Hangs up an answered leg. It closes at once with `Event::Ended{by: Us}`.
    ///
    /// Before the answer a leg that arrived is refused with 480, and a leg we placed is given up: it closes at once with
    /// `Event::Cancelled`, and what the wire still needs (CANCEL once a provisional has come, or ACK and BYE if the answer
    /// crossed it) is done behind it.
    Bye {
        /// The leg.
        leg: LegKey,
        /// Further headers, such as `Reason`.
        headers: Vec<(String, String)>,
    },
    /// Ends a dialog that another process had, and that it can end no more. Nothing is told of it.
    Farewell(Box<Farewell>),
    /// Sends an INFO inside the dialog (RFC 6086) of an answered leg. What is answered is of no consequence.
    Info {
        /// The leg.
        leg: LegKey,
        /// Its Content-Type.
        content_type: &'static str,
        /// Its body.
        body: Bytes,
    },
    /// Offers a new session description inside the dialog. Ends in `Event::Reoffered` or `Event::ReofferFailed`.
    Reinvite {
        /// The leg.
        leg: LegKey,
        /// The offer.
        sdp: Bytes,
    },
}

/// A call to place.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The caller's name for the new leg, from [`LegKey::outbound`].
    pub leg: LegKey,
    /// Where it goes.
    pub target: Target,
    /// The Call-ID, where the caller wants to know it beforehand: 1 to 128 letters, digits, `-`, `.` and `@`. Made up
    /// when `None`.
    pub call_id: Option<String>,
    /// The From header without its tag: `"Ann" <sip:+15551234@example.com>` or `<sip:anonymous@anonymous.invalid>`.
    pub from: String,
    /// The To header: `<sip:+15557890@carrier.example>`.
    pub to: String,
    /// Further headers, such as `P-Asserted-Identity`.
    pub headers: Vec<(String, String)>,
    /// The offer.
    pub sdp: Bytes,
    /// Digest credentials of the trunk, used towards `target.next_hop` and nobody else.
    pub credentials: Option<Credentials>,
    /// Max-Forwards: how many hops the call may take.
    pub max_forwards: u8,
    /// It calls for help (`Priority: emergency`, RFC 3261 section 20.26), and is sent however many legs there are.
    pub emergency: bool,
    /// After this long without an answer the call is cancelled and the leg closes with `Event::TimedOut`.
    pub ring_timeout: Duration,
    /// After this long without any response at all the leg closes with `Event::Failed{code: 408}`. What comes later is
    /// cancelled, or acknowledged and hung up, behind it.
    pub silence: Duration,
}

/// The end of a dialog that another process had.
#[derive(Debug, Clone)]
pub struct Farewell {
    /// The caller's name for it, from [`LegKey::outbound`].
    pub leg: LegKey,
    /// The dialog.
    pub dialog: Box<SipDialog>,
    /// Addresses of the same peer. See [`Command::Confine`].
    pub networks: Arc<[IpNet]>,
    /// Digest credentials of the trunk, used towards the dialog's peer and nobody else.
    pub credentials: Option<Credentials>,
    /// Our own address towards the peer; `net` fills it in.
    pub local: Option<SocketAddr>,
}

/// Where an INVITE goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// The Request-URI, `sip:` or `sips:`.
    pub uri: String,
    /// The resolved address the message is sent to. No name is looked up here.
    pub next_hop: SocketAddr,
    /// Further addresses of the same peer: what else its host resolves to, and where its own calls come from. See
    /// [`Command::Confine`].
    pub networks: Arc<[IpNet]>,
    /// UDP or TCP.
    pub transport: Transport,
    /// Our own address towards `next_hop`; `net` fills it in.
    pub local: Option<SocketAddr>,
}

/// A username and password for digest authentication (RFC 8760: SHA-256 before MD5).
#[derive(Clone)]
pub struct Credentials {
    /// The username.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}
