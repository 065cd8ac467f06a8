//! `<Gather>`: prompt, collect digits, hand them to `action`.
//!
//! Silence falls through to the next verb; digits leave for `action` and never come back. The clock for the first
//! digit starts when the last prompt is over, and starts again with every digit. A key is a digit when it is let go; while it
//! is down the clock waits.

use super::{Definition, Flow, Verb, prompt::Prompt, prompts};
use crate::{
    ask::{Ask, Event, Request},
    element::{Address, Element, Method, SCHEMA_WARNING},
};
use std::{collections::VecDeque, time::Duration};

pub(super) const GATHER: Definition = Definition {
    name: "Gather",
    attributes: &[
        "input",
        "action",
        "method",
        "finishOnKey",
        "numDigits",
        "timeout",
        "actionOnEmptyResult",
        "bargeIn",
    ],
    parse,
};

/// Digits one `<Gather>` takes, where `numDigits` sets no limit.
const MAX_DIGITS: u64 = 256;
/// Seconds `timeout` may be.
const LONGEST: u64 = 3600;
/// How long the clock waits for a key that is down, at least; one that is never let go does not hold up the call for ever.
const LONGEST_HELD: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Gather {
    prompts: VecDeque<Prompt>,
    /// A prompt is being heard.
    prompting: bool,
    action: Option<Address>,
    method: Method,
    finish_on: String,
    limit: usize,
    timeout: Duration,
    on_empty: bool,
    barge_in: bool,
    /// A key is down.
    held: bool,
    digits: String,
    /// The digits were complete, with this key, while the prompts were not to be interrupted.
    complete: Option<Option<char>>,
}

fn parse(element: &mut Element<'_, '_>) -> Box<dyn Verb> {
    if element.attribute("input").is_some_and(|input| input.split_whitespace().any(|kind| kind != "dtmf")) {
        element.warn(SCHEMA_WARNING, "only the input dtmf is heard; speech is not recognised");
    }
    Box::new(Gather {
        action: if element.attribute("action").is_some() {
            element.next_url("action")
        } else {
            element.document_url().map(Ok)
        },
        method: element.method("method"),
        finish_on: finish_on(element),
        limit: usize::try_from(element.number("numDigits", 1..=MAX_DIGITS, MAX_DIGITS)).unwrap_or(usize::MAX),
        timeout: timeout(element),
        on_empty: element.flag("actionOnEmptyResult", false),
        barge_in: element.flag("bargeIn", true),
        prompts: prompts::children(element),
        prompting: false,
        held: false,
        digits: String::new(),
        complete: None,
    })
}

fn finish_on(element: &mut Element<'_, '_>) -> String {
    match element.attribute("finishOnKey").map(str::trim) {
        None => "#".into(),
        Some(keys) if keys.chars().all(|key| matches!(key, '0'..='9' | '*' | '#')) => keys.into(),
        Some(_) => {
            element.warn(SCHEMA_WARNING, "finishOnKey is not one of 0-9, *, # or empty; # is used");
            "#".into()
        }
    }
}

/// `auto` belongs to speech, and means the default to digits.
fn timeout(element: &mut Element<'_, '_>) -> Duration {
    match element.attribute("timeout") {
        Some("auto") => Duration::from_secs(5),
        _ => element.seconds("timeout", 0..=LONGEST, 5),
    }
}

impl Gather {
    /// The next prompt, or the wait for a digit.
    fn go_on(&mut self) -> Flow {
        let next = self.prompts.pop_front();
        self.prompting = next.is_some();
        match (next, self.complete.take()) {
            (None, Some(key)) => self.finish(key),
            (next, complete) => {
                self.complete = complete;
                Flow::Stay(vec![next.map_or_else(|| self.clock(), Prompt::ask)])
            }
        }
    }

    /// For the next digit.
    fn clock(&self) -> Ask {
        Ask::Timer(if self.held { self.timeout.max(LONGEST_HELD) } else { self.timeout })
    }

    fn hold(&mut self) -> Flow {
        self.held = true;
        Flow::Stay((!self.prompting).then(|| self.clock()).into_iter().collect())
    }

    fn press(&mut self, key: char) -> Flow {
        self.held = false;
        if self.complete.is_some() {
            return Flow::Stay(Vec::new());
        }
        let complete = if self.finish_on.contains(key) {
            Some(Some(key))
        } else {
            self.digits.push(key);
            (self.digits.len() >= self.limit).then_some(None)
        };
        if self.prompting && !self.barge_in {
            self.complete = complete;
            return Flow::Stay(Vec::new());
        }
        if let Some(key) = complete {
            return self.finish(key);
        }
        let quiet = std::mem::take(&mut self.prompting).then_some(Ask::StopPlaying);
        self.prompts.clear();
        Flow::Stay(quiet.into_iter().chain([self.clock()]).collect())
    }

    fn finish(&mut self, key: Option<char>) -> Flow {
        let digits = std::mem::take(&mut self.digits);
        let empty = digits.is_empty();
        let mut params = vec![("Digits".into(), digits)];
        params.push(("FinishedOnKey".into(), key.map(String::from).unwrap_or_default()));
        if empty {
            params.push(("msg".into(), "Gather End".into()));
        }
        match self.action.take().filter(|_| !empty || self.on_empty) {
            Some(Ok(url)) => Flow::Leave(Request { url, method: self.method, params }),
            Some(Err(warning)) => Flow::Fail(warning),
            None => Flow::Next(params),
        }
    }
}

impl Verb for Gather {
    fn begin(&mut self) -> Flow {
        self.go_on()
    }

    fn on(&mut self, event: &Event) -> Flow {
        match event {
            Event::KeyDown => self.hold(),
            Event::Digit(key) => self.press(*key),
            Event::PlayFinished if self.prompting => self.go_on(),
            Event::TimerFired if self.prompting => self.go_on(),
            Event::TimerFired => self.finish(None),
            _ => Flow::Stay(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Machine, verbs::testing::*};

    const FIVE: Ask = Ask::Timer(Duration::from_secs(5));

    fn press(machine: &mut Machine, keys: &str) -> Vec<Ask> {
        keys.chars().map(|key| machine.on(&Event::Digit(key))).last().unwrap_or_default()
    }

    fn left(url: &str, method: &'static str, params: &str) -> Option<(String, &'static str, String)> {
        Some((url.into(), method, params.into()))
    }

    // action (current URL), method (POST)

    #[test]
    fn digits_go_to_the_documents_own_address_by_default() {
        let (mut machine, asks) = run("<Gather/>");
        assert_eq!(acts(&asks), [FIVE]);
        let asks = press(&mut machine, "12#");
        assert_eq!(
            fetched(&asks),
            left("https://example.com/app/voice", "POST", "Digits=12&FinishedOnKey=#")
        );
        assert_eq!(acts(&asks)[0], Ask::CancelTimer);
    }

    #[test]
    fn digits_go_to_the_action_by_the_method() {
        let (mut machine, _) = run(r#"<Gather action="/menu?lang=km" method="GET" numDigits="1"/>"#);
        assert_eq!(
            fetched(&press(&mut machine, "5")),
            left("https://example.com/menu?lang=km", "GET", "Digits=5&FinishedOnKey=")
        );
    }

    #[test]
    fn digits_for_an_action_that_cannot_be_asked_fail_and_silence_does_not() {
        let body = r#"<Gather action="mailto:a" numDigits="1"/><Say>Nothing heard</Say>"#;
        let asks = acts(&press(&mut run(body).0, "5"));
        assert!(matches!(asks.last(), Some(Ask::Fail(warning)) if warning.code == 11100), "{asks:?}");
        assert_eq!(acts(&run(body).0.on(&Event::TimerFired)), [say("Nothing heard")]);
    }

    // finishOnKey (#; "" = none)

    #[test]
    fn the_finishing_key_is_told_and_not_a_digit() {
        for (key, pressed) in [("#", "1#"), ("*", "1*"), ("0", "10")] {
            let (mut machine, _) = run(&format!(r#"<Gather finishOnKey="{key}"/>"#));
            let asks = press(&mut machine, pressed);
            assert_eq!(fetched(&asks).unwrap().2, format!("Digits=1&FinishedOnKey={key}"));
        }
    }

    #[test]
    fn without_a_finishing_key_every_key_is_a_digit() {
        let (mut machine, _) = run(r#"<Gather finishOnKey=""/>"#);
        assert_eq!(fetched(&press(&mut machine, "1#*")), None);
        assert_eq!(fetched(&machine.on(&Event::TimerFired)).unwrap().2, "Digits=1#*&FinishedOnKey=");
    }

    // numDigits (unlimited)

    #[test]
    fn the_last_of_num_digits_finishes_at_once() {
        let (mut machine, _) = run(r#"<Gather numDigits="4"/>"#);
        assert_eq!(fetched(&press(&mut machine, "123")), None);
        assert_eq!(fetched(&press(&mut machine, "4")).unwrap().2, "Digits=1234&FinishedOnKey=");
    }

    #[test]
    fn digits_have_a_limit_of_ours() {
        let (mut machine, _) = run("<Gather/>");
        assert_eq!(fetched(&press(&mut machine, &"1".repeat(255))), None);
        assert!(fetched(&press(&mut machine, "1")).is_some());
    }

    // timeout (5 s)

    #[test]
    fn each_digit_starts_the_clock_again() {
        let (mut machine, asks) = run(r#"<Gather timeout="9"/>"#);
        let nine = Ask::Timer(Duration::from_secs(9));
        assert_eq!(acts(&asks), std::slice::from_ref(&nine));
        assert_eq!(acts(&press(&mut machine, "1")), [nine]);
        assert_eq!(fetched(&machine.on(&Event::TimerFired)).unwrap().2, "Digits=1&FinishedOnKey=");
    }

    #[test]
    fn the_clock_waits_while_a_key_is_down_and_starts_again_when_it_is_let_go() {
        let (mut machine, _) = run(r#"<Gather timeout="2"/>"#);
        assert_eq!(acts(&machine.on(&Event::KeyDown)), [Ask::Timer(LONGEST_HELD)]);
        assert_eq!(acts(&press(&mut machine, "1")), [Ask::Timer(Duration::from_secs(2))]);
        let (mut machine, _) = run(r#"<Gather timeout="90"/>"#);
        assert_eq!(acts(&machine.on(&Event::KeyDown)), [Ask::Timer(Duration::from_secs(90))]);
    }

    #[test]
    fn a_key_that_was_down_before_the_clock_began_is_waited_for() {
        let (mut machine, _) = run(r#"<Gather timeout="2"><Say>Press</Say></Gather>"#);
        assert_eq!(acts(&machine.on(&Event::KeyDown)), []);
        assert_eq!(acts(&machine.on(&Event::PlayFinished)), [Ask::Timer(LONGEST_HELD)]);
        let (mut machine, _) = run(r#"<Pause/><Gather timeout="2"/>"#);
        assert_eq!(acts(&machine.on(&Event::KeyDown)), []);
        assert_eq!(acts(&machine.on(&Event::TimerFired)).last(), Some(&Ask::Timer(LONGEST_HELD)));
        assert_eq!(acts(&press(&mut machine, "1")), [Ask::Timer(Duration::from_secs(2))]);
    }

    #[test]
    fn the_clock_starts_after_the_last_prompt() {
        let (mut machine, asks) = run("<Gather><Say>Press</Say><Pause/><Play>a.wav</Play></Gather>");
        assert_eq!(acts(&asks), [say("Press")]);
        assert_eq!(acts(&machine.on(&Event::PlayFinished)), [Ask::Timer(Duration::from_secs(1))]);
        assert_eq!(acts(&machine.on(&Event::TimerFired)), [play("https://example.com/app/a.wav")]);
        assert_eq!(acts(&machine.on(&Event::PlayFinished)), [FIVE]);
    }

    // "If no input is received before timeout, Gather falls through to the next verb." actionOnEmptyResult (false)

    #[test]
    fn silence_falls_through() {
        let (mut machine, _) = run("<Gather/><Say>Nothing heard</Say>");
        assert_eq!(acts(&machine.on(&Event::TimerFired)), [say("Nothing heard")]);
    }

    #[test]
    fn the_finishing_key_alone_is_silence() {
        let (mut machine, _) = run("<Gather/><Say>Nothing heard</Say>");
        assert_eq!(acts(&press(&mut machine, "#")), [Ask::CancelTimer, say("Nothing heard")]);
    }

    #[test]
    fn action_on_empty_result_asks_the_action_about_silence() {
        let (mut machine, _) = run(r#"<Gather actionOnEmptyResult="true"/><Say>never</Say>"#);
        assert_eq!(
            fetched(&machine.on(&Event::TimerFired)).unwrap().2,
            "Digits=&FinishedOnKey=&msg=Gather End"
        );
    }

    // bargeIn (true)

    #[test]
    fn a_digit_silences_the_prompt() {
        let (mut machine, _) = run("<Gather><Say>Long story</Say><Say>More of it</Say></Gather>");
        assert_eq!(acts(&press(&mut machine, "1")), [Ask::StopPlaying, FIVE]);
        assert_eq!(fetched(&machine.on(&Event::TimerFired)).unwrap().2, "Digits=1&FinishedOnKey=");
    }

    #[test]
    fn the_last_digit_silences_the_prompt_before_it_leaves() {
        let (mut machine, _) = run(r#"<Gather numDigits="1"><Say>Long story</Say></Gather>"#);
        assert_eq!(acts(&press(&mut machine, "1"))[0], Ask::StopPlaying);
    }

    #[test]
    fn terms_are_heard_to_their_end_even_by_who_pressed_the_last_key() {
        for keys in ["12", "1#"] {
            let twiml = r#"<Gather bargeIn="false" numDigits="2"><Say>One</Say><Say>Two</Say></Gather>"#;
            let (mut machine, _) = run(twiml);
            assert_eq!(acts(&press(&mut machine, keys)), []);
            assert_eq!(acts(&press(&mut machine, "9")), []);
            assert_eq!(acts(&machine.on(&Event::PlayFinished)), [say("Two")]);
            let (_, _, params) = fetched(&machine.on(&Event::PlayFinished)).unwrap();
            assert!(params.starts_with(if keys == "12" { "Digits=12&" } else { "Digits=1&" }), "{params}");
        }
    }

    #[test]
    fn without_barge_in_the_prompt_is_heard_to_its_end() {
        let (mut machine, _) = run(r#"<Gather bargeIn="false"><Say>Terms</Say></Gather>"#);
        assert_eq!(acts(&press(&mut machine, "1")), []);
        assert_eq!(acts(&machine.on(&Event::PlayFinished)), [FIVE]);
        assert_eq!(fetched(&press(&mut machine, "2#")).unwrap().2, "Digits=12&FinishedOnKey=#");
    }

    // input (dtmf; `speech`, `dtmf speech`)

    #[test]
    fn speech_is_warned_about_and_digits_are_gathered_all_the_same() {
        let body = r#"<Gather input="dtmf speech" hints="yes,no" timeout="auto"/>"#;
        assert_eq!(codes(body), [12200, 12200]);
        let (mut machine, asks) = run(body);
        assert_eq!(acts(&asks), [FIVE]);
        assert_eq!(fetched(&press(&mut machine, "1#")).unwrap().2, "Digits=1&FinishedOnKey=#");
    }

    #[test]
    fn only_prompts_may_be_inside() {
        let body = "<Gather><Dial>1</Dial><Say>Press</Say></Gather>";
        assert_eq!((codes(body), acts(&run(body).1)), (vec![12200], vec![say("Press")]));
    }
}
