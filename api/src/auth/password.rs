//! Passwords: argon2id (RFC 9106), off the async runtime, on one core less than there are: a crowd at the door must not
//! keep calls from being served.

use crate::problem::Refusal;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use domain::Ids;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most characters of a password; hashing time must not depend on the sender's patience.
pub const LONGEST: usize = 128;
/// Fewest characters of a password.
pub const SHORTEST: usize = 8;
/// The least zxcvbn score (0 to 4) of a new password.
const LEAST_SCORE: u8 = 3;

/// Most passwords that wait for their turn; the next one is told to come back.
const LONGEST_LINE: usize = 64;

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
    /// Those whose turn it is, and those who wait for it.
    line: Arc<Semaphore>,
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
        let turns = cores.saturating_sub(1).max(1);
        let line = Arc::new(Semaphore::new(turns + LONGEST_LINE));
        Ok(Passwords { argon, turns: Arc::new(Semaphore::new(turns)), line, nobody: nobody.into() })
    }

    /// The hash to keep, in PHC form.
    ///
    /// # Errors
    /// 503 when too many wait; 500 when hashing fails.
    pub async fn hash(&self, password: &str, ids: Arc<dyn Ids>) -> Result<String, Refusal> {
        let (argon, password) = (self.argon.clone(), password.to_owned());
        self.turn(move || hash_with(&argon, &password, &*ids)).await?.ok_or_else(Refusal::internal)
    }

    /// Whether the password is right. Without a hash it takes as long and is wrong.
    ///
    /// # Errors
    /// 503 when too many wait; 500 when hashing fails.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, Refusal> {
        let known = hash.is_some();
        let (argon, password) = (self.argon.clone(), password.to_owned());
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let right = self.turn(move || argon.verify_password(password.as_bytes(), &*hash).is_ok()).await?;
        Ok(known && right)
    }

    /// Runs `work` on a blocking thread when it is its turn. The turn is over with the work, not when the client leaves.
    async fn turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let place = self.line.clone().try_acquire_owned().map_err(|_| Refusal::unavailable())?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| Refusal::internal())?;
        let held: [OwnedSemaphorePermit; 2] = [place, turn];
        let work = move || {
            let _held = held;
            work()
        };
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

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_its_work_and_the_line_has_an_end() {
        let passwords = Passwords::new(CHEAP, &*ids()).unwrap();
        let turns = passwords.turns.available_permits();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        for _ in 0..turns {
            let wait = wait.clone();
            let mut turn = Box::pin(passwords.turn(move || wait.lock().unwrap().recv()));
            assert!(futures_util::poll!(&mut turn).is_pending());
            drop(turn);
        }
        assert_eq!(passwords.turns.available_permits(), 0, "the client is gone, the work is not");
        let mut waiting: Vec<_> = (0..LONGEST_LINE).map(|_| Box::pin(passwords.verify("x", None))).collect();
        for turn in &mut waiting {
            assert!(futures_util::poll!(turn).is_pending());
        }
        assert_eq!(passwords.verify("x", None).await.unwrap_err().code, "unavailable");
        drop(waiting);
        (0..turns).for_each(|_| go.send(()).unwrap());
        assert!(!passwords.verify("x", None).await.unwrap());
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
