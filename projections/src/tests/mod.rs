//! Tests over real stores: memory, SQLite and PostgreSQL.

mod biographies;
mod calls;
mod indexes;
mod leaders;
mod poison;
mod replays;
mod runners;
mod scopes;
mod search;
mod support;
mod upgrade;
