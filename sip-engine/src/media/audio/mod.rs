//! Audio files to telephone audio: decoding, resampling to 8 kHz mono, and tones to test with.

pub mod tone;
