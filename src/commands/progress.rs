//! Progress of long commands: a bar with rate and time left on a terminal, a plain line every tenth elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// Shows how far a command has come.
pub struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    told: u64,
}

impl Progress {
    /// For the work called `name`.
    pub fn new(name: &str) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| bar(name));
        Progress { name: name.to_owned(), bar, told: 0 }
    }

    /// `done` of `total` are done.
    pub fn at(&mut self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            return;
        }
        let tenth = (done * 10).checked_div(total).unwrap_or(10);
        if tenth > self.told || (done == total && self.told < 10) {
            self.told = if done == total { 10 } else { tenth };
            eprintln!("{}: {done} of {total}", self.name);
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(name: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:16} {bar:40} {human_pos}/{human_len} {per_sec} {eta} left");
    let bar = ProgressBar::new(0).with_message(name.to_owned());
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
