//! Trunks that are dead, silent or full: the call goes elsewhere, and stays one call.

use super::{outbound::queued, *};
use domain::call::{CallCommand, EndReason};
#[cfg(target_os = "linux")]
use std::net::UdpSocket;
use tokio::time::Instant;

/// What a call went through, in short.
fn line(fact: &CallCommand) -> Option<String> {
    match fact {
        CallCommand::Initiate { .. } => Some("initiated".into()),
        CallCommand::FailAttempt { sip_code, reason, .. } => Some(format!("failed {sip_code:?} {reason}")),
        CallCommand::Reroute { .. } => Some("rerouted".into()),
        CallCommand::Answer | CallCommand::Connect(_) => Some("answered".into()),
        _ => None,
    }
}

/// A port that takes nothing from us: it is kept, and listens to somebody else only.
#[cfg(target_os = "linux")]
fn closed() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((HERE, 0)).unwrap();
    socket.connect((HERE, 9)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_and_a_full_trunk_lead_to_the_next_one_within_a_moment() {
    let mut stage = Stage::set().await;
    let mut full = Phone::at(HERE, SocketAddr::new(HERE, 0)).await;
    let (_kept, dead) = closed();
    let hosts = [dead, full.sip_addr(), stage.callee.sip_addr()];
    stage.trunks_are_at(&hosts.map(|host| host.to_string()));
    let began = Instant::now();
    stage.place(queued("<Hangup/>", 30));
    let invite = full.rings().await;
    full.respond(&invite, 503, "").await;
    full.next(&["ACK"]).await;
    let invite = stage.callee.rings().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    stage.callee.respond(&invite, 180, "").await;
    stage.callee.answer(&invite, 440.0).await;
    stage.callee.hung_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::ApplicationHungUp);
    let told = [
        "initiated",
        "failed None The network cannot reach it",
        "rerouted",
        "failed Some(503) Because",
        "rerouted",
        "answered",
    ];
    assert_eq!(stage.outside.facts_of(line), told);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_trunk_is_left_after_four_seconds_and_its_late_answer_is_hung_up() {
    let mut stage = Stage::set().await;
    let mut silent = Phone::at(HERE, SocketAddr::new(HERE, 0)).await;
    let hosts = [silent.sip_addr(), stage.callee.sip_addr()];
    stage.trunks_are_at(&hosts.map(|host| host.to_string()));
    let began = Instant::now();
    stage.place(queued("<Pause length=\"60\"/>", 30));
    let late = silent.rings().await;
    let invite = stage.callee.rings().await;
    let took = began.elapsed().as_secs_f64();
    assert!((3.9..8.0).contains(&took), "{took}");
    stage.callee.answer(&invite, 440.0).await;
    silent.respond(&late, 200, &silent.sdp("sendrecv")).await;
    silent.next(&["ACK"]).await;
    silent.hung_up().await;
    stage.callee.hang_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::HungUp);
    let told = ["initiated", "failed None No response", "rerouted", "answered"];
    assert_eq!(stage.outside.facts_of(line), told);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_first_call_waits_for_a_trunk_that_is_silent() {
    let mut stage = Stage::set().await;
    let silent = Phone::at(HERE, SocketAddr::new(HERE, 0)).await;
    let hosts = [silent.sip_addr(), stage.callee.sip_addr()];
    stage.trunks_are_at(&hosts.map(|host| host.to_string()));
    let mut took = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        stage.place(queued("<Hangup/>", 30));
        let invite = stage.callee.rings().await;
        took.push(began.elapsed().as_secs_f64());
        stage.callee.answer(&invite, 440.0).await;
        stage.callee.hung_up().await;
        assert_eq!(stage.outside.ended().await, EndReason::ApplicationHungUp);
    }
    assert!(took[0] >= 3.9 && took[1..].iter().all(|took| *took < 2.0), "{took:?}");
    stage.strike().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_leads_to_its_servers_and_past_a_dead_one() {
    let mut stage = Stage::set().await;
    let server = |priority, address: SocketAddr| Server {
        priority,
        weight: 0,
        host: address.ip().to_string(),
        port: address.port(),
        holds: Duration::from_secs(30),
    };
    let (_kept, dead) = closed();
    let servers = vec![server(20, stage.callee.sip_addr()), server(10, dead)];
    stage.names.0.lock().unwrap().insert("_sip._udp.sip.example.com".into(), servers);
    stage.trunks_are_at(&["sip.example.com".into()]);
    stage.place(queued("<Hangup/>", 30));
    let invite = stage.callee.rings().await;
    stage.callee.answer(&invite, 440.0).await;
    stage.callee.hung_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::ApplicationHungUp);
    stage.strike().await;
}

/// A server here.
fn server(port: u16, weight: u16) -> Server {
    Server { priority: 1, weight, host: HERE.to_string(), port, holds: Duration::from_secs(30) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_shared_among_servers_by_weight_however_long_one_look_up_holds() {
    let stage = Stage::set().await;
    let servers = vec![server(4_001, 50), server(4_002, 50)];
    stage.names.0.lock().unwrap().insert("_sip._udp.sip.example.com".into(), servers);
    stage.trunks_are_at(&["sip.example.com".into()]);
    let routes = stage.directory.load().outbound(
        &sid(Kind::Carrier, 1),
        &sid(Kind::Account, 1),
        "+85512345678",
        "+85510000001",
    );
    let route = &routes.unwrap()[0];
    let mut first = std::collections::HashMap::new();
    for _ in 0..100 {
        let found = super::super::place::look_up(&stage.engine.shared, route).await.unwrap();
        assert_eq!(found.len(), 2);
        *first.entry(found[0].port()).or_insert(0) += 1;
        // Nobody is asked again.
        stage.names.0.lock().unwrap().clear();
    }
    assert!(first[&4_001] > 20 && first[&4_002] > 20, "{first:?}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_nobody_can_look_up_any_more_leads_to_where_it_led_last() {
    let mut stage = Stage::set().await;
    let here = stage.callee.sip_addr();
    let server = server(here.port(), 0);
    stage.names.0.lock().unwrap().insert("_sip._udp.sip.example.com".into(), vec![server]);
    stage.trunks_are_at(&["sip.example.com".into()]);
    for _ in 0..2 {
        stage.place(queued("<Hangup/>", 30));
        let invite = stage.callee.rings().await;
        stage.callee.answer(&invite, 440.0).await;
        stage.callee.hung_up().await;
        stage.names.0.lock().unwrap().clear();
        stage.engine.shared.hosts.grow_old();
    }
    stage.outside.endings(2).await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_the_call_itself_is_the_end_of_it() {
    for code in [403, 486, 603] {
        let mut stage = Stage::set().await;
        let other = Phone::at(HERE, SocketAddr::new(HERE, 0)).await;
        let hosts = [stage.callee.sip_addr(), other.sip_addr()];
        stage.trunks_are_at(&hosts.map(|host| host.to_string()));
        stage.place(queued("<Hangup/>", 30));
        let invite = stage.callee.rings().await;
        stage.callee.respond(&invite, code, "").await;
        stage.callee.next(&["ACK"]).await;
        stage.outside.ended().await;
        assert_eq!(stage.outside.facts_of(line), ["initiated"], "{code}");
        stage.strike().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_means_nothing_leads_to_the_next_trunk() {
    let mut stage = Stage::set().await;
    stage.trunks_are_at(&["nowhere.example".into(), stage.callee.sip_addr().to_string()]);
    stage.place(queued("<Hangup/>", 30));
    let invite = stage.callee.rings().await;
    stage.callee.answer(&invite, 440.0).await;
    stage.callee.hung_up().await;
    stage.outside.ended().await;
    let failed = format!("failed None {}", domain::outbound::refusal("nowhere.example"));
    let told = [failed.as_str(), "initiated", "answered"];
    assert_eq!(stage.outside.facts_of(line), told);
    stage.strike().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callee_does_not_send_us_to_another_carriers_switch() {
    let mut stage = Stage::set().await;
    let switch = UdpSocket::bind("127.0.0.2:0").unwrap();
    switch.set_nonblocking(true).unwrap();
    let ours = trunk(&stage.callee.sip_addr().to_string(), 2);
    let sources = vec!["127.0.0.2/32".parse().unwrap()];
    let theirs = TrunkEntry {
        carrier: sid(Kind::Carrier, 2),
        inbound: Some(domain::trunk::Inbound { sources, ..Default::default() }),
        ..trunk("127.0.0.2", 3)
    };
    stage.directory.store(Arc::new(directory_of(vec![ours, theirs])));
    stage.place(queued("<Hangup/>", 30));
    let invite = stage.callee.rings().await;
    stage.callee.names_itself(switch.local_addr().unwrap());
    stage.callee.answer(&invite, 440.0).await;
    stage.callee.hung_up().await;
    assert!(switch.recv(&mut [0; 16]).is_err(), "neither ACK nor BYE went there");
    stage.strike().await;
}
