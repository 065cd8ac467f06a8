//! Calls that arrive: answered, heard, spoken to, hung up.

use super::{sound::wav, *};
use crate::speech::Speech;
use domain::call::{CallCommand, EndReason, Program, Status};

const TONE: &str = "https://app.example/tone.wav";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_hears_what_the_application_plays() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, &format!("<Play>{TONE}</Play><Hangup/>"));
    stage.outside.serves_sound(TONE, wav(1000.0, Duration::from_secs(2)));
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hears_tone(1000.0).await;
    caller.hung_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::ApplicationHungUp);
    let summary = stage
        .outside
        .fact(|_, fact| if let CallCommand::Summarize(it) = fact { Some(it.clone()) } else { None });
    let summary = summary.await;
    assert!(
        summary.codec == "PCMU" && summary.packets_sent > 50 && summary.packets_received > 20,
        "{summary:?}"
    );
    assert_eq!(
        stage.outside.story(),
        [
            "Receive",
            "Exchange",
            "Connect",
            "StartVerb",
            "EndVerb",
            "StartVerb",
            "EndVerb",
            "End",
            "Summarize",
        ]
    );
    for message in ["INVITE", "180", "200", "ACK", "BYE"] {
        stage.outside.saw(message).await;
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pressed_key_reaches_the_application() {
    let stage = Stage::set().await;
    stage.outside.serves(
        VOICE,
        &format!(r#"<Gather numDigits="2" action="/digits"><Play loop="0">{TONE}</Play></Gather>"#),
    );
    stage.outside.serves("https://app.example/digits", "<Hangup/>");
    stage.outside.serves_sound(TONE, wav(1000.0, Duration::from_secs(2)));
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hears_tone(1000.0).await;
    caller.press(5).await;
    caller.hears_silence().await;
    caller.press(11).await;
    caller.hung_up().await;
    assert_eq!(stage.outside.param("https://app.example/digits", "Digits"), "5");
    assert_eq!(stage.outside.param("https://app.example/digits", "FinishedOnKey"), "#");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_call_is_never_answered() {
    for (twiml, code) in [("<Reject/>", "603"), (r#"<Reject reason="busy"/>"#, "486")] {
        let stage = Stage::set().await;
        stage.outside.serves(VOICE, twiml);
        let mut caller = stage.caller().await;
        caller.dial("1234").await;
        let answer = caller.next(&["200", "603", "486"]).await;
        caller.acknowledge(&answer).await;
        assert_eq!(answer.kind(), code);
        stage.outside.ended().await;
        stage.strike().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_nobody_is_refused_and_remembered() {
    let stage = Stage::set().await;
    let mut caller = stage.caller().await;
    caller.dial("4321").await;
    let answer = caller.next(&["404"]).await;
    caller.acknowledge(&answer).await;
    assert_eq!(stage.outside.ended().await, EndReason::NumberNotFound);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_of_nothing_we_speak_is_refused_before_anybody_is_asked() {
    let stage = Stage::set().await;
    let mut caller = stage.caller().await;
    let offer = caller.sdp("sendrecv").replace("RTP/AVP 0 101", "RTP/AVP 9 101");
    caller.dial_offering("1234", &offer).await;
    let answer = caller.next(&["180", "488"]).await;
    assert_eq!(answer.kind(), "488");
    assert_eq!(
        answer.header("Warning"),
        "305 trunkline \"Incompatible media format: offered audio RTP/AVP G722, telephone-event\""
    );
    caller.acknowledge(&answer).await;
    let detail = stage.outside.fact(|_, fact| match fact {
        CallCommand::End(ending) => Some(ending.detail.clone().unwrap_or_default()),
        _ => None,
    });
    assert!(detail.await.contains("audio RTP/AVP G722"));
    assert_eq!(stage.outside.ended().await, EndReason::MediaFailed);
    assert_eq!(stage.outside.story(), ["Receive", "End"]);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_may_give_up() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Pause length="60"/><Say>Hello</Say>"#);
    let mut caller = stage.caller().await;
    caller.dial("1234").await;
    caller.next(&["180"]).await;
    stage.outside.requested(VOICE).await;
    caller.cancel().await;
    let answer = caller.next(&["487"]).await;
    caller.acknowledge(&answer).await;
    assert_eq!(stage.outside.ended().await, EndReason::CanceledByCaller);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_is_gone() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, &format!(r#"<Play loop="0">{TONE}</Play>"#));
    stage.outside.serves_sound(TONE, wav(1000.0, Duration::from_secs(2)));
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hears_tone(1000.0).await;
    caller.hang_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::HungUp);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hold_silences_and_resume_goes_on() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, &format!(r#"<Play loop="0">{TONE}</Play>"#));
    stage.outside.serves_sound(TONE, wav(1000.0, Duration::from_secs(2)));
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hears_tone(1000.0).await;
    let answer = caller.reinvite("sendonly").await;
    assert!(answer.body().contains("a=recvonly"), "{answer:?}");
    stage.outside.fact(|_, fact| (*fact == CallCommand::Hold { held: true }).then_some(())).await;
    let answer = caller.reinvite("sendrecv").await;
    assert!(answer.body().contains("a=sendrecv"), "{answer:?}");
    stage.outside.fact(|_, fact| (*fact == CallCommand::Hold { held: false }).then_some(())).await;
    caller.hears_tone(1000.0).await;
    caller.hang_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_call_is_redirected_and_then_completed_by_the_api() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, &format!(r#"<Play loop="0">{TONE}</Play>"#));
    stage.outside.serves_sound(TONE, wav(1000.0, Duration::from_secs(2)));
    stage.outside.serves_sound("https://app.example/other.wav", wav(600.0, Duration::from_secs(2)));
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hears_tone(1000.0).await;
    let call = stage.outside.fact(|sid, _| Some(sid.clone())).await;
    let other = r#"<Response><Play loop="0">https://app.example/other.wav</Play></Response>"#;
    assert!(stage.engine.redirect(&call, Program::Inline(other.into())));
    caller.hears_tone(600.0).await;
    assert!(stage.engine.end(&call, Status::Completed));
    caller.hung_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::CompletedByApi);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_neither_heard_nor_answered() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60" action="/digits"/>"#);
    stage.outside.serves("https://app.example/digits", "<Hangup/>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hears_silence().await;
    let stranger = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // A digit pressed by somebody else: 9, with its three end packets.
    for sequence in 0..20_u8 {
        let mut packet = vec![0x80, 101, 0, sequence, 0, 0, 0, 1, 9, 9, 9, 9];
        packet.extend([9, 0x8a, 3, 0x20]);
        stranger.send_to(&packet, caller.hears_from()).await.unwrap();
    }
    caller.press(5).await;
    caller.press(11).await;
    stage.outside.requested("https://app.example/digits").await;
    assert_eq!(stage.outside.param("https://app.example/digits", "Digits"), "5");
    let mut buffer = [0; 2048];
    assert!(stranger.try_recv(&mut buffer).is_err(), "the stranger hears nothing");
    caller.hung_up().await;
    stage.outside.ended().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_fails_is_apologised_for() {
    let stage = Stage::set().await;
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let spoken = |fact: &CallCommand| match fact {
        CallCommand::StartVerb { verb, attributes, .. } if verb == "Say" => Some(attributes.clone()),
        _ => None,
    };
    let attributes = stage.outside.fact(|_, fact| spoken(fact)).await;
    assert!(attributes[0].1.contains("sorry"), "{attributes:?}");
    if Speech::detect().programs().is_empty() {
        crate::speech::nothing_to_hear();
    } else {
        let warned =
            |code, fact: &CallCommand| matches!(fact, CallCommand::Warn { code: it, .. } if *it == code);
        tokio::select! {
            () = caller.hears_something() => {}
            () = stage.outside.fact(|_, fact| warned(13520, fact).then_some(())) => panic!("it could not be spoken"),
        }
    }
    caller.hung_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::ApplicationFailed);
    assert!(stage.outside.story().contains(&"Warn".to_owned()));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_changes_no_calls_length() {
    for seconds in [3_600, -3_600] {
        let stage = Stage::set().await;
        stage.outside.serves(VOICE, &format!(r#"<Play loop="0">{TONE}</Play>"#));
        stage.outside.serves_sound(TONE, wav(1000.0, Duration::from_secs(2)));
        let mut caller = stage.caller().await;
        caller.call("1234", 440.0).await;
        caller.hears_tone(1000.0).await;
        stage.set_the_clock_by(seconds);
        caller.hang_up().await;
        let measured = stage.outside.fact(|_, fact| match fact {
            CallCommand::End(ending) => ending.duration_s,
            _ => None,
        });
        let measured = measured.await;
        assert!((1..20).contains(&measured), "{measured} s");
        stage.outside.saw("BYE").await;
        assert!(stage.outside.span() < SOON, "{:?}", stage.outside.span());
        stage.strike().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_sound_all_came_from_elsewhere_says_so() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="1"/><Hangup/>"#);
    let mut caller = stage.caller().await;
    caller.speaks_from("127.0.0.3").await;
    let offer = caller.sdp("sendrecv").replace("c=IN IP4 127.0.0.3", "c=IN IP4 127.0.0.2");
    caller.dial_offering("1234", &offer).await;
    let answer = caller.next(&["200"]).await;
    caller.talk(answer, 440.0).await;
    caller.hung_up().await;
    let warned = |fact: &CallCommand| match fact {
        CallCommand::Warn { code: 53405, message } => Some(message.clone()),
        _ => None,
    };
    let message = stage.outside.fact(|_, fact| warned(fact)).await;
    assert!(message.contains(&caller.rtp_addr().to_string()), "{message}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_in_the_trunks_media_networks_is_heard_and_spoken_to() {
    let stage = Stage::set().await;
    stage.media_comes_from("127.0.0.1/32");
    stage
        .outside
        .serves(VOICE, &format!(r#"<Gather action="/digits"><Play loop="0">{TONE}</Play></Gather>"#));
    stage.outside.serves("https://app.example/digits", "<Hangup/>");
    stage.outside.serves_sound(TONE, wav(1000.0, Duration::from_secs(2)));
    let mut caller = stage.caller().await;
    let offer = caller.sdp("sendrecv").replace("c=IN IP4 127.0.0.1", "c=IN IP4 127.0.0.2");
    caller.dial_offering("1234", &offer).await;
    let answer = caller.next(&["200"]).await;
    caller.talk(answer, 440.0).await;
    caller.hears_tone(1000.0).await;
    caller.press(11).await;
    caller.hung_up().await;
    stage.strike().await;
}
