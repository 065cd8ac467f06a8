//! What the SIP endpoint tells the call engine.
//!
//! Every leg ends with exactly one closing event: `Cancelled`, `Failed`, `TimedOut` or `Ended`. After it the leg's key
//! means nothing any more.

use super::flow::{LegKey, Transport};
use bytes::Bytes;
use domain::call::SipDialog;
use std::net::SocketAddr;
use std::time::Instant;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// An INVITE arrived; 100 Trying is already on its way. Answer with `Command::Respond`, unless it was turned away.
    IncomingCall(Box<IncomingCall>),
    /// Closing: the caller gave up before the answer (487 was sent), or we did with `Command::Bye`.
    Cancelled {
        /// The leg.
        leg: LegKey,
    },
    /// The ACK for our 2xx came. `sdp` is the answer if our 2xx carried the offer.
    Acknowledged {
        /// The leg.
        leg: LegKey,
        /// An SDP body.
        sdp: Option<Bytes>,
    },
    /// A 101-199 for a call we placed. May repeat, with or without early media.
    Ringing {
        /// The leg.
        leg: LegKey,
        /// 180, 183, …
        code: u16,
        /// Early media.
        sdp: Option<Bytes>,
        /// With the first: what another process needs to cancel the call.
        invite: Option<Box<SipDialog>>,
    },
    /// A call we placed was answered; the ACK is on its way. The first answer of a forked call wins.
    Answered {
        /// The leg.
        leg: LegKey,
        /// The answer to our offer; `None` is a peer's error, hang up with 488 in mind.
        sdp: Option<Bytes>,
        /// What another process needs to end it.
        dialog: Box<SipDialog>,
    },
    /// Closing: a call we placed was refused, or could not be sent (408 without an answer, 503 on a transport error).
    Failed {
        /// The leg.
        leg: LegKey,
        /// 300 to 699.
        code: u16,
        /// The reason phrase as received.
        reason: String,
        /// True if a peer said it, false if nobody answered.
        from_peer: bool,
        /// Whether the far end had wanted credentials before it fell silent: it is there, and nobody else is to be asked.
        heard: bool,
    },
    /// Closing: `ring_timeout` passed without an answer; the call was cancelled.
    TimedOut {
        /// The leg.
        leg: LegKey,
    },
    /// Closing: an answered leg is over, or an incoming one was refused by `Command::Respond`.
    Ended {
        /// The leg.
        leg: LegKey,
        /// Who or what ended it.
        by: ClosedBy,
    },
    /// The peer asks to change the session by re-INVITE or UPDATE (hold, resume, new address). Answer with
    /// `Command::Respond`. Without `sdp` the 200 must carry our offer.
    ReOffer {
        /// The leg.
        leg: LegKey,
        /// The new offer.
        sdp: Option<Bytes>,
    },
    /// The peer of an answered leg named another target for what is said to it.
    Moved {
        /// The leg.
        leg: LegKey,
        /// What another process needs to end it now.
        dialog: Box<SipDialog>,
    },
    /// Our `Command::Reinvite` was accepted; the ACK is on its way.
    Reoffered {
        /// The leg.
        leg: LegKey,
        /// The answer.
        sdp: Option<Bytes>,
    },
    /// Our `Command::Reinvite` was refused; the session stays as it was.
    ReofferFailed {
        /// The leg.
        leg: LegKey,
        /// 300 to 699; 408 without an answer. 491 is tried once again before it is reported.
        code: u16,
    },
    /// An INFO inside the dialog, already answered with 200.
    Info {
        /// The leg.
        leg: LegKey,
        /// Its Content-Type, lower case, without parameters.
        content_type: String,
        /// Its body.
        body: Bytes,
    },
    /// A message went in or out. Authorization headers are blanked.
    Trace(Box<Trace>),
}

impl Event {
    /// The leg this event speaks of.
    #[must_use]
    pub fn leg(&self) -> Option<LegKey> {
        match self {
            Event::IncomingCall(call) => Some(call.leg),
            Event::Cancelled { leg, .. }
            | Event::Acknowledged { leg, .. }
            | Event::Ringing { leg, .. }
            | Event::Answered { leg, .. }
            | Event::Failed { leg, .. }
            | Event::TimedOut { leg }
            | Event::Ended { leg, .. }
            | Event::ReOffer { leg, .. }
            | Event::Moved { leg, .. }
            | Event::Reoffered { leg, .. }
            | Event::ReofferFailed { leg, .. }
            | Event::Info { leg, .. } => Some(*leg),
            Event::Trace(trace) => trace.leg,
        }
    }

    /// True for the last event of a leg.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        matches!(
            self,
            Event::Cancelled { .. } | Event::Failed { .. } | Event::TimedOut { .. } | Event::Ended { .. }
        )
    }
}

/// A call that arrived.
#[derive(Debug, Clone)]
pub struct IncomingCall {
    /// The endpoint's name for the new leg.
    pub leg: LegKey,
    /// The address it came from: this decides carrier and trunk.
    pub source: SocketAddr,
    /// UDP or TCP.
    pub transport: Transport,
    /// Our address it arrived at.
    pub local: SocketAddr,
    /// The Request-URI's user part or `tel:` number, percent-decoded, without parameters: the dialled number.
    pub dialled: String,
    /// The caller.
    pub from: Party,
    /// The caller, or its network, wants the caller's identity kept from others (RFC 3323, RFC 3325).
    pub private: bool,
    /// Whom the network before us vouches for (RFC 3325), whether or not it is believed.
    pub asserted: Option<Party>,
    /// Max-Forwards: how many hops the call may still take, 1 to 255; 70 where nothing was said.
    pub hops: u8,
    /// The Call-ID.
    pub call_id: String,
    /// The offer; `None` if our 2xx must carry one.
    pub sdp: Option<Bytes>,
    /// What another process needs to end it once it is answered; `None` where it was turned away.
    pub dialog: Option<Box<SipDialog>>,
    /// What it was refused with already: there is no leg, and nothing to answer.
    pub turned_away: Option<u16>,
}

/// Who a From, To or P-Asserted-Identity names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// The display name, unquoted.
    pub display: Option<String>,
    /// The URI as received.
    pub uri: String,
    /// Its user part or `tel:` number, percent-decoded, without parameters; empty if there is none.
    pub user: String,
    /// Its host; empty for `tel:`.
    pub host: String,
}

/// Who or what ended a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedBy {
    /// The peer's BYE.
    Remote,
    /// Our own command.
    Us,
    /// Our 2xx was never acknowledged; BYE was sent.
    LostAck,
    /// The session was not refreshed in time (RFC 4028 section 10); BYE was sent.
    Expired,
    /// The peer no longer knows the dialog (481, or 408 to a request inside it), or is out of reach; BYE was sent.
    Gone,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Received.
    In,
    /// Sent.
    Out,
}

/// One message as it went over the wire.
#[derive(Debug, Clone)]
pub struct Trace {
    /// When, on the engine's clock.
    pub at: Instant,
    /// In or out.
    pub direction: Direction,
    /// The other side.
    pub peer: SocketAddr,
    /// UDP or TCP.
    pub transport: Transport,
    /// The leg it belongs to, if any.
    pub leg: Option<LegKey>,
    /// `INVITE sip:1234@host` or `200 OK (INVITE)`.
    pub summary: String,
    /// The whole message.
    pub raw: Bytes,
}
