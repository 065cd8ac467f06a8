//! Reads what SIP says and gives it to whom it concerns. New calls are routed and started here. Never waits for a call.

use super::{
    evidence::Ladder,
    negotiate::TrunkMedia,
    registry::Message,
    shared::Shared,
    shares::{Party, Place},
    supervise,
    wire::{NoMedia, Wire},
};
use crate::{
    call::{Incoming, LegNo, Machine},
    outside::CallRef,
    routing::{Directory, Inbound, Refusal},
    sip::{Command, Event, IncomingCall, LegKey, endpoint::RETRY_AFTER},
};
use domain::{
    Kind, Sid, Steady, Tenant,
    call::{EndReason, Ending, Received},
    caller_id::CallerId,
};
use std::{net::IpAddr, sync::Arc};
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
    if incoming.turned_away.is_some() && routed.refused_with().is_none() {
        // The directory has changed since; the next try of the caller will find it.
        return None;
    }
    let (tenant, trunk, refused) = match &routed {
        Inbound::Stranger | Inbound::Nobodys => {
            refuse(shared, incoming.leg, routed.refused_with().unwrap_or(403)).await;
            return None;
        }
        Inbound::Taken(taken) => (taken.tenant.clone(), taken.trunk.clone(), None),
        Inbound::Refused(refusal) => {
            let ending = Ending::because(refusal.reason);
            (refusal.tenant.clone(), refusal.trunk.clone(), Some((refusal.code, ending)))
        }
    };
    let emergency = is_for_help(&directory, &routed);
    let parties = parties(&directory, (trunk.clone(), incoming.source.ip()), &tenant);
    let (trunk, leg) = (directory.trunk(&trunk), incoming.leg);
    let networks = trunk.map(|trunk| shared.networks_of(trunk)).unwrap_or_default();
    shared.command(Command::Confine { leg, networks: networks.into() }).await;
    let mut wire = Wire::incoming(incoming, trunk.map(TrunkMedia::of_caller).unwrap_or_default());
    wire.emergency = emergency;
    wire.through = trunk.map(|trunk| trunk.sid.clone());
    let hops = incoming.hops;
    let named = incoming.asserted.as_ref().map(|party| party.user.as_str());
    let asserted = trunk.and_then(|trunk| trunk.asserts(named));
    // What it says to be from is not more true where it wants to be hidden.
    let users = std::iter::once(incoming.from.user.as_str()).chain(named);
    let said = trunk.map(|trunk| users.map(|user| trunk.spelled(user)).collect()).unwrap_or_default();
    let refused = refused.or(wire.arrived(incoming.sdp.as_ref(), &shared.listening).err().map(unusable));
    let received = received(shared, incoming, routed)?;
    let closing = shared.is_closing(emergency);
    // What is refused takes nobody's place.
    let place = match (closing || refused.is_some(), emergency) {
        (true, _) => None,
        (false, true) => Place::for_help(shared, parties),
        (false, false) => Place::take(shared, parties),
    };
    let of_trunk = refused.as_ref().map(|_| &received.trunk);
    let refused = refused.or_else(|| place.is_none().then(|| full(closing)));
    if let Some((code, _)) = refused.as_ref().filter(|_| !shared.is_recorded(of_trunk)) {
        refuse(shared, leg, *code).await;
        return None;
    }
    let call = CallRef { sid: Sid::new(Kind::Call, &*shared.config.ids), tenant };
    let surroundings = shared.surroundings(&call.tenant);
    let machine = Machine::incoming(
        surroundings,
        Incoming { call: call.clone(), received, refused, hops, said, asserted },
    );
    let address = supervise::start(shared, place, machine, |actor| {
        actor.wires.insert(LegNo::MAIN, wire);
        actor.keys.insert(leg, LegNo::MAIN);
        actor.shared.registry.add_leg(leg, actor.address.clone(), call.clone());
    });
    Some((call, address.time))
}

/// Whether the call came to an emergency number that a carrier has in its inventory, to send it on.
pub(super) fn is_for_help(directory: &Directory, routed: &Inbound) -> bool {
    matches!(routed, Inbound::Taken(taken) if directory.is_emergency(&taken.account, &taken.to))
}

/// Who has a share in the places that this call takes; nobody, where there is nobody else to keep places for.
fn parties(directory: &Directory, (trunk, source): (Sid, IpAddr), tenant: &Tenant) -> Vec<Party> {
    let mut parties = Vec::new();
    if directory.has_other_trunks() {
        parties.extend([Party::Trunk(trunk), Party::Source(source.to_canonical())]);
    }
    parties.extend(Party::of_tenant(directory, Some(&tenant.carrier), tenant.account.as_ref()));
    parties
}

fn full(closing: bool) -> (u16, Ending) {
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

/// What is recorded about a call that arrived; `None` when it is not known whose it is.
fn received(shared: &Shared, incoming: &IncomingCall, routed: Inbound) -> Option<Received> {
    let known = match routed {
        Inbound::Stranger | Inbound::Nobodys => return None,
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
