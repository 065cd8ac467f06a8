//! How the media plane is set up, and what a new leg needs.

use super::MediaEvent;
use std::{net::IpAddr, ops::RangeInclusive, time::Duration};
use tokio::sync::mpsc;

/// How long a released pair of ports rests before another call may have it, so that a late packet of
/// the old call never reaches the new one. When no other is free, an eighth of it has to do.
pub const DEFAULT_QUARANTINE: Duration = Duration::from_secs(120);

/// How long a leg may hear nothing before [`MediaEvent::Silent`].
pub const DEFAULT_RTP_TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of the whole media plane; they hold until it is shut down.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Number of media threads, at least 1. Usually one per core.
    pub threads: usize,
    /// Ports for RTP (even) and RTCP (the odd one after it). `0..=0` lets the system choose, for tests.
    pub ports: RangeInclusive<u16>,
    /// Legs at once, those of calls for help besides: each has two open files.
    pub most_legs: usize,
    /// Local address legs are bound to unless [`LegOptions::local`] names another.
    pub bind: IpAddr,
    /// Rest of a port pair after its leg is closed; see [`DEFAULT_QUARANTINE`].
    pub quarantine: Duration,
    /// No RTP for this long, while some is expected, is reported as [`MediaEvent::Silent`], again after every such time;
    /// after ten times as long while none is expected: on hold, or from a peer that never sent any.
    pub rtp_timeout: Duration,
}

impl MediaConfig {
    /// One thread per core, ports 16384 to 32767, two minutes of quarantine.
    #[must_use]
    pub fn new(bind: IpAddr) -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            ports: 16384..=32767,
            most_legs: usize::MAX,
            bind,
            quarantine: DEFAULT_QUARANTINE,
            rtp_timeout: DEFAULT_RTP_TIMEOUT,
        }
    }
}

impl Default for MediaConfig {
    /// As [`MediaConfig::new`], on every IPv4 address.
    fn default() -> Self {
        Self::new(IpAddr::from([0, 0, 0, 0]))
    }
}

/// The legs of one call share a key, so that they live on one media thread and can be bridged there.
/// From [`Media::group`](super::Media::group).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupKey {
    pub(super) thread: usize,
}

/// What [`Media::open_leg`](super::Media::open_leg) needs to know.
#[derive(Clone, Debug)]
pub struct LegOptions {
    /// Local address to bind to; `None` takes the one of [`MediaConfig`].
    pub local: Option<IpAddr>,
    /// It is part of a call for help: ports are kept for it.
    pub urgent: bool,
    /// Where this leg's events go. Never waited for: when it is full the event is dropped and counted
    /// ([`Media::dropped_events`](super::Media::dropped_events)). Digits leave 64 places free for how things end, so
    /// give it room for 128 or more.
    pub events: mpsc::Sender<MediaEvent>,
}
