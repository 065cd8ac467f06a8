//! MP3 and AIFF files, by symphonia's decoders.

use super::{AudioError, resample::Resampler};
use std::io::Cursor;
use symphonia::core::{
    codecs::audio::AudioDecoderOptions,
    errors::Error,
    formats::{FormatOptions, TrackType, probe::Hint},
    io::MediaSourceStream,
    meta::MetadataOptions,
};

/// Frames that may be undecodable before the file is given up; one in a stream is only a click.
const MAX_BAD_FRAMES: u32 = 100;

/// Decodes a file of this extension, `mp3` or `aiff`.
pub(super) fn decode(bytes: &[u8], extension: &str) -> Result<Vec<i16>, AudioError> {
    let damaged = |_| match extension {
        "mp3" => AudioError::Damaged("it is no MP3"),
        _ => AudioError::Damaged("it is no AIFF of PCM, float, mu-law or A-law"),
    };
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes.to_vec())), Default::default());
    let mut hint = Hint::new();
    hint.with_extension(extension);
    let mut file = symphonia::default::get_probe()
        .probe(&hint, source, FormatOptions::default(), MetadataOptions::default())
        .map_err(damaged)?;
    let parameters = file
        .default_track(TrackType::Audio)
        .and_then(|track| track.codec_params.as_ref()?.audio().cloned())
        .ok_or(AudioError::Empty)?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(damaged)?;

    let (mut resampler, mut rate, mut bad) = (None, 0, 0);
    let mut frames: Vec<f32> = Vec::new();
    while let Ok(Some(packet)) = file.next_packet() {
        let decoded = match decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(Error::DecodeError(_) | Error::IoError(_)) if bad < MAX_BAD_FRAMES => {
                bad += 1;
                continue;
            }
            Err(_) => return Err(AudioError::Damaged("too many of its frames can't be decoded")),
        };
        let (now, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
        if resampler.is_none() {
            (resampler, rate) = (Some(Resampler::new(now)?), now);
        }
        if now != rate {
            return Err(AudioError::Damaged("its sample rate changes"));
        }
        decoded.copy_to_vec_interleaved(&mut frames);
        if let Some(resampler) = &mut resampler {
            let mixed = frames.chunks_exact(channels.max(1));
            resampler.push(mixed.map(|frame| frame.iter().sum::<f32>() / frame.len() as f32))?;
        }
    }
    resampler.map(Resampler::finish).ok_or(AudioError::Empty)
}
