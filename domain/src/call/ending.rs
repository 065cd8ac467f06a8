//! How calls end, and what Twilio's surface calls it.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A call's status on Twilio's surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Waits to be placed.
    Queued,
    /// Rings.
    Ringing,
    /// Answered.
    InProgress,
    /// Was answered, and is over.
    Completed,
    /// The far end was busy or declined.
    Busy,
    /// It could not be placed or taken.
    Failed,
    /// Nobody answered in time.
    NoAnswer,
    /// Ended by us before it was answered.
    Canceled,
}

const STATUSES: [(Status, &str); 8] = [
    (Status::Queued, "queued"),
    (Status::Ringing, "ringing"),
    (Status::InProgress, "in-progress"),
    (Status::Completed, "completed"),
    (Status::Busy, "busy"),
    (Status::Failed, "failed"),
    (Status::NoAnswer, "no-answer"),
    (Status::Canceled, "canceled"),
];

impl Status {
    /// Twilio's spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        STATUSES.iter().find(|(status, _)| *status == self).map_or("", |(_, text)| text)
    }

    /// Whether the call is over.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Status::Queued | Status::Ringing | Status::InProgress)
    }
}

impl std::str::FromStr for Status {
    type Err = String;
    fn from_str(text: &str) -> Result<Status, String> {
        let found = STATUSES.iter().find(|(_, name)| *name == text);
        found.map(|(status, _)| *status).ok_or_else(|| format!("not a call status: {text:?}"))
    }
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The far end of this call hung up.
    HungUp,
    /// The TwiML ended, or said `<Hangup>`.
    ApplicationHungUp,
    /// The other party of a `<Dial>` ended it, or its parent did.
    PeerHungUp,
    /// The API completed it.
    CompletedByApi,
    /// The API cancelled it before it was answered.
    CanceledByApi,
    /// The caller gave up before it was answered.
    CanceledByCaller,
    /// Another leg of the same `<Dial>` was answered first.
    AnsweredElsewhere,
    /// The application said `<Reject>`.
    Rejected,
    /// The application said `<Reject reason="busy">`.
    RejectedBusy,
    /// The far end was busy (486, 600).
    Busy,
    /// The far end declined (603).
    Declined,
    /// Nobody answered in time (408, 480, 487, or our own timer).
    NoAnswer,
    /// The dialled number is not in the inventory, or not assigned.
    NumberNotFound,
    /// The number is disabled.
    NumberDisabled,
    /// The account is disabled.
    AccountDisabled,
    /// The number has no Voice URL.
    NotConfigured,
    /// The trunk or the far end has no such destination (404, 410, 484, 604).
    DestinationNotFound,
    /// There is no trunk to call through.
    NoRoute,
    /// An emergency number was called, and no trunk of the carrier takes emergency calls.
    EmergencyNotTaken,
    /// The account may not call this country, or this kind of number.
    DestinationForbidden,
    /// The account has placed as many calls as it may, at once or in a second.
    LimitReached,
    /// Too many calls of the same caller to the same callee were dialled already, as in a loop.
    LoopDetected,
    /// The trunk did not accept our credentials or our address (401, 403, 407).
    TrunkRefused,
    /// The trunk answered with another failure.
    TrunkFailed,
    /// The trunk could not be reached, or stopped answering.
    TrunkUnreachable,
    /// No codec in common (488), or no media could be opened.
    MediaFailed,
    /// The application could not be asked, nor its fallback.
    ApplicationFailed,
    /// It lasted as long as it may.
    TimeLimit,
    /// Our answer was never acknowledged, or media and signalling went silent.
    ConnectionLost,
    /// It waited in the queue for too long.
    Expired,
    /// More calls than this node takes.
    Overloaded,
    /// The engine that had it stopped without finishing it.
    Interrupted,
    /// The engine was shut down.
    ShutDown,
    /// A defect of ours.
    InternalError,
}

impl EndReason {
    /// What Twilio's surface calls a call that ended for this reason.
    #[must_use]
    pub fn status(self, answered: bool) -> Status {
        use EndReason as R;
        match self {
            // A CANCEL that did something proves that no 200 has left, whatever we were about to say.
            R::CanceledByCaller => Status::NoAnswer,
            _ if answered => Status::Completed,
            R::Busy | R::Declined | R::RejectedBusy => Status::Busy,
            R::NoAnswer | R::Rejected => Status::NoAnswer,
            R::CanceledByApi | R::CompletedByApi | R::AnsweredElsewhere | R::PeerHungUp => Status::Canceled,
            _ => Status::Failed,
        }
    }
}

/// What kind of thing went wrong with a call that ended otherwise than people or programs meant it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The application could not be asked.
    Application,
    /// What is configured does not lead anywhere: no such number, disabled, without an application, no trunk.
    Configuration,
    /// The trunk refused, failed or could not be reached.
    Trunk,
    /// No media, or the far end went silent.
    Media,
    /// This platform stopped, was full or has a defect.
    Platform,
}

impl EndReason {
    /// What went wrong; nothing did when people or programs ended it, were busy or did not answer. Twilio's words hide it:
    /// an answered call is `completed` whatever ended it.
    #[must_use]
    pub fn trouble(self) -> Option<Trouble> {
        use EndReason as R;
        match self {
            R::HungUp
            | R::ApplicationHungUp
            | R::PeerHungUp
            | R::CompletedByApi
            | R::CanceledByApi
            | R::CanceledByCaller
            | R::AnsweredElsewhere
            | R::Rejected
            | R::RejectedBusy
            | R::Busy
            | R::Declined
            | R::NoAnswer
            | R::TimeLimit => None,
            R::ApplicationFailed => Some(Trouble::Application),
            R::TrunkRefused | R::TrunkFailed | R::TrunkUnreachable => Some(Trouble::Trunk),
            R::MediaFailed | R::ConnectionLost => Some(Trouble::Media),
            R::Expired | R::Overloaded | R::Interrupted | R::ShutDown | R::InternalError => {
                Some(Trouble::Platform)
            }
            R::NumberNotFound
            | R::NumberDisabled
            | R::AccountDisabled
            | R::NotConfigured
            | R::DestinationNotFound
            | R::NoRoute
            | R::EmergencyNotTaken
            | R::DestinationForbidden
            | R::LimitReached
            | R::LoopDetected => Some(Trouble::Configuration),
        }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Why.
    pub reason: EndReason,
    /// What Twilio's surface calls it.
    pub status: Status,
    /// The final SIP response's code, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_code: Option<u16>,
    /// More, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How long the call was answered, as whoever had it measured: whole seconds, begun ones counted, and never more
    /// than the limit it had. Absent when it was not answered, and when nobody was left to measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<u32>,
}

impl Ending {
    /// An end for this reason. The aggregate sets the status: it knows whether the call was answered.
    #[must_use]
    pub fn because(reason: EndReason) -> Ending {
        Ending { reason, status: reason.status(false), sip_code: None, detail: None, duration_s: None }
    }

    /// The same, with how long the call was answered and may have been answered at most.
    #[must_use]
    pub fn after(mut self, answered: Duration, limit: Duration) -> Ending {
        self.duration_s = Some(begun_seconds(answered).min(begun_seconds(limit)));
        self
    }

    /// The same, for a call that was cut off together with the process that had it. It is as long as that process's own times
    /// prove, which lie as far apart as they really did: from its answer to the last moment the process is known to have
    /// lived, and never longer than it might have been.
    #[must_use]
    pub fn cut_off(self, answered_at: Timestamp, last_known: Timestamp, limit: Duration) -> Ending {
        self.after(last_known.since(answered_at), limit)
    }

    /// Seconds the call was answered, as billed: as it was measured, else by when it was answered and ended.
    #[must_use]
    pub fn seconds(&self, answered_at: Option<Timestamp>, ended_at: Timestamp) -> Option<u32> {
        let answered_at = answered_at?;
        Some(self.duration_s.unwrap_or_else(|| begun_seconds(ended_at.since(answered_at))))
    }

    /// The same, with the final SIP response's code.
    #[must_use]
    pub fn with_code(mut self, code: u16) -> Ending {
        self.sip_code = Some(code);
        self
    }

    /// The same, with more for a person.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Ending {
        self.detail = Some(detail.into());
        self
    }
}

/// Whole seconds, begun ones counted.
#[must_use]
pub fn begun_seconds(length: Duration) -> u32 {
    u32::try_from(length.as_micros().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_never_longer_than_the_limit_that_ended_it() {
        let lasted = |micros, limit| {
            let limit = Duration::from_secs(limit);
            Ending::because(EndReason::TimeLimit).after(Duration::from_micros(micros), limit).duration_s
        };
        assert_eq!(lasted(60_000_000, 60), Some(60));
        assert_eq!(lasted(60_004_321, 60), Some(60), "the timer is never early");
        assert_eq!(lasted(2_000_001, 60), Some(3), "a begun second counts");
        assert_eq!(lasted(0, 60), Some(0));
    }

    #[test]
    fn what_was_measured_counts_and_not_the_clocks_on_the_wall() {
        let (answered, ended) = (Timestamp::from_micros(0), Timestamp::from_micros(3_603_000_000));
        let unmeasured = Ending::because(EndReason::Interrupted);
        assert_eq!(unmeasured.seconds(Some(answered), ended), Some(3_603));
        let measured = unmeasured.after(Duration::from_secs(2), Duration::from_secs(14_400));
        assert_eq!(measured.seconds(Some(answered), ended), Some(2));
        assert_eq!(measured.seconds(None, ended), None);
    }

    #[test]
    fn a_call_that_was_cut_off_is_as_long_as_is_proved_and_never_longer_than_its_limit() {
        let cut_off = |last, limit| {
            let (answered, last) = (Timestamp::from_micros(10_000_000), Timestamp::from_micros(last));
            let ending = Ending::because(EndReason::Interrupted);
            ending.cut_off(answered, last, Duration::from_secs(limit)).duration_s
        };
        assert_eq!(cut_off(13_500_000, 14_400), Some(4));
        assert_eq!(cut_off(3_613_000_000, 60), Some(60));
        assert_eq!(cut_off(9_000_000, 60), Some(0), "nothing is known but that it was answered");
    }

    #[test]
    fn an_answered_call_is_completed_whatever_ended_it_but_a_cancel() {
        for reason in [EndReason::HungUp, EndReason::Interrupted, EndReason::ConnectionLost] {
            assert_eq!(reason.status(true), Status::Completed);
        }
        assert_eq!(EndReason::CanceledByCaller.status(true), Status::NoAnswer);
    }

    #[test]
    fn an_unanswered_call_says_what_was_wrong() {
        for (reason, status) in [
            (EndReason::Busy, "busy"),
            (EndReason::NoAnswer, "no-answer"),
            (EndReason::CanceledByApi, "canceled"),
            (EndReason::NumberNotFound, "failed"),
        ] {
            assert_eq!(reason.status(false).as_str(), status);
        }
    }

    #[test]
    fn a_call_that_people_ended_had_no_trouble_and_one_that_we_ended_had() {
        for fine in [EndReason::HungUp, EndReason::Busy, EndReason::NoAnswer, EndReason::CanceledByApi] {
            assert_eq!(fine.trouble(), None, "{fine:?}");
        }
        for (reason, trouble) in [
            (EndReason::ApplicationFailed, Trouble::Application),
            (EndReason::NumberNotFound, Trouble::Configuration),
            (EndReason::TrunkUnreachable, Trouble::Trunk),
            (EndReason::ConnectionLost, Trouble::Media),
            (EndReason::Interrupted, Trouble::Platform),
            (EndReason::ShutDown, Trouble::Platform),
        ] {
            assert_eq!(reason.trouble(), Some(trouble), "{reason:?}");
        }
    }

    #[test]
    fn every_status_survives_its_spelling() {
        for (status, text) in STATUSES {
            assert_eq!(text.parse(), Ok(status));
        }
        assert!("done".parse::<Status>().is_err());
    }
}
