//! `just bench`: what we measure, each row beside its peer in the same run. See README.md here.
#![expect(clippy::disallowed_methods, reason = "benchmarks measure real time")]

mod append;
mod calls;
#[path = "../tests/support/own_port.rs"]
#[expect(dead_code, reason = "no peer of a benchmark ends by itself")]
mod own_port;
mod relay;
mod running;
mod search;
mod server;
mod soak;
mod table;

/// Runs a benchmark and returns its rows.
type Run = fn() -> Vec<table::Row>;

/// Each benchmark by its name.
const BENCHMARKS: &[(&str, Run)] = &[
    ("append", append::rows),
    ("calls", calls::rows),
    ("relay", relay::rows),
    ("search", search::rows),
    ("soak", soak::rows),
];

fn main() {
    // A benchmark may run itself again as a process of its own, so that its CPU can be told from the generator's.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "relay-process") {
        return relay::process(&arguments[1..]);
    }
    let chosen = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    for (_, rows) in BENCHMARKS.iter().filter(|(name, _)| chosen(name)) {
        table::print(&rows());
    }
}
