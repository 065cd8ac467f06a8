//! Whole calls between two endpoints on good and bad networks: both sides end, once, and nothing is left behind.

use super::bench::SDP;
use super::network::{Network, Side, Weather};
use crate::sip::{ClosedBy, Command, Event, Invite, LegKey, Target, Transport};
use bytes::Bytes;
use std::collections::HashMap;
use std::time::Duration;

const CALM: Weather = Weather { loss: 0, twice: 0, delay: 20 };
const STORM: Weather = Weather { loss: 25, twice: 15, delay: 900 };

fn invite(number: u64, ring_timeout: Duration) -> Command {
    let target = Target {
        uri: format!("sip:{number}@192.0.2.2"),
        next_hop: Side::B.addr(),
        networks: std::sync::Arc::default(),
        transport: Transport::Udp,
        local: Some(Side::A.addr()),
    };
    Command::Invite(Box::new(Invite {
        leg: LegKey::outbound(number),
        target,
        call_id: None,
        from: "<sip:a@192.0.2.1>".into(),
        to: "<sip:b@192.0.2.2>".into(),
        headers: Vec::new(),
        sdp: Bytes::from_static(SDP.as_bytes()),
        credentials: None,
        max_forwards: 70,
        emergency: false,
        ring_timeout,
        silence: Duration::from_secs(32),
    }))
}

fn respond(leg: LegKey, code: u16) -> Command {
    let sdp = (code < 300).then(|| Bytes::from_static(SDP.as_bytes()));
    Command::Respond { leg, code, reason: None, headers: Vec::new(), sdp }
}

fn bye(leg: LegKey) -> Command {
    Command::Bye { leg, headers: Vec::new() }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Every leg closes exactly once and says nothing afterwards.
fn assert_closed_once(network: &Network) {
    let mut closed: HashMap<(Side, LegKey), bool> = HashMap::new();
    for (at, side, event) in &network.events {
        let leg = event.leg().unwrap();
        let before = closed.entry((*side, leg)).or_insert(false);
        assert!(!*before, "{side:?} {leg} spoke after its end: {event:?} at {at:?}");
        *before = event.is_closing();
    }
    assert!(closed.values().all(|closed| *closed), "a leg never closed: {closed:?}");
    assert_eq!(network.held(), 0, "something is left behind");
}

#[test]
fn on_a_calm_network_a_call_runs_its_course() {
    let mut network = Network::new(CALM, 1);
    network.command(Side::A, ms(0), invite(1, ms(30_000)));
    network.run(ms(100_000), |network, side, event| match (side, event) {
        (Side::B, Event::IncomingCall(call)) => {
            network.command(side, ms(10), respond(call.leg, 180));
            network.command(side, ms(2_000), respond(call.leg, 200));
        }
        (Side::B, Event::Acknowledged { leg, .. }) => {
            network.command(side, ms(500), Command::Reinvite { leg: *leg, sdp: SDP.into() });
        }
        (Side::A, Event::ReOffer { leg, .. }) => network.command(side, ms(50), respond(*leg, 200)),
        (Side::B, Event::Reoffered { leg, .. }) => network.command(side, ms(500), bye(*leg)),
        _ => {}
    });
    let told: Vec<String> = network
        .events
        .iter()
        .map(|(_, side, event)| {
            let name = format!("{event:?}");
            format!("{side:?} {}", name.split([' ', '(', '{']).next().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        told,
        [
            "B IncomingCall",
            "A Ringing",
            "A Answered",
            "B Acknowledged",
            "A ReOffer",
            "B Reoffered",
            "A Acknowledged",
            "B Ended",
            "A Ended",
        ]
    );
    assert_closed_once(&network);
}

/// What the two callers do in one stormy call.
fn storm(seed: u64) -> Network {
    let mut network = Network::new(STORM, seed);
    for number in 0..4 {
        let ring = 3_000 + network.roll(20_000);
        let after = network.roll(5_000);
        network.command(Side::A, ms(after), invite(number, ms(ring)));
        if network.roll(4) == 0 {
            let at = network.roll(9_000);
            network.command(Side::A, ms(at), bye(LegKey::outbound(number)));
        }
    }
    network.run(ms(600_000), |network, side, event| match event {
        Event::IncomingCall(call) => {
            let code = [200, 200, 200, 486, 603][network.roll(5) as usize];
            let later = network.roll(12_000);
            network.command(side, ms(5), respond(call.leg, 180));
            network.command(side, ms(later), respond(call.leg, code));
        }
        Event::Answered { leg, .. } | Event::Acknowledged { leg, .. } => {
            let (first, second) = (network.roll(3_000), 1 + network.roll(60_000));
            network.command(side, ms(first), Command::Reinvite { leg: *leg, sdp: SDP.into() });
            network.command(side, ms(second), bye(*leg));
        }
        Event::ReOffer { leg, .. } => {
            let later = network.roll(4_000);
            let code = [200, 200, 488][network.roll(3) as usize];
            network.command(side, ms(later), respond(*leg, code));
        }
        _ => {}
    });
    network
}

#[test]
fn in_any_storm_every_leg_closes_once_and_nothing_is_left() {
    for seed in 1..150 {
        let network = storm(seed);
        assert!(network.events.len() >= 4, "seed {seed}");
        assert_closed_once(&network);
    }
}

#[test]
fn calls_get_through_a_quarter_of_loss() {
    let calls = 100;
    let mut network = Network::new(Weather { loss: 25, ..CALM }, 42);
    for number in 0..calls {
        network.command(Side::A, ms(number * 200), invite(number, ms(60_000)));
    }
    network.run(ms(400_000), |network, side, event| match event {
        Event::IncomingCall(call) => network.command(side, ms(50), respond(call.leg, 200)),
        Event::Answered { leg, .. } => network.command(side, ms(5_000), bye(*leg)),
        _ => {}
    });
    assert_closed_once(&network);
    let count =
        |wanted: fn(&Event) -> bool| network.events.iter().filter(|(.., event)| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Answered { .. })), calls as usize);
    assert_eq!(count(|event| matches!(event, Event::Ended { by: ClosedBy::LostAck, .. })), 0);
}

#[test]
fn both_sides_hanging_up_at_once_is_no_trouble() {
    let mut network = Network::new(CALM, 3);
    network.command(Side::A, ms(0), invite(1, ms(30_000)));
    network.run(ms(100_000), |network, side, event| match event {
        Event::IncomingCall(call) => network.command(side, ms(0), respond(call.leg, 200)),
        Event::Acknowledged { leg, .. } => {
            network.command(Side::B, ms(1_000), bye(*leg));
            network.command(Side::A, ms(1_000), bye(LegKey::outbound(1)));
        }
        _ => {}
    });
    assert_closed_once(&network);
}

#[test]
fn a_callee_nobody_reaches_is_given_up() {
    let mut network = Network::new(Weather { loss: 100, ..CALM }, 3);
    network.command(Side::A, ms(0), invite(1, ms(60_000)));
    network.run(ms(100_000), |_, _, _| {});
    let told: Vec<&Event> = network.events.iter().map(|(_, _, event)| event).collect();
    assert!(matches!(told[..], [Event::Failed { code: 408, from_peer: false, .. }]), "{told:?}");
    assert_eq!(network.held(), 0);
}
