//! A call: its whole life, from the INVITE or the API request to the reason it ended.
//!
//! New ──► Queued ──► (claimed) ──► Ringing ──► Answered ──► Ended
//!     └─► Received ──────────────────┘
//!
//! The engine reports what happened; the table below decides what of it is a fact, so that repeated or late reports
//! change nothing.

mod dialog;
mod ending;
mod facts;
mod rules;

pub use dialog::{CSEQ_AHEAD, SipDialog};
pub use ending::{EndReason, Ending, Status, Trouble};
pub use facts::{
    Callback, CallbackEvent, Direction, Document, ExchangeError, MAX_TWIML, MediaSummary, Program, Purpose,
    Queued, Received, WebhookExchange, is_too_long,
};

use crate::{Claim, Sid, aggregate::aggregate, webhook_url::WebhookUrl};
use serde::{Deserialize, Serialize};

/// A call's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub(self) phase: Phase,
    pub(self) claimed_by: Option<String>,
    pub(self) answered: bool,
    /// Placed by `<Dial>`.
    pub(self) dialled: bool,
    pub(self) ended: Option<Ending>,
    pub(self) deleted: bool,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing happened yet.
    #[default]
    New,
    /// Waits to be placed.
    Queued,
    /// An engine has it.
    Claimed,
    /// The other side is being called or rings.
    Ringing,
    /// People (or programs) talk.
    Answered,
    /// Over.
    Ended,
}

/// What can be asked of a call or reported about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CallCommand {
    /// An INVITE came in.
    Receive(Received),
    /// A call was asked for, by the API or by `<Dial>`.
    Queue(Queued),
    /// This engine places it.
    Claim {
        /// Name of the node.
        node: String,
    },
    /// The INVITE left.
    Initiate {
        /// Through which trunk.
        trunk: Sid,
        /// To which Request-URI.
        request_uri: String,
        /// Under which SIP Call-ID.
        sip_call_id: String,
    },
    /// An attempt to place it failed in a way that another address or trunk may not, and that is tried next (RFC 3263
    /// section 4.3).
    FailAttempt {
        /// Through which trunk.
        trunk: Sid,
        /// To which address and port; none when its host has none.
        address: Option<String>,
        /// The final response's code, when there was one.
        sip_code: Option<u16>,
        /// What happened, for a person.
        reason: String,
    },
    /// The INVITE left again, another way.
    Reroute {
        /// Through which trunk.
        trunk: Sid,
        /// To which address and port.
        address: String,
        /// To which Request-URI.
        request_uri: String,
        /// Under which SIP Call-ID.
        sip_call_id: String,
    },
    /// The other side rings: a 180, or a 183 with early media.
    Ring {
        /// The provisional response's code.
        sip_code: u16,
        /// What another process needs to cancel it, should this one be gone.
        invite: Option<Box<SipDialog>>,
    },
    /// The call was answered (200 OK sent or received).
    Answer,
    /// The same, with the dialog it has from now on: should this process be gone, another one ends it.
    Connect(Box<SipDialog>),
    /// The far end is elsewhere from now on: what another process needs to end the call is another thing.
    Move(Box<SipDialog>),
    /// A webhook was requested and answered, or failed.
    Exchange(Box<WebhookExchange>),
    /// A TwiML verb began.
    StartVerb {
        /// Which one since the call began, from 0.
        index: u32,
        /// Its element name.
        verb: String,
        /// What it was given, as written.
        attributes: Vec<(String, String)>,
    },
    /// A TwiML verb ended.
    EndVerb {
        /// The number it began with.
        index: u32,
        /// How it ended, in a few words.
        outcome: String,
    },
    /// Keys were pressed at the far end.
    Press {
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digits: String,
    },
    /// Something is wrong that does not end the call.
    Warn {
        /// Twilio's error code.
        code: u32,
        /// What and where.
        message: String,
    },
    /// The far end put us on hold, or took us back.
    Hold {
        /// On hold.
        held: bool,
    },
    /// Two calls hear each other.
    Bridge {
        /// The other call.
        with: Sid,
    },
    /// They do not any more.
    Unbridge {
        /// The other call.
        with: Sid,
    },
    /// What the media was like; once, when the call's media closed.
    Summarize(MediaSummary),
    /// Run this program instead of the one that runs.
    Redirect(Program),
    /// End it from outside: cancel before it is answered, or complete it at any time.
    RequestEnd {
        /// `Canceled` or `Completed`.
        status: Status,
    },
    /// It is over.
    End(Ending),
    /// Remove it from what the API shows.
    Delete,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(CallEventKind),
    derive(Hash, Serialize, Deserialize, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    doc = "What kind of thing happened to a call.",
    expect(missing_docs, reason = "the variants are the event's")
)]
#[expect(missing_docs, reason = "the variants and fields are the command's")]
pub enum CallEvent {
    Received(Received),
    Queued(Queued),
    Claimed {
        node: String,
    },
    Initiated {
        trunk: Sid,
        request_uri: String,
        sip_call_id: String,
    },
    AttemptFailed {
        trunk: Sid,
        address: Option<String>,
        sip_code: Option<u16>,
        reason: String,
    },
    Rerouted {
        trunk: Sid,
        address: String,
        request_uri: String,
        sip_call_id: String,
    },
    Ringing {
        sip_code: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite: Option<Box<SipDialog>>,
    },
    Answered {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dialog: Option<Box<SipDialog>>,
    },
    Moved {
        dialog: Box<SipDialog>,
    },
    Exchanged(Box<WebhookExchange>),
    VerbStarted {
        index: u32,
        verb: String,
        attributes: Vec<(String, String)>,
    },
    VerbEnded {
        index: u32,
        outcome: String,
    },
    Pressed {
        digits: String,
    },
    Warned {
        code: u32,
        message: String,
    },
    Held {
        held: bool,
    },
    Bridged {
        with: Sid,
    },
    Unbridged {
        with: Sid,
    },
    Summarized(MediaSummary),
    Redirected(Program),
    EndRequested {
        status: Status,
    },
    Ended(Ending),
    Deleted {},
}

/// Why a call refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Receiving or queueing it twice.
    #[error("this call exists already")]
    AlreadyExists,
    /// Any command before it exists or after it was deleted.
    #[error("there is no such call")]
    NotFound,
    /// Another engine places it.
    #[error("the call was claimed by {0}")]
    AlreadyClaimed(String),
    /// Redirecting or claiming a call that is over (Twilio error 21220).
    #[error("call is not in-progress; cannot redirect it")]
    NotInProgress,
    /// Ending a call that is over: there is nothing to end any more (Twilio answers 404, error 20404).
    #[error("the call is over already")]
    Over,
    /// Redirecting a call placed by `<Dial>` before it is answered (Twilio error 21220).
    #[error("a call placed by <Dial> runs no program before it is answered; redirect its parent")]
    RunsNoProgram,
    /// Cancelling a call that was answered (Twilio error 21220).
    #[error("call was answered already; complete it instead of cancelling it")]
    AlreadyAnswered,
    /// Ending it with another status than canceled or completed.
    #[error("a call can be ended as canceled or completed only")]
    NotAnEnd,
    /// Deleting a call that is not over (Twilio error 20009).
    #[error("call is in progress; cannot delete it")]
    StillInProgress,
}

impl Call {
    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The engine that has it.
    #[must_use]
    pub fn claimed_by(&self) -> Option<&str> {
        self.claimed_by.as_deref()
    }

    /// How it ended, once it did.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        self.ended.as_ref()
    }

    /// Whether it was deleted; nothing can be asked of it any more.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted
    }

    #[expect(clippy::unused_self, reason = "the same shape for every aggregate")]
    fn reserve(&self, _: &CallEvent) -> Vec<Claim> {
        vec![]
    }
}

impl CallCommand {
    fn addresses(&mut self) -> Vec<&mut WebhookUrl> {
        let (program, callback) = self.asks();
        let callback = callback.map(|callback| &mut callback.url);
        program.map(Program::addresses).unwrap_or_default().into_iter().chain(callback).collect()
    }

    fn twiml(&mut self) -> Option<&mut String> {
        match self.asks().0 {
            Some(Program::Inline(twiml)) => Some(twiml),
            _ => None,
        }
    }

    /// What a call is to run, and who is told of it.
    fn asks(&mut self) -> (Option<&mut Program>, Option<&mut Callback>) {
        match self {
            CallCommand::Receive(Received { program, callback, .. })
            | CallCommand::Queue(Queued { program, callback, .. }) => (program.as_mut(), callback.as_mut()),
            CallCommand::Redirect(program) => (Some(program), None),
            _ => (None, None),
        }
    }
}

impl CallEvent {
    /// Whether a person sees the call otherwise after it ([`crate::Stream::is_change`]). Every event says so for itself.
    fn is_change(&self) -> bool {
        match self {
            Self::Received(_)
            | Self::Queued(_)
            | Self::Claimed { .. }
            | Self::Initiated { .. }
            | Self::AttemptFailed { .. }
            | Self::Rerouted { .. }
            | Self::Ringing { .. }
            | Self::Answered { .. }
            | Self::Moved { .. }
            | Self::Exchanged(_)
            | Self::VerbStarted { .. }
            | Self::VerbEnded { .. }
            | Self::Pressed { .. }
            | Self::Warned { .. }
            | Self::Held { .. }
            | Self::Bridged { .. }
            | Self::Unbridged { .. }
            | Self::Summarized(_)
            | Self::Redirected(_)
            | Self::EndRequested { .. }
            | Self::Ended(_)
            | Self::Deleted {} => true,
        }
    }
}

aggregate!(Call, "call", Calls, CallCommand, CallEvent as CallEventKind until Deleted, CallError, addresses, twiml);
