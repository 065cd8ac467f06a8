//! What a process that stopped without finishing left behind: queued calls are placed, live ones closed with a reason.

use super::PlaceCalls;
use crate::{
    Common,
    nodes::{self, Roster},
};
use domain::{
    Log, Sid, Tenant,
    call::{Call, CallEvent, Direction, EndReason, Ending, Queued, Received},
};
use futures_util::{StreamExt, future::BoxFuture, stream};
use parking_lot::MutexGuard;
use projections::{CallRow, ReadError};
use sip_engine::CallRef;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};
use store::StoreError;
use tokio::time::Instant;

/// Comes to the process that had a call, and the call, where it was closed.
type Settling<'a> = BoxFuture<'a, Result<Option<(String, Sid)>, StoreError>>;

/// How long recovery waits for the projection of calls at most; the rows there are then serve.
const WAIT: Duration = Duration::from_secs(3);

/// How long the engine must have been without a call of this node before the call is closed: by then whatever it said last
/// about it is in the log, or nowhere.
const LOST_FOR: Duration = Duration::from_secs(10);

/// Calls settled side by side: a dead node's are closed while those who wait for that still do.
const TOGETHER: usize = 64;

/// Most calls that are named in a line of the log.
const NAMED: usize = 20;

/// The calls that were closed, by the process that had them.
type Closed = BTreeMap<String, Vec<Sid>>;

/// What becomes of a call that is not over.
enum Fate {
    /// It waits to be placed.
    Place,
    /// Nobody has it any more.
    Close,
    /// Somebody has it.
    Leave,
}

impl PlaceCalls {
    /// Looks at every call that is not over. Returns the position of `calls` that is known of them.
    pub(super) async fn recover(&self) -> Result<i64, StoreError> {
        let head = self.common.store.head(Log::Calls).await?;
        if let Err(behind) = self.common.projections.reached(Log::Calls, head, WAIT).await {
            tracing::warn!(%behind, "recovering with the calls known so far");
        }
        let position = self.common.projections.position(Log::Calls).min(head);
        self.sweep().await?;
        Ok(position)
    }

    /// Places what is queued and closes what is nobody's; says what it closed.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        let mut closed = Closed::new();
        let swept = self.sweep_into(&mut closed).await;
        for (node, calls) in closed {
            self.tell_closed(&node, &calls).await;
        }
        swept
    }

    /// One line for each process that left calls.
    async fn tell_closed(&self, node: &str, calls: &[Sid]) {
        let lived = self.common.nodes.lived(node).await.ok().flatten();
        let lived = lived.map_or_else(|| "unknown".to_owned(), |lived| lived.to_string());
        let named: Vec<&str> = calls.iter().take(NAMED).map(Sid::as_str).collect();
        tracing::warn!(
            node,
            last_alive = %lived,
            closed = calls.len(),
            calls = %named.join(" "),
            "a process is gone, or has lost calls of its own: they are closed"
        );
    }

    async fn sweep_into(&self, closed: &mut Closed) -> Result<(), StoreError> {
        let roster = self.common.nodes.roster().await?;
        let mut after: Option<Sid> = None;
        loop {
            let rows =
                self.common.projections.system().unfinished_calls(after.as_ref()).await.map_err(broken)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.sid.clone());
            let mut settled: Vec<Settling<'_>> = Vec::new();
            for row in rows {
                settled.push(Box::pin(self.settle(row, &roster)));
            }
            let results: Vec<_> = stream::iter(settled).buffer_unordered(TOGETHER).collect().await;
            let mut failed = None;
            for result in results {
                match result {
                    Ok(Some((node, call))) => closed.entry(node).or_default().push(call),
                    Ok(None) => {}
                    Err(error) => failed = Some(error),
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    /// Does what is to be done; which process had the call, where that closed it.
    async fn settle(&self, row: CallRow, roster: &Roster) -> Result<Option<(String, Sid)>, StoreError> {
        let fate = self.fate(&row, roster).await?;
        let node = row.claimed_by.as_deref().unwrap_or("none").to_owned();
        let tenant = Tenant { carrier: row.carrier, account: row.account };
        let call = CallRef { sid: row.sid, tenant };
        match fate {
            Fate::Leave => Ok(None),
            Fate::Close => {
                self.part(&call, row.direction).await?;
                self.end(&call, Ending::because(EndReason::Interrupted)).await?;
                Ok(Some((node, call.sid)))
            }
            Fate::Place => match self.queued(&call.sid).await? {
                Some(queued) => {
                    self.routes_known().await?;
                    self.place(call, queued, row.created_at).await?;
                    Ok(None)
                }
                None => Ok(None),
            },
        }
    }

    /// Tells the phone of a call that nobody has any more. It is told before the log: who is told twice, because we were gone
    /// in between, has forgotten the call already.
    async fn part(&self, call: &CallRef, direction: Direction) -> Result<(), StoreError> {
        let (mut through, mut talks) = (None, None);
        for fact in self.common.store.stream(&call.sid).await? {
            match fact.of::<Call>().transpose()? {
                Some(CallEvent::Received(Received { trunk, .. })) => through = Some(trunk),
                Some(CallEvent::Initiated { trunk, .. } | CallEvent::Rerouted { trunk, .. }) => {
                    (through, talks) = (Some(trunk), None);
                }
                Some(CallEvent::Ringing { invite, .. }) => talks = invite,
                Some(CallEvent::Answered { dialog }) => talks = dialog,
                Some(CallEvent::Moved { dialog }) => talks = Some(dialog),
                Some(CallEvent::Ended(_)) => return Ok(()),
                _ => {}
            }
        }
        if let (Some(trunk), Some(dialog)) = (through, talks)
            && !self.engine.part(call.clone(), direction, &trunk, dialog)
        {
            tracing::info!(call = %call.sid, "the phone of an interrupted call is not reached by its trunk any more");
        }
        Ok(())
    }

    async fn fate(&self, row: &CallRow, roster: &Roster) -> Result<Fate, StoreError> {
        match (&row.claimed_by, row.direction) {
            (Some(node), _) if **node == *self.common.node => Ok(self.fate_of_own(row)),
            // What it said last may be in our spool, when it was an earlier process here.
            (Some(_), _) if (self.common.behind)(&row.sid) => Ok(Fate::Leave),
            (Some(node), _) => Ok(if self.is_gone(node, roster).await? { Fate::Close } else { Fate::Leave }),
            (None, Direction::OutboundApi) => Ok(Fate::Place),
            // A dialled leg belongs to its parent's node and is closed with it.
            (None, _) => self.fate_of_leg(row, roster).await,
        }
    }

    /// Whether another process has not said for a lease that it lives, though it could have. An earlier one of our name is
    /// gone: the name is ours.
    async fn is_gone(&self, claim: &str, roster: &Roster) -> Result<bool, StoreError> {
        let Common { nodes, ledger, store, clock, .. } = &self.common;
        if !nodes.is_shared() || nodes.is_namesake(claim) {
            return Ok(true);
        }
        if !self.alive.for_a_lease(Instant::now()) || roster.has(claim) {
            return Ok(false);
        }
        let now = store.db().now(&**clock).await?;
        Ok(nodes::parse(claim).1.is_some() || !ledger.is_held(&format!("node:{claim}"), now).await?)
    }

    /// Looks for processes whose lease has run out since it was last looked; closes what they had.
    pub(super) async fn bury(&self, buried: &mut HashSet<(String, i64)>) -> Result<(), StoreError> {
        if !self.common.nodes.is_shared() || !self.alive.for_a_lease(Instant::now()) {
            return Ok(());
        }
        let roster = self.common.nodes.roster().await?;
        let gone: HashSet<(String, i64)> =
            roster.gone().map(|(name, epoch)| (name.to_owned(), epoch)).collect();
        if !gone.is_subset(buried) {
            self.sweep().await?;
        }
        *buried = gone;
        Ok(())
    }

    /// A call that the log says this node has.
    fn fate_of_own(&self, row: &CallRow) -> Fate {
        let never_left = row.direction == Direction::OutboundApi && row.started_at.is_none();
        let claimed = self.claimed().contains(&row.sid);
        match row.created_at < self.began {
            _ if !self.is_lost(&row.sid) => Fate::Leave,
            // Queued before this process began and claimed since, or come since: what ended it may be on its way.
            _ if claimed || !never_left && row.created_at >= self.began => self.fate_of_lost(&row.sid),
            true => Fate::Close,
            // Claimed by us without our hearing of it.
            false => Fate::Place,
        }
    }

    /// Whether the engine has nothing of this call, and nothing of it is on its way into the log.
    fn is_lost(&self, call: &Sid) -> bool {
        let lost = !self.engine.has(call) && !(self.common.behind)(call);
        if !lost {
            self.lost().remove(call);
        }
        lost
    }

    /// A call that lost its end, as on a full disk, is closed when nothing more can come of it.
    fn fate_of_lost(&self, call: &Sid) -> Fate {
        let now = Instant::now();
        let since = *self.lost().entry(call.clone()).or_insert(now);
        if now.duration_since(since) < LOST_FOR {
            return Fate::Leave;
        }
        self.lost().remove(call);
        Fate::Close
    }

    pub(super) fn lost(&self) -> MutexGuard<'_, HashMap<Sid, Instant>> {
        self.lost.lock()
    }

    async fn fate_of_leg(&self, row: &CallRow, roster: &Roster) -> Result<Fate, StoreError> {
        let Some(parent) = &row.parent else { return Ok(Fate::Close) };
        let parent = self.common.projections.system().call(parent).await.map_err(broken)?;
        let node = parent.as_ref().and_then(|parent| parent.claimed_by.as_deref());
        let is_own = node == Some(&*self.common.node);
        match (&parent, node) {
            (Some(parent), Some(_)) if parent.is_live() && !is_own => {
                Box::pin(self.fate(parent, roster)).await
            }
            // It may have its end still to tell.
            (_, Some(node)) if !is_own && !self.is_gone(node, roster).await? => Ok(Fate::Leave),
            (parent, _) if row.created_at < self.began && parent.as_ref().is_none_or(|it| !it.is_live()) => {
                Ok(Fate::Close)
            }
            // Its parent may be over or not: a leg can lose its end by itself.
            _ if self.is_lost(&row.sid) => Ok(self.fate_of_lost(&row.sid)),
            _ => Ok(Fate::Leave),
        }
    }

    /// What was asked for: the call's first fact, with the program of the last redirection while it waited.
    pub(super) async fn queued(&self, call: &Sid) -> Result<Option<Queued>, StoreError> {
        let mut asked = None;
        for fact in self.common.store.stream(call).await? {
            match (fact.of::<Call>().transpose()?, &mut asked) {
                (Some(CallEvent::Queued(queued)), None) => asked = Some(queued),
                (Some(CallEvent::Redirected(program)), Some(queued)) => queued.program = Some(program),
                _ => {}
            }
        }
        Ok(asked)
    }
}

/// A row that cannot be read is our defect; the store's own failure is passed on.
pub(super) fn broken(error: ReadError) -> StoreError {
    match error {
        ReadError::Store(error) => error,
        other => {
            tracing::error!(error = %other, "a projected call cannot be read");
            StoreError::Closed
        }
    }
}
