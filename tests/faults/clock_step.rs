//! The wall clock is set by an hour, forth and back, while calls go on: no length, no timeout and no health comes from it.

use crate::{
    outside::{phone::Phone, web::Web},
    support::{
        On, Server,
        server::fresh_database,
        wire::{Wire, far},
    },
};
use serde_json::json;
use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const HOUR: i64 = 3_600;
/// How long the calls are, in seconds: 1234 waits so long for a key, and hangs up.
const LENGTH: u64 = 2;
/// What a machine that is busy with other tests may add.
const BUSY: u64 = 5;
/// How long the database is away.
const AWAY: Duration = Duration::from_secs(12);

/// The wall clock of one server.
struct Wall {
    step: File,
    under: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Wall {
    /// What is loaded before the server is compiled here; it changes nothing but what it is told.
    fn new() -> Wall {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (library, file) = (path("clock_step.so"), path("step"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/clock_step.c");
        let mut compile = Command::new("cc");
        let compiled = compile
            .args(["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", &library])
            .arg(source)
            .status();
        assert!(compiled.unwrap().success());
        let step = File::create_new(PathBuf::from(&file)).unwrap();
        step.write_all_at(&0_i64.to_ne_bytes(), 0).unwrap();
        // Its log goes to standard error.
        let beside = ["sh", "-c", "exec \"$0\" \"$@\" 2>&1", "env"].map(str::to_owned);
        let stepped = [format!("LD_PRELOAD={library}"), format!("CLOCK_STEP={file}")];
        let under = beside.into_iter().chain(stepped).collect();
        Wall { step, under, _folder: folder }
    }

    /// From now on it is so many seconds off.
    fn is_off_by(&self, seconds: i64) {
        self.step.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }
}

#[test]
fn clock_step_changes_neither_lengths_nor_timeouts_nor_health() {
    for on in [On::Sqlite, On::Postgres] {
        let (wall, web) = (Wall::new(), Web::start());
        let url = if on == On::Postgres { fresh_database() } else { String::new() };
        let wire = (on == On::Postgres).then(|| Wire::to(far(&url).to_owned()));
        let through = wire.as_ref().map_or_else(String::new, |wire| wire.through(&url));
        let mut server = Server::start_under(&wall.under, &through, &[]);
        let twiml = format!(r#"<Response><Gather timeout="{LENGTH}"/></Response>"#);
        let told = format!("{}/status", web.url);
        server.configure("1234", json!({ "twiml": twiml, "status_callback_url": told }));
        for (number, off) in [HOUR, 0, -HOUR].into_iter().enumerate() {
            a_call(&server, &web, &format!("+8551200000{number}"), || wall.is_off_by(off));
        }
        if let Some(wire) = wire {
            away(&server, &wire, || wall.is_off_by(-2 * HOUR));
            says_how_far_off(&server, 2 * HOUR);
        }
        // A process that knows of no step.
        server.kill_and_restart();
        cut_off(&mut server, || wall.is_off_by(0));
        let (holds, text) = server.run(&["replay", "--verify"]);
        assert!(holds, "{text}");
    }
}

/// A call during which the clock is stepped is as long as it was.
fn a_call(server: &Server, web: &Web, from: &str, step: impl Fn()) {
    let mut caller = Phone::of(server.sip());
    caller.calls(from, "1234");
    assert_eq!(caller.is_answered(), "200");
    let answered = Instant::now();
    step();
    caller.is_hung_up_on();
    let lasted = answered.elapsed();
    let call =
        server.wait_for_call("ended call", |call| call["from"] == from && call["status"] == "completed");
    let length = call["duration_s"].as_u64().unwrap();
    let told = web.asked("/status", |asked| asked.parameters["CallSid"] == call["sid"].as_str().unwrap());
    println!(
        "clock step: a call of {lasted:?} is {length} s long, its callback came {:?} after it",
        answered.elapsed().saturating_sub(lasted)
    );
    assert!((LENGTH..=lasted.as_secs() + 1).contains(&length), "{length} s for {lasted:?}");
    assert!(lasted.as_secs() <= LENGTH + BUSY, "the timeout was {LENGTH} s: {lasted:?}");
    assert_eq!(told.parameters["CallDuration"], length.to_string());
}

/// A database that went away is missed, whatever the clock does meanwhile.
fn away(server: &Server, wire: &Wire, step: impl Fn()) {
    std::thread::scope(|scope| {
        scope.spawn(|| wire.cut_for(AWAY));
        let went = Instant::now();
        step();
        server.wait_until_ready(false);
        println!("clock step: /readyz says {:?} later that the database is gone", went.elapsed());
        assert!(went.elapsed() < AWAY, "{:?}", went.elapsed());
    });
    let back = Instant::now();
    server.wait_until_ready(true);
    println!("clock step: and {:?} after it that it is back", back.elapsed());
}

/// Operators read it in the log, of `doctor`, and on `/metrics`.
fn says_how_far_off(server: &Server, seconds: i64) {
    let what = "the database's clock and this machine's differ; set up NTP on both";
    server
        .process
        .wait("line about the clocks", |line| line.as_str().is_some_and(|line| line.contains(what)));
    let (sound, text) = server.run(&["doctor"]);
    let told = text.lines().find(|line| line.contains("the database's clock is"));
    let told = told.unwrap_or_else(|| panic!("the clocks agree: {text}"));
    println!("clock step: doctor says {told}");
    let far = [seconds, seconds - 1].iter().any(|seconds| told.contains(&format!(" {seconds}.")));
    assert!(!sound && told.starts_with("FAIL") && far, "{told}");
    let limit = Instant::now() + Duration::from_secs(10);
    loop {
        let difference = server.metric("trunkline_clock_difference_seconds");
        if (difference - seconds as f64).abs() < 10.0 {
            return println!("clock step: /metrics says that the database is {difference:.0} s ahead");
        }
        assert!(Instant::now() < limit, "{difference}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A call that its process takes down with it is as long as it was, though the next process begins hours later by its wall.
fn cut_off(server: &mut Server, step: impl Fn()) {
    server.configure("1234", json!({ "twiml": r#"<Response><Gather timeout="120"/></Response>"# }));
    let mut caller = Phone::of(server.sip());
    caller.calls("+85512000009", "1234");
    assert_eq!(caller.is_answered(), "200");
    let answered = Instant::now();
    std::thread::sleep(Duration::from_secs(LENGTH + 3));
    server.process.kill();
    let lasted = answered.elapsed();
    step();
    server.kill_and_restart();
    let call = server
        .wait_for_call("closed call", |call| call["from"] == "+85512000009" && call["status"] == "completed");
    let length = call["duration_s"].as_u64().unwrap();
    println!("clock step: a call cut off after {lasted:?} is {length} s long");
    assert_eq!(call["reason"], "interrupted");
    assert!((2..=lasted.as_secs() + 1).contains(&length), "{length} s for {lasted:?}");
}
