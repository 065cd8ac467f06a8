//! What the API does to live calls.

use super::*;

fn redirect(scene: &mut Scene, twiml: &str) -> Vec<String> {
    scene.feed(Happened::Redirected(MAIN, Program::Inline(format!("<Response>{twiml}</Response>"))))
}

#[test]
fn a_live_call_is_redirected_out_of_its_verb() {
    let (mut scene, _) = Scene::talking("<Gather><Say>Press</Say></Gather>");
    scene.prepared();
    let lines = redirect(&mut scene, "<Say>Listen</Say>");
    assert_eq!(lines, ["Hush 0", "0: verb 0 interrupted", "0: verb 1 Say", "Speak \"Listen\""]);
}

#[test]
fn a_redirect_overtakes_a_request_under_way() {
    let mut scene = Scene::incoming(application(None));
    scene.starts();
    let lines = redirect(&mut scene, "<Say>Listen</Say>");
    assert!(lines.contains(&"Pickup 0".to_owned()), "{lines:?}");
    // The request's answer comes late.
    assert_eq!(scene.document("<Hangup/>"), ["0: exchanged"]);
    let lines = scene.signal(MAIN, Signal::Acknowledged);
    assert_eq!(lines.last().map(String::as_str), Some("Speak \"Listen\""), "{lines:?}");
}

#[test]
fn the_action_of_a_dial_hears_that_the_call_was_redirected() {
    let (mut scene, _) = Scene::talking(r#"<Dial action="/done">85510000001</Dial>"#);
    scene.placed(LegNo(1));
    scene.signal(LegNo(1), Signal::Answered);
    scene.later(5);
    let lines = redirect(&mut scene, "<Say>Listen</Say>");
    assert_eq!(lines[lines.len() - 2..], ["Fetch POST https://example.com/done", "SetTimer Verb 3"]);
    let told = ["DialCallStatus", "DialCallDuration"].map(|name| scene.param(name));
    assert_eq!(told, ["completed", "5"]);
    // What it answers is not run; what the call was redirected to is.
    assert_eq!(
        scene.document("<Hangup/>"),
        ["0: exchanged", "CancelTimer Verb", "0: verb 1 Say", "Speak \"Listen\""]
    );
}

/// A call whose dial with an action was ended by a redirect to this program; the action has not answered.
fn leaving(program: Program) -> Scene {
    let (mut scene, _) = Scene::talking(r#"<Dial action="/done">85510000001</Dial>"#);
    scene.placed(LegNo(1));
    scene.signal(LegNo(1), Signal::Answered);
    let lines = scene.feed(Happened::Redirected(MAIN, program));
    let asked: Vec<_> = lines.iter().filter(|line| line.starts_with("Fetch")).collect();
    assert_eq!(asked, ["Fetch POST https://example.com/done"]);
    scene
}

#[test]
fn what_a_call_is_redirected_to_is_asked_when_the_action_of_its_dial_has_answered_or_failed() {
    let target = format!("Fetch POST {VOICE}");
    assert_eq!(leaving(application(None)).document("<Hangup/>").last(), Some(&target));
    let mut scene = leaving(application(None));
    assert_eq!(scene.fetch_fails(), ["0: exchanged", "CancelTimer Verb", &target]);
    assert_eq!(scene.param("CallStatus"), "in-progress");
    assert_eq!(scene.document("<Say>Hi</Say>").last().unwrap(), "Speak \"Hi\"");
}

#[test]
fn an_action_that_hangs_does_not_hold_a_redirect_for_long() {
    let mut scene = leaving(Program::Inline("<Response><Say>Listen</Say></Response>".into()));
    let lines = scene.fires(TimerKey::Verb(MAIN));
    assert_eq!(lines, ["CancelTimer Verb", "0: verb 1 Say", "Speak \"Listen\""]);
    assert_eq!(scene.document("<Hangup/>"), ["0: exchanged"], "too late");
}

#[test]
fn a_redirect_while_the_action_is_asked_takes_the_place_of_the_first() {
    let mut scene = leaving(application(None));
    assert_eq!(redirect(&mut scene, "<Say>Listen</Say>"), [""; 0]);
    assert_eq!(scene.document("<Hangup/>").last().unwrap(), "Speak \"Listen\"");
}

#[test]
fn a_call_that_ends_while_the_action_is_asked_runs_nothing_more() {
    let mut scene = leaving(application(None));
    scene.signal(MAIN, Signal::Closed(Closing::HungUp));
    assert_eq!(scene.document("<Hangup/>"), ["0: exchanged"]);
}

#[test]
fn a_redirect_ends_a_dial() {
    let (mut scene, _) = Scene::talking("<Dial>85510000001</Dial>");
    scene.placed(LegNo(1));
    scene.signal(LegNo(1), Signal::Answered);
    let lines = redirect(&mut scene, "<Say>Listen</Say>");
    assert_eq!(
        lines,
        [
            "CancelTimer Verb",
            "Unbridge 0",
            "0: unbridged",
            "1: unbridged",
            "HangUp 1",
            "1: ended PeerHungUp",
            "Release 1",
            "0: verb 0 interrupted",
            "0: verb 1 Say",
            "Speak \"Listen\"",
        ]
    );
    assert_eq!(scene.winds_up(&[LegNo(1)]), ["1: summarized"]);
}

#[test]
fn a_call_redirected_while_it_rings_runs_the_new_program() {
    let mut scene = Scene::outgoing(application(None), None);
    scene.starts();
    scene.placed(MAIN);
    assert_eq!(redirect(&mut scene, "<Say>Listen</Say>"), [""; 0]);
    assert_eq!(scene.signal(MAIN, Signal::Answered)[2..], ["0: verb 0 Say", "Speak \"Listen\""]);
}

#[test]
fn completing_a_call_hangs_it_up() {
    let (mut scene, _) = Scene::talking("<Say>Hi</Say>");
    let lines = scene.feed(end_requested(MAIN, Status::Completed));
    assert!(
        lines.contains(&"HangUp 0".to_owned()) && lines.contains(&"0: ended CompletedByApi".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_cancel_that_the_answer_crossed_hangs_up() {
    let (mut scene, _) = Scene::talking("<Say>Hi</Say>");
    let lines = scene.feed(end_requested(MAIN, Status::Canceled));
    assert!(
        lines.contains(&"HangUp 0".to_owned()) && lines.contains(&"0: ended CompletedByApi".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn cancelling_ends_a_call_before_its_answer() {
    let mut scene = Scene::outgoing(application(None), None);
    scene.starts();
    scene.placed(MAIN);
    let lines = scene.feed(end_requested(MAIN, Status::Canceled));
    assert!(
        lines.contains(&"HangUp 0".to_owned()) && lines.contains(&"0: ended CanceledByApi".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn completing_a_dialled_call_gives_its_parent_back() {
    let (mut scene, _) = Scene::talking("<Dial>85510000001</Dial><Say>Back</Say>");
    scene.placed(LegNo(1));
    scene.signal(LegNo(1), Signal::Answered);
    let lines = scene.feed(end_requested(LegNo(1), Status::Completed));
    assert!(lines.contains(&"1: ended CompletedByApi".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "Speak \"Back\"");
}

#[test]
fn a_stop_of_ours_ends_the_whole_family() {
    let (mut scene, _) = Scene::talking("<Dial>85510000001</Dial>");
    scene.placed(LegNo(1));
    let lines = scene.feed(Happened::Stopped(EndReason::ShutDown));
    assert!(lines.contains(&"HangUp 0".to_owned()) && lines.contains(&"HangUp 1".to_owned()), "{lines:?}");
    assert!(lines.contains(&"0: ended ShutDown".to_owned()), "{lines:?}");
    scene.winds_up(&[MAIN, LegNo(1)]);
    assert!(scene.is_over());
}
