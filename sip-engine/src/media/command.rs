//! From the rest of the program to a media thread: a bounded inbox with a wake-up.

use super::{
    LegId, LegStatistics, Loops, MediaError, MediaEvent, PlayToken, Prompt, Remote, ports::PortPair,
    readiness::Waker,
};
use parking_lot::Mutex;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};
use tokio::sync::{mpsc, oneshot};

/// Commands one thread may have waiting. Closing is always taken: legs bound their own number.
pub const INBOX_LIMIT: usize = 65_536;

/// What a media thread is asked to do.
pub(super) enum Command {
    Open {
        leg: LegId,
        ports: PortPair,
        events: mpsc::Sender<MediaEvent>,
    },
    Configure {
        leg: LegId,
        remote: Box<Remote>,
    },
    Play {
        leg: LegId,
        prompt: Arc<Prompt>,
        loops: Loops,
        token: PlayToken,
    },
    StopPlaying {
        leg: LegId,
    },
    SendDigits {
        leg: LegId,
        digits: Box<str>,
        token: PlayToken,
    },
    /// The peer pressed this key, as its signalling says.
    Pressed {
        leg: LegId,
        digit: char,
    },
    Bridge {
        one: LegId,
        other: LegId,
        /// Whether the other hears the one's voice as well, and not its keys alone.
        both: bool,
    },
    Unbridge {
        leg: LegId,
    },
    Statistics {
        leg: LegId,
        reply: oneshot::Sender<LegStatistics>,
    },
    Close {
        leg: LegId,
    },
}

/// One thread's inbox and the counters it shares with the handle.
pub(super) struct Inbox {
    queue: Mutex<Vec<Command>>,
    waker: Waker,
    stopped: AtomicBool,
    pub(super) legs: AtomicUsize,
    pub(super) dropped_events: AtomicU64,
}

impl Inbox {
    pub(super) fn new(waker: Waker) -> Self {
        Self {
            queue: Mutex::new(Vec::new()),
            waker,
            stopped: AtomicBool::new(false),
            legs: AtomicUsize::new(0),
            dropped_events: AtomicU64::new(0),
        }
    }

    /// Queues a command and wakes the thread.
    pub(super) fn push(&self, command: Command) -> Result<(), MediaError> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(MediaError::Stopped);
        }
        let mut queue = self.queue.lock();
        if queue.len() >= INBOX_LIMIT && !matches!(command, Command::Close { .. }) {
            return Err(MediaError::Overloaded);
        }
        queue.push(command);
        let first = queue.len() == 1;
        drop(queue);
        if first {
            self.waker.wake()?;
        }
        Ok(())
    }

    /// Swaps what waits for the empty `batch`.
    pub(super) fn take(&self, batch: &mut Vec<Command>) {
        std::mem::swap(&mut *self.queue.lock(), batch);
    }

    /// Ends the thread after its current turn.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        if let Err(error) = self.waker.wake() {
            tracing::warn!(%error, "a media thread could not be woken");
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}
