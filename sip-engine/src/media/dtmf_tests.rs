use super::*;

fn packet(timestamp: u32) -> Header {
    Header { timestamp, ssrc: 3, ..Header::default() }
}

/// Hears event packets `(ms, timestamp, code, end, duration)` and returns the digits reported.
fn digits(receiver: &mut DigitReceiver, packets: &[(u64, u32, u8, bool, u16)]) -> String {
    let mut out = String::new();
    for &(now, timestamp, code, end, duration) in packets {
        let presses = receiver.hear(now, &packet(timestamp), &event(code, end, duration));
        out.extend(presses.into_iter().flatten().map(|press| press.digit));
    }
    out
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
    assert_eq!(
        digits(&mut receiver, &[(230, 100, 11, true, 480)]),
        "",
        "its end comes too late to count again"
    );
}

#[test]
fn a_packet_of_the_digit_before_is_not_a_new_press() {
    let mut receiver = DigitReceiver::default();
    let packets = [
        (0, 1_000, 1, true, 800),
        (200, 2_600, 2, true, 800),
        (210, 1_000, 1, true, 800),
        (220, 900, 7, true, 80),
    ];
    assert_eq!(digits(&mut receiver, &packets), "12");
}

#[test]
fn presses_follow_each_other_no_faster_than_fingers() {
    let mut receiver = DigitReceiver::default();
    let packets =
        [(0, 1_000, 1, true, 80), (2, 1_080, 2, true, 80), (4, 1_319, 3, true, 80), (6, 1_320, 4, true, 80)];
    assert_eq!(digits(&mut receiver, &packets), "14");
    assert_eq!(digits(&mut receiver, &[(8, 9_000, 5, false, 80), (9, 9_100, 6, true, 80)]), "");
    assert_eq!(digits(&mut receiver, &[(20, 9_000, 5, true, 160)]), "5", "the one under way goes on");
}

#[test]
fn a_restarted_stream_is_heard_though_its_timestamps_went_back() {
    let mut receiver = DigitReceiver::default();
    assert_eq!(digits(&mut receiver, &[(0, 900_000, 1, true, 800), (5_000, 10, 2, true, 800)]), "12");
    let other = Header { ssrc: 4, timestamp: 10, ..Header::default() };
    assert!(receiver.hear(6_000, &other, &event(3, true, 800))[1].is_some());
}

#[test]
fn events_that_are_no_keys_and_short_packets_are_ignored() {
    let mut receiver = DigitReceiver::default();
    assert_eq!(digits(&mut receiver, &[(0, 1, 16, true, 800), (10, 9_000, 255, true, 1)]), "");
    assert_eq!(receiver.hear(0, &packet(20_000), &[1, 0x80, 0]), [None, None]);
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
                heard.extend(receiver.hear(n * 20, &packet(777), &payload).into_iter().flatten());
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
