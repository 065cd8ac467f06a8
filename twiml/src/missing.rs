//! What Twilio's documents may say and we cannot do yet: the one table that decides what happens instead.
//!
//! What decides who hears whom, or is heard by whom, is never stepped over: the path of the call ends there with its
//! error, the fallback address is asked, and without one the caller hears an apology. The rest is a warning.

/// A piece of Twilio's language that is not there yet.
#[derive(Debug)]
pub struct Missing {
    /// The element's name; case matters.
    pub element: &'static str,
    /// These attributes of it; none: the element itself.
    pub attributes: &'static [&'static str],
    /// What an attribute may say, beside nothing, without asking for anything.
    pub nothing: &'static [&'static str],
    /// What happens instead.
    pub instead: Instead,
}

/// What happens in the place of something that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// It changes nothing about who hears whom: a warning (12200), and the call goes on.
    Warn,
    /// The call's path ends with its error. A `<Dial>` tells its action that it failed.
    End,
}

/// Everything of Twilio's that is not there yet. The parser and the compatibility page read this table.
pub const MISSING: &[Missing] = &[
    verb("Connect"),
    verb("Echo"),
    verb("Enqueue"),
    verb("Leave"),
    verb("Pay"),
    verb("Queue"),
    verb("Record"),
    verb("Refer"),
    verb("Start"),
    noun("Application"),
    noun("Client"),
    noun("Conference"),
    noun("Sim"),
    noun("Sip"),
    noun("WhatsApp"),
    // Nothing was started, so nothing goes on; and a text message is heard by nobody in the call.
    harmless("Stop"),
    harmless("Sms"),
    essential("Dial", &["record"], &["do-not-record", "false"]),
    essential("Dial", &["sequential"], &["false"]),
    essential("Number", &["url"], &[]),
    accepted(
        "Dial",
        &[
            "recordingTrack",
            "recordingStatusCallback",
            "recordingStatusCallbackMethod",
            "recordingStatusCallbackEvent",
            "recordingConfigurationId",
            "trim",
            "ringTone",
            "referUrl",
            "referMethod",
            "events",
            "passports",
        ],
    ),
    accepted(
        "Number",
        &[
            "method",
            "byoc",
            "machineDetection",
            "machineDetectionTimeout",
            "machineDetectionSpeechThreshold",
            "machineDetectionSpeechEndThreshold",
            "machineDetectionSilenceTimeout",
            "amdStatusCallback",
            "amdStatusCallbackMethod",
        ],
    ),
    accepted(
        "Gather",
        &[
            "speechTimeout",
            "maxSpeechTime",
            "speechModel",
            "language",
            "hints",
            "profanityFilter",
            "enhanced",
            "partialResultCallback",
            "partialResultCallbackMethod",
            "debug",
        ],
    ),
];

const fn verb(element: &'static str) -> Missing {
    Missing { element, attributes: &[], nothing: &[], instead: Instead::End }
}

const fn noun(element: &'static str) -> Missing {
    verb(element)
}

const fn harmless(element: &'static str) -> Missing {
    Missing { element, attributes: &[], nothing: &[], instead: Instead::Warn }
}

const fn essential(
    element: &'static str,
    attributes: &'static [&'static str],
    nothing: &'static [&'static str],
) -> Missing {
    Missing { element, attributes, nothing, instead: Instead::End }
}

const fn accepted(element: &'static str, attributes: &'static [&'static str]) -> Missing {
    Missing { element, attributes, nothing: &[], instead: Instead::Warn }
}

impl Missing {
    /// The row about this element itself.
    pub(crate) fn element(name: &str) -> Option<&'static Missing> {
        MISSING.iter().find(|row| row.element == name && row.attributes.is_empty())
    }

    /// The row about this attribute of this element.
    pub(crate) fn attribute(element: &str, name: &str) -> Option<&'static Missing> {
        MISSING.iter().find(|row| row.element == element && row.attributes.contains(&name))
    }

    /// Whether an attribute with this value asks for what is not there.
    pub(crate) fn is_asked_by(&self, value: &str) -> bool {
        let value = value.trim();
        !value.is_empty() && !self.nothing.iter().any(|nothing| nothing.eq_ignore_ascii_case(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ask, Event, Machine, VERBS, verbs::testing::*};

    /// The code a program ends with.
    fn failure(asks: &[Ask]) -> Option<u32> {
        asks.iter().find_map(|ask| if let Ask::Fail(warning) = ask { Some(warning.code) } else { None })
    }

    fn page() -> &'static str {
        include_str!("../README.md")
    }

    #[test]
    fn everything_that_is_missing_is_on_the_compatibility_page() {
        for row in MISSING {
            assert!(page().contains(&format!("`<{}>`", row.element)), "{}", row.element);
            for attribute in row.attributes {
                assert!(page().contains(&format!("`{attribute}`")), "<{}> {attribute}", row.element);
            }
        }
    }

    #[test]
    fn nothing_is_both_there_and_missing() {
        for definition in VERBS {
            assert!(Missing::element(definition.name).is_none(), "{}", definition.name);
            for attribute in definition.attributes {
                assert!(Missing::attribute(definition.name, attribute).is_none(), "{attribute}");
            }
        }
    }

    #[test]
    fn a_verb_that_decides_who_hears_whom_ends_the_path_and_nothing_after_it_runs() {
        for row in MISSING.iter().filter(|row| row.attributes.is_empty() && row.instead == Instead::End) {
            let body = format!("<Say>Hi</Say><{}/><Say>never</Say>", row.element);
            let (mut machine, asks) = run(&body);
            assert_eq!((acts(&asks), failure(&asks)), (vec![say("Hi")], None), "{body}");
            let asks = machine.on(&Event::PlayFinished);
            assert_eq!(failure(&asks), Some(12200), "{body}: {asks:?}");
            assert_eq!(acts(&asks).len(), 1, "{body}: {asks:?}");
            assert_eq!(acts(&machine.load(document("<Hangup/>"))), [Ask::HangUp], "a fallback may follow");
        }
    }

    #[test]
    fn a_verb_that_nobody_hears_is_a_warning() {
        for row in MISSING.iter().filter(|row| row.attributes.is_empty() && row.instead == Instead::Warn) {
            let (_, asks) = run(&format!("<{}/><Say>Hi</Say>", row.element));
            assert!(matches!(&asks[0], Ask::Warn(warning) if warning.code == 12200), "{asks:?}");
            assert_eq!(acts(&asks), [say("Hi")], "{}", row.element);
        }
    }

    #[test]
    fn a_dial_that_cannot_be_done_as_written_calls_nobody() {
        let cases = [
            r#"<Dial><Number url="/whisper">1</Number></Dial>"#,
            r#"<Dial><Number>1</Number><Number url="/whisper">2</Number></Dial>"#,
            r#"<Dial record="record-from-answer">1</Dial>"#,
            r#"<Dial record="true"><Number>1</Number></Dial>"#,
            r#"<Dial sequential="true"><Number>1</Number><Number>2</Number></Dial>"#,
            r#"<Dial sequential="true">1<Number>2</Number></Dial>"#,
            r#"<Dial sequential="true" record="record-from-answer">1</Dial>"#,
            r#"<Dial sequential="true"><Number url="/whisper">1</Number></Dial>"#,
            "<Dial><Conference>Room</Conference></Dial>",
            "<Dial><Queue>support</Queue></Dial>",
            "<Dial><Client>joe</Client></Dial>",
            "<Dial><Number>1</Number><Sip>sip:me@example.com</Sip></Dial>",
        ];
        for body in cases {
            let (_, asks) = run(&format!("{body}<Say>never</Say>"));
            assert_eq!((failure(&asks), acts(&asks).len()), (Some(12200), 1), "{body}: {asks:?}");
            let told = body.replacen("<Dial", "<Dial action=\"/done\"", 1);
            let (_, asks) = run(&told);
            assert!(matches!(&asks[0], Ask::Warn(warning) if warning.code == 12200), "{told}: {asks:?}");
            assert_eq!(fetched(&asks).unwrap().2, "DialCallStatus=failed&DialBridged=false", "{told}");
        }
    }

    #[test]
    fn what_asks_for_nothing_is_no_reason_to_end() {
        let cases = [
            r#"<Dial record="do-not-record" sequential="false"><Number url="">1</Number></Dial>"#,
            r#"<Dial record="" sequential="true">1</Dial>"#,
            r#"<Dial sequential="true"><Number>1</Number></Dial>"#,
        ];
        for body in cases {
            assert!(matches!(acts(&run(body).1)[..], [Ask::Dial(_)]), "{body}");
            assert_eq!(codes(body), [], "{body}");
        }
    }

    #[test]
    fn a_path_that_ended_before_the_call_was_picked_up_leaves_it_ringing_for_the_fallback() {
        let mut machine = Machine::new(false);
        let asks = machine.load(document("<Record/>"));
        assert_eq!((failure(&asks), acts(&asks).len()), (Some(12200), 1), "{asks:?}");
        assert_eq!(acts(&machine.load(document("<Reject/>"))).len(), 1);
    }
}
