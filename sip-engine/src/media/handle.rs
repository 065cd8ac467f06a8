//! What the rest of the program holds: the media plane, and a leg of it.

use super::{
    GroupKey, LegId, LegOptions, LegStatistics, Loops, MediaConfig, MediaError, PlayToken, Prompt, Remote,
    command::{Command, Inbox},
    ports::{self, PortPool, SharedPool},
    thread,
};
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::oneshot;

/// The media plane. Cheap to clone; [`Media::shutdown`] ends it for all clones.
#[derive(Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

struct Inner {
    config: MediaConfig,
    threads: Vec<Arc<Inbox>>,
    ports: SharedPool,
    random: SystemRandom,
    next_leg: AtomicU64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.threads.iter().for_each(|thread| thread.stop());
    }
}

impl Media {
    /// Starts the threads, named `media-0` and on. No port is bound before a leg is opened.
    ///
    /// # Errors
    /// When the system refuses a thread or its event queue.
    pub fn start(config: MediaConfig) -> io::Result<Media> {
        let pool = PortPool::new(config.ports.clone(), config.quarantine, config.most_legs);
        let threads = (0..config.threads.max(1))
            .map(|number| thread::start(number, config.rtp_timeout))
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Media {
            inner: Arc::new(Inner {
                config,
                threads,
                ports: Arc::new(Mutex::new(pool)),
                random: SystemRandom::new(),
                next_leg: AtomicU64::new(1),
            }),
        })
    }

    /// A key for the legs of one call, on the thread with the fewest legs. A call that another call
    /// dials uses its parent's key, or the two can't be bridged.
    #[must_use]
    pub fn group(&self) -> GroupKey {
        let legs = |thread: &Arc<Inbox>| thread.legs.load(Ordering::Relaxed);
        let least = self.inner.threads.iter().enumerate().min_by_key(|(_, thread)| legs(thread));
        GroupKey { thread: least.map_or(0, |(number, _)| number) }
    }

    /// Opens a leg: binds a port pair and hands it to the group's thread. It sends nothing before
    /// [`Leg::configure`].
    ///
    /// # Errors
    /// [`MediaError::PortsExhausted`], a refused socket, an overloaded or stopped media plane.
    pub fn open_leg(&self, group: GroupKey, options: LegOptions) -> Result<Leg, MediaError> {
        let Inner { config, threads, ports, random, next_leg } = &*self.inner;
        let thread = threads.get(group.thread).ok_or(MediaError::Stopped)?;
        let pair = ports::bind_pair(ports, random, options.local.unwrap_or(config.bind), options.urgent)?;
        let (id, rtp_port) = (LegId(next_leg.fetch_add(1, Ordering::Relaxed)), pair.lease.port);
        thread.push(Command::Open { leg: id, ports: pair, events: options.events })?;
        thread.legs.fetch_add(1, Ordering::Relaxed);
        Ok(Leg { id, rtp_port, thread: Arc::clone(thread) })
    }

    /// Legs there may be at once, those of calls for help besides.
    #[must_use]
    pub fn most_legs(&self) -> usize {
        let config = &self.inner.config;
        config.most_legs.min(ports::ordinary_pairs(&config.ports))
    }

    /// Legs open now.
    #[must_use]
    pub fn live_legs(&self) -> usize {
        self.inner.threads.iter().map(|thread| thread.legs.load(Ordering::Relaxed)).sum()
    }

    /// Events thrown away because a leg's channel was full.
    #[must_use]
    pub fn dropped_events(&self) -> u64 {
        self.inner.threads.iter().map(|thread| thread.dropped_events.load(Ordering::Relaxed)).sum()
    }

    /// Closes every leg and ends the threads. Returns at once.
    pub fn shutdown(&self) {
        self.inner.threads.iter().for_each(|thread| thread.stop());
    }
}

/// One side of a call: a port pair and what is played, heard and relayed there.
///
/// Every method queues a command and returns; the thread carries them out in order, within about a
/// millisecond. Dropping the leg closes it; its final figures come with `MediaEvent::Closed`.
pub struct Leg {
    id: LegId,
    rtp_port: u16,
    thread: Arc<Inbox>,
}

impl Leg {
    /// The name this leg has in events.
    #[must_use]
    pub fn id(&self) -> LegId {
        self.id
    }

    /// The RTP port to put into our SDP. RTCP is the port after it.
    #[must_use]
    pub fn rtp_port(&self) -> u16 {
        self.rtp_port
    }

    /// Applies the outcome of an offer and answer. The first call starts the leg: from then on it sends
    /// silence (unless the direction forbids), so call it when media may flow, that is with the answer
    /// or with early media. A later call (re-INVITE, UPDATE) changes codec, direction and so on, and
    /// when it names another address than before, lets the leg latch anew.
    ///
    /// # Errors
    /// [`MediaError::Overloaded`] or [`MediaError::Stopped`], as for every method below.
    pub fn configure(&self, remote: Remote) -> Result<(), MediaError> {
        self.thread.push(Command::Configure { leg: self.id, remote: Box::new(remote) })
    }

    /// Plays a prompt, in place of whatever was playing, and reports `PlayFinished` with `token`. It begins
    /// when the leg is configured. Time passes also while the direction forbids sending, so a program goes
    /// on while its caller is on hold.
    ///
    /// # Errors
    /// As [`Leg::configure`].
    pub fn play(&self, prompt: Arc<Prompt>, loops: Loops, token: PlayToken) -> Result<(), MediaError> {
        self.thread.push(Command::Play { leg: self.id, prompt, loops, token })
    }

    /// Ends what `play` or `send_digits` started; it is reported as `Stopped`. Nothing playing: no event.
    ///
    /// # Errors
    /// As [`Leg::configure`].
    pub fn stop_playing(&self) -> Result<(), MediaError> {
        self.thread.push(Command::StopPlaying { leg: self.id })
    }

    /// Sends digits, in place of whatever was playing, by RFC 4733 where that was agreed on, else as tones: `0-9`, `*`, `#`, `A-D`; `w` waits
    /// half a second and `W` a whole one. Reports `DigitsSent` with `token`.
    ///
    /// # Errors
    /// As [`Leg::configure`].
    pub fn send_digits(&self, digits: &str, token: PlayToken) -> Result<(), MediaError> {
        self.thread.push(Command::SendDigits { leg: self.id, digits: digits.into(), token })
    }

    /// The peer's signalling (INFO) says that a key was pressed. It counts once, however else it is told.
    ///
    /// # Errors
    /// As [`Leg::configure`].
    pub fn pressed(&self, digit: char) -> Result<(), MediaError> {
        self.thread.push(Command::Pressed { leg: self.id, digit })
    }

    /// Connects two legs: each hears the other. An earlier bridge of either is undone. While a leg plays,
    /// its prompt takes the place of the other party.
    ///
    /// # Errors
    /// [`MediaError::DifferentGroups`], and as [`Leg::configure`].
    pub fn bridge(&self, other: &Leg) -> Result<(), MediaError> {
        self.connect(other, true)
    }

    /// As [`Leg::bridge`], but of this leg the other hears nothing but its keys.
    ///
    /// # Errors
    /// As [`Leg::bridge`].
    pub fn listen(&self, other: &Leg) -> Result<(), MediaError> {
        self.connect(other, false)
    }

    fn connect(&self, other: &Leg, both: bool) -> Result<(), MediaError> {
        if !Arc::ptr_eq(&self.thread, &other.thread) || self.id == other.id {
            return Err(MediaError::DifferentGroups);
        }
        self.thread.push(Command::Bridge { one: self.id, other: other.id, both })
    }

    /// Takes this leg and its partner apart; both send silence again.
    ///
    /// # Errors
    /// As [`Leg::configure`].
    pub fn unbridge(&self) -> Result<(), MediaError> {
        self.thread.push(Command::Unbridge { leg: self.id })
    }

    /// Asks for the figures so far. The receiver fails only when the media plane is shut down.
    #[must_use]
    pub fn statistics(&self) -> oneshot::Receiver<LegStatistics> {
        let (reply, answer) = oneshot::channel();
        if let Err(error) = self.thread.push(Command::Statistics { leg: self.id, reply }) {
            tracing::debug!(leg = %self.id, %error, "statistics were not asked for");
        }
        answer
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        self.thread.legs.fetch_sub(1, Ordering::Relaxed);
        if let Err(error) = self.thread.push(Command::Close { leg: self.id }) {
            tracing::debug!(leg = %self.id, %error, "the media thread is gone before its leg");
        }
    }
}
