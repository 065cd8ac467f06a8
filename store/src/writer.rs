//! The group-commit writer: one task per log. Waiting submissions form the next batch while the last one commits; on
//! SQLite a batch also waits a moment for company, while there is any.

use crate::{
    Fact, StoreError,
    append::{Submission, Verdict},
    db::Line,
    engine::Engine,
    recent::Recent,
};
use domain::Log;
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Sleep,
};

/// Submissions that may wait; past that, callers wait to hand theirs in.
const QUEUE: usize = 4096;
/// Events after which a batch is full. (One submission may be larger, and is a batch of its own then.)
const BATCH_EVENTS: usize = 512;

/// Submissions set apart for later batches; past that, callers wait in the queue.
const APART: usize = 1024;
/// How long after the last batch began the next one waits for company, at most. SQLite works in this process, and a
/// commit costs as many pages, syncs and wakings for one command as for ten.
const PACE: Duration = Duration::from_millis(10);

pub(crate) type Answer = Result<Verdict, StoreError>;

pub(crate) struct Request {
    pub submission: Submission,
    pub reply: oneshot::Sender<Answer>,
}

/// The end of a writer that callers hold.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Request>,
}

impl Writer {
    /// The writer of `log` and its loop, which ends when the last `Writer` is gone and the queue is empty.
    pub fn new(
        log: Log,
        engine: Arc<Engine>,
        committed: watch::Sender<i64>,
        recent: Arc<Recent>,
    ) -> (Writer, impl Future<Output = ()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let batches =
            Loop { log, engine, committed, recent, waiting, next: VecDeque::new(), line: Line::default() };
        (Writer { queue }, batches.run())
    }

    /// Appends, and returns the log's answer once it is durable.
    pub async fn append(&self, submission: Submission) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Request { submission, reply }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

struct Loop {
    log: Log,
    engine: Arc<Engine>,
    committed: watch::Sender<i64>,
    recent: Arc<Recent>,
    waiting: mpsc::Receiver<Request>,
    /// Taken from the queue, not yet in a batch.
    next: VecDeque<Request>,
    /// What the batches go over, on PostgreSQL.
    line: Line,
}

impl Loop {
    async fn run(mut self) {
        while let Some(batch) = self.batch().await {
            let pace = tokio::time::sleep(PACE);
            let (submissions, replies): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|request| (request.submission, request.reply)).unzip();
            let answers = self.commit(&submissions).await;
            self.recent.add(submissions.into_iter().zip(&answers).flat_map(appended));
            self.announce(&answers);
            let company = self.next.len() + self.waiting.len() + replies.len();
            for (reply, answer) in replies.into_iter().zip(answers) {
                // A caller that went away has its events all the same; nobody is left to tell.
                drop(reply.send(answer));
            }
            if self.engine.is_embedded() {
                gather_company(&mut self.next, &mut self.waiting, company, pace).await;
            }
        }
    }

    /// The next batch: what waits now, up to the limit.
    async fn batch(&mut self) -> Option<Vec<Request>> {
        if self.next.is_empty() {
            self.next.push_back(self.waiting.recv().await?);
        }
        let waiting = &mut self.waiting;
        Some(gather(&mut self.next, || waiting.try_recv().ok()))
    }

    /// Commits the batch. When the database refuses a statement of it, each submission is tried alone, so that one
    /// indigestible command does not take the others down.
    async fn commit(&mut self, batch: &[Submission]) -> Vec<Answer> {
        match self.engine.append(&mut self.line, self.log, batch).await {
            Ok(verdicts) => verdicts.into_iter().map(Ok).collect(),
            Err(error) if error.refused_by_database() && batch.len() > 1 => self.one_by_one(batch).await,
            Err(error) => {
                let error = self.named(error).await;
                batch.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    /// Values are refused for good when the head row was moved below the last event: then that is what is wrong.
    async fn named(&self, error: StoreError) -> StoreError {
        if !error.refuses_values() {
            return error;
        }
        let named = self.engine.sound(self.log).await.err().unwrap_or(error);
        tracing::error!(error = %named, log = self.log.as_str(), "the log takes nothing");
        named
    }

    async fn one_by_one(&mut self, batch: &[Submission]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(batch.len());
        for submission in batch {
            let verdicts =
                self.engine.append(&mut self.line, self.log, std::slice::from_ref(submission)).await;
            let answer = verdicts.and_then(|verdicts| verdicts.into_iter().next().ok_or(StoreError::Closed));
            answers.push(match answer {
                Err(error) => Err(self.named(error).await),
                answer => answer,
            });
        }
        answers
    }

    fn announce(&self, answers: &[Answer]) {
        let positions = answers.iter().filter_map(|answer| match answer {
            Ok(Verdict::Appended { position, .. }) => Some(*position),
            _ => None,
        });
        if let Some(last) = positions.max() {
            crate::notify::raise(&self.committed, last);
        }
    }
}

/// Waits until this many submissions are there: what came during the last batch, and one more for each that it answered.
/// So one that follows a lone one does not wait, nor do callers that take turns; one that follows a crowd waits for the
/// rest of the pace. Under a stream of calls the batches grow until they last a pace.
async fn gather_company(
    next: &mut VecDeque<Request>,
    waiting: &mut mpsc::Receiver<Request>,
    company: usize,
    pace: Sleep,
) {
    tokio::pin!(pace);
    while next.len() < company.min(BATCH_EVENTS) {
        tokio::select! {
            request = waiting.recv() => match request {
                Some(request) => next.push_back(request),
                None => return,
            },
            () = &mut pace => return,
        }
    }
}

/// The facts of a submission that was appended, where they stand now.
fn appended((submission, answer): (Submission, &Answer)) -> Vec<Fact> {
    let Ok(Verdict::Appended { position, .. }) = answer else { return Vec::new() };
    let mut facts = submission.events;
    for (fact, position) in facts.iter_mut().rev().zip((1..=*position).rev()) {
        fact.position = position;
    }
    facts
}

/// A batch with no stream, claim or command id twice, so that the engines may judge it as a set: first of what was set
/// apart before, then of what waits. What touches something that an earlier one touches is set apart for a later batch.
fn gather(next: &mut VecDeque<Request>, mut waiting: impl FnMut() -> Option<Request>) -> Vec<Request> {
    let (mut batch, mut later, mut touched) = (Vec::new(), VecDeque::new(), HashSet::new());
    let mut events = 0;
    while events < BATCH_EVENTS {
        let waits = || if later.len() < APART { waiting() } else { None };
        let Some(request) = next.pop_front().or_else(waits) else { break };
        let keys = keys(&request.submission);
        let apart = keys.iter().any(|key| touched.contains(key));
        // The keys of one that waits count as touched too: it is not overtaken.
        touched.extend(keys);
        if apart {
            later.push_back(request);
        } else {
            events += request.submission.events.len().max(1);
            batch.push(request);
        }
    }
    later.append(next);
    *next = later;
    batch
}

fn keys(submission: &Submission) -> Vec<(u8, String)> {
    let mut keys = vec![(0, submission.stream.to_string())];
    keys.extend(submission.commands.iter().map(|seen| (1, seen.id.clone())));
    keys.extend(submission.claims.iter().map(|claim| (2, format!("{}\0{}", claim.scope, claim.key))));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Kind, Sid};

    fn request(stream: u128) -> Request {
        let sid = |kind, number| Sid::from_uuid(kind, uuid::Uuid::from_u128(number));
        let submission = Submission {
            stream: sid(Kind::Call, stream),
            stream_type: "tally",
            carrier: sid(Kind::Carrier, 1),
            expected: 0,
            hash: [0; 32],
            events: Vec::new(),
            commands: Vec::new(),
            claims: Vec::new(),
        };
        Request { submission, reply: oneshot::channel().0 }
    }

    #[test]
    fn what_is_set_apart_takes_no_room_in_the_batch() {
        let mut next: VecDeque<Request> = (0..BATCH_EVENTS + 1).map(|_| request(1)).collect();
        let mut others = (2..7).map(request);
        assert_eq!(gather(&mut next, || others.next()).len(), 6);
        assert_eq!(next.len(), BATCH_EVENTS);
    }

    #[test]
    fn only_so_many_are_set_apart() {
        let (mut next, mut taken) = (VecDeque::new(), 0);
        let batch = gather(&mut next, || {
            taken += 1;
            Some(request(1))
        });
        assert_eq!((batch.len(), next.len(), taken), (1, APART, APART + 1));
    }

    /// Sends one submission after another, `gap` apart; says how many were gathered, and how long that took.
    async fn gathered(company: usize, gap: Duration) -> (usize, Duration) {
        let (queue, mut waiting) = mpsc::channel(QUEUE);
        let sending = async {
            for stream in 1.. {
                drop(queue.send(request(stream)).await);
                tokio::time::sleep(gap).await;
            }
        };
        let (began, mut next) = (tokio::time::Instant::now(), VecDeque::new());
        tokio::select! {
            () = sending => {}
            () = gather_company(&mut next, &mut waiting, company, tokio::time::sleep(PACE)) => {}
        }
        (next.len(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_comes_alone_does_not_wait() {
        assert_eq!(gathered(1, PACE).await, (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_take_turns_do_not_wait() {
        assert_eq!(gathered(16, Duration::ZERO).await.0, 16);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_gathered_for_a_pace() {
        assert_eq!(gathered(16, Duration::from_millis(3)).await, (4, PACE));
    }

    #[test]
    fn who_waits_is_not_overtaken() {
        let mut next = VecDeque::from([request(1), request(1), request(2)]);
        let order =
            |batch: Vec<Request>| batch.into_iter().map(|one| one.submission.stream).collect::<Vec<_>>();
        let first = order(gather(&mut next, || None));
        assert_eq!(first.len(), 2);
        assert_eq!(order(gather(&mut next, || None)), first[..1]);
        assert!(next.is_empty());
    }
}
