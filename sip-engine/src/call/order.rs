//! What a call wants done.

use super::leg::LegNo;
use crate::{
    media::Prompt,
    outside::{CallRef, DocumentRequest, MediaFile},
};
use domain::{Sid, Tenant, Timestamp, call::CallCommand, caller_id::CallerId, webhook_url::WebhookUrl};
use std::{sync::Arc, time::Duration};

/// One thing to do. Orders are carried out in the order they come.
#[derive(Debug, Clone)]
pub enum Order {
    /// Append a fact.
    Record(CallRef, Timestamp, Box<CallCommand>),
    /// Send 180 for the leg that arrived.
    Ring(LegNo),
    /// Send the leg that arrived our description with a 183, so that it hears what comes before the answer. Where it made no
    /// offer nothing is sent: ours would have to be reliable (RFC 3262).
    Progress(LegNo),
    /// Answer the leg that arrived; `Acknowledged` or `Closed` follows.
    Pickup(LegNo),
    /// Turn the leg that arrived away with this code; `Closed` follows.
    Refuse(LegNo, u16),
    /// Place a call; `Placed` or `NotPlaced` follows.
    Place(LegNo, Box<Placement>),
    /// Place the call the next way there is; `Placed` or `NotPlaced` follows.
    TryNext(LegNo),
    /// BYE, CANCEL or a final response, as the leg's state requires; `Closed` follows.
    HangUp(LegNo),
    /// Close the leg's media; `Released` follows.
    Release(LegNo),
    /// Speak a text into a sound; `Prepared` follows.
    Speak {
        /// Given back.
        token: u64,
        /// Whose text.
        tenant: Tenant,
        /// What to speak.
        text: String,
        /// By which voice.
        voice: Option<String>,
        /// In which language.
        language: Option<String>,
    },
    /// Get a sound; `Prepared` follows.
    Load {
        /// Given back.
        token: u64,
        /// For which call.
        call: CallRef,
        /// From where.
        url: WebhookUrl,
        /// The file, when an application answered with it.
        file: Option<MediaFile>,
    },
    /// Play a sound to the leg; `Played` follows unless it is hushed or replaced.
    Play {
        /// To whom.
        leg: LegNo,
        /// Given back.
        token: u64,
        /// What.
        prompt: Arc<Prompt>,
        /// How often.
        times: u32,
    },
    /// Send DTMF to the leg; `Played` follows, or `Unplayable`.
    SendDigits {
        /// To whom.
        leg: LegNo,
        /// Given back.
        token: u64,
        /// `0-9*#A-D`, `w` and `W`.
        digits: String,
    },
    /// Let the leg hear that the other side rings, until it is hushed.
    Ringback(LegNo),
    /// Stop what plays to the leg.
    Hush(LegNo),
    /// Let these two hear each other.
    Bridge(LegNo, LegNo),
    /// Let the first hear the second, which has not answered and hears nothing but its keys.
    Listen(LegNo, LegNo),
    /// Take the leg apart from whoever it hears.
    Unbridge(LegNo),
    /// Request a document; `Fetched` follows.
    Fetch {
        /// Given back.
        token: u64,
        /// What to request.
        request: Box<DocumentRequest>,
    },
    /// Tell `TimerFired` after this long; replaces the timer of the same key.
    SetTimer(TimerKey, Duration),
    /// Forget the timer.
    CancelTimer(TimerKey),
}

/// The timers a call has, one of each for every leg that runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimerKey {
    /// The current verb's, or, before the first, that of what the program waits for.
    Verb(LegNo),
    /// The longest the call may last; before its answer, the longest it may ring.
    TimeLimit(LegNo),
}

/// A call to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The call's identifier.
    pub sid: Sid,
    /// Whose call.
    pub tenant: Tenant,
    /// The account that pays.
    pub account: Sid,
    /// Whom it shows.
    pub from: CallerId,
    /// Whether that is not just what a caller from outside said of itself.
    pub authentic: bool,
    /// Whom the call that dials talks with, unless they hide: calls from one such party to one callee are counted.
    pub on_behalf_of: Option<String>,
    /// Whom a trusted network named as the caller of the call that dials.
    pub asserted: Option<String>,
    /// Who to call.
    pub to: String,
    /// How long it may ring.
    pub ring_timeout: Duration,
    /// How many hops it may take.
    pub max_forwards: u8,
}
