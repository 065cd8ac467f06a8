//! The contract of the log: one set of cases, run over memory, SQLite, and PostgreSQL appending both ways.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start tasks and read the time and the environment themselves"
)]

mod append;
mod audit;
mod cqrs;
mod crash;
mod cut;
mod doors;
mod dropped;
mod evidence;
mod follow;
mod hosts;
mod oracle;
mod passwords;
mod samples;
mod upgrade;
mod upkeep;
mod vault;
