//! The two vocabularies between a program and its call: what it asks for, and what it is told.

use crate::element::{Method, Warning};
use std::time::Duration;
use url::Url;

/// What the program wants done. Whoever runs the call matches this exhaustively, so a new ability is a compile error
/// until it is honoured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Pick up; told back as [`Event::Answered`]. Asked once, before the first ask that needs media.
    Answer,
    /// Speak, `times` times; told back as [`Event::PlayFinished`].
    Say {
        /// What to speak; never empty, at most 4,096 characters.
        text: String,
        /// The voice by Twilio's name, for example `woman` or `Polly.Joanna`.
        voice: Option<String>,
        /// A BCP 47 language, for example `en-US`.
        language: Option<String>,
        /// 1 to 1,000.
        times: u32,
    },
    /// Play a sound file, `times` times; told back as [`Event::PlayFinished`].
    Play {
        /// Where the file is.
        url: Url,
        /// 1 to 1,000.
        times: u32,
    },
    /// Send DTMF; `w` waits half a second, `W` one. Told back as [`Event::PlayFinished`].
    SendDigits(String),
    /// Be quiet at once; no [`Event::PlayFinished`] follows.
    StopPlaying,
    /// Tell [`Event::TimerFired`] after this long. There is one timer: a new one replaces the old one.
    Timer(Duration),
    /// Forget the timer.
    CancelTimer,
    /// Get the next document and [`Machine::load`](crate::Machine::load) it. Nothing else runs until then.
    Fetch(Request),
    /// Call these and connect the first to answer; told back as [`Event::DialBridged`] and [`Event::DialEnded`].
    Dial(DialPlan),
    /// End the dialled calls; [`Event::DialEnded`] follows.
    EndDial,
    /// End the dialled calls; the verb is gone and nothing is told back.
    AbandonDial,
    /// Turn an unanswered call away. The program has ended.
    Reject(RejectReason),
    /// End the call. The program has ended.
    HangUp,
    /// The program cannot go on as it is written, or where it says: the application failed. A [`Machine::load`](crate::Machine::load) of
    /// what it has for that case may follow.
    Fail(Warning),
    /// Note for the person who wrote the document.
    Warn(Warning),
    /// A verb begins; for the timeline.
    VerbStarted {
        /// The element's name.
        verb: &'static str,
        /// Its attributes as written, and its text under the name `text`.
        details: Vec<(String, String)>,
    },
    /// The verb has ended; for the timeline.
    VerbEnded {
        /// The element's name.
        verb: &'static str,
        /// `completed`, `left` (went to another document), `ended` (was the last thing), `failed` (cannot be
        /// done) or `interrupted`.
        outcome: &'static str,
        /// What it found, as it goes to its action: digits, the status of a dial.
        results: Vec<(String, String)>,
    },
}

/// What happened to the call, told to the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The call has been picked up (whoever asked for it).
    Answered,
    /// The other party holds a key down; [`Event::Digit`] follows when it is let go.
    KeyDown,
    /// The other party pressed a key: `0`-`9`, `*`, `#`, `A`-`D`.
    Digit(char),
    /// What was played, spoken or sent last is over, whether it could be played or not.
    PlayFinished,
    /// The timer fired.
    TimerFired,
    /// A dialled party answered and both hear each other.
    DialBridged,
    /// Dialling is over, whether anybody answered or not.
    DialEnded(DialResult),
}

/// A document to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// From where.
    pub url: Url,
    /// How.
    pub method: Method,
    /// What the verb adds to the call's own parameters.
    pub params: Vec<(String, String)>,
}

/// How an unanswered call is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// Not in service; SIP 603.
    Rejected,
    /// Busy; SIP 486.
    Busy,
}

/// Whom to call for a `<Dial>`, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialPlan {
    /// 1 to 10 parties, all rung at once.
    pub targets: Vec<DialTarget>,
    /// The number shown to them; absent: the caller's.
    pub caller_id: Option<String>,
    /// How long to ring.
    pub timeout: Duration,
    /// How long the two may talk.
    pub time_limit: Duration,
    /// Pick up the parent call only when somebody answers.
    pub answer_on_bridge: bool,
}

/// One party to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialTarget {
    /// The number as written in the document.
    pub number: String,
    /// DTMF to send once they answer, before they are connected.
    pub send_digits: Option<String>,
    /// Whom to tell about the call's progress.
    pub status_callback: Option<Callback>,
}

/// A subscription to the progress of a dialled call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Where to report.
    pub url: Url,
    /// How.
    pub method: Method,
    /// What to report.
    pub events: Vec<CallbackEvent>,
}

/// A step in the life of a dialled call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackEvent {
    /// The call left.
    Initiated,
    /// It rings.
    Ringing,
    /// It was answered.
    Answered,
    /// It is over.
    Completed,
}

impl CallbackEvent {
    /// Twilio's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CallbackEvent::Initiated => "initiated",
            CallbackEvent::Ringing => "ringing",
            CallbackEvent::Answered => "answered",
            CallbackEvent::Completed => "completed",
        }
    }
}

/// What became of a `<Dial>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialResult {
    /// The status as a whole.
    pub status: DialStatus,
    /// The call that was connected, or the last one tried.
    pub call_sid: Option<String>,
    /// Seconds from answer to end, when somebody answered.
    pub duration_s: Option<u64>,
    /// Whether the parties were connected.
    pub bridged: bool,
}

/// Twilio's `DialCallStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialStatus {
    /// Connected, and over.
    Completed,
    /// The party was busy.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The call could not be made.
    Failed,
    /// The caller hung up, or the dial was called off, before anybody answered.
    Canceled,
}

impl DialStatus {
    /// Twilio's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DialStatus::Completed => "completed",
            DialStatus::Busy => "busy",
            DialStatus::NoAnswer => "no-answer",
            DialStatus::Failed => "failed",
            DialStatus::Canceled => "canceled",
        }
    }
}
