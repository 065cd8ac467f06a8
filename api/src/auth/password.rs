//! Passwords: argon2id (RFC 9106), at most one hash per core at a time, off the async runtime.

use crate::problem::Refusal;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use domain::Ids;
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

/// The password hasher; cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    argon: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// Verified against when there is no such user, so that both answers take as long.
    nobody: Arc<str>,
}

impl Passwords {
    /// A hasher of this cost; `ids` gives the salt of the hash that nobody's password has.
    ///
    /// # Errors
    /// When the cost is outside of what argon2 allows.
    pub fn new(cost: Cost, ids: &dyn Ids) -> Result<Passwords, argon2::Error> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let nobody = hash_with(&argon, &ids.token(), ids).ok_or(argon2::Error::OutputTooShort)?;
        Ok(Passwords { argon, turns: Arc::new(Semaphore::new(cores)), nobody: nobody.into() })
    }

    /// The hash to keep, in PHC form.
    ///
    /// # Errors
    /// When hashing fails.
    pub async fn hash(&self, password: &str, ids: Arc<dyn Ids>) -> Result<String, Refusal> {
        let (argon, password) = (self.argon.clone(), password.to_owned());
        self.turn(move || hash_with(&argon, &password, &*ids)).await?.ok_or_else(Refusal::internal)
    }

    /// Whether the password is right. Without a hash it takes as long and is wrong.
    ///
    /// # Errors
    /// When hashing fails.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, Refusal> {
        let known = hash.is_some();
        let (argon, password) = (self.argon.clone(), password.to_owned());
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let right = self.turn(move || argon.verify_password(password.as_bytes(), &*hash).is_ok()).await?;
        Ok(known && right)
    }

    /// Runs `work` on a blocking thread when it is its turn.
    async fn turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let _turn = self.turns.acquire().await.map_err(|_| Refusal::internal())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::internal())
    }
}

fn hash_with(argon: &Argon2<'_>, password: &str, ids: &dyn Ids) -> Option<String> {
    let mut salt = [0; 16];
    ids.fill(&mut salt);
    argon.hash_password_with_salt(password.as_bytes(), &salt).ok().map(|hash| hash.to_string())
}

/// Why a new password won't do, if so; `about` are words its owner would think of first.
#[must_use]
pub fn weakness(password: &str, about: &[&str]) -> Option<String> {
    let length = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Some(format!("Use {SHORTEST} to {LONGEST} characters."));
    }
    // The words apart and run together: `Demo Telecom` makes `demotelecom2026` no better than `2026`.
    let words = about
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.len() > 2);
    let joined = about.iter().map(|text| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>());
    let known: Vec<String> = words.map(str::to_owned).chain(joined).map(|word| word.to_lowercase()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let verdict = zxcvbn::zxcvbn(password, &known);
    if u8::from(verdict.score()) >= LEAST_SCORE {
        return None;
    }
    let warning = verdict.feedback().and_then(zxcvbn::feedback::Feedback::warning);
    let why = warning.map_or_else(|| "It is easy to guess.".to_owned(), |warning| warning.to_string());
    Some(format!("{why} Use a few more words that do not belong together."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1 };

    fn ids() -> Arc<dyn Ids> {
        Arc::new(store::RandomIds::default())
    }

    #[tokio::test]
    async fn a_password_opens_its_own_hash_only() {
        let passwords = Passwords::new(CHEAP, &*ids()).unwrap();
        let hash = passwords.hash("correct horse", ids()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct house", Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        let passwords = Passwords::new(CHEAP, &*ids()).unwrap();
        assert!(!passwords.verify("anything", None).await.unwrap());
    }

    #[test]
    fn guessable_passwords_are_refused_with_advice() {
        for weak in ["short", "password1", "demotelecom2026", "aaaaaaaaaaaa"] {
            assert!(weakness(weak, &["Demo Telecom", "owner@demo.example"]).is_some(), "{weak}");
        }
        assert_eq!(weakness("plum-orbit-Kettle-92", &["Demo Telecom"]), None);
        assert!(weakness(&"a1B".repeat(50), &[]).is_some());
    }
}
