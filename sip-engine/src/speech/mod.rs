//! Text to speech by a pool of processes: flite for English, espeak-ng for every other language.
//!
//! The programs are never linked: one that fails takes only its own sentence with it. What was said once is
//! kept, per tenant, and the same text asked for twice at once is made once.

mod cache;
mod config;
mod error;
mod process;
mod say;
mod voice;

pub use config::{DEFAULT_CACHE_BYTES, DEFAULT_TIMEOUT, MAX_TEXT, SpeechConfig};
pub use error::SpeechError;
pub use say::{SayRequest, Speech, Spoken};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::nothing_to_hear;
