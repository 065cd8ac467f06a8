//! A dialled call that is redirected: it leaves its `<Dial>` and runs a program of its own.

use super::*;

const CHILD: LegNo = LegNo(1);

fn redirect(scene: &mut Scene, leg: LegNo, twiml: &str) -> Vec<String> {
    scene.feed(Happened::Redirected(leg, Program::Inline(format!("<Response>{twiml}</Response>"))))
}

/// A call that runs this TwiML, whose dialled call is connected with it, and has been for five seconds.
fn connected(twiml: &str) -> Scene {
    let (mut scene, _) = Scene::talking(twiml);
    scene.placed(CHILD);
    assert!(scene.signal(CHILD, Signal::Answered).contains(&"Bridge 0 1".to_owned()));
    scene.later(5);
    scene
}

#[test]
fn a_dialled_call_that_is_redirected_leaves_and_its_parent_goes_on_behind_the_dial() {
    let mut scene = connected("<Dial timeLimit=\"60\">85510000001</Dial><Say>Back</Say>");
    assert_eq!(
        redirect(&mut scene, CHILD, "<Say>Listen</Say>"),
        [
            "Unbridge 0",
            "0: unbridged",
            "1: unbridged",
            "SetTimer TimeLimit of 1 14395",
            "1: verb 0 Say",
            "Speak \"Listen\"",
            "CancelTimer Verb",
            "0: verb 0 completed: DialCallStatus=completed, DialCallSid=CA00000000000000000000000000000064, \
             DialCallDuration=5, DialBridged=true",
            "0: verb 1 Say",
            "Speak \"Back\"",
        ]
    );
}

#[test]
fn the_action_of_the_dial_hears_that_it_is_completed() {
    let mut scene = connected("<Dial action=\"/done\">85510000001</Dial>");
    let lines = redirect(&mut scene, CHILD, "<Pause length=\"30\"/>");
    assert!(lines.contains(&"SetTimer Verb of 1 30".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "Fetch POST https://example.com/done");
    let told = ["CallSid", "DialCallStatus", "DialCallDuration", "DialBridged"].map(|name| scene.param(name));
    assert_eq!(told, [call().sid.as_str(), "completed", "5", "true"]);
    assert_eq!(scene.document("<Say>Thanks</Say>")[..2], ["0: exchanged", "0: verb 1 Say"]);
}

#[test]
fn both_programs_run_on_side_by_side() {
    let mut scene = connected("<Dial>85510000001</Dial><Pause length=\"10\"/><Say>Back</Say>");
    redirect(&mut scene, CHILD, "<Gather action=\"https://example.com/keys\" numDigits=\"1\"/>");
    let lines = scene.fires(TimerKey::Verb(MAIN));
    assert_eq!(lines[..2], ["0: verb 1 completed", "0: verb 2 Say"], "{lines:?}");
    assert!(scene.press(MAIN, "7").iter().all(|line| !line.starts_with("Fetch")));
    let lines = scene.press(CHILD, "5");
    assert!(lines.contains(&"Fetch POST https://example.com/keys".to_owned()), "{lines:?}");
    assert_eq!((scene.param("Digits"), scene.param("Direction")), ("5", "outbound-dial"));
    assert_eq!(scene.param("ParentCallSid"), call().sid.as_str());
    assert_eq!(scene.document("<Say>Five</Say>")[..2], ["1: exchanged", "1: verb 1 Say"]);
    // The sound is the dialled call's.
    assert_eq!(scene.prepared(), ["Play 1 x1"]);
}

#[test]
fn each_ends_without_the_other() {
    let mut scene = connected("<Dial>85510000001</Dial><Pause length=\"10\"/>");
    redirect(&mut scene, CHILD, "<Pause length=\"30\"/>");
    let lines = scene.signal(MAIN, Signal::Closed(Closing::HungUp));
    assert!(lines.contains(&"0: ended HungUp".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains(" 1") && line.starts_with("HangUp")), "{lines:?}");
    scene.winds_up(&[MAIN]);
    assert!(!scene.is_over(), "the dialled call goes on");
    let lines = scene.fires(TimerKey::Verb(CHILD));
    assert!(lines.contains(&"HangUp 1".to_owned()), "{lines:?}");
    assert!(lines.contains(&"1: ended ApplicationHungUp".to_owned()), "{lines:?}");
    scene.winds_up(&[CHILD]);
    assert!(scene.is_over());
}

#[test]
fn it_can_dial_itself_and_be_redirected_again() {
    let mut scene = connected("<Dial>85510000001</Dial><Pause length=\"60\"/>");
    let lines = redirect(&mut scene, CHILD, "<Dial>85510000002</Dial>");
    assert!(lines.contains(&"Place 2 from +15551230000 to +85510000002".to_owned()), "{lines:?}");
    scene.placed(LegNo(2));
    assert!(scene.signal(LegNo(2), Signal::Answered).contains(&"Bridge 1 2".to_owned()));
    let lines = redirect(&mut scene, CHILD, "<Say>Again</Say>");
    assert!(
        lines.contains(&"HangUp 2".to_owned()) && lines.contains(&"1: verb 1 Say".to_owned()),
        "{lines:?}"
    );
    assert!(
        !lines.iter().any(|line| line.starts_with("0:")),
        "the parent has nothing to do with it: {lines:?}"
    );
}

#[test]
fn a_dialled_call_nobody_answered_has_nothing_to_run_a_program_on() {
    let (mut scene, _) = Scene::talking("<Dial>85510000001</Dial>");
    scene.placed(CHILD);
    assert_eq!(redirect(&mut scene, CHILD, "<Say>Listen</Say>"), [""; 0]);
}

#[test]
fn a_stop_of_ours_ends_those_that_left_as_well() {
    let mut scene = connected("<Dial>85510000001</Dial><Pause length=\"60\"/>");
    redirect(&mut scene, CHILD, "<Pause length=\"60\"/>");
    let lines = scene.feed(Happened::Stopped(EndReason::ShutDown));
    for leg in [0, 1] {
        assert!(lines.contains(&format!("{leg}: ended ShutDown")), "{lines:?}");
    }
    scene.winds_up(&[MAIN, CHILD]);
    assert!(scene.is_over());
}

#[test]
fn one_that_left_ends_with_its_own_time_limit() {
    let mut scene = connected("<Dial timeLimit=\"60\">85510000001</Dial><Pause length=\"60\"/>");
    redirect(&mut scene, CHILD, "<Pause length=\"60\"/>");
    let lines = scene.fires(TimerKey::TimeLimit(CHILD));
    assert!(lines.contains(&"1: ended TimeLimit".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("0:")), "{lines:?}");
}
