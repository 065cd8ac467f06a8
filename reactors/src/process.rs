//! Which process this is, in a text that another process on the same machine can look up, and a person can read.

use serde::{Deserialize, Serialize};
use std::fs;

#[derive(Serialize, Deserialize)]
struct Process {
    host: String,
    pid: u32,
    /// Clock ticks after the machine's start: a number that is used again does not begin at the same one.
    began: String,
    /// Where numbers of processes mean the same: this start of the machine, and the namespace; empty where that is not told.
    machine: String,
}

/// This process.
pub(crate) fn own() -> String {
    let pid = std::process::id();
    let process =
        Process { host: line("/proc/sys/kernel/hostname"), pid, began: began(pid), machine: machine() };
    serde_json::to_string(&process).unwrap_or_default()
}

/// Whether that process was on this machine and is there no more. Of one elsewhere nobody here can tell.
pub(crate) fn is_gone(process: &str) -> bool {
    let Ok(process) = serde_json::from_str::<Process>(process) else { return false };
    let is_here = !process.machine.is_empty() && process.machine == machine();
    is_here && !process.began.is_empty() && !may_be(process.pid, &process.began)
}

/// It, for a person.
pub(crate) fn told(process: &str) -> String {
    match serde_json::from_str::<Process>(process) {
        Ok(Process { host, pid, .. }) => format!("as process {pid} on host {host}"),
        Err(_) => "somewhere".to_owned(),
    }
}

fn line(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

/// Whether the process of this number is, or cannot be told from, one that began then: of another user's we may see nothing.
fn may_be(pid: u32, when: &str) -> bool {
    let now = began(pid);
    if now.is_empty() { is_there(pid) } else { now == when }
}

/// Whether there is a process of this number, seen or not (kill(2), signal 0).
fn is_there(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return false };
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

fn machine() -> String {
    let (boot, namespace) = (line("/proc/sys/kernel/random/boot_id"), fs::read_link("/proc/self/ns/pid"));
    match namespace {
        Ok(namespace) if !boot.is_empty() => format!("{boot} {}", namespace.display()),
        _ => String::new(),
    }
}

/// When it began (proc(5), field 22 of stat: the 20th after the name, which ends at the last parenthesis); empty when there
/// is none.
fn began(pid: u32) -> String {
    let stat = line(&format!("/proc/{pid}/stat"));
    let after = stat.rsplit_once(')').map(|(_, after)| after).unwrap_or_default();
    after.split_whitespace().nth(19).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_there_until_it_ends() {
        assert!(!is_gone(&own()) && told(&own()).contains(&std::process::id().to_string()));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = own()
            .replace(&format!("\"pid\":{}", std::process::id()), &format!("\"pid\":{}", child.id()))
            .replace(&began(std::process::id()), &began(child.id()));
        assert!(!is_gone(&process), "{process}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_gone(&process));
        assert!(!is_gone("from a release before"));
    }
}
