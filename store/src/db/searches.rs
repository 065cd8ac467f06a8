//! Who looks for what no index finds by itself: so many at once, the others wait in their order.

use super::pools::READERS;
use std::{num::NonZero, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A turn at searching; the next one has it when this is dropped.
pub struct Searching {
    _held: Option<OwnedSemaphorePermit>,
}

#[derive(Clone)]
pub(super) struct Searches(Arc<Semaphore>);

impl Default for Searches {
    /// Half of the processors, and no more than half of the connections an SQLite file is read by.
    fn default() -> Searches {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Searches(Arc::new(Semaphore::new(Ord::clamp(processors / 2, 1, READERS as usize / 2))))
    }
}

impl Searches {
    pub(super) async fn take(&self) -> Searching {
        // Nobody closes it.
        Searching { _held: self.0.clone().acquire_owned().await.ok() }
    }
}
