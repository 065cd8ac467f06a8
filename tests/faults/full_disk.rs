//! The disk fills up under calls. A call is answered and in the log, or refused: never answered and known to nobody.

use crate::support::{On, Phone, Server, server::fresh_database};
use serde_json::json;
use std::{path::Path, process::Command, time::Instant};

/// Calls made while there is no room.
const CALLS: usize = 9;

/// How the disk is filled, and cleared again.
struct Disk {
    fill: Box<dyn Fn(&Server)>,
    clear: Box<dyn Fn(&Server)>,
}

/// Whatever this process writes is refused from now on; works for anybody, and on any file system.
fn limited() -> Disk {
    let limit = |server: &Server, size: &str| {
        let limited = Command::new("prlimit")
            .args(["--pid", &server.process.id().to_string(), &format!("--fsize={size}:")])
            .status()
            .unwrap();
        assert!(limited.success(), "prlimit is there (util-linux)");
    };
    Disk {
        fill: Box::new(move |server| limit(server, "0")),
        clear: Box::new(move |server| limit(server, "unlimited")),
    }
}

/// A small file system of its own, filled by another file.
fn filled(mount: &Path) -> Disk {
    let filler = mount.join("filler");
    let gone = filler.clone();
    let fill = move |_: &Server| drop(std::fs::write(&filler, vec![0; 64 << 20]));
    Disk { fill: Box::new(fill), clear: Box::new(move |_| std::fs::remove_file(&gone).unwrap()) }
}

/// Taken down with the test.
struct Mount(std::path::PathBuf);

impl Mount {
    fn tmpfs(at: &Path) -> Mount {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"]).arg(at).status();
        assert!(mounted.unwrap().success());
        Mount(at.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn is_root() -> bool {
    String::from_utf8_lossy(&Command::new("id").arg("-u").output().unwrap().stdout).trim() == "0"
}

#[test]
fn nobody_is_answered_whom_neither_log_nor_spool_takes() {
    let server = Server::start(On::Sqlite);
    tell_story(&server, &limited());
}

#[test]
fn a_full_file_system_is_told_from_one_with_room() {
    if !is_root() {
        return eprintln!(
            "only root mounts a file system of its own; the other story of a full disk goes for everybody"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("data");
    let mount = Mount::tmpfs(&at);
    let server = Server::start_with(folder, "", &[]);
    tell_story(&server, &filled(&at));
    drop(server);
    drop(mount);
}

#[test]
fn calls_go_on_while_the_log_is_elsewhere() {
    let server = Server::start_with(tempfile::tempdir().unwrap(), &fresh_database(), &[]);
    (limited().fill)(&server);
    let phone = Phone::calls(server.sip(), "85512000001", "1234");
    phone.ear.wait_for_tone(440.0);
    drop(phone);
    server.wait_for_call("ended call", |call| call["status"] == "completed");
    assert!(server.readiness().0, "PostgreSQL takes what the disk here does not");
}

fn tell_story(server: &Server, disk: &Disk) {
    let talking = Phone::calls(server.sip(), "85512000001", "1234");
    talking.ear.wait_for_tone(440.0);
    (disk.fill)(server);
    let told = Instant::now();
    let said = server.wait_until_ready(false);
    let recording = said["checks"]["recording"].as_str().unwrap_or_default();
    assert!(
        recording.starts_with("neither log nor spool takes facts: calls that arrive get 503"),
        "{recording}"
    );
    println!("full disk: /readyz says so after {:?}", told.elapsed());
    let turned_away =
        (0..CALLS).filter(|_| Phone::is_turned_away(server.sip(), "85512000002", "1234")).count();
    println!("full disk: {turned_away} of {CALLS} calls got 503; the log had room for the others");
    assert!(turned_away > 0);
    drop(talking);
    (disk.clear)(server);
    let cleared = Instant::now();
    server.wait_until_ready(true);
    let closed = server
        .wait_for_call("closed call", |call| call["from"] == "+85512000001" && call["status"] == "completed");
    println!("full disk: /readyz and the call's end are there {:?} after there is room", cleared.elapsed());
    assert_ne!(closed["reason"], json!("interrupted"), "its end was remembered: {closed}");
    let next = Phone::calls(server.sip(), "85512000003", "1234");
    next.ear.wait_for_tone(440.0);
    drop(next);
    server.wait_for_call("next call", |call| call["from"] == "+85512000003" && call["status"] == "completed");
    let from_them = |call: &&serde_json::Value| call["from"] == "+85512000002";
    let known = server.get("/calls")["data"].as_array().unwrap().iter().filter(from_them).count();
    assert_eq!(known, CALLS - turned_away, "who was taken is known, and who was turned away is in no list");
    let (verified, text) = server.run(&["audit", "verify"]);
    assert!(verified, "{text}");
}
