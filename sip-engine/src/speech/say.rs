//! The one question: say this. Limits, cache and pool around the programs.

use super::{
    MAX_TEXT, SpeechConfig, SpeechError,
    cache::{Cache, Flight, Key, Known, key},
    process,
    voice::{Choice, Engine, choose},
};
use crate::media::Prompt;
use parking_lot::{Mutex, MutexGuard};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Semaphore;

/// Sentences that may wait for a free process.
const MAX_WAITING: usize = 1_000;

/// A text to speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SayRequest {
    /// Whose text it is: nobody hears, or can time, what another has cached.
    pub tenant: String,
    /// Plain text, at most [`MAX_TEXT`] characters.
    pub text: String,
    /// Twilio's `voice`: `man`, `woman`, `alice`; others become the language's default, with a warning.
    pub voice: Option<String>,
    /// Twilio's `language`, such as `en-US`.
    pub language: Option<String>,
}

/// What was asked for, ready to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The audio.
    pub prompt: Arc<Prompt>,
    /// Why it sounds otherwise than asked; for the call's timeline.
    pub warning: Option<String>,
}

/// Text to speech. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Speech {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: SpeechConfig,
    cache: Mutex<Cache>,
    processes: Semaphore,
    waiting: AtomicUsize,
    spoken: AtomicUsize,
}

impl Speech {
    /// Speech by the configured programs.
    #[must_use]
    pub fn new(config: SpeechConfig) -> Self {
        let (cache, processes) =
            (Cache::new(config.cache_bytes), Semaphore::new(config.max_processes.max(1)));
        let (waiting, spoken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { inner: Arc::new(Inner { config, cache: Mutex::new(cache), processes, waiting, spoken }) }
    }

    /// Speech by the programs installed on this machine, with the default limits.
    #[must_use]
    pub fn detect() -> Self {
        Self::new(SpeechConfig::find(&std::env::var_os("PATH").unwrap_or_default()))
    }

    /// The names of the programs in use; none means that nothing can be said.
    #[must_use]
    pub fn programs(&self) -> Vec<&'static str> {
        let SpeechConfig { flite, espeak, .. } = &self.inner.config;
        let found = [(flite, Engine::Flite), (espeak, Engine::Espeak)];
        found.into_iter().filter(|(path, _)| path.is_some()).map(|(_, engine)| engine.name()).collect()
    }

    /// How often a program has been run.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.inner.spoken.load(Ordering::Relaxed)
    }

    /// Speaks a text, from memory if it was spoken before.
    ///
    /// # Errors
    /// [`SpeechError`]; a failure is not remembered, so the same text may be tried again.
    pub async fn say(&self, request: SayRequest) -> Result<Spoken, SpeechError> {
        let text = speakable(&request.text)?;
        let choice = choose(&self.inner.config, &request)?;
        let warning = choice.warning.clone().unwrap_or_default();
        let key = key(&[&request.tenant, choice.engine.name(), &choice.voice, &warning, &text]);
        let flight = match self.inner.cache().look_up(key) {
            Known::Said(spoken) => return Ok(spoken),
            Known::Making(flight) => Boarded { inner: &self.inner, key, flight },
        };
        flight.flight.get_or_init(|| self.inner.make(choice, &text)).await.clone()
    }
}

/// Tells the cache when this passenger leaves, also when it is dropped on the way.
struct Boarded<'a> {
    inner: &'a Inner,
    key: Key,
    flight: Flight,
}

impl Drop for Boarded<'_> {
    fn drop(&mut self) {
        self.inner.cache().land(self.key, &self.flight);
    }
}

impl Inner {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock()
    }

    async fn make(&self, choice: Choice, text: &str) -> Result<Spoken, SpeechError> {
        let late = SpeechError::TimedOut { program: choice.engine.name() };
        let made = tokio::time::timeout(self.config.timeout, self.run(choice, text));
        made.await.unwrap_or(Err(late))
    }

    async fn run(&self, mut choice: Choice, text: &str) -> Result<Spoken, SpeechError> {
        let _queued = Queued::join(&self.waiting)?;
        let _process = self.processes.acquire().await.map_err(|_| SpeechError::Busy)?;
        let mut made = self.speak(&choice, text).await;
        if choice.engine == Engine::Espeak
            && matches!(made, Err(SpeechError::Failed { .. } | SpeechError::NothingToSay))
        {
            // The language is well-formed but unknown to this version, or text of another script.
            let language = choice.voice.split('+').next().unwrap_or_default().to_owned();
            choice
                .warning
                .get_or_insert(format!("language {language:?} is not available; an English voice reads it"));
            choice.voice = "en-us+f2".into();
            made = self.speak(&choice, text).await;
        }
        Ok(Spoken { prompt: Arc::new(made?), warning: choice.warning })
    }

    async fn speak(&self, choice: &Choice, text: &str) -> Result<Prompt, SpeechError> {
        let path = match choice.engine {
            Engine::Flite => self.config.flite.as_deref(),
            Engine::Espeak => self.config.espeak.as_deref(),
        };
        self.spoken.fetch_add(1, Ordering::Relaxed);
        process::speak(path.unwrap_or(Path::new(choice.engine.name())), choice, text).await
    }
}

/// A place in the queue for a process.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn join(waiting: &'a AtomicUsize) -> Result<Self, SpeechError> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            Err(SpeechError::Busy)
        } else {
            Ok(place)
        }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The text as the programs get it: no control characters, which espeak-ng takes for commands, and no `[[`,
/// which begins its phonemes.
fn speakable(text: &str) -> Result<String, SpeechError> {
    let characters = text.chars().count();
    if characters > MAX_TEXT {
        return Err(SpeechError::TextTooLong { characters });
    }
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.chars().any(char::is_alphanumeric) {
        Ok(clean.trim().replace("[[", "[ ["))
    } else {
        Err(SpeechError::NothingToSay)
    }
}
