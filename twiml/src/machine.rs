//! The machine that runs documents: one verb at a time, asks out, events in.
//!
//! waiting ──load──► running ──Fetch──► waiting …            running ──HangUp | Reject──► ended

use crate::{
    ask::{Ask, DialResult, Event, Request},
    document::Document,
    element::Warning,
    verbs::{self, Flow, Step},
};
use std::collections::VecDeque;

/// Documents a call may run through in which nothing happens: nothing heard to its end, no key, no wait, nobody dialled.
/// After that it is a loop, and the call ends.
pub const MAX_DOCUMENTS: u32 = 50;
/// Documents one call may run through in its life.
pub const MAX_DOCUMENTS_EVER: u32 = 10_000;
/// Twilio's code for too many redirects.
const TOO_MANY: u32 = 11215;

/// A call's program. It never does anything by itself: it asks.
#[derive(Debug)]
pub struct Machine {
    answered: bool,
    /// The document has dialled somebody.
    dialled: bool,
    /// The other party holds a key down.
    key_down: bool,
    /// Documents since anything happened, and ever.
    documents: u32,
    documents_ever: u32,
    steps: VecDeque<Step>,
    current: Option<Step>,
    state: State,
    under_way: UnderWay,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// For a document.
    Waiting,
    /// For the call to be picked up before the current verb begins.
    Answering,
    Running,
    Ended,
}

/// What the current verb has asked for and not been told the end of; taken back when the verb is left early.
#[derive(Debug, Default)]
struct UnderWay {
    playing: bool,
    timing: bool,
    dialing: bool,
}

impl Machine {
    /// A machine without a document. `answered`: whether the call has been picked up already.
    #[must_use]
    pub fn new(answered: bool) -> Machine {
        let (steps, current, under_way) = (VecDeque::new(), None, UnderWay::default());
        let (documents, documents_ever, state) = (0, 0, State::Waiting);
        let (dialled, key_down) = (false, false);
        Machine { answered, dialled, key_down, documents, documents_ever, steps, current, state, under_way }
    }

    /// Runs this document from its start; what ran before is interrupted.
    pub fn load(&mut self, document: Document) -> Vec<Ask> {
        let mut asks = self.interrupt();
        if self.state == State::Ended {
            return asks;
        }
        self.documents += 1;
        self.documents_ever += 1;
        if self.documents > MAX_DOCUMENTS || self.documents_ever > MAX_DOCUMENTS_EVER {
            let message = format!(
                "the call went through more than {MAX_DOCUMENTS} documents in which nothing happened, or \
                 {MAX_DOCUMENTS_EVER} in all"
            );
            asks.push(Ask::Warn(Warning { code: TOO_MANY, message }));
            return self.end(Ask::HangUp, asks);
        }
        let (steps, warnings) = document.into_parts();
        asks.extend(warnings.into_iter().map(Ask::Warn));
        (self.steps, self.dialled) = (steps, false);
        if self.steps.is_empty() {
            self.steps.push_back(verbs::hang_up());
        }
        self.next(asks)
    }

    /// Stops the current verb and forgets the rest of the document; a [`Machine::load`] may follow.
    pub fn interrupt(&mut self) -> Vec<Ask> {
        let mut asks = self.take_back();
        if self.under_way.dialing {
            self.under_way.dialing = false;
            asks.push(Ask::AbandonDial);
        }
        if let Some(step) = self.current.take() {
            let started = self.state == State::Running;
            asks.extend(started.then(|| step.ended("interrupted", Vec::new())));
        }
        self.steps.clear();
        if self.state != State::Ended {
            self.state = State::Waiting;
        }
        asks
    }

    /// Tells the program what happened.
    pub fn on(&mut self, event: &Event) -> Vec<Ask> {
        if matches!(event, Event::PlayFinished | Event::TimerFired | Event::Digit(_) | Event::DialEnded(_)) {
            self.documents = 0;
        }
        match event {
            Event::Answered => self.answered = true,
            Event::PlayFinished => self.under_way.playing = false,
            Event::TimerFired => self.under_way.timing = false,
            Event::DialEnded(_) => (self.under_way.dialing, self.dialled) = (false, true),
            Event::KeyDown | Event::Digit(_) => self.key_down = *event == Event::KeyDown,
            Event::DialBridged => {}
        }
        match (self.state, &mut self.current) {
            (State::Answering, Some(_)) if self.answered => self.begin(Vec::new()),
            (State::Running, Some(step)) => {
                let flow = step.verb.on(event);
                self.follow(flow, Vec::new())
            }
            _ => Vec::new(),
        }
    }

    /// The call is over while its dial is under way: the request that tells the application so, or why it cannot be made.
    /// Its answer is not run.
    pub fn farewell(&mut self, dial: &DialResult) -> Option<Result<Request, Warning>> {
        let running = self.state == State::Running;
        self.current.as_mut().filter(|_| running)?.verb.farewell(dial)
    }

    fn next(&mut self, mut asks: Vec<Ask>) -> Vec<Ask> {
        // Whatever does not reject a call picks it up, were it at its end; unless its dial says how it is turned away.
        let at_end = self.steps.is_empty() && !self.answered && !self.dialled;
        self.current = self.steps.pop_front().or_else(|| at_end.then(verbs::hang_up));
        match &self.current {
            None => self.end(Ask::HangUp, asks),
            Some(step) if step.verb.needs_answer() && !self.answered => {
                self.state = State::Answering;
                asks.push(Ask::Answer);
                asks
            }
            Some(_) => self.begin(asks),
        }
    }

    fn begin(&mut self, mut asks: Vec<Ask>) -> Vec<Ask> {
        self.state = State::Running;
        let Some(step) = &mut self.current else { return asks };
        asks.push(step.started());
        let mut flow = step.verb.begin();
        if self.key_down
            && let Flow::Stay(first) = &mut flow
            && let Flow::Stay(more) = step.verb.on(&Event::KeyDown)
        {
            first.extend(more);
        }
        self.follow(flow, asks)
    }

    /// Does what the verb decided. A verb that is over at once leads to the next; the document's length bounds that.
    fn follow(&mut self, flow: Flow, mut asks: Vec<Ask>) -> Vec<Ask> {
        match flow {
            Flow::Stay(more) => {
                more.iter().for_each(|ask| self.under_way.note(ask));
                asks.extend(more);
                asks
            }
            Flow::Next(results) => {
                asks.extend(self.take_back());
                asks.extend(self.current.take().map(|step| step.ended("completed", results)));
                self.next(asks)
            }
            Flow::Leave(request) => {
                asks.extend(self.take_back());
                let results = request.params.clone();
                asks.extend(self.current.take().map(|step| step.ended("left", results)));
                self.steps.clear();
                self.state = State::Waiting;
                asks.push(Ask::Fetch(request));
                asks
            }
            Flow::Fail(warning) => {
                asks.extend(self.take_back());
                asks.extend(self.current.take().map(|step| step.ended("failed", Vec::new())));
                self.steps.clear();
                self.state = State::Waiting;
                asks.push(Ask::Fail(warning));
                asks
            }
            Flow::End(last) => {
                asks.extend(self.current.take().map(|step| step.ended("ended", Vec::new())));
                self.end(last, asks)
            }
        }
    }

    /// The program is over. Only an unanswered call can be rejected.
    fn end(&mut self, last: Ask, mut asks: Vec<Ask>) -> Vec<Ask> {
        self.state = State::Ended;
        self.steps.clear();
        asks.extend(self.take_back());
        asks.push(if self.answered { Ask::HangUp } else { last });
        asks
    }

    fn take_back(&mut self) -> Vec<Ask> {
        let playing = std::mem::take(&mut self.under_way.playing).then_some(Ask::StopPlaying);
        let timing = std::mem::take(&mut self.under_way.timing).then_some(Ask::CancelTimer);
        playing.into_iter().chain(timing).collect()
    }
}

impl UnderWay {
    fn note(&mut self, ask: &Ask) {
        match ask {
            Ask::Say { .. } | Ask::Play { .. } | Ask::SendDigits(_) => self.playing = true,
            Ask::StopPlaying => self.playing = false,
            Ask::Timer(_) => self.timing = true,
            Ask::CancelTimer => self.timing = false,
            Ask::Dial(_) => self.dialing = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ask::RejectReason, verbs::testing::*};
    use std::time::Duration;

    fn started(asks: &[Ask]) -> Vec<&'static str> {
        asks.iter()
            .filter_map(|ask| if let Ask::VerbStarted { verb, .. } = ask { Some(*verb) } else { None })
            .collect()
    }

    #[test]
    fn verbs_run_one_after_the_other() {
        let (mut machine, asks) = run("<Pause length=\"1\"/><Say>Hi</Say>");
        assert_eq!(acts(&asks), [Ask::Timer(Duration::from_secs(1))]);
        let asks = machine.on(&Event::TimerFired);
        assert_eq!((started(&asks), acts(&asks)), (vec!["Say"], vec![say("Hi")]));
        assert_eq!(acts(&machine.on(&Event::PlayFinished)), [Ask::HangUp]);
        assert_eq!(machine.state, State::Ended);
    }

    #[test]
    fn the_call_is_answered_before_the_first_verb_that_is_heard() {
        let (mut machine, asks) = run_unanswered("<Say>Hi</Say>");
        assert_eq!(asks, [Ask::Answer]);
        let asks = machine.on(&Event::Answered);
        assert_eq!((started(&asks), acts(&asks)), (vec!["Say"], vec![say("Hi")]));
    }

    #[test]
    fn an_empty_document_hangs_up() {
        let (machine, asks) = run("");
        assert_eq!((acts(&asks), machine.state), (vec![Ask::HangUp], State::Ended));
        assert_eq!(run_unanswered("").1, [Ask::Answer], "as <Hangup> does");
    }

    // "Any other response will result in an answered call."

    #[test]
    fn a_document_that_runs_out_has_picked_up() {
        let (mut machine, _) = run_unanswered("<Pause length=\"2\"/>");
        assert_eq!(acts(&machine.on(&Event::TimerFired)), [Ask::Answer]);
        assert_eq!(acts(&machine.on(&Event::Answered)), [Ask::HangUp]);
    }

    #[test]
    fn only_an_unanswered_call_is_rejected() {
        assert_eq!(acts(&run_unanswered("<Reject/>").1), [Ask::Reject(RejectReason::Rejected)]);
        assert_eq!(acts(&run("<Reject/>").1), [Ask::HangUp]);
    }

    #[test]
    fn a_new_document_interrupts_the_old_one() {
        let (mut machine, _) = run("<Play>https://example.com/a.wav</Play><Say>never</Say>");
        let asks = machine.load(document("<Hangup/>"));
        assert!(matches!(&asks[1], Ask::VerbEnded { verb: "Play", outcome: "interrupted", .. }), "{asks:?}");
        assert_eq!(acts(&asks), [Ask::StopPlaying, Ask::HangUp]);
    }

    #[test]
    fn a_dial_is_called_off_by_a_new_document() {
        let (mut machine, _) = run("<Dial>85510000001</Dial>");
        assert_eq!(acts(&machine.load(document("<Say>Hi</Say>"))), [Ask::AbandonDial, say("Hi")]);
    }

    #[test]
    fn late_events_change_nothing() {
        let (mut machine, _) = run("<Redirect>https://example.com/next</Redirect>");
        for event in [Event::PlayFinished, Event::TimerFired, Event::Digit('1'), Event::Answered] {
            assert_eq!(machine.on(&event), []);
        }
        let (mut machine, _) = run("<Hangup/>");
        assert_eq!(machine.on(&Event::Digit('1')), []);
        assert_eq!(machine.load(document("<Say>Hi</Say>")), []);
    }

    #[test]
    fn a_call_that_only_redirects_ends() {
        let mut machine = Machine::new(false);
        for _ in 0..MAX_DOCUMENTS {
            let asks = machine.load(document("<Redirect>https://example.com/again</Redirect>"));
            assert!(matches!(asks.last(), Some(Ask::Fetch(_))), "{asks:?}");
        }
        let asks = machine.load(document("<Redirect>https://example.com/again</Redirect>"));
        assert!(matches!(&asks[..], [Ask::Warn(Warning { code: 11215, .. }), Ask::HangUp]), "{asks:?}");
    }

    #[test]
    fn a_call_in_which_things_happen_goes_on_for_long_but_not_for_ever() {
        let twiml = "<Pause/><Redirect>https://example.com/again</Redirect>";
        let mut machine = Machine::new(true);
        for _ in 0..MAX_DOCUMENTS_EVER {
            machine.load(document(twiml));
            assert!(matches!(machine.on(&Event::TimerFired).last(), Some(Ask::Fetch(_))));
        }
        assert_eq!(machine.load(document(twiml)).last(), Some(&Ask::HangUp));
    }

    #[test]
    fn warnings_are_told_before_the_first_verb() {
        let (_, asks) = run("<Tango/><Say>Hi</Say>");
        assert!(matches!(&asks[0], Ask::Warn(warning) if warning.code == 12200), "{asks:?}");
    }
}
