//! `<Play>`: a sound file, or DTMF digits.

use super::{Definition, Flow, Verb, prompt::Prompt};
use crate::{
    ask::{Ask, Event},
    element::Element,
};
use url::Url;

pub(super) const PLAY: Definition = Definition { name: "Play", attributes: &["loop", "digits"], parse };

/// Characters of `digits`, waits included.
const MAX_DIGITS: usize = 256;
/// Twilio's code for a `<Play>` that cannot be.
const INVALID_PLAY: u32 = 13410;

#[derive(Debug)]
pub(super) struct Play(Option<Ask>);

impl Play {
    pub(super) fn file(url: Url) -> Play {
        Play(Some(Ask::Play { url, times: 1 }))
    }
}

fn parse(element: &mut Element<'_, '_>) -> Box<dyn Verb> {
    Box::new(Play(prompt(element).map(Prompt::ask)))
}

/// What to play; `None` when there is nothing that could be.
pub(super) fn prompt(element: &mut Element<'_, '_>) -> Option<Prompt> {
    if let Some(text) = element.attribute("digits") {
        return digits(element, text).map(|digits| Prompt::Sound(Ask::SendDigits(digits)));
    }
    let text = element.own_text();
    if text.is_empty() {
        element.warn(INVALID_PLAY, "has neither an address nor digits");
        return None;
    }
    let url = element.resolve(&text)?;
    Some(Prompt::Sound(Ask::Play { url, times: element.times() }))
}

/// DTMF as it can be sent, without the characters that cannot.
pub(super) fn digits(element: &mut Element<'_, '_>, text: &str) -> Option<String> {
    let playable = |c: &char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d' | 'w' | 'W');
    let digits: String = text.chars().filter(playable).take(MAX_DIGITS).collect();
    if digits.chars().count() != text.chars().count() {
        element
            .warn(INVALID_PLAY, "digits may hold 0-9, *, #, A-D, w and W, 256 at most; the rest is left out");
    }
    (!digits.is_empty()).then_some(digits)
}

impl Verb for Play {
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

    // loop (1, 0 = endless), digits (DTMF string, `w` 0.5 s)

    #[test]
    fn the_address_resolves_against_the_document() {
        let cases = [
            ("tone.wav", "https://example.com/app/tone.wav"),
            ("/tone.wav?a=1", "https://example.com/tone.wav?a=1"),
            ("http://other.example:8080/x.mp3", "http://other.example:8080/x.mp3"),
        ];
        for (written, resolved) in cases {
            assert_eq!(acts(&run(&format!("<Play>{written}</Play>")).1), [play(resolved)], "{written}");
        }
    }

    #[test]
    fn loop_is_handed_on() {
        let (_, asks) = run(r#"<Play loop="3">a.wav</Play>"#);
        assert!(matches!(acts(&asks)[..], [Ask::Play { times: 3, .. }]), "{asks:?}");
        let (_, asks) = run(r#"<Play loop="0">a.wav</Play>"#);
        assert!(matches!(acts(&asks)[..], [Ask::Play { times: 1000, .. }]), "{asks:?}");
    }

    #[test]
    fn digits_are_sent_as_dtmf() {
        assert_eq!(acts(&run(r#"<Play digits="ww12#"/>"#).1), [Ask::SendDigits("ww12#".into())]);
        assert_eq!(acts(&run(r#"<Play digits="1x2"/>"#).1), [Ask::SendDigits("12".into())]);
        assert_eq!(codes(r#"<Play digits="1x2"/>"#), [13410]);
    }

    #[test]
    fn what_cannot_be_played_is_skipped_with_a_warning() {
        for (body, code) in
            [("<Play/>", 13410), ("<Play>file:///etc/passwd</Play>", 11100), ("<Play>http://</Play>", 11100)]
        {
            assert_eq!((codes(body), acts(&run(body).1)), (vec![code], vec![Ask::HangUp]), "{body}");
        }
    }
}
