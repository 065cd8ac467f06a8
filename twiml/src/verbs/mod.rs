//! The verbs, one file each, and the one table that names them.

mod dial;
mod gather;
mod hangup;
mod lacking;
mod pause;
mod play;
mod prompt;
mod prompts;
mod redirect;
mod reject;
mod say;

use crate::{
    ask::{Ask, DialResult, Event, Request},
    element::{Element, Warning},
    missing::{Instead, Missing},
};
use url::Url;

/// Every verb we speak. The parser, the compatibility page and its test all read this table.
pub const VERBS: &[&Definition] = &[
    &dial::DIAL,
    &gather::GATHER,
    &hangup::HANGUP,
    &pause::PAUSE,
    &play::PLAY,
    &redirect::REDIRECT,
    &reject::REJECT,
    &say::SAY,
];

/// A verb as the table knows it.
#[derive(Debug)]
pub struct Definition {
    /// The element's name; case matters.
    pub name: &'static str,
    /// Attributes that do something.
    pub attributes: &'static [&'static str],
    parse: fn(&mut Element<'_, '_>) -> Box<dyn Verb>,
}

/// A verb under way.
pub(crate) trait Verb: std::fmt::Debug + Send {
    /// Whether the call has to be picked up first.
    fn needs_answer(&self) -> bool {
        true
    }

    /// It is this verb's turn.
    fn begin(&mut self) -> Flow;

    /// Something happened while it is this verb's turn.
    fn on(&mut self, event: &Event) -> Flow {
        let _ = event;
        Flow::Stay(Vec::new())
    }

    /// The call is over while it is this verb's turn: whom to tell what became of its dial. The answer is not run.
    fn farewell(&mut self, dial: &DialResult) -> Option<Result<Request, Warning>> {
        let _ = dial;
        None
    }
}

/// What a verb decides.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Not done yet.
    Stay(Vec<Ask>),
    /// On to the next verb; with what was found, for the timeline.
    Next(Vec<(String, String)>),
    /// On to another document.
    Leave(Request),
    /// The program cannot go on as it is written.
    Fail(Warning),
    /// The program is over.
    End(Ask),
}

/// A verb in a document, ready to run.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    details: Vec<(String, String)>,
    pub(crate) verb: Box<dyn Verb>,
}

impl Step {
    pub(crate) fn started(&mut self) -> Ask {
        Ask::VerbStarted { verb: self.name, details: std::mem::take(&mut self.details) }
    }

    pub(crate) fn ended(&self, outcome: &'static str, results: Vec<(String, String)>) -> Ask {
        Ask::VerbEnded { verb: self.name, outcome, results }
    }
}

/// Reads an element as a verb; `None` when neither table has one of that name, or nothing is lost without it.
pub(crate) fn read(element: &mut Element<'_, '_>) -> Option<Step> {
    if let Some(missing) = Missing::element(element.name()).filter(|row| row.instead == Instead::End) {
        let lacks = element.lacks();
        return lacks.first().map(|lack| lacking::step(missing.element, lack, element.details()));
    }
    let definition = VERBS.iter().find(|definition| definition.name == element.name())?;
    element.expect_attributes(definition.attributes);
    let verb = (definition.parse)(element);
    Some(Step { name: definition.name, details: element.details(), verb })
}

/// The implicit `<Play>` of an answer that is audio itself.
pub(crate) fn play_of(url: Url) -> Step {
    let details = vec![("text".into(), url.to_string())];
    Step { name: play::PLAY.name, details, verb: Box::new(play::Play::file(url)) }
}

/// The implicit `<Hangup>` of an empty document.
pub(crate) fn hang_up() -> Step {
    Step { name: hangup::HANGUP.name, details: Vec::new(), verb: Box::new(hangup::Hangup) }
}

/// The implicit `<Say>` of an answer that is plain text.
pub(crate) fn say_of(text: &str) -> Step {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let details = vec![("text".into(), text.clone())];
    Step { name: say::SAY.name, details, verb: Box::new(say::Say::text(&text)) }
}

#[cfg(test)]
pub(crate) mod testing {
    //! What the tests of all verbs share.

    use crate::{Ask, Document, Machine, Url};

    pub(crate) fn document(body: &str) -> Document {
        let url = Url::parse("https://example.com/app/voice").unwrap();
        Document::parse(&format!("<Response>{body}</Response>"), Some(&url)).unwrap()
    }

    /// Runs a document on an answered call.
    pub(crate) fn run(body: &str) -> (Machine, Vec<Ask>) {
        let mut machine = Machine::new(true);
        let asks = machine.load(document(body));
        (machine, asks)
    }

    /// Runs a document on a call that rings.
    pub(crate) fn run_unanswered(body: &str) -> (Machine, Vec<Ask>) {
        let mut machine = Machine::new(false);
        let asks = machine.load(document(body));
        (machine, asks)
    }

    /// The asks that do something, without notes for the timeline.
    pub(crate) fn acts(asks: &[Ask]) -> Vec<Ask> {
        let note =
            |ask: &&Ask| !matches!(ask, Ask::VerbStarted { .. } | Ask::VerbEnded { .. } | Ask::Warn(_));
        asks.iter().filter(note).cloned().collect()
    }

    pub(crate) fn codes(body: &str) -> Vec<u32> {
        document(body).warnings().iter().map(|warning| warning.code).collect()
    }

    pub(crate) fn say(text: &str) -> Ask {
        Ask::Say { text: text.into(), voice: None, language: None, times: 1 }
    }

    pub(crate) fn play(url: &str) -> Ask {
        Ask::Play { url: Url::parse(url).unwrap(), times: 1 }
    }

    /// The request of a `Fetch`, as (url, method, "A=1&B=2").
    pub(crate) fn fetched(asks: &[Ask]) -> Option<(String, &'static str, String)> {
        asks.iter().find_map(|ask| match ask {
            Ask::Fetch(request) => {
                let params: Vec<_> =
                    request.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
                Some((request.url.to_string(), request.method.as_str(), params.join("&")))
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::VERBS;

    #[test]
    fn every_verb_and_attribute_is_on_the_compatibility_page() {
        let page = include_str!("../../README.md");
        for definition in VERBS {
            let row = page.lines().find(|line| line.starts_with(&format!("| `<{}>`", definition.name)));
            let row = row.unwrap_or_else(|| panic!("README.md has no row for <{}>", definition.name));
            for attribute in definition.attributes {
                assert!(row.contains(&format!("`{attribute}`")), "<{}> {attribute}", definition.name);
            }
        }
    }
}
