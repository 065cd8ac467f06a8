//! Memory that a rush took is given back when it is over: maps grow by themselves, but do not shrink.

use std::{collections::HashMap, hash::Hash};

/// Room that is kept whatever the map holds.
const LEAST: usize = 512;

/// Halves a map's room, and more, once it holds less than an eighth of what it has room for.
pub(crate) fn relax<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.capacity() > LEAST && map.len() < map.capacity() / 8 {
        map.shrink_to((map.len() * 2).max(LEAST / 2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_is_emptied_gives_its_room_back() {
        let mut map: HashMap<usize, usize> = (0..10_000).map(|key| (key, key)).collect();
        for key in 0..10_000 {
            map.remove(&key);
            relax(&mut map);
            assert!(map.capacity() <= LEAST.max(map.len() * 16), "{} for {}", map.capacity(), map.len());
        }
        map.insert(1, 1);
        assert_eq!(map[&1], 1);
    }
}
