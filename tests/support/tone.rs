//! Tones: made, encoded as G.711 mu-law, and found again. Each party of a test has a frequency of its own, so that
//! who hears whom is a measurement.

/// Samples per second.
pub const RATE: f64 = 8_000.0;

/// `count` samples of a sine at half of full scale, from sample `start` on.
pub fn sine(frequency: f64, start: usize, count: usize) -> Vec<i16> {
    (start..start + count)
        .map(|n| (16_000.0 * (std::f64::consts::TAU * frequency * n as f64 / RATE).sin()) as i16)
        .collect()
}

/// ITU-T G.711 mu-law of one sample.
pub fn encode(sample: i16) -> u8 {
    let (sign, level) = if sample < 0 { (0x80u8, -i32::from(sample)) } else { (0, i32::from(sample)) };
    let level = level.min(32_635) + 132;
    let exponent = (7..15).rev().find(|bit| level & (1 << bit) != 0).unwrap_or(7) - 7;
    let mantissa = (level >> (exponent + 3)) & 0x0f;
    !(sign | ((exponent as u8) << 4) | mantissa as u8)
}

/// One sample of ITU-T G.711 mu-law.
pub fn decode(byte: u8) -> i16 {
    let byte = !byte;
    let (exponent, mantissa) = ((byte >> 4) & 7, i32::from(byte & 0x0f));
    let level = (((mantissa << 3) + 132) << exponent) - 132;
    (if byte & 0x80 != 0 { -level } else { level }) as i16
}

/// How much of the energy of `samples` is at `frequency`: 0 (none) to 1 (a pure tone). Silence gives 0.
pub fn share(samples: &[i16], frequency: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency / RATE).cos();
    let (mut last, mut before, mut energy) = (0.0, 0.0, 0.0);
    for sample in samples.iter().map(|sample| f64::from(*sample)) {
        (last, before) = (sample + coefficient * last - before, last);
        energy += sample * sample;
    }
    let loud = energy / samples.len().max(1) as f64 > 100.0 * 100.0;
    let power = last * last + before * before - coefficient * last * before;
    if loud { 2.0 * power / (energy * samples.len() as f64) } else { 0.0 }
}

/// The keys of telephones, as events are numbered (RFC 4733 section 3.2).
pub const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
/// What they sound like (ITU-T Q.23): rows and columns.
const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const PAD: &str = "123A456B789C*0#D";

/// The two tones of a key.
pub fn pair(key: char) -> (f64, f64) {
    let place = PAD.find(key).expect("a key");
    (LOW[place / 4], HIGH[place % 4])
}

/// The keys whose tones are heard for at least 40 ms.
pub fn keys(samples: &[i16]) -> String {
    let mut heard: Vec<Option<char>> = samples.chunks_exact(320).map(key).collect();
    heard.dedup();
    heard.into_iter().flatten().collect()
}

fn key(part: &[i16]) -> Option<char> {
    let strong = |tones: &[f64; 4]| tones.iter().position(|tone| share(part, *tone) > 0.3);
    let (row, column) = (strong(&LOW)?, strong(&HIGH)?);
    PAD.chars().nth(row * 4 + column)
}

/// Root mean square of `samples`.
pub fn rms(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (energy / samples.len().max(1) as f64).sqrt()
}

#[test]
fn a_tone_is_found_again_at_its_frequency_only() {
    let heard: Vec<i16> = sine(440.0, 0, 1_600).into_iter().map(|sample| decode(encode(sample))).collect();
    assert!(share(&heard, 440.0) > 0.95);
    assert!(share(&heard, 620.0) < 0.01);
    assert!(share(&[0; 1_600], 440.0) == 0.0);
}

#[test]
fn keys_are_found_by_their_two_tones() {
    let part = |key: char| {
        let (low, high) = pair(key);
        let both = sine(low, 0, 800).into_iter().zip(sine(high, 0, 800));
        both.map(|(low, high)| low / 2 + high / 2).chain(vec![0; 800]).collect::<Vec<i16>>()
    };
    assert_eq!(keys(&PAD.chars().flat_map(part).collect::<Vec<i16>>()), PAD);
    assert_eq!(keys(&sine(700.0, 0, 8_000)), "");
}
