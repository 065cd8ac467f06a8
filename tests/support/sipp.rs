//! SIPp as a phone: a scenario of `tests/peers/sipp`, run as a child that must end by itself and well.

use super::rtp::Ear;
use std::{
    net::{SocketAddr, UdpSocket},
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// Ports of peers that cannot choose one themselves.
const PORTS: Range<u16> = 10_000..16_000;

/// A running SIPp.
pub struct Phone {
    child: Child,
    log: tempfile::TempDir,
    /// The SIP port it listens on.
    pub port: u16,
    /// Its RTP.
    pub ear: Ear,
}

impl Phone {
    /// A phone that calls `number` at `server`.
    pub fn calls(server: SocketAddr, caller: &str, number: &str) -> Phone {
        Phone::start("call.xml", Some(server), &[("caller", caller), ("number", number)])
    }

    /// A phone that calls and expects to be told that there is no such number (404); returns when it was.
    pub fn is_told_not_found(server: SocketAddr, caller: &str, number: &str) {
        Phone::start("call_in_vain.xml", Some(server), &[("caller", caller), ("number", number)]).ends_well();
    }

    /// A phone that waits for a call and does what the scenario says; returns once it listens.
    pub fn waits(scenario: &str) -> Phone {
        let phone = Phone::start(scenario, None, &[]);
        let limit = Instant::now() + Duration::from_secs(30);
        while !listens(phone.port) {
            assert!(Instant::now() < limit, "sipp does not listen:\n{}", phone.errors());
            std::thread::sleep(Duration::from_millis(10));
        }
        phone
    }

    fn start(scenario: &str, server: Option<SocketAddr>, keys: &[(&str, &str)]) -> Phone {
        let (ear, port, log) = (Ear::open(), free_port(), tempfile::tempdir().unwrap());
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(scenarios().join(scenario)).args(["-m", "1", "-i", "127.0.0.1", "-nostdin"]);
        command.args(["-p", &port.to_string(), "-key", "rtp_port", &ear.port().to_string()]);
        command.args(["-trace_err", "-timeout", "120s", "-timeout_error"]);
        for (key, value) in keys {
            command.args(["-key", key, value]);
        }
        if let Some(server) = server {
            command.arg(server.to_string());
        }
        let output = std::fs::File::create(log.path().join("screen")).unwrap();
        command.current_dir(log.path()).stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        let child = command.spawn().expect("sipp is installed (bin/setup test)");
        Phone { child, log, port, ear }
    }

    /// Waits until the scenario ended, and demands that it ended well.
    pub fn ends_well(mut self) -> Ear {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "sipp ended with {status}:\n{}", self.errors());
        let Phone { ref mut ear, .. } = self;
        std::mem::replace(ear, Ear::open())
    }

    fn errors(&self) -> String {
        let files = std::fs::read_dir(self.log.path()).unwrap().flatten();
        let errors = files.filter(|file| file.file_name().to_string_lossy().contains("errors"));
        errors.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the scenarios are.
pub fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/sipp")
}

/// A UDP port that is free now, and another one each time. Below those the system hands out for port 0, and away from
/// those that tests in other processes try first: it stays free until the peer binds it.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id().wrapping_mul(97).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + (next % PORTS.len() as u32) as u16;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Whether somebody has bound a UDP port of 127.0.0.1: looked up, for binding it would be in that somebody's way.
fn listens(port: u16) -> bool {
    let sockets = std::fs::read_to_string("/proc/net/udp").unwrap();
    sockets.contains(&format!(" 0100007F:{port:04X} "))
}
