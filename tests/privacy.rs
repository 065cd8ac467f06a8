//! What a running server keeps to itself, and what it notes of whoever comes to its door.

use crate::support::Server;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// A start under an umask that lets everybody in, with leave to write the memory of a crash to a file; its log beside its
/// words.
const CARELESSLY: [&str; 3] =
    ["sh", "-c", "umask 000; ulimit -S -c \"$(ulimit -H -c)\"; exec \"$0\" \"$@\" 2>&1"];

#[test]
fn a_careless_start_opens_no_file_and_who_comes_through_a_strange_proxy_is_noted() {
    let server = Server::start_under(&CARELESSLY.map(str::to_owned), "", &[]);
    says_how_open_files_are_shared_out(&server);
    assert_eq!(limit(&server, "Max core file size"), ["0", "0"], "no memory on disk");
    names_a_strange_proxy_once(&server);
    audits_from_where_it_was_tried(&server);
    let mut seen = Vec::new();
    is_for_its_owner(&server.data, &mut seen);
    for made in ["trunkline.db", "vault.key", "demo.json", "node", "untrusted-proxy"] {
        assert!(seen.iter().any(|name| name == made), "{made} is among {seen:?}");
    }
}

/// Soft and hard limit of the process.
fn limit(server: &Server, name: &str) -> [String; 2] {
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.process.id())).unwrap();
    let values = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let mut values = values.split_whitespace().map(str::to_owned);
    [values.next().unwrap(), values.next().unwrap()]
}

fn says_how_open_files_are_shared_out(server: &Server) {
    let said = server.process.said();
    let line = said.iter().filter_map(Value::as_str).find_map(|line| line.strip_prefix("Open files"));
    let line = line.unwrap_or_else(|| panic!("no budget in {said:?}")).trim();
    let [_, most] = limit(server, "Max open files");
    assert!(line.starts_with(&format!("{most}: ")), "{line}");
    for part in ["calls", "web", "applications", "SIP connections", "calls for help", "the rest"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

/// Asks the dashboard through a proxy that nobody has named; the status.
fn asks(server: &Server, cookies: &Path, path: &str, body: Value) -> String {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json"]);
    curl.args(["-H", "Sec-Fetch-Site: same-origin", "-H", "X-Forwarded-For: 198.51.100.7"]);
    curl.arg("-b").arg(cookies).arg("-c").arg(cookies).args(["-d", &body.to_string()]);
    let output = curl.arg(format!("{}/dashboard{path}", server.text("http_url"))).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn signs_in(server: &Server, cookies: &Path, password: &str) -> String {
    let body = json!({ "email": server.text("owner_email"), "password": password });
    asks(server, cookies, "/sign-in", body)
}

fn names_a_strange_proxy_once(server: &Server) {
    let doctor = |settings: &[&str]| {
        let free = ["--http.listen", "127.0.0.1:0", "--sip.listen", "127.0.0.1:0", "doctor"];
        server.run(&[settings, &free].concat()).1
    };
    let names = |text: &str| text.contains("X-Forwarded-For comes from");
    assert!(!names(&doctor(&[])), "there was none yet");
    let cookies = tempfile::NamedTempFile::new().unwrap();
    for _ in 0..3 {
        assert_eq!(signs_in(server, cookies.path(), "guess"), "401");
    }
    server.process.wait("line about the proxy", |line| line.as_str().is_some_and(names));
    let text = doctor(&[]);
    assert!(
        text.contains("X-Forwarded-For comes from 127.0.0.1, which is not in http.trusted_proxies"),
        "{text}"
    );
    assert!(!names(&doctor(&["--http.trusted_proxies", "127.0.0.1"])), "it is trusted by now");
    let said = server.process.said();
    let lines = said.iter().filter_map(Value::as_str).filter(|line| names(line));
    assert_eq!(lines.count(), 1, "{said:?}");
}

/// A wrong password, a wrong code and a look at a token: entries with the address of whoever came, not the one he claims.
fn audits_from_where_it_was_tried(server: &Server) {
    let cookies = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(signs_in(server, cookies.path(), server.text("owner_password")), "200");
    assert_eq!(asks(server, cookies.path(), "/two-factor/verify", json!({ "code": "000000" })), "422");
    server.get(&format!("/accounts/{}/auth-token", server.text("account_sid")));
    for event in ["SignInFailed", "SecondFactorFailed", "AuthTokenShown"] {
        let entry = entry_of(server, event);
        assert_eq!(entry["ip"], "127.0.0.1", "{entry}");
    }
}

/// The newest entry of this kind; those of failures are written beside the answer.
fn entry_of(server: &Server, event: &str) -> Value {
    let limit = Instant::now() + Duration::from_secs(10);
    loop {
        let entries = server.get(&format!("/audit?event_type={event}"));
        if let Some(entry) = entries["data"].as_array().and_then(|entries| entries.first()) {
            return entry.clone();
        }
        assert!(Instant::now() < limit, "no {event} in the audit");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Everything in it, down to the last file, is nobody else's to read, write or enter.
fn is_for_its_owner(path: &Path, seen: &mut Vec<String>) {
    // What goes meanwhile is gone.
    let Ok(found) = fs::symlink_metadata(path) else { return };
    let mode = found.permissions().mode() & 0o777;
    let own = if found.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(mode, own, "{} is {mode:o}", path.display());
    seen.push(path.file_name().unwrap().to_string_lossy().into_owned());
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        is_for_its_owner(&entry.path(), seen);
    }
}
