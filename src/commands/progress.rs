//! Progress of long commands: a bar with rate and time left on a terminal, a plain line now and then elsewhere.
#![expect(clippy::disallowed_methods, reason = "whoever watches a command has the same clock as it")]

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Plain lines are no closer together.
const APART: Duration = Duration::from_secs(2);

/// Shows how far a command has come.
pub struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    /// When the last plain line was told, or the work began.
    told: Instant,
}

impl Progress {
    /// For the work called `name`.
    pub fn new(name: &str) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| bar(name));
        Progress { name: name.to_owned(), bar, told: Instant::now() }
    }

    /// `done` of `total` are done.
    pub fn at(&mut self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            return;
        }
        if self.told.elapsed() >= APART {
            self.told = Instant::now();
            eprintln!(
                "{}: {done} of {total} ({} %)",
                self.name,
                (done * 100).checked_div(total).unwrap_or(100)
            );
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
