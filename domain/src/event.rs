//! The kinds of an aggregate's events, as values: a reader that names one does not compile when it is renamed.

use std::{fmt::Debug, hash::Hash, str::FromStr};

/// The kind of an event. Its name, both ways, is what the log stores beside the event.
pub trait EventKind: Copy + Debug + Eq + Hash + FromStr + Into<&'static str> + Send + Sync + 'static {
    /// Every kind there is.
    const ALL: &'static [Self];

    /// Its name.
    fn name(self) -> &'static str {
        self.into()
    }
}
