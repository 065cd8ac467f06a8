//! `kill -9` again and again while customers write: what was acknowledged is there, once, and what was not can be repeated.

use crate::support::{On, Server};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Who writes at once.
const WRITERS: usize = 4;
/// The most that is acknowledged before a kill; each kill comes after another number of them.
const ACKNOWLEDGED: usize = 40;

/// What was written: the name of each account and the SID its creation was acknowledged with.
#[derive(Default)]
struct Ledger {
    next: AtomicUsize,
    acknowledged: Mutex<HashMap<String, String>>,
    open: Mutex<Vec<String>>,
}

/// Creates an account by its own Idempotency-Key; nothing when it was not acknowledged.
fn create(server: &Server, name: &str) -> Option<String> {
    let output = Command::new("curl")
        .args(["-s", "-m", "10", "-w", "\n%{http_code}", "-H", "Content-Type: application/json"])
        .args(["-H", &format!("Authorization: Bearer {}", server.text("carrier_api_key"))])
        .args(["-H", &format!("Idempotency-Key: {name}"), "-d", &json!({ "name": name }).to_string()])
        .arg(format!("{}/carrier/v1/accounts", server.text("http_url")))
        .output()
        .unwrap();
    // Half of an answer acknowledges nothing.
    if !output.status.success() {
        return None;
    }
    let output = String::from_utf8(output.stdout).unwrap();
    let (body, status) = output.rsplit_once('\n')?;
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    assert!(matches!(status, "201" | "429" | "503"), "{name}: {status} {body}");
    (status == "201").then(|| body["sid"].as_str().unwrap().to_owned())
}

impl Ledger {
    /// Writes until told to stop; what fails stays open.
    fn write(&self, server: &Server, stop: &AtomicBool) {
        while !stop.load(Ordering::SeqCst) {
            let name = format!("kill-{}", self.next.fetch_add(1, Ordering::SeqCst));
            self.settle(server, name);
        }
    }

    fn settle(&self, server: &Server, name: String) {
        match create(server, &name) {
            Some(sid) => drop(self.acknowledged.lock().unwrap().insert(name, sid)),
            None => self.open.lock().unwrap().push(name),
        }
    }

    /// What was not acknowledged is asked for again, in the same words, until it is.
    fn repeat(&self, server: &Server, name: String) {
        let limit = Instant::now() + Duration::from_secs(30);
        let sid = loop {
            match create(server, &name) {
                Some(sid) => break sid,
                None => assert!(Instant::now() < limit, "{name} cannot be repeated"),
            }
        };
        self.acknowledged.lock().unwrap().insert(name, sid);
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }
}

/// Kills while they write, and starts again.
fn kill_once(server: &mut Server, ledger: &Ledger, after: usize) {
    let (stop, enough) = (AtomicBool::new(false), ledger.count() + after);
    let process = server.process.id().to_string();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| ledger.write(server, &stop));
        }
        let limit = Instant::now() + Duration::from_secs(60);
        while ledger.count() < enough && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
        stop.store(true, Ordering::SeqCst);
    });
    assert!(ledger.count() >= enough, "it takes writes");
    server.kill_and_restart();
    let open = std::mem::take(&mut *ledger.open.lock().unwrap());
    open.into_iter().for_each(|name| ledger.repeat(server, name));
}

/// Every account there is: name and SID.
fn accounts(server: &Server) -> Vec<(String, String)> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/accounts?limit=100{cursor}"));
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        found
            .extend(page["data"].as_array().unwrap().iter().map(|row| (text(row, "name"), text(row, "sid"))));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn kill(on: On, times: usize) {
    let (mut server, ledger) = (Server::start(on), Ledger::default());
    let began = Instant::now();
    for time in 0..times {
        kill_once(&mut server, &ledger, 1 + time * 7 % ACKNOWLEDGED);
    }
    let acknowledged = ledger.acknowledged.lock().unwrap();
    let there = accounts(&server);
    let ours = there.iter().filter(|(name, _)| name.starts_with("kill-")).count();
    let lost = acknowledged
        .iter()
        .filter(|(name, sid)| !there.iter().any(|(known, its)| (known, its) == (*name, *sid)));
    let (lost, open) = (lost.count(), ledger.open.lock().unwrap().len());
    println!(
        "kill: {times} times on {on:?} in {:?}: {} acknowledged, {lost} lost, {} doubled, {open} never answered",
        began.elapsed(),
        acknowledged.len(),
        ours.saturating_sub(acknowledged.len())
    );
    assert_eq!((lost, ours, open), (0, acknowledged.len(), 0));
    assert!(server.stop().success());
    for proof in [&["audit", "verify"][..], &["replay", "--verify"]] {
        let (holds, text) = server.run(proof);
        assert!(holds, "{text}");
    }
}

#[test]
fn kill_of_a_server_loses_nothing_that_was_acknowledged_and_doubles_nothing() {
    for on in [On::Sqlite, On::Postgres] {
        kill(on, 3);
    }
}

#[test]
#[ignore = "two minutes a store: `just faults`"]
fn kill_of_a_server_fifty_times_loses_nothing_that_was_acknowledged() {
    for on in [On::Sqlite, On::Postgres] {
        kill(on, 50);
    }
}
