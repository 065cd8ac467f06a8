//! A media thread: it waits for packets, commands and the next millisecond that matters, and serves them.
//!
//! It shares nothing with the other threads. A fault in one leg ends that leg, not its neighbours.

use super::{
    LegId, LegStatistics, MediaEvent, PlayOutcome,
    channel::Channel,
    clock,
    command::{Command, Inbox},
    keys::Key,
    leg::{Inbound, LegState, Opening, Turn},
    ports::PortPair,
    readiness::{Events, Readiness},
    rtp::{HEADER, MAX_PACKET, MAX_PAYLOAD},
    wheel::{Kind, Timer, Wheel},
};
use ring::rand::SystemRandom;
use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::mpsc::{self, error::TrySendError};

/// Starts thread `number` and returns its inbox.
pub(super) fn start(number: usize, rtp_timeout: Duration) -> io::Result<Arc<Inbox>> {
    let (readiness, waker) = Readiness::new()?;
    let inbox = Arc::new(Inbox::new(waker));
    let mut worker = Worker::new(readiness, Arc::clone(&inbox), rtp_timeout);
    let stops = Stops(Arc::clone(&inbox));
    std::thread::Builder::new().name(format!("media-{number}")).spawn(move || {
        let _stops = stops;
        worker.run();
    })?;
    Ok(inbox)
}

/// A thread that ends, for whatever reason, takes no more commands: their senders learn of it.
struct Stops(Arc<Inbox>);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.stop();
    }
}

struct Worker {
    readiness: Readiness,
    inbox: Arc<Inbox>,
    legs: Vec<Option<LegState>>,
    free: Vec<usize>,
    slots: HashMap<LegId, usize>,
    wheel: Wheel,
    began: Instant,
    began_ntp: u64,
    /// Microseconds since `began`, as of the latest look at the clock.
    micros: u64,
    rtp_timeout: u64,
    random: SystemRandom,
    out: Box<[u8; HEADER + MAX_PAYLOAD]>,
}

/// The two sockets of a leg are tokens `2 * slot` and `2 * slot + 1`.
fn tokens(slot: usize) -> (usize, usize) {
    (2 * slot, 2 * slot + 1)
}

impl Worker {
    fn new(readiness: Readiness, inbox: Arc<Inbox>, rtp_timeout: Duration) -> Self {
        Self {
            readiness,
            inbox,
            legs: Vec::new(),
            free: Vec::new(),
            slots: HashMap::new(),
            wheel: Wheel::new(),
            began: clock::now(),
            began_ntp: clock::ntp_now(),
            micros: 0,
            rtp_timeout: u64::try_from(rtp_timeout.as_millis()).unwrap_or(u64::MAX),
            random: SystemRandom::new(),
            out: Box::new([0; HEADER + MAX_PAYLOAD]),
        }
    }

    fn run(&mut self) {
        let mut events = Events::new();
        let (mut batch, mut expired, mut ready) = (Vec::new(), Vec::new(), Vec::new());
        while !self.inbox.is_stopped() {
            let patience = self.patience();
            let rung = self.readiness.wait(patience, &mut events, &mut ready).unwrap_or_else(|error| {
                if error.kind() != io::ErrorKind::Interrupted {
                    tracing::error!(%error, "a media thread can't wait for its sockets");
                }
                true
            });
            self.look_at_the_clock();
            if rung {
                self.inbox.take(&mut batch);
                batch.drain(..).for_each(|command| self.carry_out(command));
            }
            ready.drain(..).for_each(|token| self.serve(token));
            self.wheel.expire(self.micros / 1_000, &mut expired);
            expired.drain(..).for_each(|timer| self.ring(timer));
        }
        self.shut_down(&mut batch);
    }

    fn shut_down(&mut self, batch: &mut Vec<Command>) {
        self.inbox.take(batch);
        batch.drain(..).for_each(|command| self.carry_out(command));
        (0..self.legs.len()).for_each(|slot| self.close(slot));
    }

    fn look_at_the_clock(&mut self) {
        let passed = clock::now().duration_since(self.began).as_micros();
        self.micros = u64::try_from(passed).unwrap_or(u64::MAX);
    }

    /// How long to wait for packets before a timer is due.
    fn patience(&mut self) -> Option<Duration> {
        let due = self.wheel.next_due()?;
        self.look_at_the_clock();
        Some(Duration::from_micros((due * 1_000).saturating_sub(self.micros)))
    }

    /// Lends a leg what it needs and keeps a fault inside it.
    fn with<T>(&mut self, slot: usize, act: impl FnOnce(&mut LegState, &mut Turn<'_>) -> T) -> Option<T> {
        let micros = self.micros;
        let seconds = (micros / 1_000_000) << 32;
        let fraction = ((micros % 1_000_000) << 32) / 1_000_000;
        let mut turn = Turn {
            now: micros / 1_000,
            ticks: micros / 125,
            ntp: self.began_ntp.wrapping_add(seconds + fraction),
            wheel: &mut self.wheel,
            out: &mut *self.out,
            random: &self.random,
        };
        let leg = self.legs.get_mut(slot)?.as_mut()?;
        let result = catch_unwind(AssertUnwindSafe(|| act(leg, &mut turn)));
        if result.is_err() {
            tracing::error!(leg = %leg.id, "a leg is ended because of a fault in the media plane");
            leg.abandon();
            self.remove(slot);
        }
        result.ok()
    }

    fn slot(&self, leg: LegId) -> Option<usize> {
        self.slots.get(&leg).copied()
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Open { leg, ports, events } => self.open(leg, ports, events),
            Command::Bridge { one, other, both } => self.bridge(one, other, both),
            Command::Unbridge { leg } => {
                if let Some(slot) = self.slot(leg) {
                    self.unbridge(slot);
                }
            }
            Command::Close { leg } => {
                if let Some(slot) = self.slot(leg) {
                    self.close(slot);
                }
            }
            Command::Statistics { leg, reply } => {
                let statistics = self.slot(leg).and_then(|slot| self.with(slot, |leg, _| leg.statistics()));
                if let Some(statistics) = statistics {
                    // The asker may have left.
                    drop(reply.send(statistics));
                }
            }
            Command::Configure { leg, remote } => {
                self.order(leg, |leg, turn| leg.configure(turn, *remote));
            }
            Command::Play { leg, prompt, loops, token } => {
                self.order(leg, |leg, turn| leg.play(turn, prompt, loops, token));
            }
            Command::StopPlaying { leg } => self.order(leg, |leg, _| leg.end_activity(PlayOutcome::Stopped)),
            Command::Pressed { leg, digit } => {
                if let Some(slot) = self.slot(leg) {
                    self.key(slot, |leg, turn| leg.hear_signal(turn, digit));
                }
            }
            Command::SendDigits { leg, digits, token } => {
                self.order(leg, |leg, turn| leg.send_digits(turn, &digits, token));
            }
        }
    }

    fn order(&mut self, leg: LegId, act: impl FnOnce(&mut LegState, &mut Turn<'_>)) {
        if let Some(slot) = self.slot(leg) {
            self.with(slot, act);
        }
    }

    fn open(&mut self, id: LegId, ports: PortPair, events: mpsc::Sender<MediaEvent>) {
        let slot = self.free.pop().unwrap_or(self.legs.len());
        let PortPair { rtp, rtcp, lease } = ports;
        let (rtp_token, rtcp_token) = tokens(slot);
        let rtp = Channel::watched(rtp, &self.readiness, rtp_token);
        let rtcp = Channel::watched(rtcp, &self.readiness, rtcp_token);
        let (Ok(rtp), Ok(rtcp)) = (rtp, rtcp) else {
            tracing::error!(leg = %id, "the sockets of a leg can't be watched");
            self.free.push(slot);
            // Its owner may have left; nobody else is to be told.
            drop(events.try_send(MediaEvent::Closed { leg: id, statistics: LegStatistics::default() }));
            return;
        };
        let opening = Opening { id, slot, events, inbox: Arc::clone(&self.inbox), rtp, rtcp, lease };
        let leg = LegState::new(opening, &self.random);
        if slot == self.legs.len() {
            self.legs.push(Some(leg));
        } else if let Some(place) = self.legs.get_mut(slot) {
            *place = Some(leg);
        }
        self.slots.insert(id, slot);
    }

    fn bridge(&mut self, one: LegId, other: LegId, both: bool) {
        let (Some(one), Some(other)) = (self.slot(one), self.slot(other)) else { return };
        self.unbridge(one);
        self.unbridge(other);
        self.with(one, |leg, turn| {
            leg.set_partner(turn, Some(other));
            leg.is_heard = both;
        });
        self.with(other, |leg, turn| leg.set_partner(turn, Some(one)));
    }

    fn unbridge(&mut self, slot: usize) {
        let partner = self.with(slot, |leg, turn| {
            let partner = leg.partner;
            leg.set_partner(turn, None);
            partner
        });
        if let Some(partner) = partner.flatten() {
            self.with(partner, |leg, turn| leg.set_partner(turn, None));
        }
    }

    fn close(&mut self, slot: usize) {
        self.unbridge(slot);
        let last = self.with(slot, LegState::close);
        self.remove(slot);
        // Told when the ports rest, so that whoever hears it can count on that.
        let Some((events, event)) = last else { return };
        if let Err(TrySendError::Full(_)) = events.try_send(event) {
            self.inbox.dropped_events.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Drops a leg: its sockets close and its ports begin to rest.
    fn remove(&mut self, slot: usize) {
        let Some(leg) = self.legs.get_mut(slot).and_then(Option::take) else { return };
        leg.rtp.unwatch(&self.readiness);
        leg.rtcp.unwatch(&self.readiness);
        self.slots.remove(&leg.id);
        self.free.push(slot);
        let partner = leg.partner.and_then(|partner| self.legs.get_mut(partner)?.as_mut());
        if let Some(partner) = partner.filter(|partner| partner.partner == Some(slot)) {
            partner.partner = None;
        }
    }

    /// Reads the datagram that is waiting at a socket. What else waits there is reported again, after the
    /// other sockets have had their turn.
    fn serve(&mut self, token: usize) {
        let (slot, is_rtcp) = (token / 2, token % 2 == 1);
        let Some(Some(leg)) = self.legs.get(slot) else { return };
        let channel = if is_rtcp { &leg.rtcp } else { &leg.rtp };
        let mut buffer = [0; MAX_PACKET];
        // An error is an ICMP answer to something we sent; reading it has cleared it.
        if let Ok((length, source)) = channel.receive(&mut buffer) {
            self.look_at_the_clock();
            self.take_in(slot, is_rtcp, source, buffer.get(..length).unwrap_or_default());
        }
    }

    fn take_in(&mut self, slot: usize, is_rtcp: bool, source: SocketAddr, datagram: &[u8]) {
        if is_rtcp {
            self.with(slot, |leg, turn| leg.hear_rtcp(turn, source, datagram));
            return;
        }
        let heard = self.with(slot, |leg, turn| leg.hear_rtp(turn, source, datagram));
        if let Some(Inbound::Pass { partner, packet, passed, keys }) = heard {
            self.with(partner, |leg, turn| {
                passed.into_iter().for_each(|passed| leg.relay(turn, &packet, passed));
                keys.into_iter().flatten().for_each(|key| leg.pass_key(turn, key));
            });
        }
    }

    /// Lets the leg look for a key of its peer, and tells its partner.
    fn key(&mut self, slot: usize, look: impl FnOnce(&mut LegState, &mut Turn<'_>) -> Option<Key>) {
        let heard = self.with(slot, |leg, turn| look(leg, turn).zip(leg.partner));
        if let Some((key, partner)) = heard.flatten() {
            self.with(partner, |leg, turn| leg.pass_key(turn, key));
        }
    }

    fn ring(&mut self, timer: Timer) {
        let rtp_timeout = self.rtp_timeout;
        self.key(timer.slot, |leg, turn| {
            if !leg.disarm(timer) {
                return None;
            }
            match timer.kind {
                Kind::Frame => leg.on_frame(turn, timer.due),
                Kind::Report => leg.on_report(turn),
                Kind::Watch => leg.on_watch(turn, rtp_timeout),
                Kind::Digit => return leg.on_digit(turn),
                Kind::Quiet => leg.on_quiet(turn),
            }
            None
        });
    }
}
