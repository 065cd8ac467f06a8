//! AES-256-GCM by ring: a random 96-bit nonce before the ciphertext.

use crate::StoreError;
use domain::Ids;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// A key out of 32 bytes.
pub(super) fn key(bytes: &[u8]) -> Result<LessSafeKey, StoreError> {
    let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| StoreError::Sealed)?;
    Ok(LessSafeKey::new(key))
}

/// Nonce, ciphertext and tag. Random nonces are safe for 2^32 seals under one key; a carrier makes far fewer.
pub(super) fn seal(
    key: &LessSafeKey,
    bound_to: &[u8],
    secret: &[u8],
    ids: &dyn Ids,
) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_LEN];
    ids.fill(&mut nonce);
    let mut sealed = secret.to_vec();
    let place = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(place, Aad::from(bound_to), &mut sealed).map_err(|_| StoreError::Sealed)?;
    Ok([&nonce[..], &sealed].concat())
}

/// The secret again.
pub(super) fn open(key: &LessSafeKey, bound_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or(StoreError::Sealed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreError::Sealed)?;
    let mut plain = ciphertext.to_vec();
    let length =
        key.open_in_place(nonce, Aad::from(bound_to), &mut plain).map_err(|_| StoreError::Sealed)?.len();
    plain.truncate(length);
    Ok(plain)
}

/// Whether they are the same, in time that does not depend on where they differ.
pub(super) fn same(ours: &[u8], theirs: &[u8]) -> bool {
    let differing = ours.iter().zip(theirs).fold(0, |differing, (a, b)| differing | (a ^ b));
    std::hint::black_box(differing) == 0 && ours.len() == theirs.len()
}
