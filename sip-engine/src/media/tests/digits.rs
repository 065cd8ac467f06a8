use super::phone::{Bench, Phone, Side};
use crate::media::{
    Codec, MediaEvent, PlayOutcome, PlayToken, Remote,
    dtmf::DigitReceiver,
    g711::{linear_to_ulaw, ulaw_to_linear},
    rtp::Header,
    tones,
};

async fn press(phone: &mut Phone, side: &Side, code: u8, ends: usize) {
    let header = Header { payload_type: 101, ..phone.next };
    for duration in [160u16, 320, 480] {
        send(phone, side, header, [code, 10], duration).await;
    }
    for _ in 0..ends {
        send(phone, side, header, [code, 0x8a], 640).await;
    }
    phone.next.timestamp = phone.next.timestamp.wrapping_add(2_400);
}

async fn send(phone: &mut Phone, side: &Side, header: Header, [code, flags]: [u8; 2], duration: u16) {
    let [d0, d1] = duration.to_be_bytes();
    phone.send(&side.leg, Header { sequence: phone.next.sequence, ..header }, &[code, flags, d0, d1]).await;
    phone.next.sequence = phone.next.sequence.wrapping_add(1);
}

#[tokio::test]
async fn each_press_is_heard_once_whether_its_end_came_thrice_or_never() {
    let (bench, mut phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    press(&mut phone, &side, 5, 3).await;
    press(&mut phone, &side, 10, 0).await;
    press(&mut phone, &side, 9, 10).await;
    press(&mut phone, &side, 11, 0).await; // nothing follows: only time tells that it is over
    let digits = [side.digit().await, side.digit().await, side.digit().await, side.digit().await];
    assert_eq!(digits, ['5', '*', '9', '#']);
    side.leg.statistics().await.unwrap();
    assert_eq!(side.events.try_recv().ok(), None);
}

#[tokio::test]
async fn digits_cross_a_bridge_with_the_other_sides_payload_type() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (mut one, other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcma)).await;
    other.leg.configure(Remote { telephone_event: Some(96), ..bob.remote(Codec::Pcma) }).unwrap();
    other.leg.statistics().await.unwrap();
    bob.waiting();
    press(&mut alice, &one, 7, 3).await;
    let mut heard = Vec::new();
    while heard.len() < 6 {
        heard.push(bob.hear_sound().await);
    }
    assert!(heard.iter().all(|packet| packet.header.payload_type == 96 && packet.payload[0] == 7));
    assert!(heard.iter().all(|packet| packet.header.timestamp == heard[0].header.timestamp));
    assert_eq!(heard.iter().filter(|packet| packet.payload[1] & 0x80 != 0).count(), 3);
    assert_eq!(one.digit().await, '7', "and our program hears it as well");
}

#[tokio::test]
async fn digits_are_sent_with_marker_rising_duration_and_three_ends() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    side.leg.send_digits("4w#", PlayToken(3)).unwrap();
    let sent =
        MediaEvent::DigitsSent { leg: side.leg.id(), token: PlayToken(3), outcome: PlayOutcome::Completed };
    assert_eq!(side.event().await, sent);

    let all: Vec<_> = phone.waiting();
    let events: Vec<_> = all.iter().filter(|packet| packet.header.payload_type == 101).collect();
    for (code, digit) in [(4, &events[..8]), (11, &events[8..])] {
        assert_eq!(digit.len(), 8, "five of tone, three ends");
        assert!(digit.iter().all(|packet| packet.payload[0] == code));
        assert!(digit.iter().all(|packet| packet.header.timestamp == digit[0].header.timestamp));
        let durations: Vec<u16> =
            digit.iter().map(|packet| u16::from_be_bytes([packet.payload[2], packet.payload[3]])).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800, 800]);
        let flags: Vec<bool> = digit.iter().map(|packet| packet.payload[1] & 0x80 != 0).collect();
        assert_eq!(flags, [false, false, false, false, false, true, true, true]);
        assert!(digit[0].header.marker && !digit[1].header.marker);
    }
    let apart = events[8].header.timestamp.wrapping_sub(events[0].header.timestamp);
    assert!(apart >= 8 * (160 + 100 + 500), "the wait of half a second is there: {apart}");
    assert!(all.windows(2).all(|pair| pair[1].header.sequence == pair[0].header.sequence.wrapping_add(1)));
}

#[tokio::test]
async fn digits_that_can_not_be_sent_are_refused() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    side.leg.send_digits("1+2", PlayToken(2)).unwrap();
    let outcome = PlayOutcome::Refused;
    assert_eq!(
        side.event().await,
        MediaEvent::DigitsSent { leg: side.leg.id(), token: PlayToken(2), outcome }
    );
}

/// Without telephone-event.
fn plain(phone: &Phone, codec: Codec) -> Remote {
    Remote { telephone_event: None, ..phone.remote(codec) }
}

/// Says a key as tones, with a pause behind it.
async fn sing(phone: &mut Phone, side: &Side, key: char) {
    let sound: Vec<u8> = tones::sound(key, 0).take(800).map(linear_to_ulaw).collect();
    let silence = [0xff; 160];
    let frames = sound.chunks(160).chain(std::iter::repeat_n(&silence[..], 4));
    for frame in frames {
        phone.talk(&side.leg, 0, frame).await;
    }
}

/// The keys in the next packets that `phone` hears, told as tones, until there are `count`.
async fn sung(phone: &Phone, count: usize) -> String {
    let (mut receiver, mut keys) = (tones::ToneReceiver::default(), String::new());
    while keys.len() < count {
        let packet = phone.hear().await;
        assert_eq!(packet.header.payload_type, 0, "only audio was agreed on");
        keys.extend(receiver.hear(packet.payload.iter().map(|byte| ulaw_to_linear(*byte))));
    }
    keys
}

/// The keys in the next event packets that `phone` hears, until there are `count`.
async fn told(phone: &Phone, count: usize) -> String {
    let (mut receiver, mut keys) = (DigitReceiver::default(), String::new());
    for now in 0.. {
        let packet = phone.hear().await;
        if packet.header.payload_type == 101 {
            let told = receiver.hear(now * 20, &packet.header, &packet.payload);
            keys.extend(told.presses.into_iter().flatten().map(|press| press.digit));
        }
        if keys.len() == count {
            break;
        }
    }
    keys
}

#[tokio::test]
async fn tones_are_keys_where_no_telephone_event_was_agreed_on() {
    let (bench, mut phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.open();
    side.leg.configure(plain(&phone, Codec::Pcmu)).unwrap();
    for key in ['1', '1', '#', 'D'] {
        sing(&mut phone, &side, key).await;
        assert_eq!(side.digit().await, key);
    }
    side.leg.configure(phone.remote(Codec::Pcmu)).unwrap();
    sing(&mut phone, &side, '7').await;
    side.leg.pressed('8').unwrap();
    assert_eq!(side.digit().await, '8', "a peer that has telephone-event presses no keys by singing");
}

#[tokio::test]
async fn digits_are_sent_as_tones_where_no_telephone_event_was_agreed_on() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.open();
    side.leg.configure(plain(&phone, Codec::Pcmu)).unwrap();
    side.leg.send_digits("*01w1#", PlayToken(3)).unwrap();
    assert_eq!(sung(&phone, 5).await, "*011#");
    let sent =
        MediaEvent::DigitsSent { leg: side.leg.id(), token: PlayToken(3), outcome: PlayOutcome::Completed };
    assert_eq!(side.event().await, sent);
}

#[tokio::test]
async fn events_cross_a_bridge_as_tones_and_tones_as_events() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (mut one, mut other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    other.leg.configure(plain(&bob, Codec::Pcmu)).unwrap();
    other.leg.statistics().await.unwrap();
    press(&mut alice, &one, 7, 3).await;
    assert_eq!(sung(&bob, 1).await, "7");
    assert_eq!(one.digit().await, '7');
    sing(&mut bob, &other, '4').await;
    assert_eq!(told(&alice, 1).await, "4");
    assert_eq!(other.digit().await, '4');
}

#[tokio::test]
async fn tones_that_are_told_as_events_are_not_heard_as_well() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (_one, other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    other.leg.configure(plain(&bob, Codec::Pcmu)).unwrap();
    other.leg.statistics().await.unwrap();
    alice.waiting();
    sing(&mut bob, &other, '4').await;
    let mut receiver = tones::ToneReceiver::default();
    let mut ends = 0;
    while ends < 3 {
        let packet = alice.hear().await;
        if packet.header.payload_type == 101 {
            ends += u8::from(packet.payload[1] & 0x80 != 0);
        } else {
            let heard = receiver.hear(packet.payload.iter().map(|byte| ulaw_to_linear(*byte)));
            assert_eq!(heard, None, "she would count it twice");
        }
    }
}

#[tokio::test]
async fn keys_told_by_signalling_cross_a_bridge_in_the_way_the_other_side_understands() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (mut one, mut other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    other.leg.pressed('3').unwrap();
    assert_eq!(told(&alice, 1).await, "3");
    assert_eq!(other.digit().await, '3');
    one.leg.configure(plain(&alice, Codec::Pcmu)).unwrap();
    other.leg.pressed('6').unwrap();
    assert_eq!(sung(&alice, 1).await, "6");
    // Who tells its keys by signalling, and has no telephone-event, is told ours so.
    one.leg.pressed('9').unwrap();
    assert_eq!((one.digit().await, told(&bob, 1).await), ('9', "9".into()));
    press(&mut bob, &other, 2, 3).await;
    loop {
        if let MediaEvent::ToSignal { leg, digit } = one.event().await {
            assert_eq!((leg, digit), (one.leg.id(), '2'));
            break;
        }
    }
}

#[tokio::test]
async fn a_key_told_as_event_and_by_signalling_counts_and_crosses_once() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (mut one, _other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    bob.waiting();
    one.leg.pressed('5').unwrap();
    one.leg.statistics().await.unwrap();
    press(&mut alice, &one, 5, 3).await;
    press(&mut alice, &one, 6, 3).await;
    one.leg.pressed('6').unwrap();
    assert_eq!([one.digit().await, one.digit().await], ['5', '6']);
    // Signalling may overtake packets: only now nothing of that one is on its way.
    one.leg.pressed('7').unwrap();
    assert_eq!(one.digit().await, '7');
    assert_eq!(told(&bob, 3).await, "567");
}

#[tokio::test]
async fn a_careless_senders_keys_cross_a_bridge_as_a_careful_ones() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, _other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcmu)).await;
    bob.waiting();
    let timestamp = alice.next.timestamp;
    for code in [10, 0, 1] {
        alice.next.timestamp = timestamp;
        press(&mut alice, &one, code, 3).await;
    }
    let mut stamps = Vec::new();
    while stamps.len() < 18 {
        let packet = bob.hear().await;
        stamps.extend(
            (packet.header.payload_type == 101).then_some((packet.payload[0], packet.header.timestamp)),
        );
    }
    stamps.dedup();
    let codes: Vec<u8> = stamps.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [10, 0, 1], "a timestamp for each key and no more: {stamps:?}");
}
