//! Why nothing can be said.

use super::MAX_TEXT;
use crate::media::audio::AudioError;

/// Refusals of [`Speech::say`](super::Speech::say).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    /// Neither flite nor espeak-ng is installed.
    #[error("no speech program is installed; install flite or espeak-ng")]
    NoProgram,
    /// More than [`MAX_TEXT`] characters.
    #[error("the text has {characters} characters; at most {MAX_TEXT} are spoken at once")]
    TextTooLong {
        /// Its length.
        characters: usize,
    },
    /// The text holds nothing that can be spoken.
    #[error("the text holds nothing that can be spoken")]
    NothingToSay,
    /// Too many requests are waiting already.
    #[error("too many texts are waiting to be spoken")]
    Busy,
    /// Not made within the configured time.
    #[error("{program} did not finish in time")]
    TimedOut {
        /// Which program.
        program: &'static str,
    },
    /// The program could not be run, or ended with an error.
    #[error("{program} failed: {reason}")]
    Failed {
        /// Which program.
        program: &'static str,
        /// What it, or the system, said.
        reason: String,
    },
    /// What the program made is no audio we can read.
    #[error("the spoken audio can't be used: {0}")]
    Audio(#[from] AudioError),
}
