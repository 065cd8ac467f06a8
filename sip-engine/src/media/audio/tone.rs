//! Tones: made, and measured by Goertzel's algorithm. Tests prove with them who hears whom.

use std::{f64::consts::TAU, time::Duration};

/// Samples per second of everything on the telephone.
pub const RATE: u32 = 8_000;

/// A sine of `hertz` at half of full scale, 8 kHz.
#[must_use]
pub fn tone(hertz: f64, duration: Duration) -> Vec<i16> {
    tone_at(RATE, hertz, duration)
}

/// The same at another sample rate.
#[must_use]
pub fn tone_at(rate: u32, hertz: f64, duration: Duration) -> Vec<i16> {
    let step = TAU * hertz / f64::from(rate);
    let count = (duration.as_secs_f64() * f64::from(rate)).round() as u32;
    (0..count).map(|n| (f64::from(n) * step).sin()).map(|value| (value * 16_384.0) as i16).collect()
}

/// The share of the signal's power that lies at `hertz`: 1 for a pure tone there, near 0 for none.
#[must_use]
pub fn share_of(samples: &[i16], hertz: f64) -> f64 {
    let (mut before, mut last, mut total) = (0.0, 0.0, 0.0);
    let turn = 2.0 * (TAU * hertz / f64::from(RATE)).cos();
    for sample in samples.iter().map(|&sample| f64::from(sample)) {
        (before, last) = (last, sample + turn * last - before);
        total += sample * sample;
    }
    let power = last * last + before * before - turn * last * before;
    if total == 0.0 { 0.0 } else { 2.0 * power / (total * samples.len() as f64) }
}

/// Root mean square of the samples.
#[must_use]
pub fn energy(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_at_its_frequency_only() {
        let samples = tone(440.0, Duration::from_secs(1));
        assert_eq!(samples.len(), 8_000);
        assert!(share_of(&samples, 440.0) > 0.99);
        assert!(share_of(&samples, 620.0) < 0.01);
        assert!((energy(&samples) - 16_384.0 / 2f64.sqrt()).abs() < 20.0);
    }

    #[test]
    fn silence_holds_no_tone() {
        assert_eq!((share_of(&[0; 800], 440.0), share_of(&[], 440.0), energy(&[])), (0.0, 0.0, 0.0));
    }
}
