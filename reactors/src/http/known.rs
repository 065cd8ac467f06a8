//! What is remembered of many, by key, within bounds.

use parking_lot::Mutex;
use std::{collections::HashMap, hash::Hash, sync::Arc};

/// From so many on, those that are spare and not in use are forgotten; at twice as many, all that are not in use.
const MAX_KNOWN: usize = 4_096;

/// What can be forgotten.
pub(super) trait Spare {
    /// Whether nothing about it is worth remembering.
    fn is_spare(&self) -> bool;
}

pub(super) struct Known<K, V>(Mutex<Inner<K, V>>);

struct Inner<K, V> {
    values: HashMap<K, Arc<V>>,
    /// How many there must be before it is looked again for some to forget: a look at all of them is not for every new one.
    enough: usize,
}

impl<K, V> Default for Known<K, V> {
    fn default() -> Known<K, V> {
        Known(Mutex::new(Inner { values: HashMap::new(), enough: MAX_KNOWN }))
    }
}

impl<K: Eq + Hash, V: Spare> Known<K, V> {
    /// What is known by this key, or what `make` makes.
    pub fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        let mut known = self.0.lock();
        if known.values.len() >= known.enough && !known.values.contains_key(&key) {
            known.forget();
        }
        Arc::clone(known.values.entry(key).or_insert_with(|| Arc::new(make())))
    }
}

impl<K: Eq + Hash, V: Spare> Inner<K, V> {
    fn forget(&mut self) {
        let in_use = |value: &Arc<V>| Arc::strong_count(value) > 1;
        self.values.retain(|_, value| in_use(value) || !value.is_spare());
        if self.values.len() >= 2 * MAX_KNOWN {
            self.values.retain(|_, value| in_use(value));
        }
        self.enough = self.values.len() + MAX_KNOWN / 2;
        self.enough = self.enough.max(MAX_KNOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(bool);

    impl Spare for Thing {
        fn is_spare(&self) -> bool {
            self.0
        }
    }

    #[test]
    fn what_is_in_use_or_worth_it_is_remembered_and_the_rest_is_bounded() {
        let known = Known::default();
        let used = known.get(0_usize, || Thing(true));
        known.get(1, || Thing(false));
        (2..100_000).for_each(|key| drop(known.get(key, || Thing(true))));
        assert!(Arc::ptr_eq(&used, &known.get(0, || Thing(true))));
        assert!(!known.get(1, || Thing(true)).0, "it was worth remembering");
        assert!(known.0.lock().values.len() <= 2 * MAX_KNOWN);
        (2..100_000).for_each(|key| drop(known.get(key, || Thing(false))));
        assert!(known.0.lock().values.len() <= 3 * MAX_KNOWN, "{}", known.0.lock().values.len());
        assert!(Arc::ptr_eq(&used, &known.get(0, || Thing(true))));
    }
}
