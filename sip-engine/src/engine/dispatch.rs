//! Reads what SIP says and gives it to whom it concerns. New calls are routed and started here. Never waits for a call.

use super::{
    evidence::Ladder,
    registry::Message,
    shared::Shared,
    supervise,
    wire::{NoMedia, Wire},
};
use crate::{
    call::{Incoming, LegNo, Machine},
    outside::CallRef,
    routing::{Inbound, Refusal},
    sip::{Command, Event, IncomingCall, LegKey, endpoint::RETRY_AFTER},
};
use domain::{
    Kind, Sid, Steady,
    call::{EndReason, Ending, Received},
    caller_id::CallerId,
};
use std::sync::{Arc, atomic::Ordering};
use tokio::sync::mpsc;

/// Runs until SIP is shut down.
pub(super) async fn run(shared: Arc<Shared>, mut events: mpsc::Receiver<Event>) {
    let mut ladder = Ladder::new(Arc::clone(&shared.outside), Arc::clone(&shared.config.clock));
    while let Some(event) = events.recv().await {
        dispatch(&shared, &mut ladder, event).await;
        while let Ok(event) = events.try_recv() {
            dispatch(&shared, &mut ladder, event).await;
        }
        ladder.flush();
        ladder.tidy(|leg| shared.registry.leg(leg).is_some());
    }
}

async fn dispatch(shared: &Arc<Shared>, ladder: &mut Ladder, event: Event) {
    match event {
        Event::Trace(trace) => {
            if let Some(leg) = trace.leg.filter(|leg| !ladder.knows(*leg)) {
                let owner = shared.registry.leg(leg);
                owner.iter().for_each(|(address, call)| ladder.belongs(leg, call, address.time));
            }
            ladder.seen(*trace);
        }
        Event::IncomingCall(incoming) => {
            if let Some((call, time)) = arrived(shared, &incoming).await {
                ladder.belongs(incoming.leg, &call, time);
            }
        }
        other => {
            let owner = other.leg().and_then(|leg| shared.registry.leg(leg));
            if let Some((address, _)) = owner {
                address.tell(Message::Sip(other));
            }
        }
    }
}

/// A call arrived: it is routed, and gets an actor even when it is turned away, because that is a fact as well; only
/// when the engine is full, and many are, there is but the answer.
async fn arrived(shared: &Arc<Shared>, incoming: &IncomingCall) -> Option<(CallRef, Steady)> {
    let directory = shared.directory.load_full();
    let caller = if incoming.private { CallerId::Hidden } else { CallerId::of(&incoming.from.user) };
    let routed = directory.inbound(incoming.source.ip(), caller.as_str(), &incoming.dialled);
    let (tenant, refused) = match &routed {
        Inbound::Stranger => {
            refuse(shared, incoming.leg, 403).await;
            return None;
        }
        Inbound::Taken(taken) => (taken.tenant.clone(), None),
        Inbound::Refused(refusal) => {
            (refusal.tenant.clone(), Some((refusal.code, Ending::because(refusal.reason))))
        }
    };
    let (trunk, leg) = (trunk_of(&routed).and_then(|trunk| directory.trunk(trunk)), incoming.leg);
    let networks = trunk.map(|trunk| shared.networks_of(trunk)).unwrap_or_default();
    shared.command(Command::Confine { leg, networks: networks.into() }).await;
    let sources = trunk.map(|trunk| trunk.sources().to_vec());
    let mut wire = Wire::incoming(incoming, sources.unwrap_or_default());
    let hops = incoming.hops;
    let refused = refused.or(wire.offered(incoming.sdp.as_ref()).err().map(unusable));
    let received = received(shared, incoming, routed)?;
    let admitted = shared.admit();
    if !admitted && !shared.is_recorded() {
        refuse(shared, leg, 503).await;
        return None;
    }
    let refused = if admitted { refused } else { Some(full(shared)) };
    if !admitted {
        // Counted down again when its actor ends.
        shared.live.fetch_add(1, Ordering::AcqRel);
    }
    let call = CallRef { sid: Sid::new(Kind::Call, &*shared.config.ids), tenant };
    let surroundings = shared.surroundings(&call.tenant);
    let machine = Machine::incoming(surroundings, Incoming { call: call.clone(), received, refused, hops });
    let address = supervise::start(shared, machine, |actor| {
        actor.wires.insert(LegNo::MAIN, wire);
        actor.keys.insert(leg, LegNo::MAIN);
        actor.shared.registry.add_leg(leg, actor.address.clone(), call.clone());
    });
    Some((call, address.time))
}

/// Through which trunk a call came.
fn trunk_of(routed: &Inbound) -> Option<&Sid> {
    match routed {
        Inbound::Stranger => None,
        Inbound::Taken(taken) => Some(&taken.trunk),
        Inbound::Refused(refusal) => Some(&refusal.trunk),
    }
}

fn full(shared: &Shared) -> (u16, Ending) {
    let closing = shared.draining.load(Ordering::Acquire);
    (503, Ending::because(if closing { EndReason::ShutDown } else { EndReason::Overloaded }))
}

/// An offer nothing can come of is turned away before the application hears of it.
fn unusable(NoMedia { code, detail }: NoMedia) -> (u16, Ending) {
    (code, Ending::because(EndReason::MediaFailed).with_detail(detail))
}

async fn refuse(shared: &Shared, leg: LegKey, code: u16) {
    shared.command(Command::Respond { leg, code, reason: None, headers: come_back(code), sdp: None }).await;
}

/// Whoever meets a full engine is told when to try again.
pub(super) fn come_back(code: u16) -> Vec<(String, String)> {
    let seconds = (code == 503).then(|| RETRY_AFTER.to_string());
    seconds.map(|seconds| ("Retry-After".to_owned(), seconds)).into_iter().collect()
}

/// What is recorded about a call that arrived; `None` for a stranger's.
fn received(shared: &Shared, incoming: &IncomingCall, routed: Inbound) -> Option<Received> {
    let known = match routed {
        Inbound::Stranger => return None,
        Inbound::Taken(taken) => *taken,
        Inbound::Refused(refusal) => return Some(turned_away(shared, incoming, *refusal)),
    };
    Some(Received {
        node: shared.config.node.clone(),
        account: Some(known.account),
        trunk: known.trunk,
        phone_number: Some(known.phone_number),
        from: known.from,
        to: known.to,
        dialled: incoming.dialled.clone(),
        sip_call_id: incoming.call_id.clone(),
        source: incoming.source.to_string(),
        program: Some(known.program),
        callback: known.callback,
    })
}

fn turned_away(shared: &Shared, incoming: &IncomingCall, refusal: Refusal) -> Received {
    Received {
        node: shared.config.node.clone(),
        account: refusal.tenant.account,
        trunk: refusal.trunk,
        phone_number: refusal.phone_number,
        from: refusal.from,
        to: refusal.to,
        dialled: incoming.dialled.clone(),
        sip_call_id: incoming.call_id.clone(),
        source: incoming.source.to_string(),
        program: None,
        callback: None,
    }
}
