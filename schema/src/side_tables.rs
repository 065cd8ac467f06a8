//! What lives beside the log: sealed secrets with the keys that seal them, and raw evidence with its own retention.

use crate::{Step, index};
use sea_query::{ColumnDef, Index, Table, TableCreateStatement};

pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step::Table(Box::new(keys())),
        Step::Table(Box::new(secrets())),
        index("es_secrets", "es_secrets_carrier", &["carrier"]),
        index("es_secrets", "es_secrets_expiry", &["expires_at"]),
        Step::Table(Box::new(evidence())),
        index("es_evidence", "es_evidence_call", &["call", "occurred_at", "id"]),
        index("es_evidence", "es_evidence_age", &["occurred_at"]),
    ]
}

/// One data key per carrier, wrapped by the master key; destroying it makes every secret under it unreadable.
fn keys() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("es_keys");
    table.col(ColumnDef::new("carrier").text().not_null().primary_key());
    table.col(ColumnDef::new("wrapped").blob());
    table.col(ColumnDef::new("created_at").big_integer().not_null());
    table.col(ColumnDef::new("destroyed_at").big_integer());
    table.to_owned()
}

/// Secrets: nonce and ciphertext in `sealed`.
fn secrets() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("es_secrets");
    table.col(ColumnDef::new("owner").text().not_null());
    table.col(ColumnDef::new("kind").text().not_null());
    table.col(ColumnDef::new("name").text().not_null());
    table.col(ColumnDef::new("carrier").text().not_null());
    table.col(ColumnDef::new("sealed").blob().not_null());
    table.col(ColumnDef::new("expires_at").big_integer());
    table.primary_key(Index::create().col("owner").col("kind").col("name"));
    table.to_owned()
}

/// SIP messages, RTCP samples, full bodies. Nothing is computed from them.
fn evidence() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("es_evidence");
    table.col(ColumnDef::new("id").text().not_null().primary_key());
    table.col(ColumnDef::new("call").text().not_null());
    table.col(ColumnDef::new("occurred_at").big_integer().not_null());
    table.col(ColumnDef::new("kind").text().not_null());
    table.col(ColumnDef::new("direction").text().not_null());
    table.col(ColumnDef::new("peer").text().not_null());
    table.col(ColumnDef::new("summary").text().not_null());
    table.col(ColumnDef::new("raw").text().not_null());
    table.to_owned()
}
