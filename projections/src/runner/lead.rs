//! Leading a log: pages of facts to every table of it, together where they stand together.

use super::{BACK_OFF, LEADS, Over, POLL, Runner};
use crate::{
    machine::{
        ledger,
        page::{self, Member, Refused},
    },
    progress::Standing,
};
use domain::{Log, Sid};
use std::time::Duration;
use store::{Fact, StoreError};

/// Facts told at once, at most.
const PAGE: usize = 500;
/// How long facts may gather for the next page.
const GATHER: Duration = Duration::from_millis(20);
/// Times a fact that can't be told is tried again before its table stops or its stream is parked.
const PATIENCE: u32 = 2;

impl Runner {
    /// Tells the log to its tables until another leads, the database fails or it is time to stop. A success resets `pause`.
    pub(super) async fn lead(&self, epoch: i64, pause: &mut Duration) -> Result<i64, Over> {
        let mut members = self.members(epoch).await?;
        let mut committed = self.shared.store.watch(self.log);
        let mut renewed = self.shared.store.clock().elapsed();
        let mut looked = renewed;
        let mut limit = PAGE;
        let mut tries = 0;
        while !self.stop.is_cancelled() {
            // Seen before reading: a commit during the read ends the wait below at once.
            committed.mark_unchanged();
            let now = self.shared.store.clock().elapsed();
            if !self.alone() && now.saturating_sub(renewed) > LEADS / 3 {
                renewed = now;
                self.renew(epoch).await?;
            }
            if self.rebuilt(&members, now, &mut looked).await? {
                members = self.members(epoch).await?;
            }
            let group = together(&members);
            let facts = self.next(&members, &group, limit).await?;
            if facts.is_empty() {
                self.rest(&mut committed).await;
                continue;
            }
            match page::tell(&self.shared.store, &members, &group, epoch, &facts).await {
                Ok(()) => {
                    self.told(&mut members, &group, &facts);
                    if facts.len() < limit {
                        self.gather().await;
                    }
                    (*pause, limit, tries) = (BACK_OFF, (limit * 2).min(PAGE), 0);
                }
                // A table changed, or the leader: `members` tells.
                Err(Refused::Fenced) => members = self.members(epoch).await?,
                Err(Refused::Store(error)) => return Err(Over::Store(error)),
                Err(Refused::Values) => limit = (facts.len() / 2).max(1),
                Err(Refused::Nonsense { .. }) if tries < PATIENCE => {
                    tries += 1;
                    tokio::time::sleep(BACK_OFF * tries).await;
                }
                Err(Refused::Nonsense { member, position, stream, reason }) => {
                    self.refuse(&mut members, epoch, (member, position), (&stream, &reason)).await?;
                    tries = 0;
                }
            }
        }
        Err(Over::Stopped)
    }

    /// The tables as they stand now; says how far they are, and what changed on the way there.
    async fn members(&self, epoch: i64) -> Result<Vec<Member>, Over> {
        let lease = (epoch, self.lease().await?);
        let members = page::members(&self.shared.store, &self.shared.tables, self.log, lease).await?;
        let members = members.ok_or(Over::Fenced)?;
        self.publish_members(&members);
        self.catch_up_telling(running(&members)).await?;
        Ok(members)
    }

    /// Whether a table that stopped has been replaced by one built anew. Nothing is told to it, so no fence says so: it is
    /// looked for, once per `POLL`.
    async fn rebuilt(
        &self,
        members: &[Member],
        now: Duration,
        looked: &mut Duration,
    ) -> Result<bool, StoreError> {
        let stopped: Vec<&str> = stopped(members).map(|member| member.table.as_str()).collect();
        if stopped.is_empty() || now.saturating_sub(*looked) < POLL {
            return Ok(false);
        }
        *looked = now;
        let mut tx = self.shared.store.db().snapshot().await?;
        let live = ledger::checkpoints(&mut tx, self.log).await?;
        tx.rollback().await?;
        Ok(stopped.iter().any(|table| live.iter().all(|checkpoint| checkpoint.table != *table)))
    }

    /// The next facts for the tables furthest behind; none for now when the log itself is damaged, and everybody hears
    /// of that.
    async fn next(&self, members: &[Member], group: &[usize], limit: usize) -> Result<Vec<Fact>, StoreError> {
        let Some(first) = group.first().and_then(|first| members.get(*first)) else { return Ok(Vec::new()) };
        match self.shared.store.read(self.log, first.position, room(members, group, limit)).await {
            Err(error) if error.is_damage() => {
                let Standing { position, stopped } = standing(members);
                if self.publish(Standing { position, stopped: stopped.or(Some(error.to_string())) }) {
                    tracing::error!(log = self.log.as_str(), %error, "the log cannot be read");
                }
                Ok(Vec::new())
            }
            read => read,
        }
    }

    async fn renew(&self, epoch: i64) -> Result<(), Over> {
        let until = self.lease().await?;
        let mut tx = self.shared.store.db().begin().await?;
        let still = ledger::keep(&mut tx, self.log, epoch, until).await?;
        tx.commit().await?;
        if still { Ok(()) } else { Err(Over::Fenced) }
    }

    /// Waits for the next commit, the poll, or the end.
    async fn rest(&self, committed: &mut tokio::sync::watch::Receiver<i64>) {
        let urgent = self.shared.state(self.log).urgent.notified();
        tokio::select! {
            changed = committed.changed() => if changed.is_err() { tokio::time::sleep(POLL).await },
            () = urgent => {}
            () = tokio::time::sleep(POLL) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Lets facts gather, unless somebody waits for them: one costs the database as much as fifty.
    async fn gather(&self) {
        tokio::select! {
            () = self.shared.state(self.log).urgent.notified() => {}
            () = tokio::time::sleep(GATHER) => {}
        }
    }

    /// Remembers how far the tables are, wakes who waits, and says what changed: `group` were the ones furthest behind,
    /// so every running table has passed the page.
    fn told(&self, members: &mut [Member], group: &[usize], facts: &[Fact]) {
        let Some(last) = facts.last() else { return };
        for at in group {
            if let Some(member) = members.get_mut(*at) {
                member.position = last.position;
            }
        }
        self.publish_members(members);
        self.announce(facts);
    }

    fn publish_members(&self, members: &[Member]) {
        self.publish(standing(members));
    }

    /// What becomes of a fact that can't be told: a call is left out from there on, for it concerns nobody else; a table
    /// of configuration stops, for a wrong one would route wrongly.
    async fn refuse(
        &self,
        members: &mut [Member],
        epoch: i64,
        (at, position): (usize, i64),
        (stream, reason): (&Sid, &str),
    ) -> Result<(), Over> {
        let Some(member) = members.get_mut(at) else { return Ok(()) };
        let name = member.projector.name();
        let mut tx = self.shared.store.db().begin().await?;
        if self.log == Log::Calls {
            tracing::error!(projection = name, position, %stream, reason, "a call is left out");
            ledger::park(&mut tx, &member.table, (stream, position), reason).await?;
            member.parked.insert(stream.clone(), (position, reason.to_owned()));
        } else {
            let reason = format!("{name} stopped at position {position}: {reason}");
            tracing::error!(projection = name, position, %stream, reason, "a table stopped");
            ledger::stop(&mut tx, &member.table, epoch, &reason).await?;
            member.stopped = Some(reason);
        }
        tx.commit().await?;
        self.publish_members(members);
        // The others may be ahead of the one that stopped.
        Ok(self.catch_up_telling(running(members)).await?)
    }
}

fn standing(members: &[Member]) -> Standing {
    let position = members.iter().map(|member| member.position).min().unwrap_or(0);
    let stopped = members.iter().find_map(|member| member.stopped.clone());
    Standing { position, stopped }
}

fn stopped(members: &[Member]) -> impl Iterator<Item = &Member> {
    members.iter().filter(|member| member.stopped.is_some())
}

/// What every table that has not stopped has passed.
fn running(members: &[Member]) -> i64 {
    let running = members.iter().filter(|member| member.stopped.is_none());
    running.map(|member| member.position).min().unwrap_or(0)
}

/// The running tables that are furthest behind, by their places.
fn together(members: &[Member]) -> Vec<usize> {
    let running = || members.iter().enumerate().filter(|(_, member)| member.stopped.is_none());
    let Some(behind) = running().map(|(_, member)| member.position).min() else { return Vec::new() };
    running().filter(|(_, member)| member.position == behind).map(|(at, _)| at).collect()
}

/// How many facts bring the group to where the next table stands, so that they go on together; at most `limit`.
fn room(members: &[Member], group: &[usize], limit: usize) -> usize {
    let behind = group.first().and_then(|at| members.get(*at)).map_or(0, |member| member.position);
    let ahead = members.iter().filter(|member| member.stopped.is_none() && member.position > behind);
    let next = ahead.map(|member| member.position - behind).min();
    next.and_then(|gap| usize::try_from(gap).ok()).map_or(limit, |gap| gap.min(limit))
}
