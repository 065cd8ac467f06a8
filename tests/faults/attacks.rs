//! What strangers and a guest can make one process hold: connections that say nothing, heads and bodies that never end, and
//! pages by the hundred. What counts is numbers of files and bytes, not time.

use crate::support::{On, Phone, Server};
use serde_json::{Value, json};
use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// Files the server may have open.
const FILES: usize = 1_024;
/// Connections of each attack: more than it may have of all kinds.
const CROWD: usize = 400;
/// Of which so many are let in (`src/open_files.rs`): an eighth of its files.
const WEB: usize = FILES / 8;
/// Pages one person may have open (`api/src/dashboard/live/pages.rs`).
const PAGES: usize = 32;
/// Files beside the guests' that may come and go: the database's, and accepts under way.
const SLACK: usize = 48;
/// Memory that an attack may cost, in MiB: what heads and bodies may take in all, and what an allocator keeps for a while.
const MEMORY: usize = 256;

/// What the process holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    mib: usize,
    files: usize,
}

fn held(server: &Server) -> Held {
    let process = format!("/proc/{}", server.process.id());
    let status = fs::read_to_string(format!("{process}/status")).unwrap();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: usize = rss.split_whitespace().next().unwrap().parse().unwrap();
    Held { mib: kib / 1_024, files: fs::read_dir(format!("{process}/fd")).unwrap().count() }
}

/// A connection that says this, as far as it is listened to.
fn says(server: &Server, bytes: &[u8]) -> TcpStream {
    let address = server.text("http_url").strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let _ = stream.write_all(bytes);
    stream
}

/// The most that is held until it holds still: until it is the same three times.
fn peak(server: &Server) -> Held {
    let (mut most, mut same, mut last) = (held(server), 0, held(server));
    let limit = Instant::now() + Duration::from_secs(20);
    while same < 3 && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(100));
        let now = held(server);
        same = if now.files == last.files && now.mib == last.mib { same + 1 } else { 0 };
        most = Held { mib: most.mib.max(now.mib), files: most.files.max(now.files) };
        last = now;
    }
    most
}

fn attack(server: &Server, name: &str, bytes: &[u8]) {
    let before = held(server);
    let crowd: Vec<TcpStream> = (0..CROWD).map(|_| says(server, bytes)).collect();
    let most = peak(server);
    println!(
        "attack: {CROWD} x {name}: {} to {} MiB, {} to {} files",
        before.mib, most.mib, before.files, most.files
    );
    assert!(most.files <= before.files + WEB + SLACK, "{name}: {before:?}, then {most:?}");
    assert!(most.mib <= before.mib + MEMORY, "{name}: {before:?}, then {most:?}");
    assert!(server.readiness().0, "health checks have seats of their own");
    drop(crowd);
    let limit = Instant::now() + Duration::from_secs(30);
    while held(server).files > before.files + SLACK {
        assert!(Instant::now() < limit, "{name}: who is gone holds nothing");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A session of the demo's owner after both factors.
fn signed_in(server: &Server) -> String {
    let post = |path: &str, cookie: &str, body: Value| {
        let output = std::process::Command::new("curl")
            .args(["-s", "-i", "-H", "Sec-Fetch-Site: same-origin", "-H", "Content-Type: application/json"])
            .args(["-H", &format!("Cookie: {cookie}"), "-d", &body.to_string()])
            .arg(format!("{}/dashboard{path}", server.text("http_url")))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let set = text.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie:"));
        let set = set.unwrap_or_else(|| panic!("{path}: {text}"));
        set.split_once(':').unwrap().1.trim().split(';').next().unwrap().to_owned()
    };
    let who = json!({ "email": server.text("owner_email"), "password": server.text("owner_password") });
    let cookie = post("/sign-in", "", who);
    let (_, code) = server.run(&["demo", "code"]);
    let code: String = code.chars().filter(char::is_ascii_digit).take(6).collect();
    post("/two-factor/verify", &cookie, json!({ "code": code }))
}

/// Opens a page's socket; it stays open, and is never read, when it was let in.
fn page(server: &Server, cookie: &str) -> (u16, TcpStream) {
    let host = server.text("http_url").strip_prefix("http://").unwrap();
    let request = format!(
        "GET /dashboard/live HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut stream = says(server, request.as_bytes());
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut first = [0; 12];
    let status = stream.read_exact(&mut first).ok().and_then(|()| std::str::from_utf8(&first).ok());
    (status.and_then(|line| line.get(9..)?.parse().ok()).unwrap_or(0), stream)
}

fn pages(server: &Server) {
    let cookie = signed_in(server);
    let before = held(server);
    let strangers = (0..PAGES).map(|_| page(server, "")).filter(|(status, _)| *status == 401).count();
    assert_eq!(strangers, PAGES, "nobody talks to a page that nobody is signed in to");
    let all: Vec<(u16, TcpStream)> = (0..2 * PAGES).map(|_| page(server, &cookie)).collect();
    let open = all.iter().filter(|(status, _)| *status == 101).count();
    let refused = all.iter().filter(|(status, _)| *status == 429).count();
    let most = peak(server);
    println!(
        "attack: {} pages of one person: {open} opened, {refused} refused, {} to {} MiB, {} to {} files",
        all.len(),
        before.mib,
        most.mib,
        before.files,
        most.files
    );
    assert_eq!((open, refused), (PAGES, PAGES));
    // One that says more than a page has to say is closed.
    let (_, mut talker) = all.into_iter().find(|(status, _)| *status == 101).unwrap();
    let head = [&[0x82, 0xff][..], &(64_u64 << 20).to_be_bytes(), &[0; 4]].concat();
    talker.write_all(&head).unwrap();
    let mut rest = Vec::new();
    let ended = talker.read_to_end(&mut rest).map_err(|error| error.kind());
    assert_ne!(ended, Err(ErrorKind::WouldBlock), "it is closed");
    let after = held(server);
    println!("attack: one page announces 64 MiB: {} to {} MiB, and it is closed", most.mib, after.mib);
    assert!(after.mib <= most.mib + 8, "{most:?}, then {after:?}");
}

#[test]
fn attacks_on_the_door_cost_a_share_of_the_files_and_little_memory() {
    let under = ["prlimit", &format!("--nofile={FILES}:{FILES}")].map(str::to_owned);
    let server = Server::start_under(&under, "", &[]);
    let host = "Host: voice.example.com\r\n";
    let long = format!("GET / HTTP/1.1\r\n{host}X-Long: {}", "x".repeat(60 * 1_024));
    let many = format!("GET / HTTP/1.1\r\n{host}{}", "X-Many: y\r\n".repeat(5_000));
    let sign_in =
        "POST /dashboard/sign-in HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 1048576\r\n";
    let slow = format!("{sign_in}{host}\r\n{}", " ".repeat(900 * 1_024));
    attack(&server, "silence", b"");
    attack(&server, "half of a TLS greeting", &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);
    attack(&server, "a header of 60 KiB that does not end", long.as_bytes());
    attack(&server, "5,000 headers that do not end", many.as_bytes());
    attack(&server, "a body of 1 MiB that does not end", slow.as_bytes());
    attack(&server, "an HTTP/2 greeting and no more", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    pages(&server);
    let caller = Phone::calls(server.sip(), "85512000001", "1234");
    caller.ear.wait_for_tone(440.0);
}

#[test]
fn attacks_by_a_page_that_never_reads_end_with_its_socket() {
    let server = Server::start(On::Sqlite);
    let (status, mut page) = page(&server, &signed_in(&server));
    assert_eq!(status, 101);
    // Texts of one letter, each of which is answered.
    let asks = [0x81, 0x81, 0, 0, 0, 0, b'x'].repeat(1_000);
    page.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let (before, began) = (held(&server), Instant::now());
    let (mut sent, mut most) = (0, before);
    let ended = loop {
        match page.write(&asks[sent % asks.len()..]) {
            Ok(written) => sent += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => break error.kind(),
        }
        most.mib = most.mib.max(held(&server).mib);
        assert!(began.elapsed() < Duration::from_secs(120), "it is given up on");
    };
    println!(
        "attack: a page that never reads asked {} times: {ended:?} after {:?}, {} to {} MiB",
        sent / 7,
        began.elapsed(),
        before.mib,
        most.mib
    );
    assert!(most.mib <= before.mib + 16, "{before:?}, then {most:?}");
}
