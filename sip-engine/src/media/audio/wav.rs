//! WAV files (RIFF): PCM of 8, 16, 24 and 32 bits, 32-bit float, mu-law, A-law and GSM 06.10; mono and stereo.

use super::{AudioError, MAX_DURATION, gsm, resample::Resampler};
use crate::media::g711::{alaw_to_linear, ulaw_to_linear};

pub(super) const PCM: u16 = 1;
pub(super) const FLOAT: u16 = 3;
pub(super) const ALAW: u16 = 6;
pub(super) const ULAW: u16 = 7;
/// GSM 06.10, two frames a block.
const GSM: u16 = 0x31;
/// The real tag is in the first bytes of the extension's identifier.
const EXTENSIBLE: u16 = 0xfffe;

/// What the `fmt ` chunk says.
#[derive(Clone, Copy, Debug)]
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

pub(super) fn decode(bytes: &[u8]) -> Result<Vec<i16>, AudioError> {
    if bytes.get(8..12) != Some(b"WAVE") {
        return Err(AudioError::UnknownFormat);
    }
    let (format, data) = chunks(bytes.get(12..).unwrap_or_default())?;
    if format.tag == GSM {
        return gsm::decode_pairs(data);
    }
    let sample = decoder(format.tag, format.bits)?;
    if !(1..=2).contains(&format.channels) {
        return Err(AudioError::Channels(format.channels));
    }
    let mut resampler = Resampler::new(format.rate)?;
    let width = usize::from(format.bits / 8);
    let channels = usize::from(format.channels);
    let frames = (data.len() / (width * channels)) as u64;
    if frames > MAX_DURATION.as_secs() * u64::from(format.rate) {
        return Err(AudioError::TooLong);
    }
    let mixed = data.chunks_exact(width * channels).map(|frame| {
        let sum: f32 = frame.chunks_exact(width).map(sample).sum();
        sum / f32::from(format.channels)
    });
    resampler.push(mixed)?;
    Ok(resampler.finish())
}

/// Finds format and data. A program that writes to a pipe can't know the sizes in advance and leaves
/// them zero or too large: then the data goes on to the end.
fn chunks(mut rest: &[u8]) -> Result<(Format, &[u8]), AudioError> {
    let mut format = None;
    while let Some(head) = rest.first_chunk::<8>() {
        let [name @ .., s0, s1, s2, s3] = *head;
        let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
        let body = rest.get(8..).unwrap_or_default();
        match &name {
            b"fmt " => format = Some(read_format(body.get(..size.min(body.len())).unwrap_or_default())?),
            b"data" => {
                let format = format.ok_or(AudioError::Damaged("its data comes before its format"))?;
                let known = if size == 0 { body.len() } else { size.min(body.len()) };
                return Ok((format, body.get(..known).unwrap_or_default()));
            }
            _ => {}
        }
        rest = body.get(size.saturating_add(size % 2)..).unwrap_or_default();
    }
    Err(AudioError::Damaged("it has no data"))
}

fn read_format(chunk: &[u8]) -> Result<Format, AudioError> {
    let short = |at: usize| chunk.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
    let long = |at: usize| chunk.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let read = || {
        let tag = match short(0)? {
            EXTENSIBLE => short(24)?,
            tag => tag,
        };
        Some(Format { tag, channels: short(2)?, rate: long(4)?, bits: short(14)? })
    };
    read().ok_or(AudioError::Damaged("its format is cut short"))
}

/// How one sample is read, from -1 to 1.
pub(super) fn decoder(tag: u16, bits: u16) -> Result<fn(&[u8]) -> f32, AudioError> {
    match (tag, bits) {
        (PCM, 8) => Ok(|bytes| (top(bytes) as f32 / 256.0 / 256.0 / 256.0 - 128.0) / 128.0),
        (PCM, 16 | 24 | 32) => Ok(|bytes| top(bytes).cast_signed() as f32 / 2_147_483_648.0),
        (FLOAT, 32) => Ok(|bytes| {
            let value = f32::from_bits(top(bytes));
            if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 }
        }),
        (ULAW, 8) => Ok(|bytes| f32::from(bytes.first().map_or(0, |byte| ulaw_to_linear(*byte))) / 32_768.0),
        (ALAW, 8) => Ok(|bytes| f32::from(bytes.first().map_or(0, |byte| alaw_to_linear(*byte))) / 32_768.0),
        (tag, bits) => Err(AudioError::Encoding { tag, bits }),
    }
}

/// Little-endian bytes of any width as the top bits of a word.
fn top(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |word, byte| word >> 8 | u32::from(*byte) << 24)
}
