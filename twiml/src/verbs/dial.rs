//! `<Dial>`: calls other parties and connects the first to answer.
//!
//! ringing ──DialBridged──► connected ──DialEnded──► action, or the next verb.
//! `hangupOnStar` and `timeLimit` live here; ringing, connecting and hanging up belong to whoever runs the call.

use super::{Definition, Flow, Verb, play};
use crate::{
    ask::{Ask, Callback, CallbackEvent, DialPlan, DialResult, DialStatus, DialTarget, Event, Request},
    element::{Address, Element, Lack, Method, SCHEMA_WARNING, Warning, quote},
};

pub(super) const DIAL: Definition = Definition {
    name: "Dial",
    attributes: &["action", "method", "timeout", "timeLimit", "callerId", "answerOnBridge", "hangupOnStar"],
    parse,
};

/// Parties rung at once; Twilio's limit.
const MAX_TARGETS: usize = 10;
/// Seconds two parties may talk; Twilio's default and our limit.
const LONGEST_TALK: u64 = 14_400;
/// Attributes of `<Number>` that do something.
const NUMBER: &[&str] = &["sendDigits", "statusCallback", "statusCallbackEvent", "statusCallbackMethod"];
/// Twilio's code for a number that cannot be dialled.
const INVALID_NUMBER: u32 = 13223;

#[derive(Debug)]
struct Dial {
    plan: DialPlan,
    action: Option<Address>,
    method: Method,
    hangup_on_star: bool,
    connected: bool,
    /// Why nobody is called.
    lack: Option<Lack>,
}

fn parse(element: &mut Element<'_, '_>) -> Box<dyn Verb> {
    let lack = lacking(element);
    let caller_id =
        element.attribute("callerId").map(|text| quote(text.trim())).filter(|text| !text.is_empty());
    let plan = DialPlan {
        caller_id,
        timeout: element.seconds("timeout", 5..=600, 30),
        time_limit: element.seconds("timeLimit", 1..=LONGEST_TALK, LONGEST_TALK),
        answer_on_bridge: element.flag("answerOnBridge", false),
        targets: targets(element),
    };
    let action = element.next_url("action");
    if let Some(lack) = lack.as_ref().filter(|_| action.is_some()) {
        // Without an action it is told when the program fails.
        element.warn_of(lack.warning());
    }
    Box::new(Dial {
        plan,
        action,
        lack,
        method: element.method("method"),
        hangup_on_star: element.flag("hangupOnStar", false),
        connected: false,
    })
}

/// The first thing about it or its parties that must not be stepped over.
fn lacking(element: &mut Element<'_, '_>) -> Option<Lack> {
    let children = element.children();
    let parties = children.len() + usize::from(!element.own_text().is_empty());
    // One party alone is called in whatever order.
    let harmless = |lack: &Lack| lack.attribute.as_deref() == Some("sequential") && parties < 2;
    let own = element.lacks().into_iter().find(|lack| !harmless(lack));
    own.or_else(|| children.iter().find_map(|node| element.child(*node).lacks().into_iter().next()))
}

/// The parties: the element's own text and its `<Number>` children.
fn targets(element: &mut Element<'_, '_>) -> Vec<DialTarget> {
    let text = element.own_text();
    let plain = DialTarget { number: quote(&text), send_digits: None, status_callback: None };
    let mut targets: Vec<_> = (!text.is_empty()).then_some(plain).into_iter().collect();
    for node in element.children() {
        let mut child = element.child(node);
        if child.name() == "Number" {
            targets.extend(number(&mut child));
        } else if child.lacks().is_empty() {
            child.warn(SCHEMA_WARNING, "cannot be dialled; ignored");
        }
    }
    if targets.len() > MAX_TARGETS {
        element.warn(SCHEMA_WARNING, format_args!("only the first {MAX_TARGETS} numbers are called"));
        targets.truncate(MAX_TARGETS);
    }
    if targets.is_empty() && lacking(element).is_none() {
        element.warn(INVALID_NUMBER, "has no number to call");
    }
    targets
}

fn number(element: &mut Element<'_, '_>) -> Option<DialTarget> {
    element.expect_attributes(NUMBER);
    let number = quote(&element.own_text());
    if number.is_empty() {
        element.warn(INVALID_NUMBER, "is empty");
        return None;
    }
    let send_digits = element.attribute("sendDigits").and_then(|text| play::digits(element, text));
    let status_callback = element.url("statusCallback").map(|url| Callback {
        url,
        method: element.method("statusCallbackMethod"),
        events: callback_events(element),
    });
    Some(DialTarget { number, send_digits, status_callback })
}

fn callback_events(element: &mut Element<'_, '_>) -> Vec<CallbackEvent> {
    let Some(text) = element.attribute("statusCallbackEvent") else { return vec![CallbackEvent::Completed] };
    let mut events = Vec::new();
    for word in text.split_whitespace() {
        match word {
            "initiated" => events.push(CallbackEvent::Initiated),
            "ringing" => events.push(CallbackEvent::Ringing),
            "answered" => events.push(CallbackEvent::Answered),
            "completed" => events.push(CallbackEvent::Completed),
            other => {
                let message = format!("{} is not a status callback event", quote(other));
                element.warn(SCHEMA_WARNING, message);
            }
        }
    }
    events
}

impl Dial {
    fn finish(&mut self, result: &DialResult) -> Flow {
        let params = params(result);
        match self.action.take() {
            Some(Ok(url)) => Flow::Leave(Request { url, method: self.method, params }),
            Some(Err(warning)) => Flow::Fail(warning),
            None => Flow::Next(params),
        }
    }
}

/// What the action is told.
fn params(result: &DialResult) -> Vec<(String, String)> {
    let mut params = vec![("DialCallStatus".to_owned(), result.status.as_str().to_owned())];
    params.extend(result.call_sid.clone().map(|sid| ("DialCallSid".into(), sid)));
    params.extend(result.duration_s.map(|seconds| ("DialCallDuration".into(), seconds.to_string())));
    params.push(("DialBridged".into(), result.bridged.to_string()));
    params
}

impl Verb for Dial {
    fn needs_answer(&self) -> bool {
        self.lack.is_none() && !self.plan.answer_on_bridge
    }

    fn begin(&mut self) -> Flow {
        let fatal = self.lack.as_ref().filter(|_| self.action.is_none());
        if let Some(lack) = fatal {
            return Flow::Fail(lack.warning());
        }
        if self.plan.targets.is_empty() || self.lack.is_some() {
            let nobody =
                DialResult { status: DialStatus::Failed, call_sid: None, duration_s: None, bridged: false };
            return self.finish(&nobody);
        }
        Flow::Stay(vec![Ask::Dial(self.plan.clone())])
    }

    fn on(&mut self, event: &Event) -> Flow {
        match event {
            Event::DialBridged => {
                self.connected = true;
                Flow::Stay(vec![Ask::Timer(self.plan.time_limit)])
            }
            Event::Digit('*') if self.hangup_on_star => Flow::Stay(vec![Ask::EndDial]),
            Event::TimerFired if self.connected => Flow::Stay(vec![Ask::EndDial]),
            Event::DialEnded(result) => self.finish(result),
            _ => Flow::Stay(Vec::new()),
        }
    }

    fn farewell(&mut self, dial: &DialResult) -> Option<Result<Request, Warning>> {
        let (action, method) = (self.action.take()?, self.method);
        Some(action.map(|url| Request { url, method, params: params(dial) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::testing::*;
    use std::time::Duration;

    fn plan(body: &str) -> DialPlan {
        match acts(&run(body).1).into_iter().next() {
            Some(Ask::Dial(plan)) => plan,
            other => panic!("{body} asked for {other:?}"),
        }
    }

    fn ended(status: DialStatus) -> Event {
        let bridged = status == DialStatus::Completed;
        Event::DialEnded(DialResult {
            status,
            call_sid: Some("CA1".into()),
            duration_s: bridged.then_some(7),
            bridged,
        })
    }

    // plain text: number · <Number> (<=10 in parallel)

    #[test]
    fn text_and_numbers_are_called_at_once() {
        let numbers = |body| plan(body).targets.into_iter().map(|target| target.number).collect::<Vec<_>>();
        assert_eq!(numbers("<Dial> +855 10 000 001 </Dial>"), ["+855 10 000 001"]);
        assert_eq!(numbers("<Dial><Number>1</Number><Number>2</Number></Dial>"), ["1", "2"]);
        let eleven = format!("<Dial>{}</Dial>", "<Number>1</Number>".repeat(11));
        assert_eq!((numbers(&eleven).len(), codes(&eleven)), (10, vec![12200]));
    }

    // timeout (30 s, 5-600) · callerId (caller) · answerOnBridge (false)

    #[test]
    fn defaults_are_the_vendors() {
        let plain = plan("<Dial>1</Dial>");
        assert_eq!((plain.timeout.as_secs(), plain.caller_id, plain.answer_on_bridge), (30, None, false));
        let set = plan(r#"<Dial timeout="700" callerId="+85512345678" answerOnBridge="true">1</Dial>"#);
        assert_eq!(
            (set.timeout.as_secs(), set.caller_id.as_deref(), set.answer_on_bridge),
            (600, Some("+85512345678"), true)
        );
    }

    #[test]
    fn the_caller_is_picked_up_first_unless_answer_on_bridge() {
        assert_eq!(run_unanswered("<Dial>1</Dial>").1, [Ask::Answer]);
        let (_, asks) = run_unanswered(r#"<Dial answerOnBridge="true">1</Dial>"#);
        assert!(matches!(acts(&asks)[..], [Ask::Dial(_)]), "{asks:?}");
    }

    // action: DialCallStatus, DialCallSid, DialCallDuration, DialBridged

    #[test]
    fn the_action_is_told_what_became_of_it() {
        let (mut machine, _) = run(r#"<Dial action="/done">1</Dial><Say>never</Say>"#);
        machine.on(&Event::DialBridged);
        let told = "DialCallStatus=completed&DialCallSid=CA1&DialCallDuration=7&DialBridged=true";
        let asks = machine.on(&ended(DialStatus::Completed));
        assert_eq!(fetched(&asks), Some(("https://example.com/done".into(), "POST", told.into())));
        for status in [DialStatus::Busy, DialStatus::NoAnswer, DialStatus::Failed, DialStatus::Canceled] {
            let (mut machine, _) = run(r#"<Dial action="/done">1</Dial>"#);
            let told = format!("DialCallStatus={}&DialCallSid=CA1&DialBridged=false", status.as_str());
            assert_eq!(fetched(&machine.on(&ended(status))).unwrap().2, told);
        }
    }

    // "The action is requested when the dialled call ends", also when the caller hung up; its answer is not run.

    #[test]
    fn the_action_is_told_when_the_caller_hangs_up() {
        let (mut machine, _) = run(r#"<Dial action="/done">1</Dial>"#);
        machine.on(&Event::DialBridged);
        let Event::DialEnded(result) = ended(DialStatus::Completed) else { unreachable!() };
        let request = machine.farewell(&result).unwrap().unwrap();
        assert_eq!((request.url.path(), request.params.len()), ("/done", 4));
        assert_eq!(machine.farewell(&result), None, "once");
    }

    #[test]
    fn an_action_that_cannot_be_asked_fails_when_the_dial_is_over() {
        let (mut machine, asks) = run(r#"<Dial action="http://[">1</Dial><Say>never</Say>"#);
        assert!(matches!(acts(&asks)[..], [Ask::Dial(_)]), "{asks:?}");
        let asks = acts(&machine.on(&ended(DialStatus::Busy)));
        assert!(matches!(&asks[..], [Ask::Fail(Warning { code: 11100, .. })]), "{asks:?}");
        let (mut machine, _) = run(r#"<Dial action="http://[">1</Dial>"#);
        let Event::DialEnded(result) = ended(DialStatus::Busy) else { unreachable!() };
        assert_eq!(machine.farewell(&result).unwrap().unwrap_err().code, 11100);
    }

    #[test]
    fn without_an_action_the_next_verb_follows() {
        let (mut machine, _) = run("<Dial>1</Dial><Say>Goodbye</Say>");
        assert_eq!(acts(&machine.on(&ended(DialStatus::Busy))), [say("Goodbye")]);
    }

    #[test]
    fn nobody_to_call_is_a_failed_dial() {
        let body = r#"<Dial action="/done"><Numbre>1</Numbre></Dial>"#;
        assert_eq!(codes(body), [12200, 13223]);
        assert_eq!(fetched(&run(body).1).unwrap().2, "DialCallStatus=failed&DialBridged=false");
    }

    // timeLimit (14400)

    #[test]
    fn the_time_limit_starts_when_they_are_connected() {
        let (mut machine, _) = run(r#"<Dial timeLimit="60">1</Dial>"#);
        assert_eq!(acts(&machine.on(&Event::DialBridged)), [Ask::Timer(Duration::from_secs(60))]);
        assert_eq!(acts(&machine.on(&Event::TimerFired)), [Ask::EndDial]);
        let asks = machine.on(&ended(DialStatus::Completed));
        assert_eq!(acts(&asks), [Ask::HangUp]);
    }

    // hangupOnStar (false)

    #[test]
    fn star_hangs_up_the_dialled_party_where_asked_for() {
        let (mut machine, _) = run(r#"<Dial hangupOnStar="true">1</Dial>"#);
        machine.on(&Event::DialBridged);
        assert_eq!(acts(&machine.on(&Event::Digit('1'))), []);
        assert_eq!(acts(&machine.on(&Event::Digit('*'))), [Ask::EndDial]);
        let (mut machine, _) = run("<Dial>1</Dial>");
        assert_eq!(acts(&machine.on(&Event::Digit('*'))), []);
    }

    // <Number> sendDigits, statusCallback, statusCallbackEvent (initiated ringing answered completed; default
    // completed), statusCallbackMethod (POST)

    #[test]
    fn a_number_has_digits_and_callbacks_of_its_own() {
        let body = r#"<Dial><Number sendDigits="wW1" statusCallback="/status" statusCallbackMethod="GET"
            statusCallbackEvent="initiated ringing answered completed">1</Number></Dial>"#;
        let target = plan(body).targets.remove(0);
        let callback = target.status_callback.unwrap();
        assert_eq!(
            (target.send_digits.as_deref(), callback.url.as_str()),
            (Some("wW1"), "https://example.com/status")
        );
        assert_eq!((callback.method, callback.events.len()), (Method::Get, 4));
        let bare = plan(r#"<Dial><Number statusCallback="/status">1</Number></Dial>"#).targets.remove(0);
        assert_eq!(bare.status_callback.unwrap().events, [CallbackEvent::Completed]);
    }

    #[test]
    fn what_is_not_honoured_yet_is_warned_about() {
        assert_eq!(codes(r#"<Dial ringTone="fr"><Number byoc="BY1">1</Number></Dial>"#), [12200, 12200]);
    }
}
