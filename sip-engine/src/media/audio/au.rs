//! AU files (`.snd`, from NeXT and Sun): a header of big-endian numbers and samples behind it.

use super::{
    AudioError, MAX_DURATION,
    resample::Resampler,
    wav::{ALAW, FLOAT, PCM, ULAW, decoder},
};

/// Decodes an AU file: mu-law, A-law, PCM of 8, 16, 24 and 32 bits, 32-bit float; mono and stereo.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<i16>, AudioError> {
    let long = |at: usize| bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    let head = (|| Some((long(4)?, long(8)?, long(12)?, long(16)?, long(20)?)))();
    let (start, size, encoding, rate, channels) =
        head.ok_or(AudioError::Damaged("its header is cut short"))?;
    let (tag, bits) = match encoding {
        1 => (ULAW, 8),
        27 => (ALAW, 8),
        // PCM of 8 bits is signed here, unlike in WAV: as the top of 16.
        2 => (PCM, 16),
        3 => (PCM, 16),
        4 => (PCM, 24),
        5 => (PCM, 32),
        6 => (FLOAT, 32),
        other => return Err(AudioError::AuEncoding(other)),
    };
    let channels = u16::try_from(channels).unwrap_or(u16::MAX);
    if !(1..=2).contains(&channels) {
        return Err(AudioError::Channels(channels));
    }
    let data = bytes.get(start as usize..).unwrap_or_default();
    // A program that writes to a pipe knows no size and says all ones.
    let data = data.get(..data.len().min(size as usize)).unwrap_or_default();
    let width = if encoding == 2 { 1 } else { usize::from(bits / 8) };
    let (frame, sample) = (width * usize::from(channels), decoder(tag, bits)?);
    if (data.len() / frame) as u64 > MAX_DURATION.as_secs() * u64::from(rate) {
        return Err(AudioError::TooLong);
    }
    let read = |bytes: &[u8]| {
        let mut little = [0; 4];
        let padded = &mut little[usize::from(encoding == 2)..][..width];
        padded.iter_mut().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);
        sample(&little[..usize::from(bits / 8)])
    };
    let mut resampler = Resampler::new(rate)?;
    let mixed = |frame: &[u8]| frame.chunks_exact(width).map(read).sum::<f32>() / f32::from(channels);
    resampler.push(data.chunks_exact(frame).map(mixed))?;
    Ok(resampler.finish())
}
