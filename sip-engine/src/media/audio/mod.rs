//! Audio files to telephone audio: WAV, MP3, AIFF, AU, GSM 06.10, raw mu-law and A-law in, 8 kHz mono out. Tones, to
//! test with.

mod au;
mod error;
mod gsm;
mod packed;
mod raw;
mod resample;
pub mod tone;
mod wav;

use super::Prompt;
use std::time::Duration;

pub use self::{error::AudioError, raw::Raw};

/// Largest file that is decoded, 16 MiB.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longest audio that is kept.
pub const MAX_DURATION: Duration = Duration::from_secs(30 * 60);

/// Decodes a file to 16-bit mono at 8 kHz. Its first bytes tell what it is; for one without a header, `raw` has to.
///
/// It computes for up to some seconds: call it where blocking is allowed.
///
/// # Errors
/// [`AudioError`], which says what to change about the file.
pub fn decode(bytes: &[u8], raw: Option<Raw>) -> Result<Vec<i16>, AudioError> {
    if bytes.len() > MAX_BYTES {
        return Err(AudioError::TooLarge { bytes: bytes.len() });
    }
    let samples = match (bytes, raw) {
        ([b'R', b'I', b'F', b'F', ..], _) => wav::decode(bytes)?,
        ([b'F', b'O', b'R', b'M', ..], _) => packed::decode(bytes, "aiff")?,
        ([b'.', b's', b'n', b'd', ..], _) => au::decode(bytes)?,
        ([b'I', b'D', b'3', ..], _) => packed::decode(bytes, "mp3")?,
        (_, Some(raw)) => raw.decode(bytes)?,
        ([0xff, second, ..], None) if second & 0xe6 == 0xe2 => packed::decode(bytes, "mp3")?,
        (bytes, None) if gsm::is_gsm(bytes) => gsm::decode(bytes)?,
        _ => return Err(AudioError::UnknownFormat),
    };
    if samples.is_empty() { Err(AudioError::Empty) } else { fits(samples.len()).map(|()| samples) }
}

/// Whether so many samples at 8 kHz are not too long. Asked before they are made, where their number is known.
fn fits(samples: usize) -> Result<(), AudioError> {
    let most = MAX_DURATION.as_secs() * u64::from(tone::RATE);
    if samples as u64 > most { Err(AudioError::TooLong) } else { Ok(()) }
}

/// Decodes a file straight to a prompt.
///
/// # Errors
/// As [`decode`].
pub fn decode_prompt(bytes: &[u8], raw: Option<Raw>) -> Result<Prompt, AudioError> {
    decode(bytes, raw).map(|samples| Prompt::from_pcm8k(&samples))
}

#[cfg(test)]
mod tests;
