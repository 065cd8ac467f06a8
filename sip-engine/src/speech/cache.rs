//! What has been said: a memory of prompts, the least recently used forgotten first, and the sentences that
//! are being made right now.

use super::{SpeechError, Spoken};
use ring::digest::{Context, SHA256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tokio::sync::OnceCell;

/// SHA-256 over everything that changes what is heard, and the tenant.
pub(super) type Key = [u8; 32];

/// A sentence being made; whoever asks for it meanwhile waits for the same one.
pub(super) type Flight = Arc<OnceCell<Result<Spoken, SpeechError>>>;

/// Each part is hashed with its length, so that no two lists of parts read the same.
pub(super) fn key(parts: &[&str]) -> Key {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

/// Memory bounded in bytes.
#[derive(Debug)]
pub(super) struct Cache {
    limit: usize,
    bytes: usize,
    clock: u64,
    kept: HashMap<Key, (Spoken, u64)>,
    by_use: BTreeMap<u64, Key>,
    flights: HashMap<Key, Flight>,
}

/// What is known about a key.
pub(super) enum Known {
    Said(Spoken),
    Making(Flight),
}

impl Cache {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            clock: 0,
            kept: HashMap::new(),
            by_use: BTreeMap::new(),
            flights: HashMap::new(),
        }
    }

    /// The prompt, or the flight that makes it; a new one if need be.
    pub(super) fn look_up(&mut self, key: Key) -> Known {
        if let Some((spoken, used)) = self.kept.get_mut(&key) {
            self.by_use.remove(used);
            self.clock += 1;
            *used = self.clock;
            self.by_use.insert(self.clock, key);
            return Known::Said(spoken.clone());
        }
        Known::Making(Arc::clone(self.flights.entry(key).or_default()))
    }

    /// A flight has landed or was left by its last passenger. Only its success is remembered.
    pub(super) fn land(&mut self, key: Key, flight: &Flight) {
        if !self.flights.get(&key).is_some_and(|known| Arc::ptr_eq(known, flight)) {
            return;
        }
        match flight.get() {
            Some(Ok(spoken)) => self.keep(key, spoken.clone()),
            Some(Err(_)) => {}
            // Still being made for others: this passenger and the table hold one reference each.
            None if Arc::strong_count(flight) > 2 => return,
            None => {}
        }
        self.flights.remove(&key);
    }

    fn keep(&mut self, key: Key, spoken: Spoken) {
        let size = spoken.prompt.bytes();
        if size > self.limit {
            return;
        }
        while self.bytes + size > self.limit {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some((forgotten, _)) = self.kept.remove(&oldest) {
                self.bytes -= forgotten.prompt.bytes();
            }
        }
        self.clock += 1;
        self.bytes += size;
        self.by_use.insert(self.clock, key);
        self.kept.insert(key, (spoken, self.clock));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Prompt;

    fn spoken(samples: usize) -> Spoken {
        Spoken { prompt: Arc::new(Prompt::from_pcm8k(&vec![0; samples])), warning: None }
    }

    fn keep(cache: &mut Cache, name: &str, samples: usize) {
        if let Known::Making(flight) = cache.look_up(key(&[name])) {
            flight.set(Ok(spoken(samples))).unwrap();
            cache.land(key(&[name]), &flight);
        }
    }

    fn knows(cache: &mut Cache, name: &str) -> bool {
        matches!(cache.look_up(key(&[name])), Known::Said(_))
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = Cache::new(600); // each prompt counts twice: two laws
        keep(&mut cache, "a", 100);
        keep(&mut cache, "b", 100);
        keep(&mut cache, "c", 100);
        assert!(knows(&mut cache, "a"));
        keep(&mut cache, "d", 100);
        let known: Vec<bool> = ["a", "b", "c", "d"].map(|name| knows(&mut cache, name)).to_vec();
        assert_eq!((known, cache.bytes), (vec![true, false, true, true], 600));
        keep(&mut cache, "huge", 301);
        assert!(!knows(&mut cache, "huge") && knows(&mut cache, "a"));
    }

    #[test]
    fn two_who_ask_at_once_share_a_flight_and_a_failure_is_not_remembered() {
        let mut cache = Cache::new(1_000);
        let at = key(&["x"]);
        let (Known::Making(one), Known::Making(two)) = (cache.look_up(at), cache.look_up(at)) else {
            panic!("nothing was said yet");
        };
        assert!(Arc::ptr_eq(&one, &two));
        one.set(Err(SpeechError::Busy)).unwrap();
        cache.land(at, &one);
        let Known::Making(again) = cache.look_up(at) else { panic!("a failure was remembered") };
        assert!(!Arc::ptr_eq(&one, &again));
    }

    #[test]
    fn a_flight_left_by_everybody_is_forgotten() {
        let mut cache = Cache::new(1_000);
        let at = key(&["x"]);
        let (Known::Making(one), Known::Making(two)) = (cache.look_up(at), cache.look_up(at)) else {
            panic!("nothing was said yet");
        };
        cache.land(at, &one);
        assert_eq!(cache.flights.len(), 1, "another still waits for it");
        drop(one);
        cache.land(at, &two);
        assert_eq!(cache.flights.len(), 0);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["a", ""]), key(&["a"]));
    }
}
