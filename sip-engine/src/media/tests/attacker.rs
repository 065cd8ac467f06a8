//! Victims and attacker share 127.0.0.1, so only ports differ: the hardest case for ranking by address.

use super::phone::{Bench, Phone, marked};
use crate::media::{Codec, Remote, rtp::Header};

const EVIL: u8 = 0x66;
const GOOD: u8 = 0x11;

/// Alice sends `count` packets and Bob hears each of them, or whatever else reached him.
async fn converse(bench: &Bench, early: usize, late: usize) -> (usize, usize, usize) {
    let (mut alice, mut bob, mut mallory) = (Phone::new(1).await, Phone::new(2).await, Phone::new(3).await);
    let one = bench.call(&alice, Codec::Pcmu).await;
    let mut other = bench.call(&bob, Codec::Pcmu).await;
    bob.talk(&other.leg, 0, &[0xff; 160]).await;
    other.latched().await;
    one.leg.bridge(&other.leg).unwrap();
    one.leg.statistics().await.unwrap();
    for n in 0..early {
        mallory.talk(&one.leg, 0, &marked(EVIL, n as u8)).await;
    }
    let (mut good, mut evil) = (0, 0);
    for n in 0..100usize {
        alice.talk(&one.leg, 0, &marked(GOOD, n as u8)).await;
        if n < late {
            mallory.talk(&one.leg, 0, &marked(EVIL, n as u8)).await;
            // Mallory knows Alice's SSRC and numbers, too.
            let stolen =
                Header { sequence: alice.next.sequence, timestamp: alice.next.timestamp, ..alice.next };
            mallory.send(&one.leg, stolen, &marked(EVIL, n as u8)).await;
        }
        bob.talk(&other.leg, 0, &marked(GOOD, n as u8)).await;
        while let heard = bob.hear_sound().await
            && heard.payload[1] != GOOD
        {
            evil += 1;
        }
        good += 1;
    }
    evil += bob.waiting().iter().filter(|heard| heard.payload[1] == EVIL).count();
    (good, evil, mallory.waiting().len())
}

#[tokio::test]
async fn an_attacker_after_the_lock_injects_and_overhears_nothing() {
    assert_eq!(converse(&Bench::new(), 0, 100).await, (100, 0, 0));
}

#[tokio::test]
async fn an_attacker_before_the_lock_injects_and_overhears_nothing() {
    assert_eq!(converse(&Bench::new(), 5, 0).await, (100, 0, 0));
}

#[tokio::test]
async fn an_attacker_at_any_time_injects_and_overhears_nothing() {
    assert_eq!(converse(&Bench::new(), 7, 100).await, (100, 0, 0));
}

#[tokio::test]
async fn an_attacker_who_was_believed_loses_everything_to_the_first_packet_of_the_signalled_address() {
    let (good, evil, overheard) = converse(&Bench::new(), 90, 100).await;
    assert_eq!((good, overheard), (100, 0));
    assert!(evil <= 41, "of the ninety before, fifty were needed to be believed: {evil}");
}

#[tokio::test]
async fn a_strangers_digits_and_reports_count_for_nothing() {
    let (bench, mut alice, mallory) = (Bench::new(), Phone::new(1).await, Phone::new(3).await);
    let mut side = bench.call(&alice, Codec::Pcmu).await;
    let event = Header { payload_type: 101, ..alice.next };
    for _ in 0..5 {
        mallory.send(&side.leg, event, &[1, 0x8a, 3, 0x20]).await;
    }
    alice.talk(&side.leg, 0, &[0xff; 160]).await;
    side.latched().await;
    for _ in 0..20 {
        mallory.send(&side.leg, event, &[2, 0x8a, 3, 0x20]).await;
        let report = [0x80, 201, 0, 1, 0, 0, 0, 3];
        mallory.rtcp.send_to(&report, ("127.0.0.1", side.leg.rtp_port() + 1)).await.unwrap();
    }
    alice.next.timestamp = alice.next.timestamp.wrapping_add(90_000);
    alice.send(&side.leg, Header { payload_type: 101, ..alice.next }, &[9, 0x8a, 3, 0x20]).await;
    assert_eq!(side.digit().await, '9', "the first there is");
    let statistics = side.leg.statistics().await.unwrap();
    assert_eq!((side.events.try_recv().ok(), statistics.packets_received), (None, 2));
    assert!(statistics.foreign_dropped >= 5, "{statistics:?}");
    assert!(mallory.waiting().is_empty());
}

#[tokio::test]
async fn what_a_silent_phone_is_to_hear_goes_to_nobody_else() {
    let (bench, silent, mut mallory) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let mut side = bench.call(&silent, Codec::Pcmu).await;
    for n in 0..300u16 {
        mallory.talk(&side.leg, 0, &marked(EVIL, n as u8)).await;
        if n % 10 == 0 {
            silent.hear().await;
        }
    }
    let statistics = side.leg.statistics().await.unwrap();
    assert!(mallory.waiting().is_empty());
    assert!(statistics.foreign_dropped >= 50, "{statistics:?}");
    assert_eq!(statistics.foreign_from, Some(mallory.address()));
    let latched = side.latched().await;
    assert_eq!(
        latched,
        mallory.address(),
        "it may be the phone's other port: it is heard, and never sent to"
    );
    assert!(statistics.packets_received > 0 && side.events.try_recv().is_err(), "{statistics:?}");
}

#[tokio::test]
async fn a_gateway_in_the_media_networks_is_latched_after_eight_packets_and_sent_to() {
    let (bench, silent, mut nat) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let mut side = bench.open();
    let media_networks = vec!["127.0.0.0/8".parse().unwrap()];
    side.leg.configure(Remote { media_networks, ..silent.remote(Codec::Pcmu) }).unwrap();
    silent.hear().await;
    for n in 0..8 {
        nat.talk(&side.leg, 0, &marked(GOOD, n)).await;
    }
    assert_eq!(side.latched().await, nat.address());
    assert_eq!(nat.hear().await.payload, [0xff; 160]);
    assert_eq!(
        side.leg.statistics().await.unwrap().packets_received,
        1,
        "what came before the lock is not used"
    );
}

#[tokio::test]
async fn another_address_is_latched_only_after_signalling_named_it() {
    let (bench, mut alice, mut desk) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let mut side = bench.call(&alice, Codec::Pcmu).await;
    alice.talk(&side.leg, 0, &[0xff; 160]).await;
    side.latched().await;
    for n in 0..30 {
        desk.talk(&side.leg, 0, &marked(GOOD, n)).await;
    }
    alice.talk(&side.leg, 0, &[0xff; 160]).await;
    while side.leg.statistics().await.unwrap().packets_received < 2 {}
    assert!(desk.waiting().is_empty());
    assert!(side.events.try_recv().is_err());

    side.leg.configure(desk.remote(Codec::Pcmu)).unwrap();
    desk.hear().await;
    desk.talk(&side.leg, 0, &marked(GOOD, 1)).await;
    assert_eq!(side.latched().await, desk.address());
    alice.waiting();
    desk.hear().await;
    desk.hear().await;
    assert!(alice.waiting().len() <= 1, "the former address is left alone");
}

#[tokio::test]
async fn a_leg_with_no_address_sends_nothing_until_somebody_ranked_is_heard() {
    let (bench, mut alice) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.open();
    let nowhere = Remote {
        sip_source: Some([127, 0, 0, 1].into()),
        ..Remote::new("0.0.0.0:0".parse().unwrap(), Codec::Pcmu)
    };
    side.leg.configure(nowhere).unwrap();
    for n in 0..8 {
        alice.talk(&side.leg, 0, &marked(GOOD, n)).await;
    }
    assert_eq!(side.latched().await, alice.address());
    alice.hear().await;
}
