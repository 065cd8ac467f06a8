use super::phone::{Bench, Heard, ONCE, Phone};
use crate::media::{
    Codec, Direction, Loops, MediaEvent, PlayOutcome, PlayToken, Prompt, Remote,
    audio::tone::{energy, share_of, tone},
    g711::{alaw_to_linear, ulaw_to_linear},
};
use std::{num::NonZeroU32, sync::Arc, time::Duration};

fn prompt(hertz: f64, milliseconds: u64) -> Arc<Prompt> {
    Arc::new(Prompt::from_pcm8k(&tone(hertz, Duration::from_millis(milliseconds))))
}

async fn sounds(phone: &Phone, count: usize) -> Vec<Heard> {
    let mut heard = vec![phone.hear_sound().await];
    while heard.len() < count {
        heard.push(phone.hear().await);
    }
    heard
}

fn decoded(heard: &[Heard], law: fn(u8) -> i16) -> Vec<i16> {
    heard.iter().flat_map(|packet| &packet.payload).map(|&byte| law(byte)).collect()
}

#[tokio::test]
async fn a_tone_is_heard_at_its_frequency_and_evenly_stamped() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    side.leg.play(prompt(440.0, 500), ONCE, PlayToken(7)).unwrap();

    let heard = sounds(&phone, 25).await;
    let samples = decoded(&heard, ulaw_to_linear);
    assert!(share_of(&samples, 440.0) > 0.98, "{}", share_of(&samples, 440.0));
    for pair in heard.windows(2) {
        let (one, next) = (pair[0].header, pair[1].header);
        assert_eq!(next.sequence, one.sequence.wrapping_add(1));
        let step = next.timestamp.wrapping_sub(one.timestamp);
        assert!(
            step >= 160 && step % 8 == 0,
            "a frame may be skipped on a stalled machine, never crowded: {step}"
        );
        assert_eq!((next.ssrc, next.payload_type, pair[1].payload.len()), (one.ssrc, 0, 160));
    }
    let finished =
        MediaEvent::PlayFinished { leg: side.leg.id(), token: PlayToken(7), outcome: PlayOutcome::Completed };
    assert_eq!(side.event().await, finished);
    assert!(energy(&decoded(&[phone.hear().await], ulaw_to_linear)) < 1.0, "silence follows");
}

#[tokio::test]
async fn a_law_and_packet_time_are_those_of_the_answer() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let side = bench.open();
    let remote = Remote { ptime: Duration::from_millis(40), payload_type: 96, ..phone.remote(Codec::Pcma) };
    side.leg.configure(remote).unwrap();
    side.leg.play(prompt(1_000.0, 400), ONCE, PlayToken(1)).unwrap();
    let heard = sounds(&phone, 10).await;
    assert!(heard.iter().all(|packet| packet.header.payload_type == 96 && packet.payload.len() == 320));
    assert!(share_of(&decoded(&heard, alaw_to_linear), 1_000.0) > 0.98);
}

#[tokio::test]
async fn loops_repeat_and_stopping_ends_an_endless_one() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    side.leg.play(prompt(440.0, 60), Loops::Times(NonZeroU32::new(4).unwrap()), PlayToken(1)).unwrap();
    assert!(energy(&decoded(&sounds(&phone, 12).await, ulaw_to_linear)) > 8_000.0);
    side.event().await;
    assert!(energy(&decoded(&[phone.hear().await], ulaw_to_linear)) < 1.0);

    side.leg.play(prompt(440.0, 60), Loops::Endless, PlayToken(2)).unwrap();
    sounds(&phone, 20).await;
    side.leg.stop_playing().unwrap();
    let stopped =
        MediaEvent::PlayFinished { leg: side.leg.id(), token: PlayToken(2), outcome: PlayOutcome::Stopped };
    assert_eq!(side.event().await, stopped);
}

#[tokio::test]
async fn a_second_prompt_replaces_the_first() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    side.leg.play(prompt(440.0, 60_000), ONCE, PlayToken(1)).unwrap();
    sounds(&phone, 3).await;
    side.leg.play(prompt(900.0, 200), ONCE, PlayToken(2)).unwrap();
    let outcome = |event: MediaEvent| match event {
        MediaEvent::PlayFinished { token, outcome, .. } => (token.0, outcome),
        other => panic!("{other:?}"),
    };
    assert_eq!(outcome(side.event().await), (1, PlayOutcome::Replaced));
    assert_eq!(outcome(side.event().await), (2, PlayOutcome::Completed));
    let last = phone.waiting().split_off(2);
    assert!(share_of(&decoded(&last[..5], ulaw_to_linear), 900.0) > 0.9);
}

#[tokio::test]
async fn the_signalled_address_hears_silence_from_the_answer_on_and_a_prompt_before_it_speaks() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let side = bench.open();
    side.leg.configure(phone.remote(Codec::Pcmu)).unwrap();
    let first = phone.hear().await;
    assert_eq!((first.payload, first.header.marker), (vec![0xff; 160], true));
    side.leg.play(prompt(440.0, 100), ONCE, PlayToken(1)).unwrap();
    sounds(&phone, 5).await;
}

#[tokio::test]
async fn a_held_leg_sends_nothing_while_its_program_goes_on() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    side.leg.configure(Remote { direction: Direction::ReceiveOnly, ..phone.remote(Codec::Pcmu) }).unwrap();
    side.leg.statistics().await.unwrap();
    phone.waiting();
    side.leg.play(prompt(440.0, 300), ONCE, PlayToken(1)).unwrap();
    assert!(matches!(side.event().await, MediaEvent::PlayFinished { outcome: PlayOutcome::Completed, .. }));
    assert!(phone.waiting().is_empty());

    side.leg.configure(phone.remote(Codec::Pcmu)).unwrap();
    assert!(phone.hear().await.header.timestamp > 0);
}
