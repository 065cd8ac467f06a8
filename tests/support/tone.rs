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
