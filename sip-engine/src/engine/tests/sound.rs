//! Tones, and who hears them.

use crate::media::audio::tone;
use std::time::Duration;

/// A WAV file (16-bit, 8 kHz, mono) of one tone.
pub(in crate::engine) fn wav(hertz: f64, length: Duration) -> Vec<u8> {
    let samples = tone::tone(hertz, length);
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let size = u32::try_from(data.len()).unwrap();
    let mut file = Vec::from(*b"RIFF");
    file.extend((36 + size).to_le_bytes());
    file.extend(*b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(8000_u32.to_le_bytes());
    file.extend(16000_u32.to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(*b"data");
    file.extend(size.to_le_bytes());
    file.extend(data);
    file
}

/// Whether `samples` are this tone and hardly anything else.
pub(super) fn is_tone(samples: &[i16], hertz: f64) -> bool {
    tone::energy(samples) > 100.0 && tone::share_of(samples, hertz) > 0.9
}
