//! Ports of programs that have to be told one. Nothing is bound here to find out whether a port is free, for it may be taken
//! before the program comes to it: a program that does not get its port is started anew with another.

use std::{
    fs,
    ops::Range,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// Where such ports are: below those the system hands out by itself.
const PORTS: Range<u16> = 10_000..16_000;
/// How long a program may take to bind its port.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many ports are tried.
const TRIES: usize = 20;

/// How a program is.
pub enum State {
    /// It runs under this process id.
    Runs(u32),
    /// It did what it was to do.
    Done,
    /// It ended otherwise.
    Failed,
}

/// Starts a program with one port after another until it has one as its own. `stop` ends one that has none.
pub fn started<P>(
    mut start: impl FnMut(u16) -> P,
    mut state: impl FnMut(&mut P) -> State,
    mut stop: impl FnMut(P),
) -> (P, u16) {
    for _ in 0..TRIES {
        let port = next();
        let mut program = start(port);
        if has_port(&mut program, port, &mut state) {
            return (program, port);
        }
        stop(program);
    }
    panic!("the program got none of {TRIES} ports");
}

fn has_port<P>(program: &mut P, port: u16, state: &mut impl FnMut(&mut P) -> State) -> bool {
    let limit = Instant::now() + PATIENCE;
    while Instant::now() < limit {
        match state(program) {
            State::Runs(process) if owns(process, port) => return true,
            State::Runs(_) => std::thread::sleep(Duration::from_millis(2)),
            State::Done => return true,
            State::Failed => return false,
        }
    }
    false
}

/// Another port each time, and others in each process.
fn next() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let next = std::process::id().wrapping_mul(97).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
    PORTS.start + (next % PORTS.len() as u32) as u16
}

/// Whether a socket of this process is bound to this port.
fn owns(process: u32, port: u16) -> bool {
    let links = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let own: Vec<String> =
        links.filter_map(|link| fs::read_link(link.path()).ok()?.to_str().map(str::to_owned)).collect();
    let tables = ["udp", "tcp", "udp6", "tcp6"].map(|table| Path::new("/proc/net").join(table));
    let sockets = tables.iter().flat_map(|table| inodes(table, port));
    sockets.into_iter().any(|inode| own.contains(&format!("socket:[{inode}]")))
}

/// The sockets that are bound to this port, as the system numbers them.
fn inodes(table: &Path, port: u16) -> Vec<String> {
    let text = fs::read_to_string(table).unwrap_or_default();
    let bound = |line: &str| {
        let mut columns = line.split_whitespace();
        let local = columns.nth(1)?.to_owned();
        let inode = columns.nth(7)?.to_owned();
        local.ends_with(&format!(":{port:04X}")).then_some(inode)
    };
    text.lines().skip(1).filter_map(bound).collect()
}
