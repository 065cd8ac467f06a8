//! Why an audio file can't be played.

/// Refusals of [`decode`](super::decode). Their texts are shown to the person who linked the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    /// More bytes than [`MAX_BYTES`](super::MAX_BYTES).
    #[error("the audio file has {bytes} bytes; at most 16 MiB are taken")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Longer than [`MAX_DURATION`](super::MAX_DURATION).
    #[error("the audio is longer than 30 minutes")]
    TooLong,
    /// Nothing that is told by its first bytes, its content type or its name.
    #[error(
        "the file is neither WAV, MP3, AIFF, AU, GSM 06.10 nor, by its content type or name, raw mu-law or A-law"
    )]
    UnknownFormat,
    /// A file that breaks its format's rules.
    #[error("the audio file is damaged: {0}")]
    Damaged(&'static str),
    /// An encoding inside WAV that we don't read.
    #[error("WAV format {tag} with {bits} bits is not supported; use PCM, float, mu-law or A-law")]
    Encoding {
        /// The format tag of the header.
        tag: u16,
        /// Bits per sample.
        bits: u16,
    },
    /// An encoding inside AU that we don't read.
    #[error("AU encoding {0} is not supported; use PCM, float, mu-law or A-law")]
    AuEncoding(u32),
    /// A sample rate outside 8 to 48 kHz.
    #[error("a sample rate of {0} Hz is not supported; use 8000 to 48000")]
    Rate(u32),
    /// More than two channels, or none.
    #[error("{0} channels are not supported; use mono or stereo")]
    Channels(u16),
    /// A file without a single sample.
    #[error("the audio file holds no sound")]
    Empty,
}
