//! `<Dial>`: who is called, who is connected, and how it ends.

use super::*;
use domain::caller_id::CallerId;

const ONE: LegNo = LegNo(1);
const TWO: LegNo = LegNo(2);
const ACTION: &str = r#"<Dial action="/done"><Number>85510000001</Number></Dial>"#;
const BOTH: &str = r#"<Dial action="/done"><Number>85510000001</Number><Number>85510000002</Number></Dial>"#;

#[test]
fn a_dialled_party_is_a_call_of_its_own() {
    let (_, lines) = Scene::talking("<Dial>85510000001</Dial>");
    assert_eq!(
        lines,
        [
            "0: verb 0 Dial",
            "1: queued to +85510000001",
            "1: claimed by n1",
            "Place 1 from +15551230000 to +85510000001",
        ]
    );
}

#[test]
fn a_number_without_plus_is_dialled_as_the_carriers_country_writes_it() {
    let (_, lines) = Scene::talking(r#"<Dial callerId="(212) 555-0100">415-123-4567</Dial>"#);
    assert_eq!(lines.last().unwrap(), "Place 1 from +12125550100 to +14151234567");
}

#[test]
fn a_longer_short_code_of_the_account_is_dialled_as_one() {
    for (text, number) in [("7654321", "7654321"), ("7654322", "+7654322")] {
        let (_, lines) = Scene::talking(&format!("<Dial>{text}</Dial>"));
        assert!(lines.last().unwrap().ends_with(&format!("to {number}")), "{lines:?}");
    }
}

#[test]
fn the_caller_hears_ringing_and_then_the_other_party() {
    let (mut scene, _) = Scene::talking(ACTION);
    assert_eq!(scene.placed(ONE), ["1: initiated"]);
    assert_eq!(scene.signal(ONE, Signal::Ringing(180)), ["1: rings 180", "Ringback 0"]);
    assert_eq!(
        scene.signal(ONE, Signal::Answered),
        ["1: answered", "Hush 0", "Bridge 0 1", "0: bridged", "1: bridged", "SetTimer Verb 14400"]
    );
}

#[test]
fn the_caller_hears_what_is_played_before_the_answer() {
    let (mut scene, _) = Scene::talking(ACTION);
    scene.placed(ONE);
    scene.signal(ONE, Signal::Ringing(183));
    assert_eq!(scene.signal(ONE, Signal::EarlyMedia), ["Hush 0", "Listen 0 1"]);
    assert_eq!(scene.signal(ONE, Signal::EarlyMedia), [""; 0]);
    assert_eq!(scene.fails(ONE, 486)[..3], ["1: ended Busy 486", "Release 1", "Unbridge 0"]);
    let (mut scene, _) = Scene::talking(BOTH);
    scene.placed(ONE);
    assert_eq!(scene.signal(ONE, Signal::EarlyMedia), [""; 0], "which of the two would it be");
}

#[test]
fn the_action_hears_of_a_talk_that_ended() {
    let (mut scene, _) = Scene::talking(ACTION);
    scene.placed(ONE);
    scene.signal(ONE, Signal::Answered);
    scene.later(42);
    let lines = scene.signal(ONE, Signal::Closed(Closing::HungUp));
    assert_eq!(lines[..5], ["Unbridge 0", "0: unbridged", "1: unbridged", "1: ended HungUp", "Release 1"]);
    assert_eq!(lines.last().unwrap(), "Fetch POST https://example.com/done");
    let told = ["DialCallStatus", "DialCallDuration", "DialBridged"].map(|name| scene.param(name));
    assert_eq!(told, ["completed", "42", "true"]);
    assert_eq!(scene.param("DialCallSid").len(), 34);
}

#[test]
fn the_action_hears_why_nobody_was_reached() {
    for (code, status) in [(486, "busy"), (480, "no-answer"), (404, "failed"), (603, "busy"), (500, "failed")]
    {
        let (mut scene, _) = Scene::talking(ACTION);
        scene.placed(ONE);
        scene.fails(ONE, code);
        assert_eq!((scene.param("DialCallStatus"), scene.param("DialBridged")), (status, "false"), "{code}");
    }
}

#[test]
fn without_an_action_the_next_verb_follows() {
    let (mut scene, _) = Scene::talking("<Dial>85510000001</Dial><Say>Nobody</Say>");
    scene.placed(ONE);
    assert_eq!(scene.fails(ONE, 486).last().unwrap(), "Speak \"Nobody\"");
}

#[test]
fn the_first_to_answer_is_connected_and_the_others_are_called_off() {
    let (mut scene, lines) = Scene::talking(BOTH);
    assert_eq!(lines.iter().filter(|line| line.starts_with("Place")).count(), 2);
    scene.placed(ONE);
    scene.placed(TWO);
    let lines = scene.signal(TWO, Signal::Answered);
    assert_eq!(lines[..4], ["2: answered", "HangUp 1", "1: ended AnsweredElsewhere", "Release 1"]);
    assert!(lines.contains(&"Bridge 0 2".to_owned()), "{lines:?}");
    // The other one's answer crossed our CANCEL.
    assert_eq!(scene.signal(ONE, Signal::Answered), [""; 0]);
    assert_eq!(scene.winds_up(&[ONE]), ["1: summarized"]);
    scene.signal(TWO, Signal::Closed(Closing::HungUp));
    assert_eq!(scene.param("DialCallStatus"), "completed");
}

#[test]
fn a_dial_fails_when_its_last_party_does() {
    let (mut scene, _) = Scene::talking(BOTH);
    scene.placed(ONE);
    scene.placed(TWO);
    assert!(!scene.fails(ONE, 486).iter().any(|line| line.starts_with("Fetch")));
    assert!(scene.fails(TWO, 480).iter().any(|line| line.starts_with("Fetch")));
    assert_eq!(scene.param("DialCallStatus"), "no-answer");
}

#[test]
fn a_caller_who_hangs_up_takes_everybody_along() {
    let (mut scene, _) = Scene::talking(BOTH);
    scene.placed(ONE);
    let lines = scene.signal(MAIN, Signal::Closed(Closing::HungUp));
    for expected in ["HangUp 1", "1: ended PeerHungUp", "HangUp 2", "2: ended PeerHungUp", "0: ended HungUp"]
    {
        assert!(lines.contains(&expected.to_owned()), "{expected} is not in {lines:?}");
    }
    scene.winds_up(&[MAIN, ONE, TWO]);
    assert!(!scene.is_over(), "the action is being told");
    scene.document("");
    assert!(scene.is_over());
}

#[test]
fn the_action_is_told_of_a_caller_who_hung_up() {
    let (mut scene, _) = Scene::talking(ACTION);
    scene.placed(ONE);
    scene.signal(ONE, Signal::Answered);
    scene.later(9);
    let lines = scene.signal(MAIN, Signal::Closed(Closing::HungUp));
    assert_eq!(lines.last().unwrap(), "Fetch POST https://example.com/done");
    let told = ["DialCallStatus", "DialCallDuration", "CallStatus"].map(|name| scene.param(name));
    assert_eq!(told, ["completed", "9", "completed"]);
    assert_eq!(scene.document("<Say>never</Say>"), ["0: exchanged"]);
    scene.winds_up(&[MAIN, ONE]);
    assert!(scene.is_over());
}

#[test]
fn answer_on_bridge_keeps_the_caller_ringing() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    let lines = scene.document(r#"<Dial answerOnBridge="true">85510000001</Dial>"#);
    assert!(!lines.contains(&"Pickup 0".to_owned()), "{lines:?}");
    scene.placed(ONE);
    assert_eq!(scene.signal(ONE, Signal::Ringing(180)), ["1: rings 180"], "the network plays the tone");
    assert_eq!(
        scene.signal(ONE, Signal::Answered),
        ["1: answered", "0: answered", "SetTimer TimeLimit 14400", "Pickup 0"]
    );
    assert_eq!(scene.signal(MAIN, Signal::Acknowledged)[..3], ["Bridge 0 1", "0: bridged", "1: bridged"]);
}

#[test]
fn a_caller_nobody_picked_up_hears_of_a_party_without_a_route() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    scene.document(r#"<Dial answerOnBridge="true">85510000001</Dial>"#);
    let detail = "no trunk".to_owned();
    let lines =
        scene.signal(ONE, Signal::NotPlaced { reason: EndReason::NoRoute, code: Some(13224), detail });
    assert!(lines.contains(&"Refuse 0 404".to_owned()), "{lines:?}");
}

#[test]
fn of_several_parties_the_most_telling_one_speaks_for_all() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    scene
        .document(&BOTH.replace("<Dial", r#"<Dial answerOnBridge="true""#).replace(r#" action="/done""#, ""));
    scene.placed(ONE);
    scene.placed(TWO);
    scene.fails(ONE, 404);
    assert!(scene.fails(TWO, 486).contains(&"Refuse 0 486".to_owned()));
}

#[test]
fn a_caller_who_still_rings_hears_what_the_network_plays_before_the_answer() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    scene.document(r#"<Dial answerOnBridge="true">85510000001</Dial>"#);
    scene.placed(ONE);
    scene.signal(ONE, Signal::Ringing(183));
    assert_eq!(scene.signal(ONE, Signal::Progress), ["Progress 0", "Listen 0 1"]);
    assert_eq!(scene.signal(ONE, Signal::EarlyMedia), [""; 0], "once");
    scene.signal(ONE, Signal::Answered);
    assert_eq!(scene.signal(MAIN, Signal::Acknowledged)[..2], ["Unbridge 0", "Bridge 0 1"]);
    let (mut up, _) = Scene::talking(ACTION);
    up.placed(ONE);
    assert_eq!(up.signal(ONE, Signal::Progress), [""; 0], "our ringback goes on until something is heard");
}

#[test]
fn a_ringing_caller_hears_a_party_that_sounds_with_its_180() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    scene.document(r#"<Dial answerOnBridge="true">85510000001</Dial>"#);
    scene.placed(ONE);
    scene.signal(ONE, Signal::Ringing(180));
    assert_eq!(scene.signal(ONE, Signal::EarlyMedia), ["Progress 0", "Listen 0 1"]);
    let lines = scene.fails(ONE, 404);
    assert!(
        lines.contains(&"Unbridge 0".to_owned()) && lines.contains(&"Refuse 0 404".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_caller_nobody_picked_up_gets_the_dials_outcome() {
    for (code, passed, reason) in [
        (486, 486, "Busy"),
        (480, 480, "NoAnswer"),
        (404, 404, "DestinationNotFound"),
        (410, 410, "DestinationNotFound"),
        (403, 403, "TrunkRefused"),
        (408, 408, "NoAnswer"),
        (500, 500, "TrunkFailed"),
        (502, 502, "TrunkFailed"),
        (503, 500, "TrunkFailed"),
        (407, 500, "TrunkRefused"),
        (488, 500, "MediaFailed"),
        (302, 480, "TrunkFailed"),
        (600, 600, "Busy"),
        (603, 603, "Declined"),
    ] {
        let mut scene = Scene::incoming(application(None));
        scene.starts();
        scene.document(r#"<Dial answerOnBridge="true">85510000001</Dial>"#);
        scene.placed(ONE);
        let lines = scene.fails(ONE, code);
        assert!(
            lines.contains(&format!("Refuse 0 {passed}"))
                && lines.contains(&format!("0: ended {reason} {passed}")),
            "{code}: {lines:?}"
        );
    }
}

#[test]
fn digits_for_the_party_are_sent_before_they_are_connected() {
    let (mut scene, _) = Scene::talking(r#"<Dial><Number sendDigits="w9">85510000001</Number></Dial>"#);
    scene.placed(ONE);
    assert_eq!(scene.signal(ONE, Signal::Answered), ["1: answered", "SendDigits 1 w9"]);
    assert_eq!(scene.played()[0], "Bridge 0 1");
}

#[test]
fn star_hangs_up_the_dialled_party() {
    let (mut scene, _) = Scene::talking(r#"<Dial hangupOnStar="true">85510000001</Dial><Say>Back</Say>"#);
    scene.placed(ONE);
    scene.signal(ONE, Signal::Answered);
    let lines = scene.press(MAIN, "*");
    assert!(lines.contains(&"HangUp 1".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "Speak \"Back\"");
}

#[test]
fn the_time_limit_of_a_dial_ends_the_talk() {
    let (mut scene, _) = Scene::talking(r#"<Dial timeLimit="60" action="/done">85510000001</Dial>"#);
    scene.placed(ONE);
    assert_eq!(scene.signal(ONE, Signal::Answered).last().unwrap(), "SetTimer Verb 60");
    scene.passes(60_012);
    assert!(scene.fires(TimerKey::Verb(MAIN)).contains(&"HangUp 1".to_owned()));
    assert_eq!(scene.measured(), ["Some(60)"], "a call is never longer than the limit that ended it");
    assert_eq!((scene.param("DialCallStatus"), scene.param("DialCallDuration")), ("completed", "60"));
}

#[test]
fn a_number_that_is_none_fails_the_dial() {
    let (scene, lines) = Scene::talking(r#"<Dial action="/done">nobody</Dial>"#);
    assert_eq!(lines[..2], ["0: verb 0 Dial", "0: warned 13223"]);
    assert_eq!(scene.param("DialCallStatus"), "failed");
}

#[test]
fn a_caller_id_that_is_not_the_accounts_fails_the_dial_and_nobody_is_called() {
    for caller_id in ["my shop", "911", "+85512345678", "anonymous"] {
        let dial =
            format!(r#"<Dial action="/done" callerId="{caller_id}"><Number>85510000001</Number></Dial>"#);
        let (scene, lines) = Scene::talking(&dial);
        assert_eq!(lines[..2], ["0: verb 0 Dial", "0: warned 13214"], "{caller_id}");
        assert!(!lines.iter().any(|line| line.starts_with("Place") || line.contains("queued")), "{lines:?}");
        assert_eq!(scene.param("DialCallStatus"), "failed");
    }
}

#[test]
fn a_dial_shows_the_parties_of_its_call_and_the_accounts_numbers() {
    for caller_id in ["+15551230000", "1234", "+12125550100"] {
        let (_, lines) = Scene::talking(&format!(r#"<Dial callerId="{caller_id}">85510000001</Dial>"#));
        assert_eq!(lines[3], format!("Place 1 from {caller_id} to +85510000001"));
    }
}

#[test]
fn a_hidden_caller_is_dialled_on_as_hidden() {
    for caller_id in ["", r#" callerId="anonymous""#] {
        let mut scene = Scene::incoming_from("anonymous", 70);
        scene.starts();
        scene.document(&format!("<Dial{caller_id}>85510000001</Dial>"));
        let lines = scene.signal(MAIN, Signal::Acknowledged);
        assert_eq!(lines[3], "Place 1 from anonymous to +85510000001");
        assert_eq!(scene.placement.as_ref().unwrap().from, CallerId::Hidden);
    }
}

#[test]
fn a_dialled_call_may_take_one_hop_less_than_the_call_that_dials() {
    for (hops, left) in [(70, 69), (2, 1), (1, 0)] {
        let mut scene = Scene::incoming_from("+15551230000", hops);
        scene.starts();
        scene.document("<Dial>85510000001</Dial>");
        scene.signal(MAIN, Signal::Acknowledged);
        assert_eq!(scene.placement.as_ref().unwrap().max_forwards, left);
    }
}

#[test]
fn a_party_without_a_route_is_warned_about_on_the_parent() {
    let (mut scene, _) = Scene::talking(ACTION);
    let signal =
        Signal::NotPlaced { reason: EndReason::NoRoute, code: Some(13224), detail: "no trunk".into() };
    let lines = scene.signal(ONE, signal);
    assert_eq!(lines[..3], ["0: warned 13224", "1: ended NoRoute", "Release 1"]);
    assert_eq!(scene.param("DialCallStatus"), "failed");
}

#[test]
fn a_call_dials_a_hundred_others_at_most() {
    let (mut scene, _) = Scene::talking(&"<Dial>85510000001</Dial>".repeat(101));
    for child in 1..=100 {
        let signal = Signal::NotPlaced { reason: EndReason::NoRoute, code: None, detail: String::new() };
        let lines = scene.signal(LegNo(child), signal);
        let placed = lines.iter().any(|line| line.starts_with("Place"));
        assert_eq!(
            (placed, lines.contains(&"0: warned 13225".to_owned())),
            (child < 100, child == 100),
            "{lines:?}"
        );
    }
}

#[test]
fn a_call_dials_for_help_beyond_its_limit_and_not_for_ever() {
    let (mut scene, _) = Scene::talking(&"<Dial>85510000001</Dial>".repeat(100));
    let over = || Signal::NotPlaced { reason: EndReason::NoRoute, code: None, detail: String::new() };
    for child in 1..100 {
        scene.signal(LegNo(child), over());
    }
    let lines = scene.feed(Happened::Redirected(
        MAIN,
        Program::Inline(format!("<Response>{}</Response>", "<Dial>911</Dial>".repeat(30))),
    ));
    assert!(lines.iter().any(|line| line == "Place 101 from +15551230000 to 911"), "{lines:?}");
    for child in 101..120 {
        let lines = scene.signal(LegNo(child), over());
        assert!(lines.iter().any(|line| line.starts_with("Place")), "{child}: {lines:?}");
    }
    let lines = scene.signal(LegNo(120), over());
    assert!(!lines.iter().any(|line| line.starts_with("Place")), "{lines:?}");
    assert!(lines.contains(&"0: warned 13225".to_owned()), "{lines:?}");
}

#[test]
fn a_call_for_help_is_placed_whatever_caller_id_was_asked_for() {
    let (_, lines) = Scene::talking(r#"<Dial callerId="+85512345678">911</Dial>"#);
    assert!(lines.contains(&"0: warned 13214".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "Place 1 from +15551230000 to 911");
    let both = r#"<Dial callerId="+85512345678"><Number>85510000001</Number><Number>911</Number></Dial>"#;
    let (_, lines) = Scene::talking(both);
    let placed: Vec<_> = lines.iter().filter(|line| line.starts_with("Place")).collect();
    assert_eq!(placed, ["Place 1 from +15551230000 to 911"], "nobody else is called");
}

#[test]
fn calls_are_counted_for_whom_they_are_dialled_not_for_what_they_show() {
    let (scene, _) = Scene::talking(r#"<Dial callerId="1234">85510000001</Dial>"#);
    let placement = scene.placement.as_ref().unwrap();
    assert_eq!((placement.from.as_str(), placement.on_behalf_of.as_deref()), ("1234", Some("+15551230000")));
    let mut scene = Scene::incoming_from("anonymous", 70);
    scene.starts();
    scene.document("<Dial>85510000001</Dial>");
    scene.signal(MAIN, Signal::Acknowledged);
    assert_eq!(scene.placement.as_ref().unwrap().on_behalf_of, None, "that could be anybody");
    let program = Program::Inline("<Response><Dial>85510000002</Dial></Response>".into());
    let mut scene = Scene::outgoing(program, None);
    scene.starts();
    scene.placed(MAIN);
    scene.signal(MAIN, Signal::Answered);
    let behalf = scene.placement.as_ref().unwrap().on_behalf_of.clone();
    assert_eq!(behalf.as_deref(), Some("+85510000001"), "not the account's own number");
}

#[test]
fn a_caller_whose_dial_could_call_nobody_hears_of_a_failure() {
    for dial in [r#" callerId="+85512345678">85510000001"#, ">nobody"] {
        let mut scene = Scene::incoming(application(None));
        scene.starts();
        let lines = scene.document(&format!(r#"<Dial answerOnBridge="true"{dial}</Dial>"#));
        assert!(lines.contains(&"Refuse 0 404".to_owned()), "{lines:?}");
        assert!(lines.contains(&"0: ended DestinationNotFound 404".to_owned()), "{lines:?}");
    }
}

#[test]
fn a_caller_is_not_cancelled_by_whoever_cancelled_the_call_he_waits_for() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    scene.document(r#"<Dial answerOnBridge="true">85510000001</Dial>"#);
    scene.placed(ONE);
    let lines = scene.feed(end_requested(ONE, Status::Canceled));
    assert!(lines.contains(&"1: ended CanceledByApi".to_owned()), "{lines:?}");
    assert!(lines.contains(&"0: ended NoAnswer 480".to_owned()), "{lines:?}");
}

#[test]
fn a_caller_from_outside_who_says_to_be_the_account_is_shown_and_not_vouched_for() {
    let own = "+12125550100";
    for (from, dial, authentic) in [
        (own, "<Dial>85510000001</Dial>".to_owned(), false),
        (own, format!("<Dial callerId=\"{own}\">85510000001</Dial>"), false),
        ("+15551230001", format!("<Dial callerId=\"{own}\">85510000001</Dial>"), true),
    ] {
        let mut scene = Scene::incoming_from(from, 70);
        scene.starts();
        scene.document(&dial);
        scene.signal(MAIN, Signal::Acknowledged);
        let placement = scene.placement.as_ref().unwrap();
        assert_eq!((placement.from.as_str(), placement.authentic), (own, authentic), "{from} {dial}");
    }
    for (said, authentic) in [(own, false), ("+15551230001", true)] {
        let mut scene = Scene::incoming_hidden(said);
        scene.starts();
        scene.document(&format!("<Dial callerId=\"{own}\">85510000001</Dial>"));
        scene.signal(MAIN, Signal::Acknowledged);
        let placement = scene.placement.as_ref().unwrap();
        assert_eq!(
            (placement.from.as_str(), placement.authentic),
            (own, authentic),
            "behind Privacy: {said}"
        );
    }
}
