//! What an endpoint is told once, and what it counts.

use crate::sip::event::IncomingCall;
use domain::share::kept_for_help;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, atomic::AtomicBool};

/// Answers whether an address is one we deal with.
pub type SourceFilter = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Answers with what a call is refused with at once: nobody here is called so, or not from there.
pub type Doorkeeper = Arc<dyn Fn(&IncomingCall) -> Option<u16> + Send + Sync>;

/// Answers whether a call is one for help.
pub type Helpline = Arc<dyn Fn(&IncomingCall) -> bool + Send + Sync>;

/// A request that came to nothing before there was a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TurnedAway {
    /// Where it came from.
    pub source: IpAddr,
    /// What it was answered with; `None` where it was dropped unread.
    pub code: Option<u16>,
    /// Its method; empty where it was not read.
    pub method: String,
    /// Why, for whoever looks for a mistake in a switch or a trunk.
    pub reason: String,
}

/// Why a request of a stranger is dropped.
pub(crate) const NO_SOURCE: &str = "No trunk has this address as a source";

/// Told of what is turned away.
pub type Notice = Arc<dyn Fn(TurnedAway) + Send + Sync>;

/// Seconds after which whoever met a full engine may try again.
pub(crate) const RETRY_AFTER: u32 = 5;

/// What an endpoint is told once.
#[derive(Clone)]
pub struct EndpointConfig {
    /// The IP in Via and Contact where ours is behind a 1:1 NAT.
    pub advertise: Option<IpAddr>,
    /// Most legs at once that go on; further INVITEs get 503 with Retry-After. Calls for help have some beyond it, see
    /// [`domain::share::kept_for_help`].
    pub max_legs: usize,
    /// Asked about INVITEs for which there is no room.
    pub for_help: Helpline,
    /// True while no more calls are wanted: OPTIONS is answered 503, so that a peer looks elsewhere.
    pub draining: Arc<AtomicBool>,
    /// Addresses that may call us. `net` asks it about sources, too.
    pub known: SourceFilter,
    /// Asked about each INVITE outside any dialog. What it refuses is answered without keeping anything.
    pub turns_away: Doorkeeper,
    /// Told of requests that come to nothing before there is a call. `net` tells it of sources that are not read.
    pub turned_away: Notice,
}

impl EndpointConfig {
    /// Most legs at once when a call for help may have another one.
    pub(super) fn most_for_help(&self) -> usize {
        self.max_legs.saturating_add(kept_for_help(self.max_legs))
    }
}

impl Default for EndpointConfig {
    fn default() -> EndpointConfig {
        EndpointConfig {
            advertise: None,
            max_legs: 2_000,
            for_help: Arc::new(|_| false),
            draining: Arc::default(),
            known: Arc::new(|_| true),
            turns_away: Arc::new(|_| None),
            turned_away: Arc::new(|_| {}),
        }
    }
}

impl fmt::Debug for EndpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointConfig")
            .field("advertise", &self.advertise)
            .field("max_legs", &self.max_legs)
            .finish_non_exhaustive()
    }
}

/// What an endpoint holds and what it dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Legs, those still saying goodbye included.
    pub legs: usize,
    /// Client and server transactions.
    pub transactions: usize,
    /// INVITEs a CANCEL may still name.
    pub invites: usize,
    /// Tags of ours a request may still name.
    pub tags: usize,
    /// Messages that were not SIP, or could not be answered.
    pub malformed: u64,
    /// Responses of no transaction of ours, or not as its request was sent, or from somebody it was not sent to.
    pub stray_responses: u64,
    /// Requests outside a dialog from somebody we only talk to because we called them.
    pub unknown_callers: u64,
    /// Requests refused with 503.
    pub overloaded: u64,
}
