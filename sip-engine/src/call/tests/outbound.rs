//! Calls that the API asks for.

use super::*;

#[test]
fn a_call_is_placed_and_runs_its_program_when_answered() {
    let mut scene = Scene::outgoing(application(None), None);
    assert_eq!(scene.starts(), ["Place 0 from 1234 to +85510000001"]);
    assert_eq!(scene.placed(MAIN), ["0: initiated"]);
    assert_eq!(scene.signal(MAIN, Signal::Ringing(180)), ["0: rings 180"]);
    assert_eq!(scene.signal(MAIN, Signal::Ringing(183)), [""; 0], "once is enough");
    assert_eq!(
        scene.signal(MAIN, Signal::Answered),
        ["0: answered", "SetTimer TimeLimit 86400", "Fetch POST https://example.com/voice"]
    );
    assert_eq!((scene.param("Direction"), scene.param("CallStatus")), ("outbound-api", "in-progress"));
    assert_eq!(scene.document("<Say>Hi</Say>"), ["0: exchanged", "0: verb 0 Say", "Speak \"Hi\""]);
}

#[test]
fn a_call_that_rings_by_another_invite_is_told_again_with_what_cancels_that() {
    let mut scene = Scene::outgoing(application(None), None);
    scene.starts();
    scene.placed(MAIN);
    assert_eq!(scene.signal(MAIN, Signal::BeginsToRing(183)), ["0: rings 183"]);
    assert_eq!(scene.signal(MAIN, Signal::Ringing(180)), [""; 0]);
    assert_eq!(scene.signal(MAIN, Signal::BeginsToRing(180)), ["0: rings 180"]);
}

#[test]
fn the_callee_is_shown_the_caller_id_and_the_application_who_calls() {
    let shown = Some("+12125550100".to_owned());
    let mut scene = Scene::asked(Queued { caller_id: shown, ..queued(application(None)) });
    assert_eq!(scene.starts(), ["Place 0 from +12125550100 to +85510000001"]);
    scene.placed(MAIN);
    scene.signal(MAIN, Signal::Answered);
    assert_eq!(scene.param("From"), "1234");
}

#[test]
fn twiml_given_with_the_request_needs_no_application() {
    let mut scene = Scene::outgoing(Program::Inline("<Response><Say>Hi</Say></Response>".into()), None);
    scene.starts();
    scene.placed(MAIN);
    let lines = scene.signal(MAIN, Signal::Answered);
    assert_eq!(lines[2..], ["0: verb 0 Say", "Speak \"Hi\""]);
}

#[test]
fn digits_are_sent_before_the_program_runs() {
    let mut scene = Scene::outgoing(application(None), Some("ww1234#"));
    scene.starts();
    scene.placed(MAIN);
    let lines = scene.signal(MAIN, Signal::Answered);
    assert_eq!(lines.last().unwrap(), "SendDigits 0 ww1234#");
    assert_eq!(scene.played(), ["Fetch POST https://example.com/voice"]);
}

#[test]
fn a_call_that_is_not_answered_says_why() {
    for (code, reason) in [
        (486, "Busy"),
        (600, "Busy"),
        (603, "Declined"),
        (480, "NoAnswer"),
        (487, "NoAnswer"),
        (404, "DestinationNotFound"),
        (484, "DestinationNotFound"),
        (403, "TrunkRefused"),
        (407, "TrunkRefused"),
        (488, "MediaFailed"),
        (500, "TrunkFailed"),
        (302, "TrunkFailed"),
    ] {
        let mut scene = Scene::outgoing(application(None), None);
        scene.starts();
        scene.placed(MAIN);
        assert!(scene.fails(MAIN, code).contains(&format!("0: ended {reason} {code}")), "{code}");
        scene.feed(Happened::Released(MAIN, None));
        assert!(scene.is_over());
    }
}

fn unreachable(code: u16) -> Signal {
    Signal::Closed(Closing::Failed { code, reason: "No response".into(), from_peer: false, heard: false })
}

#[test]
fn a_call_that_meets_silence_an_error_or_503_goes_the_next_way() {
    let mut scene = Scene::outgoing(application(None), None);
    scene.starts();
    assert_eq!(scene.placed_at(MAIN, "192.0.2.1:5060", true), ["0: initiated"]);
    assert_eq!(scene.signal(MAIN, unreachable(408)), ["0: 192.0.2.1:5060 failed: No response", "TryNext 0"]);
    assert_eq!(scene.placed_at(MAIN, "192.0.2.2:5060", true), ["0: rerouted to 192.0.2.2:5060"]);
    assert_eq!(scene.fails(MAIN, 503), ["0: 192.0.2.2:5060 failed: 503 ", "TryNext 0"]);
    let trunk = sid(Kind::Trunk, 2);
    let blocked = Signal::Blocked { trunk, address: None, reason: "no address".into() };
    assert_eq!(scene.signal(MAIN, blocked), ["0: nowhere failed: no address"]);
    scene.placed_at(MAIN, "192.0.2.3:5060", false);
    assert_eq!(scene.signal(MAIN, Signal::Ringing(180)), ["0: rings 180"]);
    assert_eq!(scene.signal(MAIN, Signal::Answered)[0], "0: answered");
}

#[test]
fn the_last_way_ends_the_call_with_what_it_said() {
    let mut scene = Scene::outgoing(application(None), None);
    scene.starts();
    scene.placed_at(MAIN, "192.0.2.1:5060", true);
    scene.fails(MAIN, 503);
    scene.placed_at(MAIN, "192.0.2.2:5060", false);
    assert!(scene.signal(MAIN, unreachable(408)).contains(&"0: ended TrunkUnreachable 408".to_owned()));
}

#[test]
fn what_speaks_of_the_call_itself_is_not_tried_elsewhere() {
    for code in [401, 403, 404, 407, 480, 486, 488, 500, 600, 603] {
        let mut scene = Scene::outgoing(application(None), None);
        scene.starts();
        scene.placed_at(MAIN, "192.0.2.1:5060", true);
        let lines = scene.fails(MAIN, code);
        assert!(
            !lines.contains(&"TryNext 0".to_owned()) && lines.iter().any(|line| line.contains("ended")),
            "{code}: {lines:?}"
        );
    }
}

#[test]
fn after_a_phone_rang_nothing_else_is_tried() {
    for closing in [unreachable(503), Signal::Closed(Closing::TimedOut)] {
        let mut scene = Scene::outgoing(application(None), None);
        scene.starts();
        scene.placed_at(MAIN, "192.0.2.1:5060", true);
        scene.signal(MAIN, Signal::Ringing(180));
        let lines = scene.signal(MAIN, closing);
        assert!(!lines.contains(&"TryNext 0".to_owned()), "{lines:?}");
    }
}

#[test]
fn a_call_that_was_given_up_goes_no_further_way() {
    let mut scene = Scene::outgoing(application(None), None);
    scene.starts();
    scene.placed_at(MAIN, "192.0.2.1:5060", true);
    scene.feed(end_requested(MAIN, Status::Canceled));
    assert!(!scene.signal(MAIN, unreachable(408)).contains(&"TryNext 0".to_owned()));
}

#[test]
fn nobody_there_is_no_answer_and_an_unreachable_trunk_is_not() {
    let silence = Closing::Failed { code: 408, reason: String::new(), from_peer: false, heard: false };
    for (closing, reason) in [(Closing::TimedOut, "NoAnswer"), (silence, "TrunkUnreachable 408")] {
        let mut scene = Scene::outgoing(application(None), None);
        scene.starts();
        scene.placed(MAIN);
        let lines = scene.signal(MAIN, Signal::Closed(closing));
        assert!(lines.contains(&format!("0: ended {reason}")), "{lines:?}");
    }
}

#[test]
fn a_call_without_a_route_fails_visibly() {
    let mut scene = Scene::outgoing(application(None), None);
    scene.starts();
    let signal =
        Signal::NotPlaced { reason: EndReason::NoRoute, code: Some(13224), detail: "no trunk".into() };
    let lines = scene.signal(MAIN, signal);
    assert_eq!(
        (lines[0].as_str(), lines.contains(&"0: ended NoRoute".to_owned())),
        ("0: warned 13224", true),
        "{lines:?}"
    );
    assert!(!lines.contains(&"HangUp 0".to_owned()), "{lines:?}");
}

#[test]
fn a_trunk_that_wanted_credentials_and_is_silent_then_is_not_followed_by_another() {
    for code in [408, 503] {
        let mut scene = Scene::outgoing(Program::Inline("<Response/>".into()), None);
        scene.starts();
        scene.placed_at(MAIN, "192.0.2.2:5060", true);
        let silence = Closing::Failed { code, reason: String::new(), from_peer: false, heard: true };
        let lines = scene.signal(MAIN, Signal::Closed(silence));
        assert!(lines.contains(&format!("0: ended TrunkUnreachable {code}")), "{lines:?}");
    }
}
