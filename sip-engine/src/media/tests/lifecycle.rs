use super::phone::{Bench, ONCE, Phone};
use crate::media::{
    Codec, Direction, LegOptions, Loops, MediaError, MediaEvent, PlayOutcome, PlayToken, Prompt, Remote,
};
use std::time::Duration;
use tokio::sync::mpsc;

#[tokio::test]
async fn closing_says_what_was_playing_then_the_final_figures_and_rests_the_ports() {
    // Eight ports outside the system's own range, of which other programs may hold some.
    let bench = Bench::with(|config| config.ports = 24_310..=24_317);
    let phone = Phone::new(1).await;
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    assert!((24_310..24_317).contains(&side.leg.rtp_port()) && side.leg.rtp_port() % 2 == 0);
    side.leg.play(Prompt::from_pcm8k(&[0; 80_000]).into(), ONCE, PlayToken(1)).unwrap();
    phone.hear().await;
    let leg = side.leg.id();
    drop(side.leg);

    let mut left = Vec::new();
    while let Some(event) = side.events.recv().await {
        left.push(event);
    }
    let stopped = MediaEvent::PlayFinished { leg, token: PlayToken(1), outcome: PlayOutcome::LegClosed };
    assert_eq!(left.remove(0), stopped);
    let [MediaEvent::Closed { leg: closed, statistics }] = &left[..] else { panic!("{left:?}") };
    assert!(*closed == leg && statistics.packets_sent > 0, "{statistics:?}");

    let mut open = Vec::new();
    let refusal = loop {
        let (events, _) = mpsc::channel(8);
        match bench.media.open_leg(bench.group, LegOptions { local: None, urgent: false, events }) {
            Ok(leg) => open.push(leg),
            Err(refusal) => break refusal,
        }
    };
    assert!(open.len() <= 3, "the fourth pair rests");
    assert!(matches!(refusal, MediaError::PortsExhausted { quarantined: 1.., .. }), "{refusal}");
    assert_eq!(bench.media.live_legs(), open.len());
}

#[tokio::test]
async fn silence_is_reported_again_and_again() {
    let bench = Bench::with(|config| config.rtp_timeout = Duration::from_millis(300));
    let mut phone = Phone::new(1).await;
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    phone.talk(&side.leg, 0, &[0xff; 160]).await;
    side.latched().await;
    for _ in 0..2 {
        assert_eq!(side.event().await, MediaEvent::Silent { leg: side.leg.id() });
    }
    phone.talk(&side.leg, 0, &[0xff; 160]).await;
    assert_eq!(side.event().await, MediaEvent::Silent { leg: side.leg.id() });
}

#[tokio::test]
async fn a_leg_on_hold_is_called_silent_ten_times_later() {
    called_silent_ten_times_later(Direction::SendOnly).await;
}

/// So load generators without media, whose scenarios know no question in between, can hold a call.
#[tokio::test]
async fn a_leg_that_never_sent_is_called_silent_ten_times_later() {
    called_silent_ten_times_later(Direction::SendReceive).await;
}

async fn called_silent_ten_times_later(direction: Direction) {
    let bench = Bench::with(|config| config.rtp_timeout = Duration::from_millis(60));
    let phone = Phone::new(1).await;
    let mut side = bench.open();
    side.leg.configure(Remote { direction, ..phone.remote(Codec::Pcmu) }).unwrap();
    let first = phone.hear().await.header.timestamp;
    assert_eq!(side.event().await, MediaEvent::Silent { leg: side.leg.id() });
    let last = phone.waiting().last().map(|heard| heard.header.timestamp).unwrap();
    assert!(last.wrapping_sub(first) >= 8 * 600, "600 ms of silence were sent meanwhile");
}

#[tokio::test]
async fn digits_leave_room_for_how_things_end() {
    let (bench, mut phone) = (Bench::new(), Phone::new(1).await);
    let (sender, mut events) = mpsc::channel(66);
    let leg =
        bench.media.open_leg(bench.group, LegOptions { local: None, urgent: false, events: sender }).unwrap();
    let remote = Remote { telephone_event: Some(101), ..phone.remote(Codec::Pcmu) };
    leg.configure(remote).unwrap();
    for key in 0..10 {
        phone.next.timestamp = phone.next.timestamp.wrapping_add(20_000);
        phone.talk(&leg, 101, &[key, 0x80, 3, 0x20]).await;
    }
    while leg.statistics().await.unwrap().packets_received < 10 {
        tokio::task::yield_now().await;
    }
    drop(leg);
    let mut digits = 0;
    while let Some(event) = events.recv().await {
        digits += usize::from(matches!(event, MediaEvent::Digit { .. }));
        if matches!(event, MediaEvent::Closed { .. }) {
            break;
        }
    }
    assert!((1..=2).contains(&digits) && bench.media.dropped_events() >= 8, "{digits} digits");
}

#[tokio::test]
async fn a_full_channel_never_holds_the_thread_up() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let (sender, _events) = mpsc::channel(1);
    let leg =
        bench.media.open_leg(bench.group, LegOptions { local: None, urgent: false, events: sender }).unwrap();
    leg.configure(phone.remote(Codec::Pcmu)).unwrap();
    for n in 0..20 {
        leg.play(Prompt::from_pcm8k(&[0; 160]).into(), Loops::Endless, PlayToken(n)).unwrap();
    }
    leg.statistics().await.unwrap();
    assert_eq!(bench.media.dropped_events(), 18, "nineteen were replaced, one report fitted");
}

#[tokio::test]
async fn after_shutdown_every_leg_is_closed_and_none_can_be_opened() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    bench.media.shutdown();
    assert!(matches!(side.event().await, MediaEvent::Closed { .. }));
    assert!(matches!(side.leg.stop_playing(), Err(MediaError::Stopped)));
    let (events, _) = mpsc::channel(8);
    let refused = bench.media.open_leg(bench.group, LegOptions { local: None, urgent: false, events });
    assert!(matches!(refused, Err(MediaError::Stopped)));
}

#[tokio::test]
async fn two_hundred_legs_open_play_and_close() {
    let bench = Bench::with(|config| config.threads = 2);
    let phone = Phone::new(1).await;
    let mut sides = Vec::new();
    for _ in 0..200 {
        let side = Bench { group: bench.media.group(), media: bench.media.clone() }.open();
        side.leg.configure(phone.remote(Codec::Pcmu)).unwrap();
        side.leg.play(Prompt::from_pcm8k(&[9_000; 800]).into(), ONCE, PlayToken(1)).unwrap();
        sides.push(side);
    }
    for side in &mut sides {
        assert!(matches!(
            side.event().await,
            MediaEvent::PlayFinished { outcome: PlayOutcome::Completed, .. }
        ));
    }
    assert_eq!(bench.media.live_legs(), 200);
    drop(sides);
    assert_eq!(bench.media.live_legs(), 0);
}
