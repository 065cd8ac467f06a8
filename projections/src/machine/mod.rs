//! What tables are made of, whatever is in them: how a row type becomes a table, how facts become rows and how rows are
//! read. Nothing here knows of any table.

pub(crate) mod biography;
pub(crate) mod building;
pub(crate) mod column;
pub(crate) mod error;
pub(crate) mod ledger;
pub(crate) mod needle;
pub(crate) mod order;
pub(crate) mod page;
pub(crate) mod pieces;
pub(crate) mod projector;
pub(crate) mod reads;
pub(crate) mod record;
pub(crate) mod scope;
pub(crate) mod search;
pub(crate) mod trouble;
