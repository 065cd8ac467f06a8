//! Row by row: the live table in one snapshot, the rebuilt one beside it, both in the order of their keys.

use super::{Difference, MAX_DIFFERENCES};
use crate::{
    Trouble,
    machine::{
        building::{Building, Seen},
        column::{Kind, Shape},
        ledger,
        pieces::{self, Piece},
        projector::Projector,
        record::Record,
    },
};
use sea_query::{Cond, Expr, ExprTrait, Order, Query, SelectStatement, Value};
use std::collections::BTreeMap;
use store::{Row, Store, Tx};

/// Rows compared at once.
const PAGE: u64 = 1_000;

/// A row's cells in the order of the columns; unreadable ones as an error in words.
type Cells = Vec<Option<String>>;
/// Rows by their keys' cells.
type Rows = BTreeMap<String, Cells>;

/// Fills `building` up to exactly where the live table stands in one snapshot, and says where the two differ.
pub(super) async fn differences(
    store: &Store,
    building: &mut Building,
    near: i64,
    seen: Seen<'_>,
) -> Result<Vec<Difference>, Trouble> {
    building.fill(near, seen).await?;
    let mut live = store.db().snapshot().await?;
    let name = building.member.projector.name();
    let Some(known) = ledger::live(&mut live, name).await? else { return Ok(Vec::new()) };
    let stands = ledger::position(&mut live, &known.table).await?.unwrap_or(0);
    building.fill(stands, seen).await?;
    let mut rebuilt = building.home.snapshot().await?;
    let mut found: Vec<Difference> = stopped(store, &mut live, &*building.member.projector, &known.table)
        .await?
        .into_iter()
        .chain(left_out(&mut live, name, &known.table).await?)
        .collect();
    let projector = &*building.member.projector;
    let tables = (known.table.clone(), building.member.table.clone());
    let pieces = (pieces::beside(&tables.0), pieces::beside(&tables.1));
    let mut sides = Sides { live: &mut live, rebuilt: &mut rebuilt, tables };
    sides.compare(&Like::the(projector), &mut found).await?;
    if projector.searched() {
        sides.tables = pieces;
        sides.compare(&Like::its_pieces(projector), &mut found).await?;
    }
    live.rollback().await?;
    rebuilt.rollback().await?;
    Ok(found)
}

/// A live table that stopped is behind the log for good, however right its rows are.
async fn stopped(
    store: &Store,
    live: &mut Tx,
    projector: &dyn Projector,
    table: &str,
) -> Result<Option<Difference>, Trouble> {
    let Some(reason) = ledger::stopped(live, table).await? else { return Ok(None) };
    let (projection, head) = (projector.name(), store.head(projector.log()).await?);
    let reason = reason.strip_prefix(projection).unwrap_or(&reason).trim_start().to_owned();
    let rebuilt = Some(format!("events up to position {head}"));
    Ok(Some(Difference { projection, key: "as a whole".into(), column: None, live: Some(reason), rebuilt }))
}

/// Streams the live table leaves out are differences too: its rows are not what the log says.
async fn left_out(live: &mut Tx, projection: &'static str, table: &str) -> Result<Vec<Difference>, Trouble> {
    let parked = ledger::parked(live, table).await?;
    let mut found: Vec<Difference> = parked
        .into_iter()
        .map(|(stream, (position, reason))| {
            let live = Some(format!("left out from position {position}: {reason}"));
            Difference { projection, key: stream.to_string(), column: None, live, rebuilt: None }
        })
        .collect();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found.truncate(MAX_DIFFERENCES);
    Ok(found)
}

/// What the tables are like.
struct Like {
    projection: &'static str,
    key: &'static [&'static str],
    columns: &'static [&'static str],
    shapes: Vec<Shape>,
}

impl Like {
    fn the(projector: &dyn Projector) -> Like {
        Like {
            projection: projector.name(),
            key: projector.key(),
            columns: projector.columns(),
            shapes: projector.shapes(),
        }
    }

    fn its_pieces(projector: &dyn Projector) -> Like {
        Like {
            projection: projector.name(),
            key: Piece::KEY,
            columns: Piece::COLUMNS,
            shapes: Piece::shapes(),
        }
    }
}

/// Both tables.
struct Sides<'s> {
    live: &'s mut Tx,
    rebuilt: &'s mut Tx,
    tables: (String, String),
}

impl Sides<'_> {
    async fn compare(&mut self, like: &Like, found: &mut Vec<Difference>) -> Result<(), Trouble> {
        let mut after: Option<Vec<Value>> = None;
        while found.len() < MAX_DIFFERENCES {
            let page = select(like, &self.tables.0, after.as_deref(), None, PAGE);
            let live = self.live.fetch_all(&page).await?;
            let until = live.last().map(|last| key_values(like, last));
            let range = select(like, &self.tables.1, after.as_deref(), until.as_deref(), u64::MAX);
            let rebuilt = self.rebuilt.fetch_all(&range).await?;
            report(like, (&rows(like, &live), &rows(like, &rebuilt)), found);
            if until.is_none() {
                break;
            }
            after = until;
        }
        found.truncate(MAX_DIFFERENCES);
        Ok(())
    }
}

/// Rows after a key, up to another, in the order of the keys.
fn select(
    like: &Like,
    table: &str,
    after: Option<&[Value]>,
    until: Option<&[Value]>,
    limit: u64,
) -> SelectStatement {
    let mut select = Query::select();
    select.columns(like.columns.iter().copied()).from(table.to_owned());
    if let Some(after) = after {
        select.cond_where(beyond(like.key, after));
    }
    if let Some(until) = until {
        select.cond_where(beyond(like.key, until).not());
    }
    for column in like.key {
        select.order_by(*column, Order::Asc);
    }
    if limit < u64::MAX {
        select.limit(limit);
    }
    select
}

/// `(a, b) > (x, y)` spelled out: `a > x OR (a = x AND b > y)`.
fn beyond(key: &'static [&'static str], values: &[Value]) -> Cond {
    let mut any = Cond::any();
    for (place, (column, value)) in key.iter().zip(values).enumerate() {
        let mut all = Cond::all();
        for (earlier, equal) in key.iter().zip(values).take(place) {
            all = all.add(Expr::col(*earlier).eq(equal.clone()));
        }
        any = any.add(all.add(Expr::col(*column).gt(value.clone())));
    }
    any
}

fn key_values(like: &Like, row: &Row) -> Vec<Value> {
    let shapes = &like.shapes;
    let place = |name: &&str| like.columns.iter().position(|column| column == name).unwrap_or(0);
    let value = |at: usize| match shapes.get(at).map(|shape| shape.kind) {
        Some(Kind::Integer) => Value::BigInt(row.at(at).ok()),
        _ => Value::String(row.at(at).ok()),
    };
    like.key.iter().map(place).map(value).collect()
}

fn rows(like: &Like, rows: &[Row]) -> Rows {
    let shapes = &like.shapes;
    let cells =
        |row: &Row| -> Cells { shapes.iter().enumerate().map(|(at, shape)| cell(row, at, *shape)).collect() };
    let key = |cells: &Cells| {
        let part = |name: &&str| {
            let at = like.columns.iter().position(|column| column == name);
            at.and_then(|at| cells.get(at).cloned().flatten()).unwrap_or_default()
        };
        like.key.iter().map(part).collect::<Vec<String>>().join("/")
    };
    rows.iter()
        .map(|row| {
            let cells = cells(row);
            (key(&cells), cells)
        })
        .collect()
}

/// One cell in words: what another hand has put there need not be of the column's type.
fn cell(row: &Row, at: usize, shape: Shape) -> Option<String> {
    let text = match shape.kind {
        Kind::Text => row.at::<Option<String>>(at),
        Kind::Integer => row.at::<Option<i64>>(at).map(|value| value.map(|value| value.to_string())),
        Kind::Boolean => row.at::<Option<bool>>(at).map(|value| value.map(|value| value.to_string())),
        Kind::Double => row.at::<Option<f64>>(at).map(|value| value.map(|value| value.to_string())),
    };
    text.unwrap_or_else(|error| Some(format!("unreadable: {error}")))
}

fn report(like: &Like, (live, rebuilt): (&Rows, &Rows), found: &mut Vec<Difference>) {
    let projection = like.projection;
    let whole = |cells: &Cells| Some(cells.iter().flatten().cloned().collect::<Vec<_>>().join(" | "));
    for (key, cells) in live {
        let key = key.clone();
        match rebuilt.get(&key) {
            None => {
                found.push(Difference { projection, key, column: None, live: whole(cells), rebuilt: None });
            }
            Some(right) => {
                let differing = like.columns.iter().zip(cells.iter().zip(right)).filter(|(_, (a, b))| a != b);
                found.extend(differing.map(|(column, (a, b))| Difference {
                    projection,
                    key: key.clone(),
                    column: Some(column),
                    live: a.clone(),
                    rebuilt: b.clone(),
                }));
            }
        }
    }
    for (key, cells) in rebuilt.iter().filter(|(key, _)| !live.contains_key(*key)) {
        found.push(Difference {
            projection,
            key: key.clone(),
            column: None,
            live: None,
            rebuilt: whole(cells),
        });
    }
}
