//! What a call can be told.

use super::leg::LegNo;
use crate::{
    media::Prompt,
    outside::{FetchFailure, Fetched},
};
use domain::{
    Sid,
    call::{EndReason, MediaSummary, Program, Status},
};
use std::{net::SocketAddr, sync::Arc};

/// Something happened to a call.
#[derive(Debug)]
pub enum Happened {
    /// The call begins.
    Started,
    /// Signalling said something about a leg.
    Signalled(LegNo, Signal),
    /// The far end of a leg holds a key down; [`Happened::Pressed`] follows when it is let go.
    KeyDown(LegNo),
    /// The far end of a leg pressed a key.
    Pressed(LegNo, char),
    /// A sound that was ordered is ready, or will never be.
    Prepared(u64, Result<Prepared, FetchFailure>),
    /// What this order played or sent is over.
    Played(u64),
    /// This order could not be carried out: what was to be sent are no digits.
    Unplayable(u64),
    /// A document came, or did not.
    Fetched(u64, Box<Fetched>),
    /// A timer fired.
    TimerFired(super::TimerKey),
    /// The media of a leg ended by itself.
    MediaLost(LegNo),
    /// Nothing was ever heard of a leg's far end, but this many packets were dropped that came from elsewhere, as from here.
    Unheard(LegNo, SocketAddr, u64),
    /// A leg's media is closed; these were its figures, if it had any.
    Released(LegNo, Option<MediaSummary>),
    /// The API wants another program to run.
    Redirected(LegNo, Program),
    /// The API wants the call to end.
    EndRequested(LegNo, Status),
    /// The call has to end because of us.
    Stopped(EndReason),
    /// The call's arrival could be recorded nowhere: it is turned away.
    NotKept,
}

/// What signalling can say about a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The INVITE left.
    Placed {
        /// Through which trunk.
        trunk: Sid,
        /// To which address and port.
        address: String,
        /// To which Request-URI.
        request_uri: String,
        /// Under which Call-ID.
        sip_call_id: String,
        /// Whether there is another way, should this one fail.
        more: bool,
    },
    /// One way ended before an INVITE could leave by it; others follow.
    Blocked {
        /// Through which trunk.
        trunk: Sid,
        /// To which address and port, if its host has one.
        address: Option<String>,
        /// Why.
        reason: String,
    },
    /// The INVITE could not leave.
    NotPlaced {
        /// Why.
        reason: EndReason,
        /// Twilio's error code, where the caller did something wrong.
        code: Option<u32>,
        /// More, for a person.
        detail: String,
    },
    /// A provisional response other than 100.
    Ringing(u16),
    /// The first one to an INVITE: only now is it known how that is cancelled, so it is kept, though another one rang before.
    BeginsToRing(u16),
    /// A 183 with a session description: the far end's network plays the progress of the call itself.
    Progress,
    /// The far end is heard, though it has not answered. A description alone promises nothing: many a switch sends one
    /// with its 180 and stays silent (RFC 3960 section 3.2).
    EarlyMedia,
    /// Our INVITE was answered, and media flows.
    Answered,
    /// Our answer was acknowledged.
    Acknowledged,
    /// The far end holds us, or took us back.
    Held(bool),
    /// The leg is over.
    Closed(Closing),
}

/// How a leg closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// As we ordered.
    Ordered,
    /// The far end hung up.
    HungUp,
    /// The caller gave up before we answered.
    Cancelled,
    /// It was refused, or not reached.
    Failed {
        /// The final response's code.
        code: u16,
        /// The reason phrase.
        reason: String,
        /// Whether the far end said it; otherwise nobody answered.
        from_peer: bool,
        /// Whether it had said anything that makes it the one to answer: then nobody else is asked.
        heard: bool,
    },
    /// It rang for as long as it may.
    TimedOut,
    /// Our answer was never acknowledged, or the far end forgot the dialog, or did not keep it alive: which, for a person.
    Lost(&'static str),
    /// No media could be agreed on or opened. A leg that arrived still waits for its final response.
    NoMedia {
        /// The response it is to get.
        code: u16,
        /// More, for a person.
        detail: String,
    },
}

/// A sound ready to be played.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The sound.
    pub prompt: Arc<Prompt>,
    /// What the application should know, for example that a voice was replaced.
    pub warning: Option<String>,
}
