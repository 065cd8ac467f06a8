//! IPv4 and IPv6: each party is answered in its own family, or told why not.

use super::*;
use domain::call::{CallCommand, EndReason};

/// A phone at this address calls the socket of its family.
async fn caller_at(stage: &Stage, ip: IpAddr) -> Phone {
    let socket = stage.engine.sip_addrs().iter().find(|own| own.is_ipv4() == ip.is_ipv4()).unwrap();
    Phone::at(ip, SocketAddr::new(ip, socket.port())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_both_families_are_heard_on_addresses_of_their_own() {
    let stage = Stage::between_families().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    for (ip, line) in [(HERE, "c=IN IP4 127.0.0.1"), (Ipv6Addr::LOCALHOST.into(), "c=IN IP6 ::1")] {
        let mut caller = caller_at(&stage, ip).await;
        caller.dial("1234").await;
        let answer = caller.next(&["200"]).await;
        assert!(answer.body().contains(line), "{answer:?}");
        caller.talk(answer, 440.0).await;
        caller.hears_silence().await;
        caller.hang_up().await;
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_of_the_other_family_is_answered_in_it_where_we_have_it() {
    let stage = Stage::between_families().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = caller_at(&stage, HERE).await;
    let offer = caller.sdp("sendrecv").replace("IN IP4 127.0.0.1", "IN IP6 ::1");
    caller.dial_offering("1234", &offer).await;
    let answer = caller.next(&["200"]).await;
    assert!(answer.body().contains("c=IN IP6 ::1"), "{answer:?}");
    caller.talk(answer, 440.0).await;
    caller.hang_up().await;
    stage.strike().await;
}

/// An offer whose media address is not one that we can send to is refused, and told why.
async fn is_refused_for_its_address(address: &str, why: &str) {
    let stage = Stage::set().await;
    let mut caller = stage.caller().await;
    let offer = caller.sdp("sendrecv").replace("IN IP4 127.0.0.1", address);
    caller.dial_offering("1234", &offer).await;
    let answer = caller.next(&["488", "200"]).await;
    caller.acknowledge(&answer).await;
    assert_eq!(answer.kind(), "488");
    assert!(answer.header("Warning").starts_with("301 "), "{answer:?}");
    let ending = |fact: &CallCommand| match fact {
        CallCommand::End(ending) => Some(ending.clone()),
        _ => None,
    };
    let ending = stage.outside.fact(|_, fact| ending(fact)).await;
    assert!(ending.detail.is_some_and(|detail| detail.contains(why)));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_of_a_family_we_do_not_have_is_refused_with_warning_301() {
    is_refused_for_its_address("IN IP6 ::1", "IPv6").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_whose_media_address_is_a_host_name_is_refused_with_warning_301() {
    is_refused_for_its_address("IN IP4 media.example.com", "host name").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_an_ipv6_host_fails_at_once_where_we_have_no_ipv6() {
    let stage = Stage::between(vec![SocketAddr::new(HERE, 0)], Ipv6Addr::LOCALHOST.into(), 100).await;
    stage.outside.serves(VOICE, "<Dial>85510000001</Dial>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hung_up().await;
    let failed = |fact: &CallCommand| match fact {
        CallCommand::End(ending) if ending.reason == EndReason::TrunkUnreachable => Some(ending.clone()),
        _ => None,
    };
    let ending = stage.outside.fact(|_, fact| failed(fact)).await;
    let detail = ending.detail.unwrap_or_default();
    assert!(detail.contains("IPv6") && detail.contains("sip.listen"), "{detail}");
    stage.strike().await;
}
