use super::*;
use crate::{
    media::{
        Codec,
        g711::{alaw_to_linear, linear_to_alaw, linear_to_ulaw, ulaw_to_linear},
    },
    speech::{SayRequest, Speech, nothing_to_hear},
};

const ALL: &str = "123A456B789C*0#D";

/// A key as somebody's equipment makes it.
#[derive(Clone, Copy)]
struct Made {
    ms: usize,
    /// Level of the low and the high tone, dBm0.
    levels: [f32; 2],
    /// How far the tones are from their frequencies, a share.
    off: f32,
    /// Noise below the two tones together, dB.
    noise: f32,
}

const GOOD: Made = Made { ms: 40, levels: [-10.0, -10.0], off: 0.0, noise: 90.0 };

/// Amplitude of a level in dBm0.
fn amplitude(level: f32) -> f32 {
    22_301.0 * 10f32.powf(level / 20.0)
}

/// Noise that is the same in every run: the mean of four evenly spread numbers, of deviation 1.
fn noise(seed: &mut u32) -> f32 {
    let mut even = || {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (even() + even() + even() + even()) * 3f32.sqrt()
}

impl Made {
    /// The key among silence, through mu-law; it begins after `lead` samples.
    fn audio(self, key: char, lead: usize, seed: &mut u32) -> Vec<i16> {
        let place = ALL.find(key).unwrap();
        let [low, high] =
            [TONES[place / 4], TONES[4 + place % 4]].map(|hertz| hertz * (1.0 + self.off) / RATE);
        let [loud, louder] = self.levels.map(amplitude);
        let hiss = ((loud * loud + louder * louder) / 2.0 / 10f32.powf(self.noise / 10.0)).sqrt();
        let length = self.ms * 8;
        (0..lead + length + 800)
            .map(|n| {
                let tone = if (lead..lead + length).contains(&n) {
                    loud * (TAU * low * n as f32).sin() + louder * (TAU * high * n as f32 + 1.0).sin()
                } else {
                    0.0
                };
                ulaw_to_linear(linear_to_ulaw((tone + hiss * noise(seed)) as i16))
            })
            .collect()
    }

    /// How many of 320 keys, at 20 places in the frame each, are heard as what they are, and how many at all.
    fn heard(self) -> (usize, usize) {
        let mut seed = 1;
        let presses = ALL.chars().flat_map(|key| (0..20).map(move |n| (key, 400 + n * 37)));
        let heard: Vec<bool> = presses
            .filter_map(|(key, lead)| {
                let keys = keys_in(&self.audio(key, lead, &mut seed));
                (!keys.is_empty()).then(|| keys == key.to_string())
            })
            .collect();
        (heard.iter().filter(|right| **right).count(), heard.len())
    }
}

fn keys_in(audio: &[i16]) -> String {
    let mut receiver = ToneReceiver::default();
    audio.chunks(160).filter_map(|frame| receiver.hear(frame.iter().copied())).collect()
}

#[test]
fn every_key_of_forty_milliseconds_is_heard_as_q24_asks() {
    let twist = |by: f32| if by < 0.0 { [-10.0, -10.0 + by] } else { [-10.0 - by, -10.0] };
    for (what, made) in [
        ("40 ms", GOOD),
        ("-30 dBm0", Made { levels: [-30.0, -30.0], ..GOOD }),
        ("clipped", Made { levels: [3.0, 3.0], ..GOOD }),
        ("the high tone 8 dB weaker", Made { levels: twist(-8.0), ..GOOD }),
        ("the high tone 8 dB weaker at -30 dBm0", Made { levels: [-30.0, -38.0], ..GOOD }),
        ("the high tone 4 dB stronger", Made { levels: twist(4.0), ..GOOD }),
        ("the high tone 4 dB stronger at -30 dBm0", Made { levels: [-34.0, -30.0], ..GOOD }),
        ("1.5 % high", Made { off: 0.015, ..GOOD }),
        ("1.5 % low, the high tone weaker", Made { off: -0.015, levels: twist(-8.0), ..GOOD }),
        ("15 dB above noise", Made { noise: 15.0, ..GOOD }),
        ("100 ms", Made { ms: 100, ..GOOD }),
    ] {
        let heard = made.heard();
        assert!(heard.0 >= 318 && heard.0 == heard.1, "{what}: {heard:?} of 320");
    }
}

#[test]
fn tones_too_short_too_far_off_or_too_faint_are_no_keys() {
    for (what, made) in [
        ("20 ms", Made { ms: 20, ..GOOD }),
        ("23 ms", Made { ms: 23, ..GOOD }),
        ("23 ms in noise", Made { ms: 23, noise: 15.0, ..GOOD }),
        ("3.5 % high", Made { ms: 100, off: 0.035, ..GOOD }),
        ("3.5 % low", Made { ms: 100, off: -0.035, ..GOOD }),
        ("-50 dBm0", Made { ms: 100, levels: [-50.0, -50.0], ..GOOD }),
        ("one tone of the two", Made { ms: 100, levels: [-10.0, -60.0], ..GOOD }),
    ] {
        assert_eq!(made.heard().1, 0, "{what}");
    }
}

#[test]
fn a_pause_of_forty_milliseconds_makes_two_keys_and_a_gap_of_ten_does_not() {
    let twice = |gap: usize| {
        let key: Vec<i16> = sound('5', 0).take(480).collect();
        let pause = std::iter::repeat_n(0, gap * 8);
        let audio: Vec<i16> = key.iter().copied().chain(pause).chain(key.iter().copied()).collect();
        keys_in(&[vec![0; 300], audio, vec![0; 800]].concat())
    };
    assert_eq!((twice(10), twice(40), twice(100)), ("5".into(), "55".into(), "55".into()));
}

#[test]
fn what_we_send_as_tones_we_hear_in_both_laws() {
    for (encode, decode) in
        [(linear_to_ulaw as fn(i16) -> u8, ulaw_to_linear as fn(u8) -> i16), (linear_to_alaw, alaw_to_linear)]
    {
        let line = |sample| decode(encode(sample));
        let audio: Vec<i16> =
            ALL.chars().flat_map(|key| sound(key, 0).take(800).chain([0; 800])).map(line).collect();
        assert_eq!(keys_in(&audio), ALL);
    }
}

#[test]
fn tones_on_their_way_are_known_before_they_are_a_key() {
    let mut receiver = ToneReceiver::default();
    let mut frames = Vec::new();
    for from in [0, 160, 320] {
        let pressed = receiver.hear(sound('9', from).take(160)).is_some();
        frames.push((receiver.is_sounding(), pressed));
    }
    assert_eq!(frames, [(true, false), (true, true), (true, false)]);
}

/// Talk-off. 2.7 hours of thirteen synthetic voices pressed no key when this was written; here is a part of that.
#[tokio::test]
async fn speech_presses_no_keys() {
    let speech = Speech::detect();
    if speech.programs().is_empty() {
        return nothing_to_hear();
    }
    let text = "Thank you for calling. Your call is important to us, and somebody will be with you in a moment. \
                For opening hours say hours; for an invoice say money. Eight wise witches whistle while they wait, \
                and fourteen fishermen feed three hundred and sixty six thirsty sheep by the sea.";
    for (voice, language) in [("man", "en-US"), ("woman", "en-GB"), ("woman", "de-DE"), ("man", "cmn-CN")] {
        let asked = SayRequest {
            tenant: "AC1".into(),
            text: text.into(),
            voice: Some(voice.into()),
            language: Some(language.into()),
        };
        let prompt = speech.say(asked).await.unwrap().prompt;
        let audio: Vec<i16> = prompt.payload(Codec::Pcmu).iter().map(|byte| ulaw_to_linear(*byte)).collect();
        assert!(audio.len() > 8 * 8_000, "{voice} {language} said little");
        assert_eq!(keys_in(&audio), "", "{voice} {language}");
    }
}
