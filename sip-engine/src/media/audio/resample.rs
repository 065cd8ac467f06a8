//! Any rate from 8 to 48 kHz down to 8 kHz: a windowed sinc as low-pass and interpolator in one.

use super::{AudioError, MAX_DURATION, tone::RATE};
use std::f64::consts::PI;

/// Zero crossings of the sinc on each side; the transition band is about a tenth of the rate.
const CROSSINGS: f64 = 24.0;
/// Pass band as a share of the smaller rate's half: 3.7 kHz of 4.
const PASS: f64 = 0.925;
/// Kaiser's beta for about 80 dB of stop band.
const BETA: f64 = 8.0;
/// Samples taken before the window is emptied again.
const PORTION: usize = 4_096;
/// 30 minutes at 8 kHz.
const MAX_SAMPLES: usize = MAX_DURATION.as_secs() as usize * RATE as usize;

/// Takes samples as they are decoded and keeps only the telephone's.
pub(super) struct Resampler {
    /// Output sample `n` lies at input position `n * step / phases`.
    step: usize,
    phases: usize,
    /// Taps on each side; none when the rate is right already.
    half: usize,
    kernel: Vec<f32>,
    window: Vec<f32>,
    /// Input position of the first sample in `window`, `half` of silence before the start included.
    first: usize,
    taken: usize,
    out: Vec<i16>,
}

impl Resampler {
    pub(super) fn new(rate: u32) -> Result<Self, AudioError> {
        if !(8_000..=48_000).contains(&rate) {
            return Err(AudioError::Rate(rate));
        }
        let divisor = gcd(rate, RATE);
        let (step, phases) = ((rate / divisor) as usize, (RATE / divisor) as usize);
        let cutoff = PASS * f64::from(RATE) / f64::from(rate);
        let half = if rate == RATE { 0 } else { (CROSSINGS / cutoff).ceil() as usize };
        let kernel = (0..phases).flat_map(|phase| taps(phase as f64 / phases as f64, half, cutoff)).collect();
        let window = vec![0.0; half];
        Ok(Self { step, phases, half, kernel, window, first: 0, taken: 0, out: Vec::new() })
    }

    /// Adds samples from -1 to 1.
    pub(super) fn push(&mut self, mut samples: impl Iterator<Item = f32>) -> Result<(), AudioError> {
        loop {
            let before = self.window.len();
            self.window.extend(samples.by_ref().take(PORTION));
            let added = self.window.len() - before;
            self.taken += added;
            self.drain();
            if self.out.len() > MAX_SAMPLES {
                return Err(AudioError::TooLong);
            }
            if added < PORTION {
                return Ok(());
            }
        }
    }

    /// The result, exactly as long as the input.
    pub(super) fn finish(mut self) -> Vec<i16> {
        self.window.extend(std::iter::repeat_n(0.0, self.half + 1));
        self.drain();
        self.out.truncate((self.taken * self.phases).div_ceil(self.step));
        self.out
    }

    fn drain(&mut self) {
        let width = 2 * self.half + 1;
        loop {
            let at = self.out.len() * self.step;
            let (position, phase) = (at / self.phases, at % self.phases);
            let Some(input) =
                position.checked_sub(self.first).and_then(|from| self.window.get(from..from + width))
            else {
                break;
            };
            let kernel = self.kernel.get(phase * width..).unwrap_or_default();
            let value: f32 = input.iter().zip(kernel).map(|(sample, tap)| sample * tap).sum();
            self.out.push((value * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16);
        }
        let needed = self.out.len() * self.step / self.phases;
        let done = needed.saturating_sub(self.first).min(self.window.len());
        self.window.drain(..done);
        self.first += done;
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The taps for an output sample that lies `fraction` after an input sample, scaled to unity gain (so
/// Kaiser's window needs no scale of its own).
fn taps(fraction: f64, half: usize, cutoff: f64) -> Vec<f32> {
    let width = half as f64 + 1.0;
    let raw: Vec<f64> = (0..=2 * half)
        .map(|tap| tap as f64 - half as f64 - fraction)
        .map(|distance| sinc(distance * cutoff) * kaiser(distance / width))
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|tap| (tap / sum) as f32).collect()
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

fn kaiser(x: f64) -> f64 {
    bessel(BETA * (1.0 - x * x).max(0.0).sqrt())
}

/// The modified Bessel function of order zero, by its series.
fn bessel(x: f64) -> f64 {
    let (mut product, mut sum, mut n) = (1.0, 1.0, 0.0);
    while product > sum * 1e-9 {
        n += 1.0;
        product *= (x / (2.0 * n)) * (x / (2.0 * n));
        sum += product;
    }
    sum
}
