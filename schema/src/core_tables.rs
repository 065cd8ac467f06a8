//! The tables every append touches: heads, events, streams, the ledger of commands, claims, seals.
//!
//! Times are microseconds since 1970-01-01T00:00:00Z, identifiers text, hashes 32 bytes.

use crate::{Step, index, unique};
use sea_query::{ColumnDef, Index, Table, TableCreateStatement};

pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step::Table(Box::new(heads())),
        Step::Table(Box::new(events())),
        unique("es_events", "es_events_stream", &["stream_id", "sequence"]),
        Step::Table(Box::new(streams())),
        Step::Table(Box::new(commands())),
        index("es_commands", "es_commands_expiry", &["expires_at"]),
        Step::Table(Box::new(claims())),
        Step::Table(Box::new(seals())),
    ]
}

/// A source was one trunk's over all carriers; now carriers share them.
pub(crate) fn sources_by_carrier() -> Vec<Step> {
    let move_claims = "UPDATE es_claims SET scope = 'trunk_source:' || \
        (SELECT carrier FROM es_streams WHERE es_streams.stream_id = es_claims.stream_id) \
        WHERE scope = 'trunk_source'";
    vec![Step::Text { sqlite: move_claims, postgres: move_claims }]
}

/// One row per log: the position of its last event. Locked by every append, so positions are commit order, gapless.
fn heads() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("es_heads");
    table.col(ColumnDef::new("log").text().not_null().primary_key());
    table.col(ColumnDef::new("position").big_integer().not_null());
    table.to_owned()
}

/// The events. The payload is verbatim text: the hash needs stable bytes.
fn events() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("es_events");
    table.col(ColumnDef::new("log").text().not_null());
    table.col(ColumnDef::new("position").big_integer().not_null());
    table.col(ColumnDef::new("stream_id").text().not_null());
    table.col(ColumnDef::new("sequence").big_integer().not_null());
    table.col(ColumnDef::new("stream_type").text().not_null());
    table.col(ColumnDef::new("carrier").text().not_null());
    table.col(ColumnDef::new("account").text());
    table.col(ColumnDef::new("event_id").text().not_null());
    table.col(ColumnDef::new("event_type").text().not_null());
    table.col(ColumnDef::new("schema_version").big_integer().not_null());
    table.col(ColumnDef::new("command_id").text());
    table.col(ColumnDef::new("correlation_id").text());
    table.col(ColumnDef::new("causation_id").text());
    table.col(ColumnDef::new("actor_type").text().not_null());
    table.col(ColumnDef::new("actor_id").text().not_null());
    table.col(ColumnDef::new("ip").text());
    table.col(ColumnDef::new("user_agent").text());
    table.col(ColumnDef::new("occurred_at").big_integer().not_null());
    table.col(ColumnDef::new("recorded_at").big_integer().not_null());
    table.col(ColumnDef::new("payload").text().not_null());
    table.col(ColumnDef::new("prev_hash").blob().not_null());
    table.col(ColumnDef::new("hash").blob().not_null());
    table.primary_key(Index::create().col("log").col("position"));
    table.to_owned()
}

/// One row per stream: where it stands.
fn streams() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("es_streams");
    table.col(ColumnDef::new("stream_id").text().not_null().primary_key());
    table.col(ColumnDef::new("log").text().not_null());
    table.col(ColumnDef::new("stream_type").text().not_null());
    table.col(ColumnDef::new("carrier").text().not_null());
    table.col(ColumnDef::new("version").big_integer().not_null());
    table.col(ColumnDef::new("position").big_integer().not_null());
    table.col(ColumnDef::new("hash").blob().not_null());
    table.to_owned()
}

/// The ledger: which commands acted, so that a repeated one does not act again. The id leads the key: nearly every row
/// is in the same log, and PostgreSQL's planner does not know that of a young table.
fn commands() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("es_commands");
    table.col(ColumnDef::new("log").text().not_null());
    table.col(ColumnDef::new("command_id").text().not_null());
    table.col(ColumnDef::new("carrier").text().not_null());
    table.col(ColumnDef::new("stream_id").text().not_null());
    table.col(ColumnDef::new("digest").blob().not_null());
    table.col(ColumnDef::new("version").big_integer().not_null());
    table.col(ColumnDef::new("position").big_integer().not_null());
    table.col(ColumnDef::new("expires_at").big_integer().not_null());
    table.primary_key(Index::create().col("command_id").col("log"));
    table.to_owned()
}

/// Reservations in sets that span streams.
fn claims() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("es_claims");
    table.col(ColumnDef::new("log").text().not_null());
    table.col(ColumnDef::new("scope").text().not_null());
    table.col(ColumnDef::new("key").text().not_null());
    table.col(ColumnDef::new("stream_id").text().not_null());
    table.primary_key(Index::create().col("key").col("scope").col("log"));
    table.to_owned()
}

/// Signed Merkle roots over ranges of positions. `leaves` keeps 8 bytes of each leaf, to name the position that differs.
fn seals() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("es_seals");
    table.col(ColumnDef::new("log").text().not_null());
    table.col(ColumnDef::new("from_position").big_integer().not_null());
    table.col(ColumnDef::new("to_position").big_integer().not_null());
    table.col(ColumnDef::new("root").blob().not_null());
    table.col(ColumnDef::new("previous").blob().not_null());
    table.col(ColumnDef::new("leaves").blob().not_null());
    table.col(ColumnDef::new("signature").blob().not_null());
    table.col(ColumnDef::new("sealed_at").big_integer().not_null());
    table.primary_key(Index::create().col("log").col("from_position"));
    table.to_owned()
}
