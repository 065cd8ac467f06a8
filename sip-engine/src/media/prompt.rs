//! Audio ready to be sent: encoded once in both laws, shared by every leg that plays it.

use super::{
    Codec,
    g711::{linear_to_alaw, linear_to_ulaw},
};
use std::num::NonZeroU32;

/// Immutable audio at 8 kHz, one byte per sample in each law.
#[derive(Debug, PartialEq, Eq)]
pub struct Prompt {
    ulaw: Box<[u8]>,
    alaw: Box<[u8]>,
}

impl Prompt {
    /// Encodes 16-bit samples at 8 kHz.
    #[must_use]
    pub fn from_pcm8k(samples: &[i16]) -> Self {
        Self {
            ulaw: samples.iter().map(|&sample| linear_to_ulaw(sample)).collect(),
            alaw: samples.iter().map(|&sample| linear_to_alaw(sample)).collect(),
        }
    }

    /// The payload in one law.
    #[must_use]
    pub fn payload(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcmu => &self.ulaw,
            Codec::Pcma => &self.alaw,
        }
    }

    /// Length in samples of 1/8000 s.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.ulaw.len()
    }

    /// Length in time.
    #[must_use]
    pub fn duration(&self) -> std::time::Duration {
        std::time::Duration::from_micros(self.ulaw.len() as u64 * 125)
    }

    /// Memory this prompt holds, in bytes; caches count with it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.ulaw.len() + self.alaw.len()
    }
}

/// How often a prompt is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loops {
    /// This often, without a gap.
    Times(NonZeroU32),
    /// Until stopped.
    Endless,
}
