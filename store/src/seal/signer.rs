//! The key that signs seals: Ed25519, made at first use, kept in the vault.

use crate::{Hash, StoreError, Vault};
use domain::{Ids, Kind, Sid};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// Bytes of an Ed25519 seed.
const SEED: usize = 32;

/// Signs.
pub(crate) struct Signer(Ed25519KeyPair);

/// Checks signatures.
pub(crate) struct Verifier(Vec<u8>);

/// The platform's own place in the vault: no carrier's identifier is all zeros.
fn platform() -> Sid {
    Sid::from_uuid(Kind::Carrier, uuid::Uuid::nil())
}

impl Signer {
    /// The store's signer; of two nodes that make one at once, both use the one that was stored.
    pub async fn of(vault: &Vault, ids: &dyn Ids) -> Result<Signer, StoreError> {
        if let Some(signer) = Signer::stored(vault).await? {
            return Ok(signer);
        }
        let mut seed = [0; SEED];
        ids.fill(&mut seed);
        vault.put_new(&platform(), &platform(), "seal", "ed25519", &seed).await?;
        Signer::stored(vault).await?.ok_or(StoreError::Sealed)
    }

    /// The signer, if one was made.
    pub async fn stored(vault: &Vault) -> Result<Option<Signer>, StoreError> {
        let Some(seed) = vault.get(&platform(), "seal", "ed25519").await? else { return Ok(None) };
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.bytes()).map_err(|_| StoreError::Sealed)?;
        Ok(Some(Signer(pair)))
    }

    pub fn sign(&self, digest: &Hash) -> Vec<u8> {
        self.0.sign(digest).as_ref().to_vec()
    }

    pub fn verifier(&self) -> Verifier {
        Verifier(self.0.public_key().as_ref().to_vec())
    }
}

impl Verifier {
    pub fn accepts(&self, digest: &Hash, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(digest, signature).is_ok()
    }
}
