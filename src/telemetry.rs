//! What is written to standard error: one line an event, for people or for machines.

use crate::config::{Log, Refused};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// What is left out unless the settings ask for it: PostgreSQL's notices that a table is there already.
const QUIET: &str = "sqlx::postgres::notice=warn";

/// Starts logging.
///
/// # Errors
/// When `log.filter` is not a tracing filter.
pub fn start(log: &Log) -> Result<(), Refused> {
    let filter = format!("{QUIET},{}", log.filter);
    let filter = EnvFilter::try_new(filter).map_err(|error| Refused(format!("log.filter: {error}")))?;
    let registry = tracing_subscriber::registry().with(filter);
    let line = fmt::layer().with_writer(std::io::stderr);
    match log.format.as_str() {
        "json" => registry.with(line.json()).init(),
        _ => registry.with(line.compact().with_target(false)).init(),
    }
    Ok(())
}
