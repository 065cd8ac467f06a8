//! Two thousand calls with media: how many fail, how many the API knows as completed, and whether memory comes back to its
//! base.

use crate::{
    calls::failures,
    server::Server,
    table::{self, Row},
};
use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Calls, and how many are started a second; each talks for three seconds with a tone both ways.
const LOAD: (u32, u32) = (2_000, 50);

pub fn rows() -> Vec<Row> {
    if !table::installed("sipp") {
        return vec![row("sipp is not installed".into(), String::new())];
    }
    let server = Server::start();
    // The first calls open what stays open: connections, caches, the voice's prompt.
    let _ = call(&server, 200);
    settle(&server);
    let (base, cpu) = (memory(server.id()), table::cpu_seconds(server.id()));
    let failed = call(&server, LOAD.0);
    let cpu = (table::cpu_seconds(server.id()) - cpu) / f64::from(LOAD.0) * 1e3;
    settle(&server);
    let after = memory(server.id());
    let completed = completed(&server, LOAD.0 + 200);
    let ours = format!("{failed} failed, {completed} completed");
    let memory = format!(
        "memory {base:.1} MB before, {after:.1} MB after ({:+.1}%), {cpu:.1} ms CPU per call",
        (after / base - 1.0) * 100.0
    );
    vec![row(ours, memory)]
}

fn row(ours: String, ratio: String) -> Row {
    let what = format!("{} calls at {} a second, media for 3 s", LOAD.0, LOAD.1);
    Row { what, ours, peer: "none".into(), theirs: String::new(), ratio }
}

fn call(server: &Server, calls: u32) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let tone = folder.path().join("tone.ulaw");
    std::fs::write(&tone, [0x9f, 0x8f, 0x9f, 0xff, 0x1f, 0x0f, 0x1f, 0x7f].repeat(8_000)).unwrap();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/sipp/call_and_hang_up.xml");
    let mut command = Command::new("sipp");
    command.arg("-sf").arg(scenario).args(["-key", "number", "1234", "-key", "caller", "85512000001"]);
    command.args(["-d", "3000", "-i", "127.0.0.1", "-nostdin"]);
    command.args([
        "-m",
        &calls.to_string(),
        "-r",
        &LOAD.1.to_string(),
        "-l",
        "1000",
        "-trace_stat",
        "-stf",
        "statistics",
    ]);
    command.args(["-mp", "40000", "-timeout", "300s", server.text("sip_address")]);
    command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    failures(&folder.path().join("statistics"))
}

/// How long SIP keeps what it knows of a call that is over (RFC 3261 timers H and J), and some.
const FORGET: Duration = Duration::from_secs(40);

/// Waits until no call is live, and SIP has forgotten the last.
fn settle(server: &Server) {
    let limit = Instant::now() + Duration::from_secs(60);
    while Instant::now() < limit && server.api("GET", "/overview", None)["live_calls"] != 0 {
        std::thread::sleep(Duration::from_millis(500));
    }
    std::thread::sleep(FORGET);
}

/// Calls of the API's list that are completed.
fn completed(server: &Server, at_most: u32) -> usize {
    let (mut cursor, mut completed) = (String::new(), 0);
    for _ in 0..=at_most / 100 {
        let page = server.api("GET", &format!("/calls?limit=100&status=completed{cursor}"), None);
        completed += page["data"].as_array().map_or(0, Vec::len);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    completed
}

/// Resident memory of a process, in MB.
fn memory(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
