//! Calls per second and CPU per call: INVITE, 200, ACK, BYE, with every event durable, beside Kamailio answering
//! statelessly and by transactions (which keeps nothing).

use crate::{
    running::Running,
    server::Server,
    table::{self, Row},
};
use std::{
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Calls of one run, and how many a second are started.
const LOAD: (u32, u32) = (4_000, 200);

struct Measured {
    calls: u32,
    failed: u32,
    seconds: f64,
    cpu_per_call_us: f64,
}

pub fn rows() -> Vec<Row> {
    if !table::installed("sipp") {
        return vec![skipped("sipp is not installed, nothing can call")];
    }
    let ours = trunkline();
    let peers = [("kamailio stateless", "kamailio_sl.cfg"), ("kamailio tm", "kamailio_tm.cfg")];
    peers.iter().map(|(name, config)| row(&ours, name, config)).collect()
}

fn row(ours: &Measured, name: &str, config: &str) -> Row {
    let what = format!("{} calls at {} a second, CPU per call", LOAD.0, LOAD.1);
    let ours_text = format!("{:.0} us, {} failed", ours.cpu_per_call_us, ours.failed);
    if !table::installed("kamailio") {
        return Row {
            what,
            ours: ours_text,
            peer: name.into(),
            theirs: "skipped: kamailio is not installed".into(),
            ratio: String::new(),
        };
    }
    let theirs = kamailio(config);
    let ratio = format!(
        "{:.1}x the CPU; {:.0} and {:.0} calls/s",
        ours.cpu_per_call_us / theirs.cpu_per_call_us,
        f64::from(ours.calls) / ours.seconds,
        f64::from(theirs.calls) / theirs.seconds
    );
    let theirs = format!("{:.0} us, {} failed", theirs.cpu_per_call_us, theirs.failed);
    Row { what, ours: ours_text, peer: name.into(), theirs, ratio }
}

fn skipped(why: &str) -> Row {
    let (ours, theirs, ratio) = (String::new(), format!("skipped: {why}"), String::new());
    Row { what: "calls".into(), ours, peer: "kamailio".into(), theirs, ratio }
}

fn trunkline() -> Measured {
    let server = Server::start();
    server.answer_and_wait();
    load(server.text("sip_address"), server.id())
}

fn kamailio(config: &str) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let (peer, port) = Running::on_a_port(|port| {
        let mut command = Command::new("kamailio");
        command.args(["-DD", "-E", "-l", &format!("udp:127.0.0.1:{port}"), "-f"]).arg(peers().join(config));
        command.args(["-Y"]).arg(folder.path()).arg("-P").arg(folder.path().join("pid"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    });
    answers(port);
    load(&format!("127.0.0.1:{port}"), peer.id())
}

/// Waits until a SIP server on this port answers anything.
fn answers(port: u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let from = socket.local_addr().unwrap();
    let probe = format!(
        "OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKprobe;rport\r\nFrom: <sip:p@{from}>;tag=1\r\n\
         To: <sip:127.0.0.1:{port}>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    let limit = Instant::now() + Duration::from_secs(10);
    while Instant::now() < limit {
        let _ = socket.send_to(probe.as_bytes(), ("127.0.0.1", port));
        if socket.recv(&mut [0; 4_096]).is_ok() {
            return;
        }
    }
    panic!("kamailio on port {port} does not answer");
}

fn load(server: &str, process: u32) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let (calls, rate) = LOAD;
    let before = family_cpu(process);
    let start = Instant::now();
    let mut command = Command::new("sipp");
    command.arg("-sf").arg(peers().join("call.xml")).args([
        "-key",
        "number",
        "1234",
        "-i",
        "127.0.0.1",
        "-nostdin",
    ]);
    command.args([
        "-m",
        &calls.to_string(),
        "-r",
        &rate.to_string(),
        "-l",
        "2000",
        "-trace_stat",
        "-stf",
        "statistics",
    ]);
    command.args(["-timeout", "120s", server]).current_dir(folder.path());
    let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let cpu = family_cpu(process) - before;
    let failed = failures(&folder.path().join("statistics"));
    Measured { calls, failed, seconds, cpu_per_call_us: cpu * 1e6 / f64::from(calls) }
}

/// The CPU of a process and its children (Kamailio forks its workers).
fn family_cpu(process: u32) -> f64 {
    let children =
        std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let family = children.split_whitespace().filter_map(|child| child.parse().ok());
    family.map(table::cpu_seconds).sum::<f64>() + table::cpu_seconds(process)
}

/// The last line's `FailedCall(C)` of SIPp's statistics.
pub fn failures(file: &Path) -> u32 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let column =
        text.lines().next().and_then(|head| head.split(';').position(|name| name == "FailedCall(C)"));
    let last = text.lines().last().map(|line| line.split(';').collect::<Vec<_>>()).unwrap_or_default();
    column.and_then(|column| last.get(column)?.parse().ok()).unwrap_or(u32::MAX)
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers")
}
