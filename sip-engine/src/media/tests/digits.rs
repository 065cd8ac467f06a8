use super::phone::{Bench, Phone, Side};
use crate::media::{Codec, MediaEvent, PlayOutcome, PlayToken, Remote, rtp::Header};

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
    let mut side = bench.open();
    side.leg.configure(Remote { telephone_event: None, ..phone.remote(Codec::Pcmu) }).unwrap();
    for (token, digits) in [(PlayToken(1), "12"), (PlayToken(2), "1+2")] {
        side.leg.send_digits(digits, token).unwrap();
        let refused = MediaEvent::DigitsSent { leg: side.leg.id(), token, outcome: PlayOutcome::Refused };
        assert_eq!(side.event().await, refused);
    }
}
