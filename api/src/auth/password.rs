//! Passwords: argon2id (RFC 9106), at most one hash per core at a time, off the async runtime.

use crate::problem::Refusal;
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Most characters of a password; hashing time must not depend on the sender's patience.
pub const LONGEST: usize = 128;
/// Fewest characters of a password.
pub const SHORTEST: usize = 8;
/// The least zxcvbn score (0 to 4) of a new password.
const LEAST_SCORE: u8 = 3;

/// How hard passwords are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    /// OWASP's least: 19 MiB, two passes.
    fn default() -> Cost {
        Cost { memory_kib: 19 * 1024, passes: 2 }
    }
}

/// The password hasher.
#[derive(Clone)]
pub struct Passwords {
    argon: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// Verified against when there is no such user, so that both answers take as long.
    nobody: Arc<str>,
}
