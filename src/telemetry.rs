//! What is written to standard error: one line an event, for people or for machines.

use crate::config::{Log, Refused};
use domain::visible::visible;
use std::{
    borrow::Cow,
    io::{self, IsTerminal, Stderr, Write},
};
use tracing_subscriber::{EnvFilter, Registry, fmt, prelude::*, reload};

/// What is left out unless the settings ask for it: PostgreSQL's notices that a table is there already.
const QUIET: &str = "sqlx::postgres::notice=warn";

/// What is logged; it can be changed while running.
pub struct Filter(reload::Handle<EnvFilter, Registry>);

impl Filter {
    /// Logs what these settings say from now on.
    ///
    /// # Errors
    /// When `log.filter` is not a tracing filter.
    pub fn set(&self, log: &Log) -> Result<(), Refused> {
        self.0.reload(filter(log)?).map_err(|error| Refused(format!("log.filter: {error}")))
    }
}

/// Starts logging.
///
/// # Errors
/// When `log.filter` is not a tracing filter.
pub fn start(log: &Log) -> Result<Filter, Refused> {
    let (filter, handle) = reload::Layer::new(filter(log)?);
    let registry = tracing_subscriber::registry().with(filter);
    let line = fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(|| Visible(io::stderr()));
    match log.format.as_str() {
        "json" => registry.with(line.json()).init(),
        _ => registry.with(line.compact().with_target(false)).init(),
    }
    Ok(Filter(handle))
}

/// Says what the process is about to do: a line for whoever sits there, or one of the log where that is for machines.
pub fn say(log: &Log, text: &str) {
    match log.format.as_str() {
        "json" => tracing::info!("{text}"),
        _ => eprintln!("trunkline: {text}"),
    }
}

/// Says why the process ends though nobody told it to: the same, as an error.
pub fn give_up(log: &Log, why: &str) {
    match log.format.as_str() {
        "json" => tracing::error!("{why}"),
        _ => eprintln!("trunkline: {why}"),
    }
}

fn filter(log: &Log) -> Result<EnvFilter, Refused> {
    let filter = format!("{QUIET},{}", log.filter);
    EnvFilter::try_new(filter).map_err(|error| Refused(format!("log.filter: {error}")))
}

/// Standard error, where no stranger's text changes the order of what is read, or hides in it. A line is one write.
struct Visible(Stderr);

impl Write for Visible {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(line).map(visible) {
            Ok(Cow::Owned(shown)) => self.0.write_all(shown.as_bytes()).map(|()| line.len()),
            _ => self.0.write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn why_it_gives_up_is_in_a_log_that_leaves_out_what_it_is_about_to_do() {
        let log = Log { format: "json".into(), filter: "warn".into() };
        let written = tempfile::NamedTempFile::new().unwrap();
        let line = fmt::layer().json().with_writer(Arc::new(written.reopen().unwrap()));
        let logs = tracing_subscriber::registry().with(filter(&log).unwrap()).with(line);
        tracing::subscriber::with_default(logs, || {
            say(&log, "stopping");
            give_up(&log, "another process is this node by now");
        });
        let written = std::fs::read_to_string(written.path()).unwrap();
        assert!(written.contains("another process") && !written.contains("stopping"), "{written}");
    }
}
