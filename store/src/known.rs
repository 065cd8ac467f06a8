//! What this process last saw streams come to, so that most commands are decided without a load.
//!
//! Only a guess: the append checks the version, and a command that was refused on a guess is decided again on the log.

use crate::{Hash, chain};
use domain::Sid;
use parking_lot::Mutex;
use std::{any::Any, collections::HashMap, sync::Arc};

/// Streams of one generation. Two are kept: those touched since the last turn, and those before.
const GENERATION: usize = 1_024;

/// A stream as of its last event.
#[derive(Clone, Debug)]
pub(crate) struct At<A> {
    pub state: A,
    /// Its first event's; none before it.
    pub carrier: Option<Sid>,
    /// How many events it has had.
    pub version: i64,
    /// The position of the last of them.
    pub position: i64,
    pub hash: Hash,
}

impl<A: Default> At<A> {
    /// A stream without events.
    pub fn start() -> At<A> {
        At { state: A::default(), carrier: None, version: 0, position: 0, hash: chain::GENESIS }
    }
}

impl<A> At<A> {
    /// Whether it is there and not this carrier's.
    pub fn is_of_another(&self, carrier: &Sid) -> bool {
        self.carrier.as_ref().is_some_and(|owner| owner != carrier)
    }
}

type Generation = HashMap<Sid, Arc<dyn Any + Send + Sync>>;

/// The streams touched last, at most two generations of them.
#[derive(Default)]
pub(crate) struct Known(Mutex<(Generation, Generation)>);

impl Known {
    /// The stream as this process last saw it, or as a new one.
    pub fn guess<A: Default + Clone + Send + Sync + 'static>(&self, stream: &Sid) -> At<A> {
        let generations = self.0.lock();
        let found = generations.0.get(stream).or_else(|| generations.1.get(stream)).cloned();
        drop(generations);
        found.and_then(|at| at.downcast_ref::<At<A>>().cloned()).unwrap_or_else(At::start)
    }

    /// Keeps what the stream came to.
    pub fn keep<A: Send + Sync + 'static>(&self, stream: &Sid, at: At<A>) {
        let mut generations = self.0.lock();
        if generations.0.len() >= GENERATION {
            generations.1 = std::mem::take(&mut generations.0);
        }
        generations.0.insert(stream.clone(), Arc::new(at));
    }
}
