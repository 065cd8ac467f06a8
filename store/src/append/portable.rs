//! The append in portable statements: SQLite's path, PostgreSQL's oracle, and the fallback for engines without plpgsql.
//!
//! One transaction: lock the head row, read what the batch must be judged by, judge, insert.

use super::{Submission, Verdict};
use crate::{Batch, Db, Fact, StoreError, Tx, db::padded, read};
use domain::{Log, Sid};
use sea_query::{Cond, Expr, ExprTrait, LockType, OnConflict, Query, SelectStatement, SimpleExpr};
use std::collections::{HashMap, HashSet};

/// What a row that a batch is judged by tells of, in its first column.
const HEAD: i64 = 0;
const STREAM: i64 = 1;
const COMMAND: i64 = 2;
const CLAIM: i64 = 3;
const LAST: i64 = 4;

/// What a batch is judged by.
#[derive(Default)]
struct Before {
    head: i64,
    /// Whether an event is there.
    ends_at_head: bool,
    streams: HashMap<String, (i64, i64)>,
    commands: HashSet<String>,
    claims: HashMap<(String, String), String>,
}

/// Appends the batch in one transaction.
pub(crate) async fn append(db: &Db, log: Log, batch: &[Submission]) -> Result<Vec<Verdict>, StoreError> {
    let mut tx = db.begin().await?;
    let before = Before::read(&mut tx, log, batch).await?;
    if before.head > 0 && !before.ends_at_head {
        tx.rollback().await?;
        let last = read::last(db, log).await?;
        return Err(StoreError::HeadMoved { log, head: before.head, last });
    }
    let mut head = before.head;
    let verdicts: Vec<Verdict> = batch.iter().map(|submission| before.judge(&mut head, submission)).collect();
    let mut writes = tx.batch();
    write(&mut writes, log, before.head, batch, &verdicts);
    if head > before.head {
        let table = Query::update().table("es_heads").value("position", head).and_where(on(log)).to_owned();
        writes.add(&table);
    }
    tx.commit_with(writes).await?;
    Ok(verdicts)
}

fn on(log: Log) -> SimpleExpr {
    Expr::col("log").eq(log.as_str())
}

impl Before {
    async fn read(tx: &mut Tx, log: Log, batch: &[Submission]) -> Result<Before, StoreError> {
        let mut reads = tx.batch();
        reads.add(&head(log));
        reads.add(&event_at_head(log));
        reads.add(&streams(batch));
        commands(log, batch).iter().chain(&claims(log, batch)).for_each(|query| reads.add(query));
        let (mut found, mut before) = (false, Before::default());
        for row in tx.fetch_batch(reads).await? {
            match row.at::<i64>(0)? {
                HEAD => (found, before.head) = (true, row.at(1)?),
                STREAM => drop(before.streams.insert(row.at(1)?, (row.at(2)?, row.at(3)?))),
                LAST => before.ends_at_head = true,
                COMMAND => drop(before.commands.insert(row.at(1)?)),
                _ => drop(before.claims.insert((row.at(1)?, row.at(2)?), row.at(3)?)),
            }
        }
        if found { Ok(before) } else { Err(StoreError::NoHead(log)) }
    }

    /// The verdict on one submission; `head` moves past its events when it is accepted.
    fn judge(&self, head: &mut i64, submission: &Submission) -> Verdict {
        // An expired one too: whether it has, only its proof tells, and who asks the ledger clears it away.
        if submission.commands.iter().any(|seen| self.commands.contains(&seen.id)) {
            return Verdict::Duplicate;
        }
        let (version, position) = self.streams.get(submission.stream.as_str()).copied().unwrap_or((0, 0));
        if version != submission.expected {
            return Verdict::Conflict;
        }
        if let Some((scope, key)) = self.taken(submission) {
            return Verdict::Taken { scope, key };
        }
        *head += submission.version() - version;
        Verdict::Appended {
            version: submission.version(),
            position: if submission.events.is_empty() { position } else { *head },
        }
    }

    fn taken(&self, submission: &Submission) -> Option<(String, String)> {
        let wanted = submission.claims.iter().filter(|claim| claim.takes);
        let mut keys = wanted.map(|claim| (claim.scope.clone(), claim.key.clone()));
        keys.find(|key| self.claims.get(key).is_some_and(|holder| holder != submission.stream.as_str()))
    }
}

fn select(kind: i64, columns: &[&'static str], table: &'static str) -> SelectStatement {
    Query::select()
        .expr(Expr::cust(format!("CAST({kind} AS bigint)")))
        .columns(columns.iter().copied())
        .from(table)
        .to_owned()
}

fn head(log: Log) -> SelectStatement {
    select(HEAD, &["position"], "es_heads").and_where(on(log)).lock(LockType::Update).to_owned()
}

/// A head that was moved on would leave a gap behind it that nobody can close.
fn event_at_head(log: Log) -> SelectStatement {
    let head = Query::select().column("position").from("es_heads").and_where(on(log)).to_owned();
    let at_head = Expr::col("position").in_subquery(head);
    select(LAST, &["position"], "es_events").and_where(on(log)).and_where(at_head).to_owned()
}

fn streams(batch: &[Submission]) -> SelectStatement {
    let ids = batch.iter().map(|submission| submission.stream.as_str());
    let columns = ["stream_id", "version", "position"];
    select(STREAM, &columns, "es_streams").and_where(Expr::col("stream_id").is_in(padded(ids))).to_owned()
}

fn commands(log: Log, batch: &[Submission]) -> Option<SelectStatement> {
    let ids: Vec<&str> =
        batch.iter().flat_map(|submission| &submission.commands).map(|seen| seen.id.as_str()).collect();
    let mut query = select(COMMAND, &["command_id"], "es_commands").and_where(on(log)).to_owned();
    (!ids.is_empty()).then(|| query.and_where(Expr::col("command_id").is_in(padded(ids))).to_owned())
}

/// Holders of every scope with every key of the batch: a few too many, told apart when judging.
fn claims(log: Log, batch: &[Submission]) -> Option<SelectStatement> {
    let all: Vec<_> =
        batch.iter().flat_map(|submission| &submission.claims).filter(|claim| claim.takes).collect();
    let keys = Cond::all()
        .add(Expr::col("scope").is_in(padded(all.iter().map(|claim| claim.scope.as_str()))))
        .add(Expr::col("key").is_in(padded(all.iter().map(|claim| claim.key.as_str()))));
    let mut query = select(CLAIM, &["scope", "key", "stream_id"], "es_claims").and_where(on(log)).to_owned();
    (!all.is_empty()).then(|| query.cond_where(keys).to_owned())
}

/// Inserts what was accepted.
fn write(writes: &mut Batch, log: Log, head: i64, batch: &[Submission], verdicts: &[Verdict]) {
    let accepted = batch.iter().zip(verdicts).filter_map(|(submission, verdict)| match verdict {
        Verdict::Appended { version, position } => Some((submission, *version, *position)),
        _ => None,
    });
    let accepted: Vec<(&Submission, i64, i64)> = accepted.collect();
    let events: Vec<&Fact> = accepted.iter().flat_map(|(submission, ..)| &submission.events).collect();
    insert_events(writes, head, &events);
    upsert_streams(writes, log, &accepted);
    upsert_commands(writes, log, &accepted);
    for (submission, ..) in &accepted {
        settle_claims(writes, log, submission);
    }
}

fn insert_events(writes: &mut Batch, head: i64, events: &[&Fact]) {
    let rows = writes.rows_at_once(read::COLUMNS.len());
    for (position, chunk) in (head + 1..).step_by(rows).zip(events.chunks(rows)) {
        let mut insert = Query::insert().into_table("es_events").columns(read::COLUMNS).to_owned();
        for (position, fact) in (position..).zip(chunk) {
            insert.values_panic(read::values(position, fact));
        }
        writes.add(&insert);
    }
}

fn upsert_streams(writes: &mut Batch, log: Log, accepted: &[(&Submission, i64, i64)]) {
    let columns = ["stream_id", "log", "stream_type", "carrier", "version", "position", "hash"];
    let moved: Vec<_> = accepted.iter().filter(|(submission, ..)| !submission.events.is_empty()).collect();
    for chunk in moved.chunks(writes.rows_at_once(columns.len())) {
        let mut insert = Query::insert().into_table("es_streams").columns(columns).to_owned();
        for (submission, version, position) in chunk {
            let (stream, carrier) = (submission.stream.as_str(), submission.carrier.as_str());
            let hash = submission.hash.to_vec();
            let values = [stream.into(), log.as_str().into(), submission.stream_type.into(), carrier.into()];
            insert.values_panic(values.into_iter().chain([
                (*version).into(),
                (*position).into(),
                hash.into(),
            ]));
        }
        let moved =
            OnConflict::column("stream_id").update_columns(["version", "position", "hash"]).to_owned();
        writes.add(insert.on_conflict(moved));
    }
}

fn upsert_commands(writes: &mut Batch, log: Log, accepted: &[(&Submission, i64, i64)]) {
    const COLUMNS: [&str; 9] =
        ["log", "command_id", "carrier", "stream_id", "digest", "version", "position", "expires_at", "proof"];
    let seen: Vec<_> = accepted
        .iter()
        .flat_map(|accepted| accepted.0.commands.iter().map(move |seen| (accepted, seen)))
        .collect();
    for chunk in seen.chunks(writes.rows_at_once(COLUMNS.len())) {
        let mut insert = Query::insert().into_table("es_commands").columns(COLUMNS).to_owned();
        for ((submission, version, position), seen) in chunk {
            let (carrier, stream): (&Sid, &Sid) = (&submission.carrier, &submission.stream);
            let ids = [
                log.as_str().into(),
                seen.id.as_str().into(),
                carrier.as_str().into(),
                stream.as_str().into(),
            ];
            let rest =
                [seen.digest.to_vec().into(), (*version).into(), (*position).into(), seen.expires_at.into()];
            insert.values_panic(ids.into_iter().chain(rest).chain([seen.proof.to_vec().into()]));
        }
        writes.add(&insert);
    }
}

fn settle_claims(writes: &mut Batch, log: Log, submission: &Submission) {
    for claim in &submission.claims {
        let stream = submission.stream.as_str();
        if claim.holds {
            let mut insert = Query::insert().into_table("es_claims").to_owned();
            insert.columns(["log", "scope", "key", "stream_id"]);
            insert.values_panic([
                log.as_str().into(),
                claim.scope.as_str().into(),
                claim.key.as_str().into(),
                stream.into(),
            ]);
            let ours = OnConflict::columns(["log", "scope", "key"]).do_nothing().to_owned();
            writes.add(insert.on_conflict(ours));
        } else {
            let key =
                Expr::col("scope").eq(claim.scope.as_str()).and(Expr::col("key").eq(claim.key.as_str()));
            let ours = on(log).and(key).and(Expr::col("stream_id").eq(stream));
            writes.add(&Query::delete().from_table("es_claims").and_where(ours).to_owned());
        }
    }
}
