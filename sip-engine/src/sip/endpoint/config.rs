//! What an endpoint is told once, and what it counts.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, atomic::AtomicBool};

/// Answers whether an address is one we deal with.
pub type SourceFilter = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Seconds after which whoever met a full engine may try again.
pub(crate) const RETRY_AFTER: u32 = 5;

/// What an endpoint is told once.
#[derive(Clone)]
pub struct EndpointConfig {
    /// The IP in Via and Contact where ours is behind a 1:1 NAT.
    pub advertise: Option<IpAddr>,
    /// Most legs at once; further INVITEs get 503 with Retry-After.
    pub max_legs: usize,
    /// True while no more calls are wanted: OPTIONS is answered 503, so that a peer looks elsewhere.
    pub draining: Arc<AtomicBool>,
    /// Addresses that may call us. `net` asks it about sources, too.
    pub known: SourceFilter,
}

impl Default for EndpointConfig {
    fn default() -> EndpointConfig {
        EndpointConfig {
            advertise: None,
            max_legs: 2_000,
            draining: Arc::default(),
            known: Arc::new(|_| true),
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
    /// Responses of no transaction of ours.
    pub stray_responses: u64,
    /// Requests outside a dialog from somebody we only talk to because we called them.
    pub unknown_callers: u64,
    /// Requests refused with 503.
    pub overloaded: u64,
}
