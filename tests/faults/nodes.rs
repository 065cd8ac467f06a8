//! Several processes on one PostgreSQL: a twin, a killed one, one that is stopped for a while, one that loses the database.

use crate::{
    outside::web::Web,
    support::{
        On, Phone, Server,
        server::{empty, fresh_database, is_ready},
        wire::{Wire, far},
    },
};
use serde_json::{Value, json};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// Within this a dead node's calls are over.
const WITHIN: Duration = Duration::from_secs(5);

/// What a machine that is busy with other tests may add.
const BUSY: Duration = Duration::from_secs(5);

/// A caller this node has answered, who stays until he is hung up on. (Calls by the API are any node's to place.)
fn answered(server: &Server, caller: &str) -> (Phone, String) {
    let phone = Phone::calls(server.sip(), caller, "1234");
    let from = json!(format!("+{caller}"));
    let call =
        server.wait_for_call("answered call", |call| call["from"] == from && call["status"] == "in-progress");
    (phone, call["sid"].as_str().unwrap().to_owned())
}

/// 1234 answers, waits for digits, and tells this address of the end.
fn waits_and_tells(server: &Server, callback: &str) {
    let twiml = r#"<Response><Gather timeout="120"/></Response>"#;
    server.configure("1234", json!({ "twiml": twiml, "status_callback_url": callback }));
}

fn status(server: &Server, sid: &str) -> Value {
    server.get(&format!("/calls/{sid}"))["status"].clone()
}

#[test]
fn twin_is_refused_with_both_hosts_named() {
    let first = Server::start(On::Postgres);
    waits_and_tells(&first, "");
    let (_phone, sid) = answered(&first, "85512000001");
    let name = std::fs::read_to_string(first.data.join("node")).unwrap();
    let began = Instant::now();
    let said = first.beside(Some(&name)).err().unwrap();
    println!("twin: refused after {:?}: {said}", began.elapsed());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert!(said.contains(&name) && said.matches(&format!("on host {}", host.trim())).count() == 2, "{said}");
    assert!(said.contains(&format!("as process {}", first.process.id())), "{said}");
    assert_eq!(status(&first, &sid), "in-progress", "the first one's call goes on");
    assert_eq!(first.metric("trunkline_live_calls"), 1.0, "once");
}

#[test]
fn nodes_that_start_together_on_an_empty_database_all_come_up() {
    for _ in 0..4 {
        let (folder, database) = (tempfile::tempdir().unwrap(), fresh_database());
        let start = |node: &str| empty(&folder.path().join(node), &[7; 32], &database);
        let nodes = ["a", "b", "c"].map(start);
        nodes.iter().for_each(is_ready);
    }
}

#[test]
fn kill_of_a_node_ends_its_calls_on_the_others_within_five_seconds() {
    let (mut first, web) = (Server::start(On::Postgres), Web::start());
    let second = first.beside(None).unwrap();
    waits_and_tells(&first, &format!("{}/status", web.url));
    let (_phone, sid) = answered(&first, "85512000001");
    // One that is young does not judge.
    sleep(WITHIN);
    first.process.kill();
    let killed = Instant::now();
    let closed = second
        .wait_for_call("closed call", |call| call["sid"] == json!(sid) && call["status"] == "completed");
    println!("kill: the call was closed {:?} after the kill", killed.elapsed());
    assert_eq!(closed["reason"], json!("interrupted"));
    let told = web.asked("/status", |asked| asked.parameters["CallSid"] == sid);
    println!("kill: its callback came from the other node {:?} after the kill", killed.elapsed());
    assert_eq!(told.parameters["CallStatus"], "completed");
    assert!(killed.elapsed() < WITHIN + BUSY, "{:?}", killed.elapsed());
    assert_eq!(web.times("/status"), 1);
}

#[test]
#[ignore = "25 s and more: `just faults`"]
fn sigstop_of_a_node_leaves_no_call_in_one_place_that_is_over_in_another() {
    let (first, web) = (Server::start(On::Postgres), Web::start());
    let second = first.beside(None).unwrap();
    waits_and_tells(&first, &format!("{}/status", web.url));
    let (phone, sid) = answered(&first, "85512000001");
    sleep(WITHIN);
    first.signal("-STOP");
    let stopped = Instant::now();
    second.wait_for_call("closed call", |call| call["sid"] == json!(sid) && call["status"] == "completed");
    println!("sigstop: closed by the other node after {:?}", stopped.elapsed());
    web.asked("/status", |asked| asked.parameters["CallSid"] == sid);
    println!("sigstop: its callback came from the other node after {:?}", stopped.elapsed());
    assert!(stopped.elapsed() < WITHIN + BUSY, "{:?}", stopped.elapsed());
    sleep(Duration::from_secs(25).saturating_sub(stopped.elapsed()));
    first.signal("-CONT");
    let went_on = Instant::now();
    phone.ends_well();
    while first.metric("trunkline_live_calls") > 0.0 {
        sleep(Duration::from_millis(50));
    }
    println!("sigstop: hung up {:?} after it went on", went_on.elapsed());
    assert!(went_on.elapsed() < WITHIN + BUSY, "{:?}", went_on.elapsed());
    assert_eq!(status(&first, &sid), "completed");
    assert_eq!(web.times("/status"), 1, "whoever went on does not tell it again");
    assert!(first.run(&["replay", "--verify"]).0);
}

/// Both nodes lose the database for so long, with a call each.
fn outage(time: Duration) {
    let url = fresh_database();
    let wire = Wire::to(far(&url).to_owned());
    let first = Server::start_with(tempfile::tempdir().unwrap(), &wire.through(&url), &[]);
    let second = first.beside(None).unwrap();
    waits_and_tells(&first, "");
    let ((one, on_first), (other, on_second)) =
        (answered(&first, "85512000001"), answered(&second, "85512000002"));
    sleep(WITHIN);
    wire.cut_for(time);
    let back = Instant::now();
    first.wait_until_ready(true);
    second.wait_until_ready(true);
    println!("outage of {time:?}: both are ready {:?} after it", back.elapsed());
    sleep(WITHIN * 2);
    for (server, sid) in [(&first, &on_first), (&second, &on_second)] {
        assert_eq!(status(server, sid), "in-progress", "{sid}");
        assert_eq!(server.metric("trunkline_live_calls"), 1.0);
    }
    drop((one, other));
    assert!(first.run(&["replay", "--verify"]).0);
}

#[test]
#[ignore = "two minutes: `just faults`"]
fn outage_of_up_to_30_seconds_ends_no_call() {
    for seconds in [1, 3, 6, 30] {
        outage(Duration::from_secs(seconds));
    }
}

#[test]
#[ignore = "a minute: `just faults`"]
fn outage_of_45_seconds_ends_no_call() {
    outage(Duration::from_secs(45));
}
