//! What the processes that act on the log remember about themselves: how far each effect has come, who has which node's name,
//! and who still lived when.

use crate::Step;
use sea_query::{ColumnDef, Table, TableCreateStatement};

/// They may be there: releases before this migration made them when they started, and two that started at the same time stood
/// in each other's way.
pub(crate) fn steps() -> Vec<Step> {
    [reactors(), nodes(), lives()].map(|table| Step::Table(Box::new(table))).into()
}

fn reactors() -> TableCreateStatement {
    let mut table = named("reactors", "name");
    table.col(ColumnDef::new("position").big_integer().not_null());
    table.col(ColumnDef::new("holder").text().not_null());
    table.col(ColumnDef::new("lease_until").big_integer().not_null()).to_owned()
}

fn nodes() -> TableCreateStatement {
    let mut table = named("nodes", "name");
    table.col(ColumnDef::new("token").text().not_null());
    table.col(ColumnDef::new("process").text().not_null());
    table.col(ColumnDef::new("epoch").big_integer().not_null());
    table.col(ColumnDef::new("lease_until").big_integer().not_null()).to_owned()
}

fn lives() -> TableCreateStatement {
    named("node_lives", "claim").col(ColumnDef::new("lived").big_integer().not_null()).to_owned()
}

fn named(table: &'static str, key: &'static str) -> TableCreateStatement {
    let mut create = Table::create();
    create.table(table).if_not_exists().col(ColumnDef::new(key).text().not_null().primary_key()).to_owned()
}
