//! One leg: a call of the family, with its identifier, its parties and how far it is.

use super::machine::LONGEST_CALL;
use crate::outside::CallRef;
use domain::{
    Sid, Timestamp,
    call::{Direction, Ending, Status},
};
use std::time::Duration;

/// A leg's number within its family. 0 is the one it began with; the others were dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegNo(pub u32);

impl LegNo {
    /// The leg that the family began with, and its first program runs on.
    pub const MAIN: LegNo = LegNo(0);
}

/// How far signalling is with a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Arrived or placed, not answered.
    Early,
    /// Answered by us, not acknowledged.
    PickedUp,
    /// Both sides talk.
    Up,
    /// We ended it; the closing signal is on its way.
    Closing,
    /// Signalling is over.
    Closed,
}

/// An INVITE under way.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) trunk: Sid,
    pub(super) address: String,
    /// There is another way, should this one fail.
    pub(super) more: bool,
}

/// A leg of the family.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) call: CallRef,
    /// The leg whose program it belongs to: itself, or the one that dialled it.
    pub(super) script: LegNo,
    pub(super) account: Option<Sid>,
    pub(super) direction: Direction,
    pub(super) parent: Option<Sid>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) state: State,
    pub(super) answered_at: Option<Timestamp>,
    /// How long it may last from then on.
    pub(super) limit: Duration,
    /// Its end is recorded.
    pub(super) ended: bool,
    /// What Twilio's surface calls its end.
    pub(super) final_status: Option<Status>,
    /// Its media is closed and summed up.
    pub(super) released: bool,
    /// Where its latest INVITE went.
    pub(super) attempt: Option<Attempt>,
    /// It said that it rings.
    pub(super) rang: bool,
    /// Keys pressed on it.
    pub(super) presses: u32,
    /// DTMF to send once it is answered.
    pub(super) send_digits: Option<String>,
}

impl Leg {
    pub(super) fn new(
        call: CallRef,
        account: Option<Sid>,
        direction: Direction,
        from: &str,
        to: &str,
    ) -> Leg {
        Leg {
            call,
            script: LegNo::MAIN,
            account,
            direction,
            parent: None,
            from: from.to_owned(),
            to: to.to_owned(),
            state: State::Early,
            answered_at: None,
            limit: LONGEST_CALL,
            ended: false,
            final_status: None,
            released: false,
            attempt: None,
            rang: false,
            presses: 0,
            send_digits: None,
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answered_at.is_some()
    }

    /// This end of it at this time, with how long it was answered.
    pub(super) fn measured(&self, ending: Ending, now: Timestamp) -> Ending {
        match self.answered_at {
            Some(at) => ending.after(now.since(at), self.limit),
            None => ending,
        }
    }

    /// Nothing more will happen to it.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.released && self.state == State::Closed
    }
}
