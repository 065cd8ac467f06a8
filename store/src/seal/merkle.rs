//! The Merkle tree of a seal (as in RFC 6962: leaves and nodes are hashed apart; a lone node moves up unchanged).

use crate::Hash;
use ring::digest::{Context, SHA256};

/// A position and its event's hash.
pub(crate) fn leaf(position: i64, event: &Hash) -> Hash {
    digest(&[&[0], &position.to_be_bytes(), event])
}

/// The root over the leaves; of none, the hash of nothing.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level.chunks(2).map(parent).collect();
    }
    level.first().copied().unwrap_or_else(|| digest(&[]))
}

fn parent(pair: &[Hash]) -> Hash {
    match pair {
        [left, right] => digest(&[&[1], left, right]),
        [lone] => *lone,
        _ => digest(&[]),
    }
}

fn digest(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|n| leaf(i64::from(n), &[n; 32])).collect()
    }

    #[test]
    fn every_leaf_and_its_place_count() {
        for count in 1..9 {
            let honest = root(&leaves(count));
            for changed in 0..usize::from(count) {
                let mut leaves = leaves(count);
                leaves[changed][31] ^= 1;
                assert_ne!(root(&leaves), honest, "leaf {changed} of {count}");
            }
            assert_ne!(root(&leaves(count + 1)), honest);
        }
        let mut swapped = leaves(4);
        swapped.swap(1, 2);
        assert_ne!(root(&swapped), root(&leaves(4)));
    }

    #[test]
    fn a_node_is_never_taken_for_a_leaf() {
        let two = leaves(2);
        assert_ne!(root(&two), leaf(0, &two[0]));
        assert_eq!(root(&two[..1]), two[0]);
    }
}
