//! Calls that arrive.

use super::*;

#[test]
fn a_call_rings_while_its_application_is_asked() {
    let mut scene = Scene::incoming(application(None));
    let begins = ["0: received", "Ring 0", "SetTimer TimeLimit 600", "Fetch POST https://example.com/voice"];
    assert_eq!(scene.starts(), begins);
    for (name, value) in [
        ("CallSid", sid(Kind::Call, 1).as_str()),
        ("AccountSid", sid(Kind::Account, 1).as_str()),
        ("From", "+15551230000"),
        ("Caller", "+15551230000"),
        ("To", "1234"),
        ("Called", "1234"),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("ApiVersion", "2010-04-01"),
        ("ParentCallSid", ""),
    ] {
        assert_eq!(scene.param(name), value, "{name}");
    }
}

#[test]
fn it_is_picked_up_before_anything_is_heard() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    assert_eq!(
        scene.document("<Say>Hi</Say>"),
        ["0: exchanged", "0: answered", "SetTimer TimeLimit 14400", "Pickup 0"]
    );
    assert_eq!(scene.signal(MAIN, Signal::Acknowledged), ["0: verb 0 Say", "Speak \"Hi\""]);
    assert_eq!(scene.prepared(), ["Play 0 x1"]);
    assert_eq!(
        scene.played(),
        [
            "0: verb 0 completed",
            "CancelTimer Verb",
            "CancelTimer TimeLimit",
            "HangUp 0",
            "0: ended ApplicationHungUp",
            "Release 0",
        ]
    );
    assert_eq!(scene.winds_up(&[MAIN]), ["0: summarized"]);
    assert!(scene.is_over());
}

#[test]
fn a_call_nobody_answers_does_not_ring_for_ever() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    scene.document(r#"<Pause length="3000"/><Say>Hi</Say>"#);
    let lines = scene.fires(TimerKey::TimeLimit(MAIN));
    assert!(lines.contains(&"Refuse 0 480".to_owned()), "{lines:?}");
    assert!(lines.contains(&"0: ended NoAnswer 480".to_owned()), "{lines:?}");
}

#[test]
fn a_leg_whose_media_is_gone_ends() {
    let (mut scene, _) = Scene::talking("<Gather/>");
    let lines = scene.feed(Happened::MediaLost(MAIN));
    assert!(lines.contains(&"HangUp 0".to_owned()), "{lines:?}");
    assert!(lines.contains(&"0: ended MediaFailed".to_owned()), "{lines:?}");
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    let lines = scene.feed(Happened::MediaLost(MAIN));
    assert!(lines.contains(&"Refuse 0 500".to_owned()), "{lines:?}");
}

#[test]
fn a_thousand_keys_are_enough() {
    let (mut scene, _) = Scene::talking("<Pause length=\"60\"/>");
    let lines = scene.press(MAIN, &"7".repeat(1_200));
    assert_eq!(lines.iter().filter(|line| *line == "0: pressed 7").count(), 1_000);
    assert_eq!((lines.len(), lines[1_000].as_str()), (1_001, "0: warned 13410"));
}

#[test]
fn what_a_gather_did_not_hear_is_not_told() {
    let (mut scene, _) = Scene::talking(r#"<Gather timeout="2"/><Say>Bye</Say>"#);
    assert_eq!(scene.fires(TimerKey::Verb(MAIN)), ["0: verb 0 completed", "0: verb 1 Say", "Speak \"Bye\""]);
}

#[test]
fn digits_of_a_gather_go_to_its_action() {
    let (mut scene, lines) =
        Scene::talking(r#"<Gather numDigits="1" action="/digit"><Play>/menu.wav</Play></Gather>"#);
    assert_eq!(lines, ["0: verb 0 Gather", "Load https://example.com/menu.wav"]);
    scene.prepared();
    assert_eq!(
        scene.press(MAIN, "5"),
        ["0: pressed 5", "Hush 0", "0: verb 0 left: Digits=5", "Fetch POST https://example.com/digit",]
    );
    assert_eq!((scene.param("Digits"), scene.param("CallStatus")), ("5", "in-progress"));
    assert_eq!(scene.document("<Say>Five</Say>"), ["0: exchanged", "0: verb 1 Say", "Speak \"Five\""]);
}

#[test]
fn a_document_that_redirects_led_to_has_addresses_relative_to_where_it_is() {
    for (body, asked) in [
        ("<Redirect>next</Redirect>", "Fetch POST https://other.example/e/f/next"),
        ("<Redirect/>", "Fetch POST https://other.example/e/f/doc"),
    ] {
        let mut scene = Scene::incoming(application(None));
        scene.starts();
        let lines = scene.document_at("https://other.example/e/f/doc", body);
        assert_eq!(lines.last().unwrap(), asked);
    }
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    scene.document_at("https://other.example/e/f/doc", "<Play>p.wav</Play><Gather numDigits=\"1\"/>");
    let lines = scene.signal(MAIN, Signal::Acknowledged);
    assert_eq!(lines.last().unwrap(), "Load https://other.example/e/f/p.wav");
    scene.prepared();
    scene.played();
    let lines = scene.press(MAIN, "5");
    assert_eq!(lines.last().unwrap(), "Fetch POST https://other.example/e/f/doc", "not the redirect again");
}

#[test]
fn an_answer_that_is_a_sound_is_played_as_it_came() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    let mut lines = scene.response(Some("audio/mpeg"), "sound", None);
    lines.extend(scene.signal(MAIN, Signal::Acknowledged));
    assert_eq!(lines.last().unwrap(), &format!("Load {VOICE} (5 bytes had)"));
}

#[test]
fn a_rejected_call_is_never_picked_up() {
    for (twiml, code, reason) in
        [("<Reject/>", 603, "Rejected"), (r#"<Reject reason="busy"/>"#, 486, "RejectedBusy")]
    {
        let mut scene = Scene::incoming(application(None));
        scene.starts();
        let lines = scene.document(twiml);
        assert!(lines.contains(&format!("Refuse 0 {code}")), "{lines:?}");
        assert!(lines.contains(&format!("0: ended {reason} {code}")), "{lines:?}");
        assert!(
            !lines.iter().any(|line| line.contains("answered") || line.starts_with("HangUp")),
            "{lines:?}"
        );
        scene.winds_up(&[MAIN]);
        assert!(scene.is_over());
    }
}

#[test]
fn a_call_for_nobody_is_recorded_and_refused() {
    let mut scene = Scene::refused(404, EndReason::NumberNotFound);
    let lines = scene.starts();
    assert_eq!(lines[..2], ["0: received", "Refuse 0 404"]);
    assert!(lines.contains(&"0: ended NumberNotFound 404".to_owned()), "{lines:?}");
}

#[test]
fn a_caller_who_gives_up_ends_the_call() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    let lines = scene.signal(MAIN, Signal::Closed(Closing::Cancelled));
    assert!(
        lines.contains(&"0: ended CanceledByCaller".to_owned()) && !lines.contains(&"HangUp 0".to_owned()),
        "{lines:?}"
    );
    assert!(!scene.machine.is_over(), "the request is under way");
    assert_eq!(
        scene.document("<Say>late</Say>"),
        ["0: exchanged"],
        "its answer is evidence and nothing else"
    );
    scene.feed(Happened::Released(MAIN, None));
    assert!(scene.is_over());
}

#[test]
fn hanging_up_interrupts_the_verb() {
    let (mut scene, _) = Scene::talking("<Say>A long story</Say>");
    scene.prepared();
    let lines = scene.signal(MAIN, Signal::Closed(Closing::HungUp));
    assert_eq!(lines[..2], ["Hush 0", "0: verb 0 interrupted"]);
    assert!(lines.contains(&"0: ended HungUp".to_owned()), "{lines:?}");
    assert_eq!(scene.played(), [""; 0], "late news changes nothing");
}

#[test]
fn an_answer_that_is_never_acknowledged_loses_the_call() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    scene.document("<Say>Hi</Say>");
    let lines = scene.signal(MAIN, Signal::Closed(Closing::Lost("Our answer was not acknowledged")));
    assert!(lines.contains(&"0: ended ConnectionLost".to_owned()), "{lines:?}");
}

#[test]
fn an_offer_nobody_can_use_is_refused() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    let closing = Closing::NoMedia { code: 488, detail: "nothing fits".into() };
    let lines = scene.signal(MAIN, Signal::Closed(closing));
    assert_eq!(
        (lines[0].as_str(), lines.contains(&"0: ended MediaFailed 488".to_owned())),
        ("Refuse 0 488", true),
        "{lines:?}"
    );
}

#[test]
fn a_failing_application_has_a_fallback() {
    let mut scene = Scene::incoming(application(Some("https://example.com/fallback")));
    scene.starts();
    let lines = scene.response(Some("text/xml"), "<Response><Say>", None);
    assert_eq!(lines, ["0: exchanged", "0: warned 12100", "Fetch GET https://example.com/fallback"]);
    assert_eq!((scene.param("ErrorCode"), scene.param("ErrorUrl")), ("12100", VOICE));
    let lines = scene.document("<Hangup/>");
    assert!(lines.contains(&"Pickup 0".to_owned()), "{lines:?}");
}

#[test]
fn credentials_in_a_url_are_told_to_nobody() {
    let url = "https://bob:secret@example.com/voice#rc=2";
    let fallback_url = "https://other.example/fallback".parse().ok();
    let (method, fallback_method) = (Method::Post, Method::Get);
    let program =
        Program::Fetched(Document { url: url.parse().unwrap(), method, fallback_url, fallback_method });
    let mut scene = Scene::incoming(program);
    scene.starts();
    scene.response(Some("text/xml"), "<Response><Say>", None);
    assert_eq!(scene.param("ErrorUrl"), VOICE);
    let (other, _) = Scene::talking(r#"<Gather action="https://bob:secret@a.test/"/>"#);
    for fact in scene.told.iter().chain(&other.told) {
        assert!(!fact.contains("secret"), "{fact}");
    }
}

#[test]
fn without_a_fallback_the_caller_hears_an_apology() {
    for fallback in [None, Some("https://example.com/fallback")] {
        let mut scene = Scene::incoming(application(fallback));
        scene.starts();
        let mut lines = scene.fetch_fails();
        if fallback.is_some() {
            lines = scene.fetch_fails();
        }
        assert!(
            lines.contains(&"0: warned 11200".to_owned()) && lines.contains(&"Pickup 0".to_owned()),
            "{lines:?}"
        );
        let lines = scene.signal(MAIN, Signal::Acknowledged);
        assert!(lines[1].starts_with("Speak \"We are sorry"), "{lines:?}");
        scene.prepared();
        assert!(scene.played().contains(&"0: ended ApplicationFailed".to_owned()));
    }
}

#[test]
fn an_address_nobody_can_be_asked_at_is_a_failed_application() {
    let fallback = "https://example.com/fallback";
    for body in ["<Redirect>javascript:1</Redirect>", "<Redirect>http://bob:secret@a.test:99999/</Redirect>"]
    {
        let mut scene = Scene::incoming(application(Some(fallback)));
        scene.starts();
        let lines = scene.document(body);
        let told = ["0: warned 11100".to_owned(), format!("Fetch GET {fallback}")];
        assert_eq!(lines[lines.len() - 2..], told, "{body}");
        assert_eq!((scene.param("ErrorCode"), scene.param("ErrorUrl")), ("11100", VOICE));
        assert!(scene.told.iter().all(|fact| !fact.contains("secret")), "{:?}", scene.told);
        assert!(
            scene.document(body).contains(&"Pickup 0".to_owned()),
            "the apology, when that is none either"
        );
    }
    let twiml = r#"<Gather action="mailto:a" numDigits="1"/><Say>never</Say>"#;
    let (mut scene, _) = Scene::talking(twiml);
    let lines = scene.press(MAIN, "5");
    assert!(lines.last().unwrap().starts_with("Speak \"We are sorry"), "{lines:?}");
}

#[test]
fn a_sound_that_cannot_be_had_is_skipped() {
    let (mut scene, _) = Scene::talking("<Play>/gone.wav</Play><Say>Hi</Say>");
    let lines = scene.unprepared();
    assert_eq!(lines, ["0: warned 11200", "0: verb 0 completed", "0: verb 1 Say", "Speak \"Hi\""]);
}

#[test]
fn hold_is_a_fact() {
    let (mut scene, _) = Scene::talking("<Pause length=\"9\"/><Say>Hi</Say>");
    assert_eq!(scene.signal(MAIN, Signal::Held(true)), ["0: held true"]);
    assert_eq!(scene.signal(MAIN, Signal::Held(false)), ["0: held false"]);
}

#[test]
fn a_call_lasts_four_hours_at_most() {
    let (mut scene, _) = Scene::talking("<Say loop=\"0\">Hi</Say>");
    assert!(scene.fires(TimerKey::TimeLimit(MAIN)).contains(&"0: ended TimeLimit".to_owned()));
}

#[test]
fn a_pause_at_the_beginning_delays_picking_up() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    assert_eq!(
        scene.document("<Pause length=\"3\"/><Say>Hi</Say>"),
        ["0: exchanged", "0: verb 0 Pause", "SetTimer Verb 3"]
    );
    assert!(scene.fires(TimerKey::Verb(MAIN)).contains(&"Pickup 0".to_owned()));
}

#[test]
fn what_must_not_be_stepped_over_ends_the_path_where_it_stands() {
    let mut scene = Scene::incoming(application(Some("https://example.com/fallback")));
    scene.starts();
    scene.document("<Say>After the tone</Say><Record/><Say>Thank you for your message</Say>");
    scene.signal(MAIN, Signal::Acknowledged);
    scene.prepared();
    let fallback = "Fetch GET https://example.com/fallback";
    let ends = ["0: verb 0 completed", "0: verb 1 Record", "0: verb 1 failed", "0: warned 12200", fallback];
    assert_eq!(scene.played(), ends);
    assert_eq!((scene.param("ErrorCode"), scene.param("ErrorUrl")), ("12200", VOICE));
    let lines = scene.document("<Connect><Stream url=\"wss://example.com\"/></Connect>");
    assert!(lines.iter().any(|line| line.starts_with("Speak \"We are sorry")), "once: {lines:?}");
}

#[test]
fn nobody_is_connected_unscreened() {
    let (_, lines) =
        Scene::talking(r#"<Dial><Number url="/whisper">+85510000001</Number></Dial><Say>x</Say>"#);
    assert!(!lines.iter().any(|line| line.starts_with("Place")), "{lines:?}");
    let (mut scene, lines) =
        Scene::talking(r#"<Dial action="/done" record="true">+85510000001</Dial><Say>x</Say>"#);
    assert!(!lines.iter().any(|line| line.starts_with("Place")), "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("Fetch POST https://example.com/done"));
    assert_eq!(scene.param("DialCallStatus"), "failed");
    assert_eq!(scene.document("<Say>Sorry</Say>").last().map(String::as_str), Some("Pickup 0"));
    assert_eq!(scene.signal(MAIN, Signal::Acknowledged).last().map(String::as_str), Some("Speak \"Sorry\""));
}
