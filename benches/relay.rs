//! CPU of relaying 1,000 bridged G.711 calls, beside rtpengine in userspace, with the same generator in the same run.

use crate::{
    running::Running,
    table::{self, Row},
};
use sip_engine::media::{Codec, LegOptions, Media, MediaConfig, Remote};
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, UdpSocket},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Calls at once; 100 packets a second in and out for each. Few enough that the generator keeps its pace on the other
/// core of a small machine.
const CALLS: usize = 300;
/// How long each relay is measured, in how many interleaved rounds; the median counts.
const SECONDS: u64 = 4;
const ROUNDS: usize = 3;
/// RTP ports of the relays.
const PORTS: (u16, u16) = (20_000, 23_999);

struct Measured {
    cores_per_thousand: f64,
    lost_percent: f64,
}

pub fn rows() -> Vec<Row> {
    let what = format!("relay, {CALLS} bridged calls, CPU per 1,000");
    if !table::installed("rtpengine") {
        let ours = shown(&median((0..ROUNDS).map(|_| ours()).collect()));
        let theirs = "skipped: rtpengine is not installed".into();
        return vec![Row { what, ours, peer: "rtpengine".into(), theirs, ratio: String::new() }];
    }
    let (mut mine, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        mine.push(ours());
        theirs.push(rtpengine());
    }
    let (mine, theirs) = (median(mine), median(theirs));
    let ratio = format!("{:.2}x the CPU", mine.cores_per_thousand / theirs.cores_per_thousand);
    vec![Row { what, ours: shown(&mine), peer: "rtpengine userspace".into(), theirs: shown(&theirs), ratio }]
}

fn shown(measured: &Measured) -> String {
    format!("{:.2} cores, {:.1}% lost", measured.cores_per_thousand, measured.lost_percent)
}

fn median(mut rounds: Vec<Measured>) -> Measured {
    rounds.sort_by(|a, b| a.cores_per_thousand.total_cmp(&b.cores_per_thousand));
    rounds.swap_remove(rounds.len() / 2)
}

/// A phone of the generator: its socket, and the relay's port it speaks to.
struct Phone {
    socket: UdpSocket,
    relay: Option<SocketAddr>,
}

fn phones() -> Vec<Phone> {
    let open = |_| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Phone { socket, relay: None }
    };
    (0..2 * CALLS).map(open).collect()
}

fn ours() -> Measured {
    let mut phones = phones();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("relay-process").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut relay = Running::start(&mut command);
    let mut input = relay.child.stdin.take().unwrap();
    for phone in &phones {
        writeln!(input, "{}", phone.socket.local_addr().unwrap()).unwrap();
    }
    writeln!(input).unwrap();
    let output = BufReader::new(relay.child.stdout.take().unwrap());
    for (phone, line) in phones.iter_mut().zip(output.lines()) {
        phone.relay = Some(SocketAddr::from(([127, 0, 0, 1], line.unwrap().parse().unwrap())));
    }
    measure(&phones, relay.id())
}

/// Our media plane as a process of its own: reads the phones' addresses, prints a port for each, bridges them in pairs.
pub fn process(_: &[String]) {
    let bind = [127, 0, 0, 1].into();
    let media =
        Media::start(MediaConfig { threads: 1, ports: PORTS.0..=PORTS.1, bind, ..MediaConfig::default() })
            .unwrap();
    let (events, _heard) = tokio::sync::mpsc::channel(1);
    let addresses = std::io::stdin().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let addresses: Vec<SocketAddr> = addresses.map(|line| line.parse().unwrap()).collect();
    let mut legs = Vec::new();
    for pair in addresses.chunks(2) {
        let group = media.group();
        let open = |address: &SocketAddr| {
            let leg = media
                .open_leg(group, LegOptions { local: None, urgent: false, events: events.clone() })
                .unwrap();
            leg.configure(Remote::new(*address, Codec::Pcmu)).unwrap();
            leg
        };
        let (one, other) = (open(&pair[0]), open(&pair[1]));
        one.bridge(&other).unwrap();
        legs.extend([one, other]);
    }
    legs.iter().for_each(|leg| println!("{}", leg.rtp_port()));
    // Relays until the generator closes its end or kills it.
    let _ = std::io::stdin().read_line(&mut String::new());
}

fn rtpengine() -> Measured {
    let mut phones = phones();
    let (relay, port) = Running::on_a_port(|port| {
        let mut command = Command::new("rtpengine");
        command.args(["--table=-1", "--interface=127.0.0.1", "--foreground"]);
        command.args(["--log-level=2", "--num-threads=1"]);
        command.args([
            format!("--listen-ng=127.0.0.1:{port}"),
            format!("--port-min={}", PORTS.0),
            format!("--port-max={}", PORTS.1),
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    });
    let control = UdpSocket::bind("127.0.0.1:0").unwrap();
    control.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    control.connect(("127.0.0.1", port)).unwrap();
    for (call, pair) in phones.chunks_mut(2).enumerate() {
        let sdp = |phone: &Phone| {
            let port = phone.socket.local_addr().unwrap().port();
            format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
            )
        };
        let towards_second = ask(&control, "offer", call, &sdp(&pair[0]));
        let towards_first = ask(&control, "answer", call, &sdp(&pair[1]));
        (pair[0].relay, pair[1].relay) = (Some(towards_first), Some(towards_second));
    }
    measure(&phones, relay.id())
}

/// One request of rtpengine's control protocol (bencode behind a cookie), repeated until it is answered; returns the
/// port in the SDP of the answer.
fn ask(control: &UdpSocket, command: &str, call: usize, sdp: &str) -> SocketAddr {
    let text = |text: &str| format!("{}:{text}", text.len());
    let mut members = vec![
        ("call-id", format!("call-{call}")),
        ("command", command.into()),
        ("from-tag", "a".into()),
        ("sdp", sdp.into()),
    ];
    if command == "answer" {
        members.push(("to-tag", "b".into()));
    }
    let body: String = members.iter().map(|(key, value)| text(key) + &text(value)).collect();
    let request = format!("{command}-{call} d{body}e");
    let mut buffer = [0; 4_096];
    for _ in 0..50 {
        let _ = control.send(request.as_bytes());
        let Ok(length) = control.recv(&mut buffer) else {
            // Refused at once while it is still starting.
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let port = answer.split("m=audio ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        if let Some(port) = port.filter(|_| answer.starts_with(&format!("{command}-{call} "))) {
            return SocketAddr::from(([127, 0, 0, 1], port));
        }
    }
    panic!("rtpengine does not answer {command}");
}

/// Every phone sends a packet each 20 ms, spread evenly, and takes in what comes. Five seconds to settle (rtpengine holds
/// back packets for the first three, while it learns addresses), then the relay's CPU is read around the time measured.
fn measure(phones: &[Phone], relay: u32) -> Measured {
    let (mut sent, mut received) = (0u64, 0u64);
    let settle = Duration::from_secs(5);
    generate(phones, settle, 0, &mut sent, &mut received);
    (sent, received) = (0, 0);
    let (before, start) = (table::scheduled_seconds(relay), Instant::now());
    generate(phones, Duration::from_secs(SECONDS), 250, &mut sent, &mut received);
    let cores = (table::scheduled_seconds(relay) - before) / start.elapsed().as_secs_f64();
    let lost_percent = 100.0 * (1.0 - received as f64 / sent as f64).max(0.0);
    Measured { cores_per_thousand: cores * 1_000.0 / CALLS as f64, lost_percent }
}

fn generate(phones: &[Phone], length: Duration, first: u16, sent: &mut u64, received: &mut u64) {
    let (start, rounds) = (Instant::now(), length.as_millis() as u64 / 20);
    let mut buffer = [0; 2_048];
    for round in 0..rounds {
        let sequence = first.wrapping_add(round as u16);
        for (index, phone) in phones.iter().enumerate() {
            if index % 30 == 0 {
                let due = start
                    + Duration::from_micros(round * 20_000 + index as u64 * 20_000 / phones.len() as u64);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let relay = phone.relay.expect("the relay gave a port");
            *sent += u64::from(phone.socket.send_to(&packet(sequence, index as u32), relay).is_ok());
            while phone.socket.recv(&mut buffer).is_ok_and(|length| length == 172) {
                *received += 1;
            }
        }
    }
}

fn packet(sequence: u16, source: u32) -> [u8; 172] {
    let mut packet = [0x55; 172];
    packet[..2].copy_from_slice(&[0x80, 0]);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    packet[8..12].copy_from_slice(&(source + 1).to_be_bytes());
    packet
}
