//! The log of calls as it grows: queued ones are placed side by side, requests about a call wait until it is placed.

use super::{NAME, PlaceCalls, recover::broken};
use domain::{
    Actor, Log, Sid,
    account::{Account, AccountEventKind},
    call::{Call, CallCommand, CallEvent, CallEventKind, Direction, EndReason, Ending, Queued, Status},
};
use futures_util::{StreamExt, future::BoxFuture, stream};
use projections::{CallFilter, Page, Scope};
use sip_engine::CallRef;
use std::{collections::HashSet, time::Duration};
use store::{Fact, StoreError};
use tokio::time::MissedTickBehavior;

/// Facts per page.
const PAGE: usize = 500;
/// Calls claimed and handed over side by side.
const PLACED_TOGETHER: usize = 64;
/// How often calls of nodes that are gone, and ones that wait for too long, are looked for.
const SWEEP: Duration = Duration::from_secs(15);
/// How often it is looked whether a node's lease has run out.
const VIGIL: Duration = Duration::from_millis(500);
/// How long an engine's last facts about a call may take to reach the log.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// What is acted upon of what happens to a call.
const HEEDED: [CallEventKind; 4] =
    [CallEventKind::Queued, CallEventKind::Redirected, CallEventKind::EndRequested, CallEventKind::Ended];
/// Most calls of a disabled account ended per page of the list.
const ENDED_PER_PAGE: u32 = 200;

impl PlaceCalls {
    /// Recovers, then follows both logs until the store fails.
    pub(super) async fn work(&self) -> Result<(), StoreError> {
        self.renew().await?;
        let (calls, core) = self.begin().await?;
        let mut calls = self.common.store.follow(Log::Calls, calls, PAGE);
        let mut accounts = self.common.store.follow(Log::Core, core, PAGE);
        let mut freed = self.engine.freed();
        let mut sweep = tokio::time::interval_at(tokio::time::Instant::now() + SWEEP, SWEEP);
        let (mut vigil, mut buried) = (tokio::time::interval(VIGIL), HashSet::new());
        vigil.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                page = calls.next() => self.act(&page?).await?,
                page = accounts.next() => self.heed(&page?).await?,
                () = self.queue.called(&mut freed) => self.place_waiting().await?,
                _ = sweep.tick() => {
                    self.sweep().await?;
                    self.place_waiting().await?;
                }
                _ = vigil.tick() => self.bury(&mut buried).await?,
            }
        }
    }

    /// Where to follow both logs from: at first where the tables are, then where this process was.
    async fn begin(&self) -> Result<(i64, i64), StoreError> {
        let known = *self.acted.core.borrow();
        let core = match known {
            Some(position) => position,
            None => self.common.store.head(Log::Core).await?,
        };
        self.acted.core.send_replace(Some(core));
        let recovered = self.recover().await?;
        let calls = self.acted.calls.borrow().unwrap_or(recovered);
        self.acted.calls.send_replace(Some(calls));
        Ok((calls, core))
    }

    async fn act(&self, page: &[Fact]) -> Result<(), StoreError> {
        let mut queued = Vec::new();
        for fact in page {
            match call_event(fact) {
                Some(CallEvent::Queued(call)) if call.direction == Direction::OutboundApi => {
                    queued.push((fact, call));
                }
                Some(CallEvent::Redirected(program)) => {
                    self.place_all(std::mem::take(&mut queued)).await?;
                    self.engine.redirect(&fact.stream, program);
                    self.acted.calls.send_replace(Some(fact.position));
                }
                Some(CallEvent::EndRequested { status }) => {
                    self.place_all(std::mem::take(&mut queued)).await?;
                    if !self.engine.end(&fact.stream, status) {
                        self.look_after(fact, status);
                    }
                    self.acted.calls.send_replace(Some(fact.position));
                }
                Some(CallEvent::Ended(_)) => self.give_up(fact),
                _ => {}
            }
        }
        self.place_all(queued).await?;
        self.acted.calls.send_replace(page.last().map(|last| last.position));
        Ok(())
    }

    /// Another node took this one for dead and closed a call that goes on here: it is over in the log, and so here.
    fn give_up(&self, fact: &Fact) {
        let closed_by_a_node = matches!(&fact.actor, Actor::System(part) if part == NAME);
        if closed_by_a_node && self.engine.has(&fact.stream) {
            tracing::warn!(call = %fact.stream, "another node closed this call, for it took this one for dead; it is hung up");
            self.engine.end(&fact.stream, Status::Completed);
        }
    }

    /// An order to end a call that this node has and its engine does not: it is closed, once what the engine may have
    /// said last has had time to reach the log.
    fn look_after(&self, fact: &Fact, status: Status) {
        let call = CallRef { sid: fact.stream.clone(), tenant: fact.tenant.clone() };
        let (calls, stop) = (self.clone(), self.common.stop.clone());
        self.common.tasks.spawn(async move {
            let closed = async {
                tokio::time::sleep(LAST_WORDS).await;
                calls.close_if_ours(&call, status).await
            };
            if let Some(Err(error)) = stop.run_until_cancelled(closed).await {
                tracing::warn!(call = %call.sid, %error, "a call that nobody has is closed by the next sweep");
            }
        });
    }

    async fn close_if_ours(&self, call: &CallRef, status: Status) -> Result<(), StoreError> {
        let loaded = self.common.store.load::<Call>(&call.sid).await?.aggregate;
        let ours = loaded.claimed_by() == Some(&*self.common.node);
        if !ours || loaded.ending().is_some() || self.engine.end(&call.sid, status) {
            return Ok(());
        }
        let by_request =
            if status == Status::Canceled { EndReason::CanceledByApi } else { EndReason::CompletedByApi };
        self.end(call, Ending::because(by_request)).await
    }

    async fn place_all(&self, queued: Vec<(&Fact, Queued)>) -> Result<(), StoreError> {
        if queued.is_empty() {
            return Ok(());
        }
        self.routes_known().await?;
        let mut placed: Vec<BoxFuture<'_, Result<(), StoreError>>> = Vec::new();
        for (fact, queued) in queued {
            let call = CallRef { sid: fact.stream.clone(), tenant: fact.tenant.clone() };
            placed.push(Box::pin(self.place(call, queued, fact.at)));
        }
        let results: Vec<_> = stream::iter(placed).buffer_unordered(PLACED_TOGETHER).collect().await;
        results.into_iter().collect()
    }

    /// A disabled account's live calls end.
    async fn heed(&self, page: &[Fact]) -> Result<(), StoreError> {
        for fact in page {
            if fact.kind::<Account>() == Some(AccountEventKind::Disabled) {
                self.end_calls_of(&fact.tenant.carrier, &fact.stream).await?;
            }
        }
        self.acted.core.send_replace(page.last().map(|last| last.position));
        Ok(())
    }

    async fn end_calls_of(&self, carrier: &Sid, account: &Sid) -> Result<(), StoreError> {
        let scope = Scope::Account { carrier: carrier.clone(), account: account.clone() };
        let live = CallFilter { live: Some(true), ..CallFilter::default() };
        let mut page = Page::first(ENDED_PER_PAGE);
        loop {
            let rows =
                self.common.projections.calls(scope.clone()).list(&live, &page).await.map_err(broken)?;
            for row in rows.items {
                let tenant = domain::Tenant::account(carrier.clone(), account.clone());
                let call = CallRef { sid: row.sid, tenant };
                self.tell(&call, CallCommand::RequestEnd { status: Status::Completed }).await?;
            }
            let Some(next) = rows.next else { return Ok(()) };
            page = Page::after(next, ENDED_PER_PAGE);
        }
    }
}

/// The call's event, when it is one to act on and can be read. Most are not, and some are large: those stay text.
fn call_event(fact: &Fact) -> Option<CallEvent> {
    fact.kind::<Call>().filter(|kind| HEEDED.contains(kind))?;
    match fact.of::<Call>()? {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::error!(%error, "a fact about a call cannot be read");
            None
        }
    }
}
