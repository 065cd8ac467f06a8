//! One leg as its media thread keeps it: sockets, latch, what goes out, what comes in.

mod activity;
mod keys;
mod receive;
mod report;
mod send;

use self::{activity::Activity, keys::Tones, report::PeerReports};
use super::{
    Direction, LegId, LegStatistics, MediaEvent, PlayOutcome, Remote,
    channel::Channel,
    command::Inbox,
    dtmf::DigitReceiver,
    keys::Keys,
    latch::{Filter, Latch},
    mean_opinion_score,
    outgoing::Outgoing,
    ports::{PortLease, random_bytes},
    reception::Reception,
    wheel::{Kind, Timer, Wheel},
};
use ring::rand::SystemRandom;
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};
use tokio::sync::mpsc::{self, error::TrySendError};

pub(super) use self::receive::Inbound;

/// How often silence and probation are looked at.
const WATCH_MS: u64 = 500;
/// So many times longer may a leg be silent that is not expected to send: on hold, or one that never sent anything.
const UNEXPECTED: u64 = 10;
/// Room in the events' channel that digits leave free: whoever presses keys must not crowd out how things end.
const FOR_ENDINGS: usize = 64;

/// What the thread lends a leg for the moment: time, timers and a buffer.
pub(super) struct Turn<'a> {
    /// Milliseconds since the thread began.
    pub(super) now: u64,
    /// The same in 1/8000 s, for jitter.
    pub(super) ticks: u64,
    /// The same as NTP time, for reports.
    pub(super) ntp: u64,
    pub(super) wheel: &'a mut Wheel,
    pub(super) out: &'a mut [u8],
    pub(super) random: &'a SystemRandom,
}

/// A leg. The port lease comes last: it is given back when the sockets are closed.
pub(super) struct LegState {
    pub(super) id: LegId,
    slot: usize,
    pub(super) partner: Option<usize>,
    /// Whether the partner hears more of it than its keys.
    pub(super) is_heard: bool,
    events: mpsc::Sender<MediaEvent>,
    inbox: Arc<Inbox>,
    setup: Option<Setup>,
    activity: Activity,
    outgoing: Outgoing,
    reception: Reception,
    digits: DigitReceiver,
    tones: Option<Box<Tones>>,
    keys: Keys,
    /// The event under way tells a key that was told by signalling before.
    echo: bool,
    /// The peer tells its keys by signalling.
    signals_keys: bool,
    /// The event of the other party that is under way is passed on packet by packet.
    passing_event: bool,
    foreign_dropped: u64,
    /// Where the latest packet of this call came from that was not the peer's.
    foreign_from: Option<SocketAddr>,
    /// Packets of the peer in the current second, and when that began.
    rate: (u64, u32),
    /// When we last passed on a packet of the other party, or began to wait for one.
    relayed: u64,
    /// When we last heard the peer, began to wait for it or reported its silence.
    heard: u64,
    peer: PeerReports,
    /// Due time of the timer of each kind; timers that don't match are stale.
    armed: [Option<u64>; 5],
    pub(super) rtp: Channel,
    pub(super) rtcp: Channel,
    _lease: PortLease,
}

/// The outcome of signalling.
struct Setup {
    remote: Remote,
    latch: Latch,
}

/// The parts of a leg that its owner brings.
pub(super) struct Opening {
    pub(super) id: LegId,
    pub(super) slot: usize,
    pub(super) events: mpsc::Sender<MediaEvent>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) rtp: Channel,
    pub(super) rtcp: Channel,
    pub(super) lease: PortLease,
}

impl LegState {
    pub(super) fn new(opening: Opening, random: &SystemRandom) -> Self {
        let Opening { id, slot, events, inbox, rtp, rtcp, lease } = opening;
        let [a, b, c, d, e, f, g, h, i, j]: [u8; 10] = random_bytes(random);
        let timestamp = u32::from_be_bytes([e, f, g, h]);
        Self {
            id,
            slot,
            partner: None,
            is_heard: true,
            events,
            inbox,
            setup: None,
            activity: Activity::Idle,
            outgoing: Outgoing::new(u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([i, j]), timestamp),
            reception: Reception::default(),
            digits: DigitReceiver::default(),
            tones: None,
            keys: Keys::default(),
            echo: false,
            signals_keys: false,
            passing_event: false,
            foreign_dropped: 0,
            foreign_from: None,
            rate: (0, 0),
            relayed: 0,
            heard: 0,
            peer: PeerReports::new(random),
            armed: [None; 5],
            rtp,
            rtcp,
            _lease: lease,
        }
    }

    /// Applies an answer, or a later offer.
    pub(super) fn configure(&mut self, turn: &mut Turn<'_>, remote: Remote) {
        let received_before = self.direction().receives();
        let filter = match &mut self.setup {
            Some(setup) => {
                let filter = setup.latch.reconfigure(&remote);
                setup.remote = remote;
                filter
            }
            None => {
                self.setup = Some(Setup { latch: Latch::new(&remote), remote });
                self.arm(turn, Kind::Watch, turn.now + WATCH_MS);
                self.plan_report(turn);
                Filter::Keep
            }
        };
        if self.setup.as_ref().is_some_and(|setup| setup.latch.locked().is_none()) {
            self.forget_rtcp_source();
        }
        self.apply(filter);
        if !received_before || self.setup.as_ref().is_some_and(|setup| setup.latch.locked().is_none()) {
            self.heard = turn.now;
        }
        self.plan_frame(turn);
    }

    fn direction(&self) -> Direction {
        self.setup.as_ref().map_or(Direction::Inactive, |setup| setup.remote.direction)
    }

    fn apply(&mut self, filter: Filter) {
        match filter {
            Filter::Keep => {}
            Filter::Connect(peer) => self.rtp.connect(peer),
            Filter::Disconnect => self.rtp.disconnect(),
        }
    }

    /// A look at the clock, twice a second. `rtp_timeout` is in milliseconds.
    pub(super) fn on_watch(&mut self, turn: &mut Turn<'_>, rtp_timeout: u64) {
        let Some(setup) = &mut self.setup else { return };
        let filter = setup.latch.filter(turn.now);
        self.apply(filter);
        let expected = self.direction().receives() && self.reception.received() > 0;
        let patience = if expected { 1 } else { UNEXPECTED };
        if turn.now.saturating_sub(self.heard) >= rtp_timeout.saturating_mul(patience) {
            self.heard = turn.now;
            self.emit(MediaEvent::Silent { leg: self.id });
        }
        self.arm(turn, Kind::Watch, turn.now + WATCH_MS);
    }

    /// Connects to the leg in `partner`, or takes it apart.
    pub(super) fn set_partner(&mut self, turn: &mut Turn<'_>, partner: Option<usize>) {
        (self.partner, self.is_heard) = (partner, true);
        self.relayed = turn.now;
        self.outgoing.interrupt();
        self.plan_frame(turn);
    }

    /// The last words of a leg, and its last event for when the thread has dropped it.
    pub(super) fn close(&mut self, turn: &mut Turn<'_>) -> (mpsc::Sender<MediaEvent>, MediaEvent) {
        self.end_activity(PlayOutcome::LegClosed);
        self.send_report(turn, true);
        (self.events.clone(), MediaEvent::Closed { leg: self.id, statistics: self.statistics() })
    }

    /// A leg ended by a fault: its owner learns at least that.
    pub(super) fn abandon(&self) {
        self.emit(MediaEvent::Closed { leg: self.id, statistics: LegStatistics::default() });
    }

    pub(super) fn statistics(&self) -> LegStatistics {
        let rtt_ms = self.peer.rtt_ms;
        let rtt = rtt_ms.map(|milliseconds| std::time::Duration::from_secs_f64(milliseconds / 1_000.0));
        let jitter_ms = self.reception.jitter_ms();
        let heard = self.reception.received() > 0;
        LegStatistics {
            packets_received: self.reception.received(),
            packets_sent: self.outgoing.sent().0,
            packets_lost: self.reception.lost(),
            jitter_ms,
            rtt_ms,
            mos: heard.then(|| mean_opinion_score(self.reception.loss(), jitter_ms, rtt)),
            foreign_dropped: self.foreign_dropped,
            foreign_from: self.foreign_from,
            codec: self.setup.as_ref().map(|setup| setup.remote.codec),
        }
    }

    /// Reports, or counts that nobody could take the report.
    fn emit(&self, event: MediaEvent) {
        let crowded = self.events.capacity() < FOR_ENDINGS
            && matches!(
                event,
                MediaEvent::KeyDown { .. } | MediaEvent::Digit { .. } | MediaEvent::ToSignal { .. }
            );
        let sent = if crowded { Err(TrySendError::Full(event)) } else { self.events.try_send(event) };
        if let Err(TrySendError::Full(event)) = sent {
            self.inbox.dropped_events.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(leg = %self.id, ?event, "a media event found its channel full");
        }
    }

    fn arm(&mut self, turn: &mut Turn<'_>, kind: Kind, due: u64) {
        self.armed[kind as usize] = Some(due);
        turn.wheel.insert(Timer { due, slot: self.slot, kind });
    }

    fn is_armed(&self, kind: Kind) -> bool {
        self.armed[kind as usize].is_some()
    }

    /// Whether an expired timer is the one that is waited for; it is no longer armed then.
    pub(super) fn disarm(&mut self, timer: Timer) -> bool {
        let armed = &mut self.armed[timer.kind as usize];
        let current = *armed == Some(timer.due);
        if current {
            *armed = None;
        }
        current
    }
}
