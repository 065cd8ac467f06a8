//! Audio files to telephone audio: WAV and MP3 in, 8 kHz mono out. Tones, to test with.

mod error;
mod mp3;
mod resample;
pub mod tone;
mod wav;

use std::time::Duration;

use super::Prompt;

pub use self::error::AudioError;

/// Largest file that is decoded, 16 MiB.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longest audio that is kept.
pub const MAX_DURATION: Duration = Duration::from_secs(30 * 60);

/// Decodes a WAV or MP3 file, told by its first bytes, to 16-bit mono at 8 kHz.
///
/// It computes for up to some seconds: call it where blocking is allowed.
///
/// # Errors
/// [`AudioError`], which says what to change about the file.
pub fn decode(bytes: &[u8]) -> Result<Vec<i16>, AudioError> {
    if bytes.len() > MAX_BYTES {
        return Err(AudioError::TooLarge { bytes: bytes.len() });
    }
    let samples = match bytes {
        [b'R', b'I', b'F', b'F', ..] => wav::decode(bytes)?,
        [b'I', b'D', b'3', ..] => mp3::decode(bytes)?,
        [0xff, second, ..] if second & 0xe6 == 0xe2 => mp3::decode(bytes)?,
        _ => return Err(AudioError::UnknownFormat),
    };
    if samples.is_empty() { Err(AudioError::Empty) } else { Ok(samples) }
}

/// Decodes a file straight to a prompt.
///
/// # Errors
/// As [`decode`].
pub fn decode_prompt(bytes: &[u8]) -> Result<Prompt, AudioError> {
    decode(bytes).map(|samples| Prompt::from_pcm8k(&samples))
}

#[cfg(test)]
mod tests;
