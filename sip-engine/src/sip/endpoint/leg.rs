//! What the endpoint remembers of one leg.

use super::reliable::{Early, Reliable};
use crate::sip::build;
use crate::sip::command::Credentials;
use crate::sip::dialog::Dialog;
use crate::sip::digest;
use crate::sip::flow::{Flow, LegKey};
use crate::sip::message::Message;
use crate::sip::session::SessionTimer;
use crate::sip::timers::{T2, earliest};
use crate::sip::trace::Wire;
use crate::sip::transaction::ServerKey;
use crate::sip::values::{has_option, tag};
use bytes::Bytes;
use domain::call::SipDialog;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a client transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The INVITE that makes the leg.
    Invite(LegKey),
    /// Its CANCEL.
    Cancel(LegKey),
    /// A BYE of the leg, or of a fork of it.
    Bye(LegKey),
    /// A re-INVITE.
    Reinvite(LegKey),
    /// An INFO.
    Info(LegKey),
    /// The PRACK of a provisional.
    Prack(LegKey),
    /// An UPDATE that refreshes the session.
    Update(LegKey),
}

impl Purpose {
    pub fn leg(self) -> LegKey {
        match self {
            Purpose::Invite(leg)
            | Purpose::Cancel(leg)
            | Purpose::Bye(leg)
            | Purpose::Reinvite(leg)
            | Purpose::Info(leg)
            | Purpose::Prack(leg)
            | Purpose::Update(leg) => leg,
        }
    }
}

/// Where a leg stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not answered.
    Early,
    /// Answered.
    Up,
    /// Closed for the caller; only what the wire still needs goes on.
    Over,
}

/// A request of the peer that waits for `Command::Respond`.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub server: ServerKey,
    pub request: Arc<Message>,
    pub flow: Flow,
    /// True for the INVITE that makes the leg.
    pub first: bool,
    /// When its last provisional is repeated (RFC 3261 section 13.3.1.1), or for a change of session when we refuse it
    /// on the caller's behalf.
    pub due: Instant,
}

impl Waiting {
    /// Provisionals are for the first INVITE only; 100 was sent by itself.
    pub fn accepts(&self, code: u16) -> bool {
        if self.first { (101..700).contains(&code) } else { (200..700).contains(&code) }
    }
}

/// A 2xx of ours the peer has not acknowledged.
#[derive(Debug)]
pub(crate) struct Unacked {
    pub cseq: u32,
    /// The INVITE it answers.
    pub server: ServerKey,
    pub flow: Flow,
    pub wire: Wire,
    /// It carries an offer of ours, which the ACK answers.
    pub offers: bool,
    pub due: Instant,
    pub pause: Duration,
    pub until: Instant,
}

impl Unacked {
    /// RFC 3261 section 13.3.1.4: T1 doubling up to T2.
    pub fn next(&mut self, now: Instant) {
        self.pause = (self.pause * 2).min(T2);
        self.due = (now + self.pause).min(self.until);
    }
}

/// The INVITE that makes an outbound leg.
#[derive(Debug)]
pub(crate) struct Placed {
    pub request: Message,
    /// A provisional response has come: only then may it be cancelled (RFC 3261 section 9.1).
    pub provisional: bool,
    /// This request rings, and that was told.
    pub rings: bool,
    pub cancelled: bool,
    pub rings_until: Option<Instant>,
    /// How long it may be silent.
    pub silence: Duration,
    /// Until any response has come: when to stop waiting for one.
    pub silent_until: Option<Instant>,
    /// The peer wanted credentials, a longer session, or less of an extension, so it is there.
    pub challenged: bool,
}

/// A re-INVITE of ours.
#[derive(Debug)]
pub(crate) struct Offered {
    pub request: Option<Message>,
    pub sdp: Bytes,
    /// When a 491 allows the next try, or when no final answer is one.
    pub due: Instant,
    pub retried: bool,
}

/// One leg.
#[derive(Debug)]
pub(crate) struct Leg {
    pub key: LegKey,
    pub stage: Stage,
    /// The path the peer is reached by.
    pub flow: Flow,
    /// The peer's other addresses.
    pub networks: Arc<[IpNet]>,
    pub local_tag: String,
    /// Present from the first INVITE (inbound) or the first answer (outbound).
    pub dialog: Option<Dialog>,
    pub waiting: Option<Waiting>,
    pub unacked: Option<Unacked>,
    pub placed: Option<Placed>,
    pub offered: Option<Offered>,
    /// Our provisionals that wait for their PRACK.
    pub reliable: Option<Reliable>,
    /// Forks of a call we placed that rang reliably, until one has answered.
    pub early: Vec<Early>,
    pub timer: Option<SessionTimer>,
    /// How many changes of the session did not reach the peer since it was last heard of.
    pub unreached: u8,
    /// The session as we described it last.
    pub described: Option<Bytes>,
    /// The peer takes UPDATE.
    pub updates: bool,
    /// Extensions of ours that the peer has refused.
    pub left_out: Vec<&'static str>,
    /// Its caller is not to be known.
    pub hidden: bool,
    pub credentials: Option<Credentials>,
    /// The realms that wanted them first, in one response to the INVITE. What else asks came through the trunk and is not
    /// the trunk.
    pub realms: Option<Vec<String>>,
    /// How often their nonces were answered.
    pub nonces: digest::Uses,
    /// The peer has said BYE. Until then one that crosses ours is answered as if ours had not been.
    pub hung_up: bool,
    /// Headers of the BYE that leaves as soon as our 2xx is acknowledged: before it, it must not (RFC 3261 section 15).
    pub farewell: Option<Vec<(String, String)>>,
    /// By request method how often its nonce was too old, and how often a session was too short.
    pub tries: HashMap<String, u8>,
    /// ACKs by remote tag and CSeq, for repeated 2xx; bounded by [`MAX_ACKS`].
    pub acks: HashMap<(String, u32), (Flow, Wire)>,
    /// Client transactions not yet over; an `Over` leg without any is forgotten.
    pub open: usize,
    /// It is among those that are over.
    pub is_listed: bool,
}

/// So many changes of the session in a row that do not reach the peer end a call that has no session timer.
pub(crate) const UNREACHED: u8 = 2;

/// Most answers (forks and re-INVITEs) whose ACK is kept.
pub(crate) const MAX_ACKS: usize = 64;

impl Leg {
    pub fn new(key: LegKey, flow: Flow, local_tag: String) -> Leg {
        Leg {
            key,
            stage: Stage::Early,
            flow,
            networks: Arc::default(),
            local_tag,
            dialog: None,
            waiting: None,
            unacked: None,
            placed: None,
            offered: None,
            reliable: None,
            early: Vec::new(),
            timer: None,
            unreached: 0,
            described: None,
            updates: false,
            left_out: Vec::new(),
            hidden: false,
            credentials: None,
            realms: None,
            nonces: digest::Uses::default(),
            hung_up: false,
            farewell: None,
            tries: HashMap::new(),
            acks: HashMap::new(),
            open: 0,
            is_listed: false,
        }
    }

    /// True for an address of the peer: requests from it can belong here, and ours may go there. A carrier's cluster may
    /// hang up from another address than it called from, and name yet another as its Contact. Which ones those are says
    /// the trunk; an answer from elsewhere does not, for whoever is called sees the branch it takes.
    pub fn is_of_peer(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.flow.peer.ip().to_canonical() == ip || self.networks.iter().any(|network| network.contains(&ip))
    }

    /// Whether a change of the session is under way.
    pub fn is_changing(&self) -> bool {
        self.offered.is_some() || self.waiting.is_some() || self.unacked.is_some()
    }

    /// Whether an offer of ours waits for its answer inside the call: whoever makes one now is to come again (RFC 3261
    /// section 14.2, RFC 3311 section 5.2).
    pub fn is_asking(&self) -> bool {
        self.offered.as_ref().is_some_and(|offered| offered.request.is_some())
            || self.unacked.as_ref().is_some_and(|unacked| unacked.offers)
    }

    /// Whether a request is one inside a dialog of this leg.
    pub fn owns(&self, request: &Message) -> bool {
        let forks = self.early.iter().filter(|_| self.stage == Stage::Early).map(|early| &early.dialog);
        self.dialog.iter().chain(forks).any(|dialog| dialog.owns(request))
    }

    /// The dialog that a request inside it names: the call's, or while a call we placed rings that of a fork.
    pub fn dialog_of(&mut self, request: &Message) -> Option<&mut Dialog> {
        let forks = self.early.iter_mut().map(|early| &mut early.dialog);
        self.dialog.iter_mut().chain(forks).find(|dialog| dialog.owns(request))
    }

    /// The dialog that a request of ours is in: the call's, or that of a fork.
    pub fn dialog_with(&mut self, request: &Message) -> Option<&mut Dialog> {
        let theirs = tag(request, "to");
        let forks = self.early.iter_mut().map(|early| &mut early.dialog);
        self.dialog.iter_mut().chain(forks).find(|dialog| dialog.remote_tag == theirs)
    }

    /// The dialog that an answer to our INVITE makes. Where its fork rang reliably, both sides have counted already.
    pub fn confirmed(&mut self, request: &Message, answer: &Message) -> Dialog {
        let mut dialog = Dialog::of_outgoing(request, answer);
        let fork = self.early.iter().position(|early| early.dialog.remote_tag == dialog.remote_tag);
        if let Some(Early { dialog: early, .. }) = fork.map(|fork| self.early.swap_remove(fork)) {
            dialog.local_cseq = dialog.local_cseq.max(early.local_cseq);
            dialog.remote_cseq = early.remote_cseq;
        }
        dialog
    }

    /// What another process needs to end it.
    pub fn kept(&self) -> Option<Box<SipDialog>> {
        let dialog = self.dialog.as_ref()?;
        Some(Box::new(dialog.kept(&self.flow, self.hidden, self.realm())))
    }

    /// What another process needs to cancel it, with the first sign that it rings: again for a request that took the place
    /// of one that rang.
    pub fn begins_to_ring(&mut self) -> Option<Box<SipDialog>> {
        let placed = self.placed.as_mut()?;
        let first = !std::mem::replace(&mut placed.rings, true);
        let placed = self.placed.as_ref().filter(|_| first)?;
        Dialog::placed(&placed.request, &self.flow, self.realm()).map(Box::new)
    }

    /// Whose challenges are answered for it, by whoever ends it for us.
    fn realm(&self) -> Option<&str> {
        self.realms.iter().flatten().next().map(String::as_str)
    }

    /// Notes which methods the peer says it takes.
    pub fn heed(&mut self, message: &Message) {
        if message.headers.get("allow").is_some() {
            let methods = message.headers.list("allow");
            self.updates = methods.iter().any(|method| method.trim() == "UPDATE");
        }
    }

    /// Notes which of our extensions a 420 refuses. False if nothing is left to do without.
    pub fn leave_out(&mut self, response: &Message) -> bool {
        let known = build::SUPPORTED.split(", ").filter(|known| has_option(response, "unsupported", known));
        let refused: Vec<&'static str> = known.filter(|known| !self.left_out.contains(known)).collect();
        self.left_out.extend_from_slice(&refused);
        !refused.is_empty()
    }

    /// The peer wanted the INVITE otherwise and got it so: it is there, and has a silence of its own for that one.
    pub fn asked_again(&mut self, now: Instant) {
        if let Some(placed) = &mut self.placed {
            (placed.challenged, placed.silent_until) = (true, Some(now + placed.silence));
        }
    }

    /// When something of this leg is due.
    pub fn due(&self) -> Option<Instant> {
        earliest([
            self.waiting.as_ref().map(|waiting| waiting.due),
            self.unacked.as_ref().map(|unacked| unacked.due),
            self.placed.as_ref().and_then(|placed| placed.rings_until),
            self.placed.as_ref().and_then(|placed| placed.silent_until),
            self.offered.as_ref().map(|offered| offered.due),
            self.reliable.as_ref().and_then(Reliable::due),
            self.timer.as_ref().map(SessionTimer::due),
        ])
    }
}
