//! What is remembered of callers for a while, each by a text that tells them apart and that anybody may have made up: so
//! many of them, and a long text costs no more than a short one.

use ring::digest::{SHA256, digest};
use std::collections::HashMap;

/// Most that are remembered of one kind; past it those that were kept longest ago are forgotten.
pub(super) const MOST: usize = 100_000;

/// SHA-256 of the text.
type Key = [u8; 32];

/// Two generations: when the young one is half of what is remembered, it becomes the old one, and the old one is forgotten.
pub(crate) struct Remembered<T> {
    young: HashMap<Key, T>,
    old: HashMap<Key, T>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Remembered<T> {
        Remembered { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<T: Clone> Remembered<T> {
    pub(crate) fn find(&self, text: &str) -> Option<T> {
        let key = key(text);
        self.young.get(&key).or_else(|| self.old.get(&key)).cloned()
    }

    pub(crate) fn keep(&mut self, text: &str, value: T) {
        let key = key(text);
        if self.young.len() >= MOST / 2 && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(crate) fn forget(&mut self, text: &str) {
        let key = key(text);
        self.young.remove(&key);
        self.old.remove(&key);
    }
}

fn key(text: &str) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_with_long_names_is_remembered_by_so_many_short_keys_and_the_oldest_are_forgotten() {
        let mut remembered = Remembered::default();
        let name = |serial: usize| format!("{}{serial}", "x".repeat(1024));
        for serial in 0..=MOST {
            remembered.keep(&name(serial), serial);
        }
        assert!(remembered.young.len() + remembered.old.len() <= MOST);
        assert_eq!(std::mem::size_of_val(remembered.young.keys().next().unwrap()), 32);
        assert_eq!((remembered.find(&name(0)), remembered.find(&name(MOST))), (None, Some(MOST)));
        remembered.forget(&name(MOST));
        assert_eq!(remembered.find(&name(MOST)), None);
    }
}
