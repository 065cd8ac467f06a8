//! Phones of calls whose engine is gone.

use super::*;
use crate::outside::CallRef;
use domain::call::{CallCommand, Direction, SipDialog};

/// A call of another engine's.
fn call() -> CallRef {
    CallRef { sid: sid(Kind::Call, 9), tenant: tenant() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_engine_hangs_up_on_both_phones_by_what_the_log_has() {
    let (mut stage, there) = (Stage::set().await, Stage::set().await);
    stage.outside.serves(VOICE, "<Dial>+85510000001</Dial>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.answer(&invite, 1000.0).await;
    let host = stage.callee.sip_addr().to_string();
    let talks = |with_callee: bool| {
        let host = host.clone();
        move |_: &Sid, fact: &CallCommand| match fact {
            CallCommand::Connect(dialog) => {
                (with_callee == (dialog.peer.to_string() == host)).then(|| dialog.clone())
            }
            _ => None,
        }
    };
    for (with_callee, direction) in [(true, Direction::OutboundDial), (false, Direction::Inbound)] {
        let dialog: Box<SipDialog> = stage.outside.fact(talks(with_callee)).await;
        assert!(there.engine.part(call(), direction, &sid(Kind::Trunk, 1), dialog));
    }
    caller.hung_up().await;
    stage.callee.hung_up().await;
    there.outside.saw("BYE").await;
    there.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_engine_calls_off_a_phone_that_rings_by_what_the_log_has() {
    let (mut stage, there) = (Stage::set().await, Stage::set().await);
    stage.outside.serves(VOICE, "<Dial>+85510000001</Dial>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.respond(&invite, 180, "").await;
    let rings = |_: &Sid, fact: &CallCommand| match fact {
        CallCommand::Ring { invite, .. } => invite.clone(),
        _ => None,
    };
    let placed: Box<SipDialog> = stage.outside.fact(rings).await;
    assert!(there.engine.part(call(), Direction::OutboundDial, &sid(Kind::Trunk, 1), placed));
    let cancel = stage.callee.next(&["CANCEL"]).await;
    assert_eq!(cancel.header("Via"), invite.header("Via"));
    there.outside.saw("CANCEL").await;
    stage.callee.respond(&invite, 487, "").await;
    caller.hung_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_anything_who_is_no_address_of_the_trunk_any_more() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let of = |_: &Sid, fact: &CallCommand| match fact {
        CallCommand::Connect(dialog) => Some(dialog.clone()),
        _ => None,
    };
    let dialog = stage.outside.fact(of).await;
    assert!(
        !stage.engine.part(call(), Direction::Inbound, &sid(Kind::Trunk, 8), dialog.clone()),
        "the trunk is gone"
    );
    let moved = SipDialog { peer: "192.0.2.1:5060".parse().unwrap(), ..(*dialog).clone() };
    assert!(!stage.engine.part(call(), Direction::Inbound, &sid(Kind::Trunk, 1), Box::new(moved)));
    caller.hang_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_was_called_through_a_trunk_is_told_its_login() {
    let (stage, there) = (Stage::set().await, Stage::set().await);
    there.knows(|mut network| {
        let trunk = &mut network.trunks[0];
        trunk.outbound.as_mut().unwrap().username = Some("us".into());
        trunk.password = Some("secret".into());
        network
    });
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let connected = |_: &Sid, fact: &CallCommand| match fact {
        CallCommand::Connect(dialog) => Some(dialog.clone()),
        _ => None,
    };
    let dialog: Box<SipDialog> = stage.outside.fact(connected).await;
    // As of one that the trunk challenged.
    let dialog = Box::new(SipDialog { realm: Some("theirs".into()), ..*dialog });
    let part = |direction| there.engine.part(call(), direction, &sid(Kind::Trunk, 1), dialog.clone());
    let challenge = "WWW-Authenticate: Digest realm=\"theirs\", nonce=\"n\", qop=\"auth\"\r\n";
    assert!(part(Direction::Inbound));
    let bye = caller.next(&["BYE"]).await;
    caller.respond_with(&bye, 401, challenge, "").await;
    there.outside.saw("401").await;
    assert!(part(Direction::OutboundDial));
    let bye = caller.next(&["BYE"]).await;
    assert_eq!(bye.header("Authorization"), "", "nothing came of the first");
    caller.respond_with(&bye, 401, challenge, "").await;
    assert!(caller.next(&["BYE"]).await.header("Authorization").contains("realm=\"theirs\""));
}
