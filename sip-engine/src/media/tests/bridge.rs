use super::phone::{Bench, ONCE, Phone, marked};
use crate::media::{
    Codec, Direction, MediaError, MediaEvent, PlayOutcome, PlayToken, Prompt, Remote, audio::tone::tone,
    g711::ulaw_to_alaw, rtp::Header,
};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn the_same_codec_is_relayed_bit_by_bit_in_an_unbroken_stream() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, _other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    let mut heard = bob.waiting();
    let old = heard.len();
    for n in 0..=255u8 {
        let sent: Vec<u8> = (0..160u8).map(|at| at.wrapping_mul(31).wrapping_add(n)).collect();
        alice.talk(&one.leg, 0, &sent).await;
        // Silence is put in where this test is slow.
        while heard.last().is_none_or(|packet| packet.payload != sent) {
            heard.push(bob.hear().await);
        }
    }
    assert!(heard[old].header.marker, "the first of a talkspurt is marked");
    assert!(heard[old..].iter().any(|packet| !packet.header.marker), "and only that");
    let ours = heard[0].header.ssrc;
    assert!(ours != 1 && heard.iter().all(|packet| packet.header.ssrc == ours), "our own SSRC");
    for pair in heard.windows(2) {
        let [before, after] = [&pair[0].header, &pair[1].header];
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        assert!(after.timestamp.wrapping_sub(before.timestamp) >= 160, "{before:?} {after:?}");
    }
}

#[tokio::test]
async fn different_codecs_are_changed_by_the_table_both_ways() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcma)).await;
    let all: Vec<u8> = (0..=255).collect();
    alice.talk(&one.leg, 0, &all).await;
    let heard = bob.hear_sound().await;
    assert_eq!(heard.header.payload_type, 8);
    assert_eq!(heard.payload, all.iter().map(|&byte| ulaw_to_alaw(byte)).collect::<Vec<_>>());

    bob.talk(&other.leg, 8, &[0x2a; 160]).await;
    let heard = alice.hear_sound().await;
    assert_eq!((heard.header.payload_type, heard.payload), (0, vec![0x80 ^ 0x80; 160]));
}

#[tokio::test]
async fn loss_and_disorder_are_passed_on_as_they_are() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, _other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    let base = alice.next;
    let mut numbers = Vec::new();
    for offset in [0u16, 1, 4, 3, 5] {
        let header = Header {
            sequence: base.sequence.wrapping_add(offset),
            timestamp: base.timestamp.wrapping_add(160 * u32::from(offset)),
            ..base
        };
        alice.send(&one.leg, header, &marked(0x11, 9)).await;
    }
    for _ in 0..5 {
        numbers.push(bob.hear_sound().await.header.sequence);
    }
    let steps: Vec<u16> = numbers.iter().map(|number| number.wrapping_sub(numbers[0])).collect();
    assert_eq!(steps, [0, 1, 4, 3, 5]);
    // Numbers 2 of this run; the late one is no loss.
    assert_eq!(one.leg.statistics().await.unwrap().packets_lost, 1);
}

#[tokio::test]
async fn timestamps_that_go_backwards_harm_nobody() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, _other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    let mut stamps = Vec::new();
    for n in 0..50u8 {
        alice.next.timestamp = alice.next.timestamp.wrapping_sub(50_000_000);
        alice.talk(&one.leg, 0, &marked(0x22, n)).await;
        stamps.push(bob.hear_sound().await.header.timestamp);
    }
    let forward = |pair: &[u32]| pair[1].wrapping_sub(pair[0]) < 80_000;
    assert!(stamps.windows(2).all(forward), "{stamps:?}");
}

#[tokio::test]
async fn a_prompt_takes_the_place_of_the_other_party() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, mut other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    let prompt = Arc::new(Prompt::from_pcm8k(&tone(440.0, Duration::from_millis(200))));
    other.leg.play(prompt, ONCE, PlayToken(1)).unwrap();
    bob.hear_sound().await;
    alice.talk(&one.leg, 0, &marked(0x33, 1)).await;
    loop {
        if let MediaEvent::PlayFinished { outcome, .. } = other.event().await {
            assert_eq!(outcome, PlayOutcome::Completed);
            break;
        }
    }
    assert!(bob.waiting().iter().all(|packet| packet.payload != marked(0x33, 1)));
    alice.talk(&one.leg, 0, &marked(0x33, 2)).await;
    assert_eq!(bob.hear_sound().await.payload, marked(0x33, 2));
}

#[tokio::test]
async fn a_party_to_whom_nothing_is_said_hears_silence_until_something_is() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, _other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    let mut heard = bob.waiting();
    for n in 0..2u8 {
        alice.talk(&one.leg, 0, &marked(0x33, n)).await;
        while heard.last().is_none_or(|packet| packet.payload != marked(0x33, n)) {
            heard.push(bob.hear().await);
        }
        heard.extend([bob.hear().await, bob.hear().await]);
        let [.., sound, silence, next] = &heard[..] else { panic!("{heard:?}") };
        let pause = silence.header.timestamp.wrapping_sub(sound.header.timestamp);
        assert!((1_500..80_000).contains(&pause), "it comes after 200 ms: {pause}");
        assert!([silence, next].iter().all(|packet| packet.payload == [0xff; 160]));
    }
    for pair in heard.windows(2) {
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        assert!((160..80_000).contains(&pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp)));
    }
}

#[tokio::test]
async fn taken_apart_both_hear_silence_and_not_each_other() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    other.leg.unbridge().unwrap();
    other.leg.statistics().await.unwrap();
    bob.waiting();
    alice.talk(&one.leg, 0, &marked(0x44, 1)).await;
    one.leg.statistics().await.unwrap();
    assert_eq!(bob.hear().await.payload, [0xff; 160]);
    assert_eq!(bob.hear().await.payload, [0xff; 160]);
    assert_eq!(alice.hear().await.payload, [0xff; 160]);
}

#[tokio::test]
async fn a_closed_leg_frees_its_partner() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    drop(one);
    other.leg.statistics().await.unwrap();
    bob.waiting();
    assert_eq!(bob.hear().await.payload, [0xff; 160]);
}

#[tokio::test]
async fn nothing_is_relayed_to_or_from_a_party_on_hold() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    for (direction, reaches_bob) in [
        (Direction::ReceiveOnly, false),
        (Direction::Inactive, false),
        (Direction::SendOnly, true),
        (Direction::SendReceive, true),
    ] {
        other.leg.configure(Remote { direction, ..bob.remote(Codec::Pcmu) }).unwrap();
        other.leg.statistics().await.unwrap();
        bob.waiting();
        alice.talk(&one.leg, 0, &marked(0x55, 1)).await;
        while one.leg.statistics().await.unwrap().packets_received
            < u64::from(alice.next.sequence.wrapping_sub(65_530))
        {}
        let reached = bob.waiting().iter().any(|packet| packet.payload == marked(0x55, 1));
        assert_eq!(reached, reaches_bob, "{direction:?}");
    }
}

#[tokio::test]
async fn legs_of_different_threads_are_not_bridged() {
    let bench = Bench::with(|config| config.threads = 2);
    let one = bench.open();
    let elsewhere = Bench { group: bench.media.group(), media: bench.media.clone() };
    assert_ne!(bench.group, elsewhere.group, "the thread with fewer legs is chosen");
    let other = elsewhere.open();
    assert!(matches!(one.leg.bridge(&other.leg), Err(MediaError::DifferentGroups)));
    assert!(matches!(one.leg.bridge(&one.leg), Err(MediaError::DifferentGroups)));
}

#[tokio::test]
async fn who_only_listens_is_heard_pressing_keys_and_not_speaking() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    one.leg.listen(&other.leg).unwrap();
    one.leg.statistics().await.unwrap();
    bob.waiting();
    for n in 0..20 {
        alice.talk(&one.leg, 0, &marked(0x31, n)).await;
        bob.talk(&other.leg, 0, &marked(0x32, n)).await;
    }
    let heard = alice.hear_sound().await;
    assert_eq!(heard.payload[1], 0x32);
    one.leg.pressed('5').unwrap();
    let mut key = false;
    for _ in 0..100 {
        let packet = bob.hear().await;
        let is_voice = packet.header.payload_type == 0 && packet.payload.get(1) == Some(&0x31);
        assert!(!is_voice, "{:?}", packet.header);
        key |= packet.header.payload_type != 0;
    }
    assert!(key, "it is told as telephone-event");
    one.leg.bridge(&other.leg).unwrap();
    one.leg.statistics().await.unwrap();
    alice.talk(&one.leg, 0, &marked(0x31, 1)).await;
    assert_eq!(bob.hear_sound().await.payload[1], 0x31);
}
