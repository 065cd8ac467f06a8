//! Who is said to be calling, on the wire.

use super::*;
use phone::Message;

/// The INVITE that a `<Dial>` sends for a caller of this name, with these headers.
async fn dialled(stage: &mut Stage, dial: &str, from: &str, headers: &str) -> Message {
    stage.outside.serves(VOICE, dial);
    let mut caller = stage.caller().await;
    caller.calls_as(from, headers);
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.respond(&invite, 486, "").await;
    caller.hung_up().await;
    invite
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_caller_is_passed_on_as_hidden() {
    let mut stage = Stage::set().await;
    for (from, headers) in [
        ("anonymous", ""),
        ("+15551230000", "Privacy: id\r\nP-Asserted-Identity: <sip:+15551230000@carrier.example>\r\n"),
        ("+15551230000", "Privacy: user;critical\r\n"),
        (
            "+15551230000",
            "Remote-Party-ID: <sip:+15551230000@carrier.example>;party=calling;privacy=full\r\n",
        ),
    ] {
        let invite = dialled(&mut stage, "<Dial>85510000001</Dial>", from, headers).await;
        let shown = invite.header("From");
        assert!(shown.starts_with("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="), "{shown}");
        assert_eq!(invite.header("Privacy"), "id");
        assert!(!invite.mentions("P-Asserted-Identity") && !invite.mentions("15551230000"), "{invite:?}");
        assert_eq!(stage.outside.param(VOICE, "From"), "anonymous", "the application is told no more");
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_network_is_told_who_hides_by_one_that_is_trusted() {
    let mut stage = Stage::set().await;
    for (inbound, outbound) in [(true, true), (true, false), (false, true)] {
        stage.knows(|mut network| {
            let trunk = &mut network.trunks[0];
            trunk.inbound.iter_mut().for_each(|side| side.trusted = inbound);
            trunk.outbound.iter_mut().for_each(|side| side.trusted = outbound);
            network
        });
        let headers = "Privacy: id\r\nP-Asserted-Identity: <sip:+15551239999@carrier.example>\r\n";
        let invite = dialled(&mut stage, "<Dial>85510000001</Dial>", "anonymous", headers).await;
        assert_eq!(invite.header("Privacy"), "id");
        let asserted = invite.header("P-Asserted-Identity");
        assert_eq!(asserted.starts_with("<sip:15551239999@"), inbound && outbound, "{invite:?}");
        assert_eq!(asserted.is_empty(), !(inbound && outbound), "{invite:?}");
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_vouch_for_the_accounts_own_numbers_and_for_no_strangers() {
    let mut stage = Stage::set().await;
    let dial = r#"<Dial callerId="1234">85510000001</Dial>"#;
    let invite = dialled(&mut stage, dial, "+15551230000", "").await;
    assert!(invite.header("From").starts_with("<sip:1234@"), "{invite:?}");
    assert!(invite.header("P-Asserted-Identity").starts_with("<sip:1234@"), "{invite:?}");
    let invite = dialled(&mut stage, "<Dial>85510000001</Dial>", "+15551230000", "").await;
    assert!(invite.header("From").starts_with("<sip:15551230000@"), "{invite:?}");
    assert!(!invite.mentions("P-Asserted-Identity") && !invite.mentions("Privacy"), "{invite:?}");
    for dial in ["<Dial>85510000001</Dial>", dial] {
        let invite = dialled(&mut stage, dial, "1234", "").await;
        assert!(invite.header("From").starts_with("<sip:1234@"), "{invite:?}");
        assert!(!invite.mentions("P-Asserted-Identity"), "he only says to be us: {invite:?}");
    }
    for (from, hidden) in [
        ("1234", "Privacy: id\r\n"),
        ("anonymous", "Privacy: id\r\nP-Asserted-Identity: <sip:1234@carrier.example>\r\n"),
    ] {
        let invite = dialled(&mut stage, dial, from, hidden).await;
        assert!(invite.header("From").starts_with("<sip:1234@"), "{invite:?}");
        assert!(!invite.mentions("P-Asserted-Identity"), "and no more where he hides: {invite:?}");
    }
    let invite = dialled(&mut stage, dial, "+15551230000", "Privacy: id\r\n").await;
    assert!(invite.header("P-Asserted-Identity").starts_with("<sip:1234@"), "it is ours: {invite:?}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialled_call_has_one_hop_less_to_go() {
    let mut stage = Stage::set().await;
    let invite = dialled(&mut stage, "<Dial>85510000001</Dial>", "+15551230000", "").await;
    assert_eq!(invite.header("Max-Forwards"), "69");
    stage.strike().await;
}
