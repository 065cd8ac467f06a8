//! SIPp as a phone: a scenario of `tests/peers/sipp`, run as a child that must end by itself and well.

use super::{
    own_port::{self, State},
    rtp::Ear,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

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

    /// A phone that calls, and gives up when it rings; whether it was turned away for now (503).
    pub fn is_turned_away(server: SocketAddr, caller: &str, number: &str) -> bool {
        let keys = [("caller", caller), ("number", number)];
        let mut phone = Phone::start("call_turned_away.xml", Some(server), &keys);
        phone.child.wait().unwrap().success()
    }

    /// A phone that waits for a call and does what the scenario says; returns once it listens.
    pub fn waits(scenario: &str) -> Phone {
        Phone::start(scenario, None, &[])
    }

    fn start(scenario: &str, server: Option<SocketAddr>, keys: &[(&str, &str)]) -> Phone {
        let (ear, log) = (Ear::open(), tempfile::tempdir().unwrap());
        let start = |port| Phone::spawn(scenario, server, keys, (&ear, log.path(), port));
        let (child, port) = own_port::started(start, state, |mut child| {
            let _ = child.kill();
            let _ = child.wait();
        });
        Phone { child, log, port, ear }
    }

    fn spawn(
        scenario: &str,
        server: Option<SocketAddr>,
        keys: &[(&str, &str)],
        (ear, log, port): (&Ear, &Path, u16),
    ) -> Child {
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
        let output = std::fs::File::create(log.join("screen")).unwrap();
        command.current_dir(log).stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        command.spawn().expect("sipp is installed (bin/setup test)")
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

/// How SIPp is. One that found its port taken ends at once with an error.
fn state(child: &mut Child) -> State {
    match child.try_wait().unwrap() {
        None => State::Runs(child.id()),
        Some(status) if status.success() => State::Done,
        Some(_) => State::Failed,
    }
}
