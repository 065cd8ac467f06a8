use super::*;

/// The head of the packet `sequence` of a stream.
fn head(sequence: u16, timestamp: u32) -> Header {
    Header { sequence, timestamp, ssrc: 3, ..Header::default() }
}

/// One event packet: `(ms, timestamp, code, end, duration)`.
type Sent = (u64, u32, u8, bool, u16);

/// Hears packets numbered from `first` on and returns the digits reported.
fn digits_from(receiver: &mut DigitReceiver, first: u16, packets: &[Sent]) -> String {
    let mut out = String::new();
    for (sequence, &(now, timestamp, code, end, duration)) in (first..).zip(packets) {
        let told = receiver.hear(now, &head(sequence, timestamp), &event(code, end, duration));
        out.extend(told.presses.into_iter().flatten().map(|press| press.digit));
    }
    out
}

/// The same for the first packets of a stream.
fn digits(receiver: &mut DigitReceiver, packets: &[Sent]) -> String {
    digits_from(receiver, 1_000, packets)
}

/// A key as a phone sends it from `now` on: a packet each 20 ms for 100 ms, and three ends. The timestamp of each packet is
/// told by `timestamp` from its number.
fn key(now: u64, code: u8, timestamp: impl Fn(u32) -> u32) -> Vec<Sent> {
    let packet = |n: u32| {
        let duration = u16::try_from(160 * (n + 1).min(5)).unwrap();
        (now + 20 * u64::from(n), timestamp(n), code, n >= 5, duration)
    };
    (0..8).map(packet).collect()
}

#[test]
fn one_press_is_one_digit_however_often_its_end_comes() {
    let mut receiver = DigitReceiver::default();
    let mut packets = vec![(0, 100, 5, false, 160), (20, 100, 5, false, 320)];
    packets.extend([(40, 100, 5, true, 480); 10]);
    assert_eq!(digits(&mut receiver, &packets), "5");
    assert_eq!(receiver.deadline(), None);
}

#[test]
fn the_same_key_pressed_twice_is_two_digits() {
    let mut receiver = DigitReceiver::default();
    assert_eq!(digits(&mut receiver, &[(0, 100, 1, true, 800), (300, 2_500, 1, true, 800)]), "11");
}

#[test]
fn a_lost_end_is_made_up_for_by_the_next_digit() {
    let mut receiver = DigitReceiver::default();
    let packets = [(0, 100, 1, false, 160), (20, 100, 1, false, 320), (180, 1_600, 2, true, 160)];
    assert_eq!(digits(&mut receiver, &packets), "12");
}

#[test]
fn a_lost_end_is_made_up_for_by_time() {
    let mut receiver = DigitReceiver::default();
    assert_eq!(digits(&mut receiver, &[(0, 100, 11, false, 160), (20, 100, 11, false, 320)]), "");
    assert_eq!(receiver.expire(219), None);
    assert_eq!(receiver.expire(220), Some(Press { digit: '#', duration_ms: 40 }));
    let late = digits_from(&mut receiver, 1_002, &[(230, 100, 11, true, 480)]);
    assert_eq!(late, "", "its end comes too late to count again");
}

#[test]
fn a_packet_of_the_digit_before_is_not_a_new_press() {
    let mut receiver = DigitReceiver::default();
    let packets = [(0, 1_000, 1, true, 800), (200, 2_600, 2, true, 800)];
    assert_eq!(digits(&mut receiver, &packets), "12");
    assert_eq!(digits_from(&mut receiver, 999, &[(210, 1_000, 1, true, 800), (220, 900, 7, true, 80)]), "");
}

#[test]
fn keys_that_share_a_timestamp_are_keys_all_the_same() {
    let mut receiver = DigitReceiver::default();
    let packets = [key(0, 10, |_| 5_000), key(300, 0, |_| 5_000), key(600, 1, |_| 5_000)].concat();
    assert_eq!(digits(&mut receiver, &packets), "*01");
    assert_eq!(
        digits_from(&mut receiver, 2_000, &key(900, 1, |_| 5_000)),
        "1",
        "and so is the same key again"
    );
}

#[test]
fn keys_one_frame_apart_are_keys_all_the_same() {
    let mut receiver = DigitReceiver::default();
    let packets = [key(0, 1, |_| 5_000), key(160, 3, |_| 5_160), key(320, 5, |_| 5_320)].concat();
    assert_eq!(digits(&mut receiver, &packets), "135");
}

#[test]
fn a_press_whose_timestamp_drifts_is_one() {
    for (what, drifting) in [
        ("its ends", key(0, 1, |n| 5_000 + 160 * n.saturating_sub(4))),
        ("every packet", key(0, 1, |n| 5_000 + 160 * n)),
    ] {
        let mut receiver = DigitReceiver::default();
        assert_eq!(digits(&mut receiver, &drifting), "1", "{what}");
        assert_eq!((receiver.deadline(), receiver.expire(10_000)), (None, None), "{what}");
    }
}

/// The timestamp of the nth segment.
type Times = fn(u32) -> u32;

/// Senders of a key that is held: the timestamp of its segments, and whether each segment ends.
const HOLDERS: [(&str, Times, bool); 3] = [
    ("in segments", |segment| 5_000 + 65_535 * segment, false),
    ("in segments each of which ends", |segment| 5_000 + 65_535 * segment, true),
    ("with a duration that starts again", |_| 5_000, false),
];

/// Packets of 20 ms of a key that is held past what one event can say, and three ends.
fn held(timestamp: fn(u32) -> u32, ended_segments: bool) -> Vec<Sent> {
    let held = 450;
    let packet = |n: u32| {
        let (segment, duration) = (160 * n / 65_535, (160 * n % 65_535) as u16);
        let last = n >= held || (ended_segments && duration > 65_535 - 160);
        (u64::from(n) * 20, timestamp(segment), 8, last, duration)
    };
    (1..held + 3).map(packet).collect()
}

#[test]
fn a_key_held_past_what_one_event_can_say_is_one_whatever_is_lost() {
    for (what, timestamp, ended) in HOLDERS {
        let packets = held(timestamp, ended);
        for (first, lost) in (0..packets.len()).flat_map(|first| [1, 11, 50].map(|n| (first, n))) {
            let mut receiver = DigitReceiver::default();
            let mut heard = String::new();
            for (n, &packet) in packets.iter().enumerate() {
                if (first..first + lost).contains(&n) {
                    continue;
                }
                heard.extend(receiver.expire(packet.0).map(|press| press.digit));
                heard += &digits_from(&mut receiver, n as u16, &[packet]);
            }
            heard.extend(receiver.expire(100_000).map(|press| press.digit));
            assert_eq!(heard, "8", "{what}, without {lost} from {first} on");
        }
    }
}

#[test]
fn a_key_pressed_again_after_one_that_was_held_is_another() {
    for (what, timestamp, ended) in HOLDERS {
        let mut receiver = DigitReceiver::default();
        // Its ends are lost, and so is the packet that begins the next press.
        let mut heard = digits_from(&mut receiver, 0, &held(timestamp, ended)[..449]);
        heard.extend(receiver.expire(9_300).map(|press| press.digit));
        let again = key(10_000, 8, |_| 5_000 + 80_000);
        heard += &digits_from(&mut receiver, 500, &again[1..]);
        assert_eq!(heard, "88", "{what}");
    }
}

#[test]
fn a_key_held_past_what_one_event_can_say_is_one() {
    for (what, timestamp, ended) in HOLDERS {
        let mut receiver = DigitReceiver::default();
        assert_eq!(digits(&mut receiver, &held(timestamp, ended)), "8", "{what}");
        assert_eq!(receiver.expire(100_000), None, "{what}");
    }
    let stuck: Vec<Sent> =
        (1..450).map(|n| (n * 20, 5_000, 8, n > 446, (160 * n).min(65_535) as u16)).collect();
    assert_eq!(
        digits(&mut DigitReceiver::default(), &stuck),
        "8",
        "with a duration that stays at its highest"
    );
}

#[test]
fn a_second_takes_no_more_presses_than_fingers_make() {
    let mut receiver = DigitReceiver::default();
    let packets: Vec<Sent> = (0..200).map(|n| (u64::from(n), n * 900, (n % 10) as u8, true, 80)).collect();
    assert_eq!(digits(&mut receiver, &packets).len(), MAX_PRESSES as usize);
    assert_eq!(
        digits_from(&mut receiver, 3_000, &[(2_000, 9_000_000, 5, true, 160)]),
        "5",
        "the next one may"
    );
}

#[test]
fn a_restarted_stream_is_heard_though_its_timestamps_went_back() {
    let mut receiver = DigitReceiver::default();
    assert_eq!(digits(&mut receiver, &[(0, 900_000, 1, true, 800), (5_000, 10, 2, true, 800)]), "12");
    let other = Header { ssrc: 4, ..head(0, 10) };
    assert!(receiver.hear(6_000, &other, &event(3, true, 800)).presses[1].is_some());
}

#[test]
fn events_that_are_no_keys_and_short_packets_are_ignored() {
    let mut receiver = DigitReceiver::default();
    assert_eq!(digits(&mut receiver, &[(0, 1, 16, true, 800), (10, 9_000, 255, true, 1)]), "");
    assert_eq!(receiver.hear(20, &head(2_000, 20_000), &[1, 0x80, 0]), STALE);
}

#[test]
fn a_sent_digit_is_received_once_with_three_ends() {
    let mut sender = DigitSender::new("9").unwrap();
    let mut receiver = DigitReceiver::default();
    let (mut ends, mut heard, mut firsts) = (0, Vec::new(), 0);
    for n in 0..100 {
        match sender.next(20) {
            Step::Event { payload, first } => {
                ends += u8::from(payload[1] & 0x80 != 0);
                firsts += u8::from(first);
                let told = receiver.hear(n * 20, &head(n as u16, 777), &payload);
                heard.extend(told.presses.into_iter().flatten());
            }
            Step::Pause => {}
            Step::Done => break,
        }
    }
    assert_eq!((ends, firsts), (3, 1));
    assert_eq!(heard, [Press { digit: '9', duration_ms: 100 }]);
}

#[test]
fn waits_take_their_time() {
    let intervals = |digits: &str| {
        let mut sender = DigitSender::new(digits).unwrap();
        std::iter::from_fn(|| Some(sender.next(20))).take_while(|step| *step != Step::Done).count()
    };
    assert_eq!((intervals("w"), intervals("W"), intervals("wW")), (25, 50, 75));
}

#[test]
fn other_characters_are_refused() {
    assert!(DigitSender::new("12x").is_none());
    assert!(DigitSender::new(&"1".repeat(MAX_DIGITS + 1)).is_none());
    assert!(DigitSender::new("0123456789*#ABCDabcdwW").is_some());
}
