//! RTP on its own threads: ports, latching, prompts, digits, bridges and the figures of a leg.
//!
//! [`Media`] starts the threads; a [`Leg`] is one side of a call. Commands go in through a bounded queue,
//! [`MediaEvent`]s come out through the channel given at `open_leg`. Nothing here waits for anything else.

pub mod audio;
mod channel;
mod clock;
mod command;
mod config;
mod dtmf;
mod error;
mod event;
pub mod g711;
mod handle;
mod keys;
mod latch;
mod leg;
mod outgoing;
mod ports;
mod prompt;
mod readiness;
mod reception;
mod remote;
mod rtcp;
mod rtp;
mod statistics;
#[cfg(test)]
mod tests;
mod thread;
mod tones;
mod wheel;

pub use command::INBOX_LIMIT;
pub use config::{DEFAULT_QUARANTINE, DEFAULT_RTP_TIMEOUT, GroupKey, LegOptions, MediaConfig};
pub use error::MediaError;
pub use event::{LegId, MediaEvent, PlayOutcome, PlayToken};
pub use handle::{Leg, Media};
pub use prompt::{Loops, Prompt};
pub use remote::{Codec, Direction, PTIME_RANGE, Remote};
pub use statistics::{LegStatistics, mean_opinion_score};
#[cfg(test)]
pub(crate) use tones::ToneReceiver;
