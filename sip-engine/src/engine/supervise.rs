//! Starts actors and outlives them: a panic in one call ends that call, with a reason, and no other.

use super::{
    actor::{Actor, Parts},
    journal::Journal,
    registry::{Address, INBOX},
    shared::Shared,
    shares::Place,
};
use crate::{
    call::{LegNo, Machine},
    outside::CallRef,
    sip::{Command, LegKey},
};
use domain::{
    Steady,
    call::{CallCommand, EndReason, Ending},
};
use futures_util::FutureExt;
use parking_lot::Mutex;
use std::{panic::AssertUnwindSafe, sync::Arc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What is left of a call when its actor is not.
#[derive(Default)]
pub(super) struct Vestige {
    /// Calls whose end is not recorded.
    calls: Vec<CallRef>,
    /// Every call the family ever had.
    known: Vec<CallRef>,
    keys: Vec<LegKey>,
    /// The main call's place, until it has ended.
    place: Option<Place>,
}

impl Vestige {
    pub(super) fn update(this: &Mutex<Vestige>, live: Vec<CallRef>, keys: Vec<LegKey>) {
        let mut vestige = this.lock();
        for call in &live {
            if !vestige.known.contains(call) {
                vestige.known.push(call.clone());
            }
        }
        vestige.calls = live;
        vestige.keys = keys;
    }

    /// The main call has ended, and its place is another's.
    pub(super) fn ended(this: &Mutex<Vestige>) {
        let place = this.lock().place.take();
        drop(place);
    }
}

/// Runs a call under supervision, in its place; one that is refused has none. `prepare` gives the actor what it has beside its machine.
pub(super) fn start(
    shared: &Arc<Shared>,
    place: Option<Place>,
    machine: Machine,
    prepare: impl FnOnce(&mut Actor),
) -> Address {
    let (inbox, receiver) = mpsc::channel(INBOX);
    let address =
        Address { inbox, flooded: CancellationToken::new(), time: Steady::begin(&*shared.config.clock) };
    let journal = Journal::start(Arc::clone(&shared.outside), &shared.tracker);
    let vestige = Arc::new(Mutex::new(Vestige { place, ..Vestige::default() }));
    if let Some(call) = machine.call_of(LegNo::MAIN) {
        shared.registry.add_call(call.sid.clone(), address.clone());
    }
    let mut actor = Actor::new(Parts {
        shared: Arc::clone(shared),
        machine,
        address: address.clone(),
        inbox: receiver,
        journal: journal.clone(),
        vestige: Arc::clone(&vestige),
    });
    prepare(&mut actor);
    Vestige::update(&vestige, actor.machine.live_calls(), actor.keys.keys().copied().collect());
    let shared = Arc::clone(shared);
    let (tracker, time) = (shared.tracker.clone(), address.time);
    tracker.spawn(async move {
        let panicked = AssertUnwindSafe(actor.run()).catch_unwind().await.is_err();
        let left = std::mem::take(&mut *vestige.lock());
        if panicked {
            clean_up(&shared, &journal, &left, time).await;
        }
        drop(left.place);
        let known: Vec<_> = left.known.iter().map(|call| call.sid.clone()).collect();
        shared.registry.remove(&left.keys, &known);
    });
    address
}

/// Hangs up what a broken actor left, and says so in the log.
async fn clean_up(shared: &Shared, journal: &Journal, left: &Vestige, time: Steady) {
    tracing::error!(calls = left.calls.len(), "a call's actor panicked; the call is ended");
    for leg in &left.keys {
        shared.command(Command::Bye { leg: *leg, headers: Vec::new() }).await;
    }
    let end = || CallCommand::End(Ending::because(EndReason::InternalError));
    let now = time.now(&*shared.config.clock);
    journal.record(left.calls.iter().map(|call| (call.clone(), now, end())).collect()).await;
}
