//! What a status callback says, from the facts of its call alone: so a repetition says the same.

use crate::geo;
use domain::{
    Sid, Tenant, Timestamp,
    call::{
        Call, CallEvent, CallEventKind as Kind, Callback, CallbackEvent, Direction, Ending, Purpose, Status,
    },
};
use store::{DecodeError, Fact};

/// The version of the API callbacks belong to.
const API_VERSION: &str = "2010-04-01";
/// Where callbacks say they come from.
const SOURCE: &str = "call-progress-events";

/// A callback that is due.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Due {
    pub callback: Callback,
    pub account: Option<Sid>,
    pub tenant: Tenant,
    pub parameters: Vec<(String, String)>,
}

/// Whether an event of a call is a moment callbacks are about. Every kind says so for itself.
pub(super) fn moment(fact: &Fact) -> Option<CallbackEvent> {
    match fact.kind::<Call>()? {
        Kind::Initiated => Some(CallbackEvent::Initiated),
        Kind::Ringing => Some(CallbackEvent::Ringing),
        Kind::Answered => Some(CallbackEvent::Answered),
        Kind::Ended => Some(CallbackEvent::Completed),
        Kind::Received
        | Kind::Queued
        | Kind::Claimed
        | Kind::AttemptFailed
        | Kind::Rerouted
        | Kind::Moved
        | Kind::Exchanged
        | Kind::VerbStarted
        | Kind::VerbEnded
        | Kind::Pressed
        | Kind::Warned
        | Kind::Held
        | Kind::Bridged
        | Kind::Unbridged
        | Kind::Summarized
        | Kind::Redirected
        | Kind::EndRequested
        | Kind::Deleted => None,
    }
}

/// A call as its callbacks see it.
#[derive(Default)]
struct Story {
    account: Option<Sid>,
    parent: Option<Sid>,
    direction: Option<Direction>,
    from: String,
    to: String,
    callback: Option<Callback>,
    answered_at: Option<Timestamp>,
    sip_code: Option<u16>,
    ending: Option<Ending>,
    /// Moments the callback asked for so far, in order, each once.
    told: Vec<CallbackEvent>,
    /// Sequence numbers of callbacks that were made already.
    made: Vec<String>,
}

/// The callback that the fact at `sequence` of this stream calls for; `None` when nobody asked for it, or when it was made
/// already.
pub(super) fn due(stream: &[Fact], sequence: i64) -> Result<Option<Due>, DecodeError> {
    let mut story = Story::default();
    let mut parameters = None;
    for fact in stream {
        let Some(event) = fact.of::<Call>() else { continue };
        story.learn(fact, event?);
        let Some(moment) = moment(fact).filter(|moment| story.is_news(*moment)) else { continue };
        story.told.push(moment);
        if fact.sequence == sequence {
            parameters = Some(story.parameters(fact, moment));
        }
    }
    let made = |parameters: &[(String, String)]| {
        parameters.iter().any(|(name, value)| name == "SequenceNumber" && story.made.contains(value))
    };
    let (Some(first), Some(parameters)) = (stream.first(), parameters.filter(|it| !made(it))) else {
        return Ok(None);
    };
    let Some(callback) = story.callback else { return Ok(None) };
    Ok(Some(Due { callback, account: story.account, tenant: first.tenant.clone(), parameters }))
}

impl Story {
    fn is_news(&self, moment: CallbackEvent) -> bool {
        let asked = self.callback.as_ref().is_some_and(|callback| callback.events.contains(&moment));
        asked && !self.told.contains(&moment)
    }

    fn learn(&mut self, fact: &Fact, event: CallEvent) {
        match event {
            CallEvent::Received(received) => {
                (self.account, self.callback) = (received.account, received.callback);
                (self.from, self.to) = (received.from, received.to);
                self.direction = Some(Direction::Inbound);
            }
            CallEvent::Queued(queued) => {
                (self.account, self.callback) = (Some(queued.account), queued.callback);
                (self.from, self.to, self.parent) = (queued.from, queued.to, queued.parent);
                self.direction = Some(queued.direction);
            }
            CallEvent::Ringing { sip_code, .. } => self.sip_code = Some(sip_code),
            CallEvent::Answered { .. } => (self.answered_at, self.sip_code) = (Some(fact.at), Some(200)),
            CallEvent::Ended(ending) => {
                self.sip_code = ending.sip_code.or(self.sip_code.filter(|code| *code >= 200));
                self.ending = Some(ending);
            }
            CallEvent::Exchanged(exchange) if exchange.purpose == Purpose::StatusCallback => {
                let number = exchange.parameters.into_iter().find(|(name, _)| name == "SequenceNumber");
                self.made.extend(number.map(|(_, value)| value));
            }
            _ => {}
        }
    }

    /// Twilio's parameters, for the moment just told.
    fn parameters(&self, fact: &Fact, moment: CallbackEvent) -> Vec<(String, String)> {
        let mut parameters = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            parameters.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("CallSid", Some(fact.stream.to_string()));
        add("AccountSid", self.account.as_ref().map(Sid::to_string));
        add("From", Some(self.from.clone()));
        add("To", Some(self.to.clone()));
        add("Caller", Some(self.from.clone()));
        add("Called", Some(self.to.clone()));
        add("CallStatus", Some(self.status(moment).to_owned()));
        add("ApiVersion", Some(API_VERSION.to_owned()));
        add("Direction", self.direction.map(|direction| direction.as_str().to_owned()));
        add("ParentCallSid", self.parent.as_ref().map(Sid::to_string));
        for (name, code) in geo::places(&self.from, &self.to) {
            add(&name, Some(code));
        }
        if moment == CallbackEvent::Completed {
            let measured = self.ending.as_ref().and_then(|it| it.seconds(self.answered_at, fact.at));
            let seconds = measured.unwrap_or(0);
            add("CallDuration", Some(seconds.to_string()));
            add("Duration", Some(seconds.div_ceil(60).to_string()));
            add("SipResponseCode", self.sip_code.map(|code| code.to_string()));
        }
        add("Timestamp", Some(fact.at.rfc2822()));
        add("CallbackSource", Some(SOURCE.to_owned()));
        add("SequenceNumber", Some((self.told.len() - 1).to_string()));
        parameters
    }

    fn status(&self, moment: CallbackEvent) -> &'static str {
        match moment {
            CallbackEvent::Initiated => "initiated",
            CallbackEvent::Ringing => Status::Ringing.as_str(),
            CallbackEvent::Answered => Status::InProgress.as_str(),
            CallbackEvent::Completed => {
                self.ending.as_ref().map_or(Status::Completed, |ending| ending.status).as_str()
            }
        }
    }
}
