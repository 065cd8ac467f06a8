//! Which sockets have a datagram: epoll, level-triggered, so that a datagram costs one read. (Edge-triggered
//! readiness costs a second, empty read each time: a fifteenth of the CPU of a relayed call.)

use rustix::{
    buffer::spare_capacity,
    event::{
        EventfdFlags, Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
        eventfd,
    },
};
use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

/// Sockets reported in one turn, so that timers are never far.
const EVENTS: usize = 128;
const WAKE: u64 = u64::MAX;

/// The sockets of one thread, and its bell.
pub(super) struct Readiness {
    epoll: OwnedFd,
    bell: OwnedFd,
}

/// Room for what one wait reports. It stays on its thread.
pub(super) struct Events(Vec<Event>);

impl Events {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(EVENTS))
    }
}

/// Wakes the thread from outside.
pub(super) struct Waker {
    bell: OwnedFd,
}

impl Waker {
    pub(super) fn wake(&self) -> io::Result<()> {
        match rustix::io::write(&self.bell, &1u64.to_ne_bytes()) {
            // A full counter has rung often enough.
            Ok(_) | Err(rustix::io::Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Readiness {
    pub(super) fn new() -> io::Result<(Self, Waker)> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &bell, EventData::new_u64(WAKE), EventFlags::IN)?;
        let waker = Waker { bell: bell.try_clone()? };
        Ok((Self { epoll, bell }, waker))
    }

    pub(super) fn add(&self, socket: impl AsFd, token: usize) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(token as u64), EventFlags::IN)?)
    }

    pub(super) fn remove(&self, socket: impl AsFd) {
        if let Err(error) = epoll::delete(&self.epoll, socket) {
            tracing::debug!(%error, "a socket was not watched");
        }
    }

    /// Waits for datagrams, the bell, or the end of `patience`, in whole milliseconds rounded up. Puts the
    /// tokens of readable sockets into `ready` and says whether the bell rang.
    pub(super) fn wait(
        &self,
        patience: Option<Duration>,
        events: &mut Events,
        ready: &mut Vec<usize>,
    ) -> io::Result<bool> {
        events.0.clear();
        let patience = patience.map(|patience| {
            let rounded = Duration::from_millis(patience.as_micros().div_ceil(1_000) as u64);
            Timespec { tv_sec: rounded.as_secs() as i64, tv_nsec: rounded.subsec_nanos().into() }
        });
        epoll::wait(&self.epoll, spare_capacity(&mut events.0), patience.as_ref())?;
        let mut rung = false;
        for token in events.0.iter().map(|event| event.data.u64()) {
            if token == WAKE {
                rung = true;
                // Resets the bell; a failure only rings it once more.
                rustix::io::read(&self.bell, &mut [0; 8])?;
            } else {
                ready.push(token as usize);
            }
        }
        Ok(rung)
    }
}
