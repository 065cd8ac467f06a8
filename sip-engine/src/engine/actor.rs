//! One call's actor: waits for whatever happens next, lets the machine decide, carries out the orders. One at a time.

use super::{
    journal::{self, Fact, Journal},
    place::Found,
    registry::{Address, Message},
    shared::Shared,
    supervise::Vestige,
    timers::Timers,
    wire::Wire,
};
use crate::{
    call::{Closing, Happened, LegNo, Machine, Order, Signal},
    media::{GroupKey, LegId, MediaEvent, PlayOutcome},
    sip::{ClosedBy, Event, LegKey},
};
use domain::call::{CallCommand, EndReason, SipDialog};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

/// Media events waiting for one call.
const MEDIA_EVENTS: usize = 256;
/// Moves of one leg that are recorded; a peer that moves on and on is where it said before.
const MOVES: u8 = 16;
/// How long a call that has ended waits for its last signals, figures and requests. Longer than a lost BYE takes.
const LINGER: Duration = Duration::from_secs(40);

/// What a task of the call brings back.
pub(super) enum Done {
    Happened(Happened),
    Found(LegNo, Box<Found>),
}

/// A call that runs.
pub(super) struct Actor {
    pub(super) shared: Arc<Shared>,
    pub(super) machine: Machine,
    pub(super) wires: HashMap<LegNo, Wire>,
    pub(super) keys: HashMap<LegKey, LegNo>,
    pub(super) media_legs: HashMap<LegId, LegNo>,
    pub(super) group: GroupKey,
    pub(super) address: Address,
    pub(super) journal: Journal,
    /// What the present input led to and the journal was not told.
    pub(super) facts: Vec<Fact>,
    pub(super) timers: Timers,
    pub(super) jobs: JoinSet<Done>,
    pub(super) media_events: mpsc::Sender<MediaEvent>,
    /// What carrying out an order led to at once.
    pub(super) next: VecDeque<Happened>,
    inbox: mpsc::Receiver<Message>,
    media: mpsc::Receiver<MediaEvent>,
    vestige: Arc<Mutex<Vestige>>,
    was_live: bool,
    /// Legs ever, legs ended and SIP legs, as the supervisor knows them.
    traced: ((usize, usize), usize),
    ends_by: Option<Instant>,
}

/// What an actor is made of.
pub(super) struct Parts {
    pub(super) shared: Arc<Shared>,
    pub(super) machine: Machine,
    pub(super) address: Address,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) journal: Journal,
    pub(super) vestige: Arc<Mutex<Vestige>>,
}

impl Actor {
    pub(super) fn new(parts: Parts) -> Actor {
        let Parts { shared, machine, address, inbox, journal, vestige } = parts;
        let (media_events, media) = mpsc::channel(MEDIA_EVENTS);
        Actor {
            group: shared.media.group(),
            shared,
            machine,
            wires: HashMap::new(),
            keys: HashMap::new(),
            media_legs: HashMap::new(),
            address,
            journal,
            facts: Vec::new(),
            timers: Timers::default(),
            jobs: JoinSet::new(),
            media_events,
            next: VecDeque::new(),
            inbox,
            media,
            vestige,
            was_live: true,
            traced: ((0, 0), 0),
            ends_by: None,
        }
    }

    /// Runs the call to its end.
    pub(super) async fn run(mut self) {
        self.next.push_front(Happened::Started);
        self.settle().await;
        while !self.machine.is_over() {
            if !self.wait().await {
                break;
            }
            self.settle().await;
        }
    }

    /// Waits for the next thing; `false` when the call has lingered long enough.
    async fn wait(&mut self) -> bool {
        let ends_by = self.ends_by;
        let lingering = async {
            match ends_by {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let flooded = self.address.flooded.clone();
        tokio::select! {
            Some(message) = self.inbox.recv() => self.told(message).await,
            Some(event) = self.media.recv() => self.heard(&event).await,
            Some(done) = self.jobs.join_next() => self.done(done).await,
            key = self.timers.next() => self.next.push_back(Happened::TimerFired(key)),
            () = flooded.cancelled(), if self.machine.is_live() => {
                self.next.push_back(Happened::Stopped(EndReason::Overloaded));
            }
            () = lingering => return false,
        }
        true
    }

    /// Lets the machine decide about everything that is waiting.
    async fn settle(&mut self) {
        while let Some(happened) = self.next.pop_front() {
            let now = self.address.time.now(&*self.shared.config.clock);
            let mut orders = self.machine.handle(now, happened).into_iter();
            while let Some(order) = orders.next() {
                let arrival = matches!(&order, Order::Record(.., fact) if journal::is_arrival(fact));
                self.carry_out(order).await;
                let refused = || orders.as_slice().iter().any(|order| matches!(order, Order::Refuse(..)));
                if arrival && self.journal.is_void() && !refused() {
                    self.next.push_front(Happened::NotKept);
                    break;
                }
            }
            self.journal.record(std::mem::take(&mut self.facts)).await;
            self.leave_traces();
        }
        // What happened to the wire alone is no news to the machine.
        if !self.facts.is_empty() {
            self.journal.record(std::mem::take(&mut self.facts)).await;
        }
    }

    /// Keeps what a supervisor needs to know, and the count of live calls.
    fn leave_traces(&mut self) {
        let census = (self.machine.census(), self.keys.len());
        if std::mem::replace(&mut self.traced, census) != census {
            Vestige::update(&self.vestige, self.machine.live_calls(), self.keys.keys().copied().collect());
        }
        if self.was_live && !self.machine.is_live() {
            self.was_live = false;
            Vestige::ended(&self.vestige);
            self.ends_by = Some(Instant::now() + LINGER);
        }
    }

    async fn told(&mut self, message: Message) {
        match message {
            Message::Sip(event) => self.sip(event).await,
            Message::Redirect(sid, program) => {
                let leg = self.machine.leg_of(&sid);
                self.next.extend(leg.map(|leg| Happened::Redirected(leg, program)));
            }
            Message::End(sid, status) => {
                let leg = self.machine.leg_of(&sid);
                self.next.extend(leg.map(|leg| Happened::EndRequested(leg, status)));
            }
            Message::Stop(reason) => self.next.push_back(Happened::Stopped(reason)),
        }
    }

    async fn sip(&mut self, event: Event) {
        let Some((key, no)) = event.leg().and_then(|key| Some((key, *self.keys.get(&key)?))) else { return };
        let signal = match event {
            Event::IncomingCall(_) | Event::Trace(_) => return,
            Event::Ringing { code, sdp, invite, .. } => {
                self.somebody_is_there(no);
                let rings = if invite.is_some() { Signal::BeginsToRing(code) } else { Signal::Ringing(code) };
                self.wire(no).dialog = invite.or(self.wire(no).dialog.take());
                let progress = code == 183 && sdp.is_some();
                self.wire(no).progressed(sdp);
                self.next.push_back(Happened::Signalled(no, rings));
                if !progress {
                    return;
                }
                Signal::Progress
            }
            Event::Answered { sdp, dialog, .. } => {
                self.somebody_is_there(no);
                self.wire(no).dialog = Some(dialog);
                let result = self.wire(no).answered(sdp.as_ref());
                self.after_negotiation(key, result, Signal::Answered).await
            }
            Event::Acknowledged { sdp, .. } => {
                let result = self.wire(no).acknowledged(sdp.as_ref());
                self.after_negotiation(key, result, Signal::Acknowledged).await
            }
            Event::Moved { dialog, .. } => return self.moved(no, dialog),
            Event::ReOffer { sdp, .. } => match self.reoffered(key, no, sdp).await {
                Some(held) => Signal::Held(held),
                None => return,
            },
            Event::Info { content_type, body, .. } => {
                let digit = super::negotiate::info_digit(&content_type, &body);
                digit.into_iter().for_each(|digit| self.informed(no, digit));
                return;
            }
            Event::Reoffered { sdp, .. } => {
                if let Err(refused) = self.wire(no).answered(sdp.as_ref()) {
                    tracing::debug!(?refused, "a re-INVITE changed nothing");
                }
                return;
            }
            // The session stays as it was; a peer that is gone closes the leg.
            Event::ReofferFailed { .. } => return,
            Event::Cancelled { .. } if key.is_inbound() => Signal::Closed(Closing::Cancelled),
            Event::Cancelled { .. } => Signal::Closed(Closing::Ordered),
            Event::Failed { code, reason, from_peer, heard, .. } => {
                let (shared, responded) = (Arc::clone(&self.shared), from_peer || heard);
                self.wire(no).search.iter_mut().for_each(|search| search.failed(responded, &shared));
                Signal::Closed(Closing::Failed { code, reason, from_peer, heard })
            }
            Event::TimedOut { .. } => Signal::Closed(Closing::TimedOut),
            Event::Ended { by, .. } => Signal::Closed(match by {
                ClosedBy::Remote => Closing::HungUp,
                ClosedBy::Us => Closing::Ordered,
                ClosedBy::LostAck => Closing::Lost("Our answer was not acknowledged within 32 s"),
                ClosedBy::Gone => Closing::Lost("The far end does not know the call any more"),
                ClosedBy::Expired => Closing::Lost("The far end did not refresh the session in time"),
            }),
        };
        self.next.push_back(Happened::Signalled(no, signal));
    }

    fn somebody_is_there(&mut self, no: LegNo) {
        let shared = Arc::clone(&self.shared);
        self.wire(no).search.iter().for_each(|search| search.responded(&shared));
    }

    fn moved(&mut self, no: LegNo, dialog: Box<SipDialog>) {
        let now = self.address.time.now(&*self.shared.config.clock);
        let wire = self.wire(no);
        wire.moves = wire.moves.saturating_add(1);
        let few = wire.moves <= MOVES;
        let call = self.machine.call_of(no).cloned().filter(|_| few);
        self.facts.extend(call.map(|call| (call, now, CallCommand::Move(dialog))));
    }

    async fn heard(&mut self, event: &MediaEvent) {
        match *event {
            MediaEvent::KeyDown { leg } => {
                let leg = self.media_legs.get(&leg).copied();
                self.next.extend(leg.map(Happened::KeyDown));
            }
            MediaEvent::Digit { leg, digit, .. } => {
                let leg = self.media_legs.get(&leg).copied();
                self.next.extend(leg.map(|leg| Happened::Pressed(leg, digit)));
            }
            MediaEvent::ToSignal { leg, digit } => self.inform(leg, digit).await,
            MediaEvent::PlayFinished { token, outcome, .. }
            | MediaEvent::DigitsSent { token, outcome, .. } => {
                match outcome {
                    PlayOutcome::Completed => self.next.push_back(Happened::Played(token.0)),
                    PlayOutcome::Refused => self.next.push_back(Happened::Unplayable(token.0)),
                    // Whoever stopped it knows.
                    PlayOutcome::Stopped | PlayOutcome::Replaced | PlayOutcome::LegClosed => {}
                }
            }
            MediaEvent::Latched { leg, address } => {
                tracing::debug!(%leg, %address, "media is latched");
                let leg = self.media_legs.get(&leg).copied();
                self.next.extend(leg.map(|leg| Happened::Signalled(leg, Signal::EarlyMedia)));
            }
            MediaEvent::Silent { leg } => {
                if let Some(no) = self.media_legs.get(&leg).copied() {
                    self.tell_of_silence(no);
                    self.probe(no).await;
                }
            }
            MediaEvent::Closed { leg, ref statistics } => {
                if let Some(no) = self.media_legs.remove(&leg) {
                    self.media_closed(no, statistics);
                }
            }
        }
    }

    async fn done(&mut self, done: Result<Done, tokio::task::JoinError>) {
        match done {
            Ok(Done::Happened(happened)) => self.next.push_back(happened),
            Ok(Done::Found(leg, found)) => self.found(leg, *found).await,
            // Tasks of a call are not cancelled while it runs, so this one panicked.
            Err(error) => {
                tracing::error!(%error, "a task of a call failed");
                self.next.push_back(Happened::Stopped(EndReason::InternalError));
            }
        }
    }

    pub(super) fn wire(&mut self, no: LegNo) -> &mut Wire {
        self.wires.entry(no).or_default()
    }
}
