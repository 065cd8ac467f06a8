//! `<Say>`: text spoken to the other party.
//!
//! SSML inside it is read for its text; the tags change nothing yet and are warned about.

use super::{Definition, Flow, Verb, prompt::Prompt};
use crate::{
    ask::{Ask, Event},
    element::{Element, SCHEMA_WARNING, quote},
};

pub(super) const SAY: Definition =
    Definition { name: "Say", attributes: &["voice", "language", "loop"], parse };

/// Characters of one `<Say>`; Twilio's limit.
const MAX_TEXT: usize = 4096;
/// The SSML elements the SDKs build.
const SSML: &[&str] =
    &["break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w", "amazon:effect"];

#[derive(Debug)]
pub(super) struct Say(Option<Ask>);

impl Say {
    pub(super) fn text(text: &str) -> Say {
        let text = text.chars().take(MAX_TEXT).collect();
        Say(Some(Ask::Say { text, voice: None, language: None, times: 1 }))
    }
}

fn parse(element: &mut Element<'_, '_>) -> Box<dyn Verb> {
    Box::new(Say(prompt(element).map(Prompt::ask)))
}

/// What to speak; `None` when there is nothing.
pub(super) fn prompt(element: &mut Element<'_, '_>) -> Option<Prompt> {
    for child in element.children() {
        let name = quote(child.tag_name().name());
        let why = if SSML.contains(&name.as_str()) {
            "is spoken without its effect"
        } else {
            "is no SSML; its text is spoken"
        };
        element.warn(SCHEMA_WARNING, format_args!("<{name}> {why}"));
    }
    let mut text = element.text();
    if text.chars().count() > MAX_TEXT {
        element.warn(13520, format_args!("only the first {MAX_TEXT} characters are spoken"));
        text = text.chars().take(MAX_TEXT).collect();
    }
    if text.is_empty() {
        element.warn(13520, "has no text");
        return None;
    }
    let attribute =
        |name| element.attribute(name).map(str::trim).filter(|value| !value.is_empty()).map(quote);
    let (voice, language) = (attribute("voice"), attribute("language"));
    Some(Prompt::Sound(Ask::Say { text, voice, language, times: element.times() }))
}

impl Verb for Say {
    fn begin(&mut self) -> Flow {
        self.0.take().map_or(Flow::Next(Vec::new()), |ask| Flow::Stay(vec![ask]))
    }

    fn on(&mut self, event: &Event) -> Flow {
        match event {
            Event::PlayFinished => Flow::Next(Vec::new()),
            _ => Flow::Stay(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::testing::*;

    // voice (man/account), language (en-US), loop (1; 0 = endless, capped at 1,000)

    #[test]
    fn voice_and_language_are_handed_on() {
        let (_, asks) = run(r#"<Say voice="Polly.Joanna" language="en-GB" loop="2">  Hello
            there </Say>"#);
        let (voice, language) = (Some("Polly.Joanna".into()), Some("en-GB".into()));
        assert_eq!(acts(&asks), [Ask::Say { text: "Hello there".into(), voice, language, times: 2 }]);
    }

    #[test]
    fn loop_zero_is_endless_up_to_a_thousand() {
        let (_, asks) = run(r#"<Say loop="0">Hi</Say>"#);
        assert!(matches!(acts(&asks)[..], [Ask::Say { times: 1000, .. }]), "{asks:?}");
        let (_, asks) = run(r#"<Say loop="many">Hi</Say>"#);
        assert!(matches!(acts(&asks)[..], [Ask::Say { times: 1, .. }]), "{asks:?}");
    }

    // "SSML children: break, emphasis, lang, p, phoneme, prosody, s, say-as, sub, w"

    #[test]
    fn ssml_is_spoken_without_its_effect() {
        let body = "<Say>Wait <break time=\"1s\"/>for <emphasis>me</emphasis></Say>";
        assert_eq!(acts(&run(body).1), [say("Wait for me")]);
        assert_eq!(codes(body), [12200, 12200]);
    }

    #[test]
    fn nothing_to_say_goes_on_at_once() {
        assert_eq!(acts(&run("<Say> </Say><Say>Hi</Say>").1), [say("Hi")]);
        assert_eq!(codes("<Say/>"), [13520]);
    }

    #[test]
    fn a_long_text_is_cut() {
        let body = format!("<Say>{}</Say>", "é".repeat(MAX_TEXT + 1));
        assert!(
            matches!(&acts(&run(&body).1)[..], [Ask::Say { text, .. }] if text.chars().count() == MAX_TEXT)
        );
        assert_eq!(codes(&body), [13520]);
    }

    #[test]
    fn speaking_ends_with_the_speech() {
        let (mut machine, _) = run("<Say>one</Say><Say>two</Say>");
        assert_eq!(acts(&machine.on(&Event::Digit('1'))), []);
        assert_eq!(acts(&machine.on(&Event::PlayFinished)), [say("two")]);
    }
}
