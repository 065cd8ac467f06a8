//! Several processes on one PostgreSQL: a twin, a killed one, one that is stopped for a while, one that loses the database.

use crate::support::{
    On, Phone, Server,
    server::fresh_database,
    wire::{Wire, far},
};
use serde_json::{Value, json};
use std::{
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

/// Within this a dead node's calls are over.
const WITHIN: Duration = Duration::from_secs(5);

/// What a machine that is busy with other tests may add.
const BUSY: Duration = Duration::from_secs(5);

/// A call to a phone that answers and stays until it is hung up on.
fn place(server: &Server) -> (Phone, String) {
    let phone = Phone::waits("answer.xml");
    server.call_out_to(phone.port);
    let account = server.text("account_sid");
    let url = format!("{}/2010-04-01/Accounts/{account}/Calls.json", server.text("http_url"));
    let twiml = r#"<Response><Pause length="120"/></Response>"#;
    let output = Command::new("curl")
        .args(["-s", "-u", &format!("{account}:{}", server.text("auth_token"))])
        .args(["--data-urlencode", "To=+85598000002", "--data-urlencode", "From=+85512345678"])
        .args(["--data-urlencode", &format!("Twiml={twiml}"), &url])
        .output()
        .unwrap();
    let call: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sid = call["sid"].as_str().unwrap_or_else(|| panic!("{call}")).to_owned();
    server
        .wait_for_call("answered call", |call| call["sid"] == json!(sid) && call["status"] == "in-progress");
    (phone, sid)
}

fn status(server: &Server, sid: &str) -> Value {
    server.get(&format!("/calls/{sid}"))["status"].clone()
}

#[test]
fn twin_is_refused_with_both_hosts_named() {
    let first = Server::start(On::Postgres);
    let (_phone, sid) = place(&first);
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
fn kill_of_a_node_ends_its_calls_on_the_others_within_five_seconds() {
    let mut first = Server::start(On::Postgres);
    let second = first.beside(None).unwrap();
    let (_phone, sid) = place(&first);
    let node = first.get(&format!("/calls/{sid}"));
    // One that is young does not judge.
    sleep(WITHIN);
    first.process.kill();
    let killed = Instant::now();
    let closed = second
        .wait_for_call("closed call", |call| call["sid"] == json!(sid) && call["status"] == "completed");
    println!("kill: the call of {} was closed {:?} after the kill", node["node"], killed.elapsed());
    assert_eq!(closed["reason"], json!("interrupted"));
    assert!(killed.elapsed() < WITHIN + BUSY, "{:?}", killed.elapsed());
}

#[test]
#[ignore = "25 s and more: `just faults`"]
fn sigstop_of_a_node_leaves_no_call_in_one_place_that_is_over_in_another() {
    let first = Server::start(On::Postgres);
    let second = first.beside(None).unwrap();
    let (phone, sid) = place(&first);
    sleep(WITHIN);
    first.signal("-STOP");
    let stopped = Instant::now();
    second.wait_for_call("closed call", |call| call["sid"] == json!(sid) && call["status"] == "completed");
    println!("sigstop: closed by the other node after {:?}", stopped.elapsed());
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
    assert!(first.run(&["replay", "--verify"]).0);
}

/// Both nodes lose the database for so long, with a call each.
fn outage(time: Duration) {
    let url = fresh_database();
    let wire = Wire::to(far(&url).to_owned());
    let first = Server::start_with(tempfile::tempdir().unwrap(), &wire.through(&url), &[]);
    let second = first.beside(None).unwrap();
    let ((_one, on_first), (_other, on_second)) = (place(&first), place(&second));
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
}

#[test]
#[ignore = "20 s and more: `just faults`"]
fn outage_of_a_short_while_ends_no_call() {
    for seconds in [1, 3, 6] {
        outage(Duration::from_secs(seconds));
    }
}

#[test]
#[ignore = "a minute: `just faults`"]
fn outage_of_45_seconds_ends_no_call() {
    outage(Duration::from_secs(45));
}
