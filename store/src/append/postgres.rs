//! The append as one call of `es_append` (schema crate): one round trip per batch.

use super::{Submission, Verdict};
use crate::{Db, StoreError, db::Line};
use domain::Log;
use sqlx::{PgConnection, Row, postgres::PgRow};

/// One argument per array of the function; the order is its signature.
const CALL: &str = "SELECT sub, verdict, detail, last_position FROM es_append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,\
$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31,$32,$33,$34,$35,$36) ORDER BY sub";

/// Appends the batch in one call, over the writer's own connection.
pub(crate) async fn append(
    db: &Db,
    line: &mut Line,
    log: Log,
    now: i64,
    batch: &[Submission],
) -> Result<Vec<Verdict>, StoreError> {
    let rows = line.run(db, async |connection| call(connection, log, now, batch).await).await?;
    rows.iter().zip(batch).map(|(row, submission)| verdict(row, batch, submission)).collect()
}

/// Each element with its submission's number, from 1.
fn numbered<'b, T: 'b>(
    batch: &'b [Submission],
    part: impl Fn(&'b Submission) -> &'b [T],
) -> impl Iterator<Item = (i64, &'b T)> + Clone {
    let items =
        |(number, submission)| part(submission).iter().map(move |item| (number, item)).collect::<Vec<_>>();
    (1..).zip(batch).flat_map(items).collect::<Vec<_>>().into_iter()
}

async fn call(
    connection: &mut PgConnection,
    log: Log,
    now: i64,
    batch: &[Submission],
) -> Result<Vec<PgRow>, sqlx::Error> {
    let events = numbered(batch, |submission| &submission.events);
    let facts = || events.clone().map(|(_, fact)| fact);
    let commands = numbered(batch, |submission| &submission.commands);
    let claims = numbered(batch, |submission| &submission.claims);
    let micros = |at: domain::Timestamp| at.micros();
    sqlx::query(CALL)
        .bind(log.as_str())
        .bind(now)
        .bind(all(batch, |submission| submission.stream.as_str()))
        .bind(all(batch, |submission| submission.stream_type))
        .bind(all(batch, |submission| submission.carrier.as_str()))
        .bind(all(batch, |submission| submission.expected))
        .bind(all(batch, |submission| submission.version() - submission.expected))
        .bind(all(batch, |submission| submission.hash.as_slice()))
        .bind(all(events.clone(), |(number, _)| number))
        .bind(all(facts(), |fact| fact.sequence))
        .bind(all(facts(), |fact| fact.tenant.account.as_ref().map(domain::Sid::as_str)))
        .bind(all(facts(), |fact| fact.event_id.to_string()))
        .bind(all(facts(), |fact| fact.event_type.as_str()))
        .bind(all(facts(), |fact| i64::from(fact.schema_version)))
        .bind(all(facts(), |fact| fact.command_id.as_deref()))
        .bind(all(facts(), |fact| fact.correlation.as_deref()))
        .bind(all(facts(), |fact| fact.causation.as_deref()))
        .bind(all(facts(), |fact| fact.actor.kind()))
        .bind(all(facts(), |fact| fact.actor.id()))
        .bind(all(facts(), |fact| fact.ip.map(|ip| ip.to_string())))
        .bind(all(facts(), |fact| fact.user_agent.as_deref()))
        .bind(all(facts(), |fact| micros(fact.at)))
        .bind(all(facts(), |fact| micros(fact.recorded_at)))
        .bind(all(facts(), |fact| &*fact.payload))
        .bind(all(facts(), |fact| fact.prev_hash.as_slice()))
        .bind(all(facts(), |fact| fact.hash.as_slice()))
        .bind(all(commands.clone(), |(number, _)| number))
        .bind(all(commands.clone(), |(_, seen)| seen.id.as_str()))
        .bind(all(commands.clone(), |(_, seen)| seen.digest.as_slice()))
        .bind(all(commands.clone(), |(_, seen)| seen.expires_at))
        .bind(all(commands, |(_, seen)| seen.proof.as_slice()))
        .bind(all(claims.clone(), |(number, _)| number))
        .bind(all(claims.clone(), |(_, claim)| claim.scope.as_str()))
        .bind(all(claims.clone(), |(_, claim)| claim.key.as_str()))
        .bind(all(claims.clone(), |(_, claim)| claim.takes))
        .bind(all(claims, |(_, claim)| claim.holds))
        .fetch_all(connection)
        .await
}

fn all<I: IntoIterator, T>(items: I, value: impl FnMut(I::Item) -> T) -> Vec<T> {
    items.into_iter().map(value).collect()
}

fn verdict(row: &PgRow, batch: &[Submission], submission: &Submission) -> Result<Verdict, StoreError> {
    let (verdict, detail, position): (i64, i64, i64) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    Ok(match verdict {
        0 => Verdict::Appended { version: submission.version(), position },
        1 => Verdict::Conflict,
        2 => Verdict::Duplicate,
        _ => taken(batch, detail),
    })
}

/// The claim that is taken: the `detail`th of the batch, from 1.
fn taken(batch: &[Submission], detail: i64) -> Verdict {
    let claim =
        batch.iter().flat_map(|submission| &submission.claims).nth(usize::try_from(detail - 1).unwrap_or(0));
    let (scope, key) = claim.map(|claim| (claim.scope.clone(), claim.key.clone())).unwrap_or_default();
    Verdict::Taken { scope, key }
}
