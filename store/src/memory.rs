//! The log in plain memory: for tests that need no database, and the simplest statement of what the others must do.

use crate::{
    Fact,
    append::{Submission, Verdict},
    ledger::Done,
};
use domain::{Log, Sid};
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;

/// Both logs.
#[derive(Default)]
pub(crate) struct Memory {
    core: Mutex<One>,
    calls: Mutex<One>,
}

/// One log. An event's index is its position less one.
#[derive(Default)]
struct One {
    events: Vec<Fact>,
    streams: HashMap<Sid, Vec<usize>>,
    claims: HashMap<(String, String), Sid>,
    commands: HashMap<String, (Done, i64)>,
}

impl Memory {
    fn log(&self, log: Log) -> MutexGuard<'_, One> {
        let log = match log {
            Log::Core => &self.core,
            Log::Calls => &self.calls,
        };
        log.lock()
    }

    pub fn append(&self, log: Log, now: i64, batch: &[Submission]) -> Vec<Verdict> {
        let mut log = self.log(log);
        batch.iter().map(|submission| log.append(now, submission)).collect()
    }

    pub fn read(&self, log: Log, after: i64, limit: usize) -> Vec<Fact> {
        let after = usize::try_from(after).unwrap_or(0);
        self.log(log).events.iter().skip(after).take(limit).cloned().collect()
    }

    pub fn head(&self, log: Log) -> i64 {
        position(self.log(log).events.len())
    }

    pub fn stream(&self, stream: &Sid) -> Vec<Fact> {
        let find = |log| self.log(log).stream(stream);
        Log::ALL.into_iter().map(find).find(|facts| !facts.is_empty()).unwrap_or_default()
    }

    pub fn done(&self, log: Log, now: i64, ids: &[&str]) -> Vec<Done> {
        let log = self.log(log);
        let known = ids.iter().filter_map(|id| log.commands.get(*id));
        known.filter(|(_, until)| *until > now).map(|(done, _)| done.clone()).collect()
    }
}

impl One {
    fn stream(&self, stream: &Sid) -> Vec<Fact> {
        let indexes = self.streams.get(stream).into_iter().flatten();
        indexes.filter_map(|index| self.events.get(*index)).cloned().collect()
    }

    fn append(&mut self, now: i64, submission: &Submission) -> Verdict {
        if let Some(refusal) = self.refuse(now, submission) {
            return refusal;
        }
        for event in &submission.events {
            let index = self.events.len();
            self.streams.entry(submission.stream.clone()).or_default().push(index);
            self.events.push(Fact { position: position(index + 1), ..event.clone() });
        }
        let last = self.streams.get(&submission.stream).and_then(|stream| stream.last());
        let (version, position) = (submission.version(), last.map_or(0, |index| position(index + 1)));
        for seen in &submission.commands {
            let (id, stream, digest) = (seen.id.clone(), submission.stream.clone(), seen.digest);
            self.commands.insert(
                seen.id.clone(),
                (Done { id, stream, digest, version, position, proved: true }, seen.expires_at),
            );
        }
        self.settle(submission);
        Verdict::Appended { version, position }
    }

    fn refuse(&self, now: i64, submission: &Submission) -> Option<Verdict> {
        let known = |id: &String| self.commands.get(id).is_some_and(|(_, until)| *until > now);
        if submission.commands.iter().any(|seen| known(&seen.id)) {
            return Some(Verdict::Duplicate);
        }
        let version = self.streams.get(&submission.stream).map_or(0, Vec::len);
        if position(version) != submission.expected {
            return Some(Verdict::Conflict);
        }
        let mut wanted = submission.claims.iter().filter(|claim| claim.takes);
        let holder = |scope: &String, key: &String| self.claims.get(&(scope.clone(), key.clone()));
        let taken = wanted
            .find(|claim| holder(&claim.scope, &claim.key).is_some_and(|by| *by != submission.stream))?;
        Some(Verdict::Taken { scope: taken.scope.clone(), key: taken.key.clone() })
    }

    fn settle(&mut self, submission: &Submission) {
        for claim in &submission.claims {
            let key = (claim.scope.clone(), claim.key.clone());
            if claim.holds {
                self.claims.insert(key, submission.stream.clone());
            } else if self.claims.get(&key) == Some(&submission.stream) {
                self.claims.remove(&key);
            }
        }
    }
}

fn position(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}
