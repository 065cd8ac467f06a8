//! One connection on its thread. Jobs are done in the order they come in.

use crate::StoreError;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};
use tokio::sync::oneshot;

/// Steps of SQLite's machine after which a job looks whether anybody still waits for it.
const STEPS: i32 = 4_096;
/// The number of a job that is done whether or not anybody waits.
const UNCONDITIONAL: u64 = 0;

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

enum Job {
    Do(u64, Work),
    /// Closes the connection, then answers.
    Close(oneshot::Sender<()>),
}

/// Who hands jobs to a connection: one at a time.
pub(super) struct Thread {
    jobs: mpsc::Sender<Job>,
    /// Of the last job, from 1.
    number: u64,
    marks: Arc<Marks>,
}

/// What both sides know. Jobs come one after another, so one given up means that all before it were, or are done.
#[derive(Default)]
struct Marks {
    running: AtomicU64,
    given_up: AtomicU64,
}

impl Marks {
    /// Whether nobody waits for what runs now.
    fn is_in_vain(&self) -> bool {
        let running = self.running.load(Ordering::Acquire);
        running != UNCONDITIONAL && running <= self.given_up.load(Ordering::Acquire)
    }
}

/// Gives a job up when it is dropped before the job's end.
struct Waiting<'m>(Option<&'m Marks>, u64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(marks) = self.0 {
            marks.given_up.fetch_max(self.1, Ordering::AcqRel);
        }
    }
}

impl Thread {
    /// Opens a connection on a new thread.
    pub async fn start(
        path: &Path,
        open: impl FnOnce(&Path) -> rusqlite::Result<Connection> + Send + 'static,
    ) -> Result<Thread, StoreError> {
        let (jobs, work) = mpsc::channel();
        let (opened, is_open) = oneshot::channel();
        let marks = Arc::<Marks>::default();
        let (shared, file) = (marks.clone(), path.to_owned());
        let live = move || {
            let connection = match open(&file) {
                Ok(connection) => connection,
                Err(error) => return drop(opened.send(Err(error))),
            };
            let watched = shared.clone();
            connection.progress_handler(STEPS, Some(move || watched.is_in_vain()));
            if opened.send(Ok(())).is_ok() {
                serve(connection, &work, &shared);
            }
        };
        let started = thread::Builder::new().name("sqlite".to_owned()).spawn(live);
        started.map_err(|error| StoreError::File {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
        is_open.await.map_err(|_| StoreError::Closed)??;
        Ok(Thread { jobs, number: UNCONDITIONAL, marks })
    }

    /// Has the work done and waits for it. Dropped before its end, the work ends soon with `SQLITE_INTERRUPT`, or does not
    /// begin.
    pub async fn ask<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, came) = oneshot::channel();
        self.number += 1;
        let job = Job::Do(self.number, Box::new(move |connection| drop(answer.send(work(connection)))));
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        let mut waiting = Waiting(Some(&self.marks), self.number);
        let result = came.await.map_err(|_| StoreError::Closed);
        waiting.0 = None;
        Ok(result??)
    }

    /// Has the work done after all before it, without waiting.
    pub fn tell(&self, work: impl FnOnce(&mut Connection) + Send + 'static) {
        // A thread that is gone has closed its connection, which undoes the same.
        drop(self.jobs.send(Job::Do(UNCONDITIONAL, Box::new(work))));
    }

    /// Closes the connection; returns when it is.
    pub async fn close(self) {
        let (answer, closed) = oneshot::channel();
        if self.jobs.send(Job::Close(answer)).is_ok() {
            drop(closed.await);
        }
    }
}

/// Does jobs until nobody can hand in any more.
fn serve(mut connection: Connection, work: &mpsc::Receiver<Job>, marks: &Marks) {
    while let Ok(job) = work.recv() {
        match job {
            Job::Do(number, work) => {
                marks.running.store(number, Ordering::Release);
                if !marks.is_in_vain() {
                    work(&mut connection);
                }
            }
            Job::Close(answer) => {
                drop(connection);
                // It is closed even when nobody waits any more.
                let _ = answer.send(());
                return;
            }
        }
    }
}

/// Threads that nobody uses now.
pub(super) type Free = Arc<Mutex<Vec<Thread>>>;
