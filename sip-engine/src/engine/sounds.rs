//! Sounds for a call: speech, files from the web, and the tone that says the other side rings.

use super::shared::Shared;
use crate::{
    call::Prepared,
    media::{
        Prompt,
        audio::{self, Raw},
    },
    outside::{CallRef, FetchFailure, MediaFile},
    speech::SayRequest,
};
use bytes::Bytes;
use domain::{Tenant, webhook_url::WebhookUrl};
use parking_lot::{Mutex, MutexGuard};
use ring::digest;
use std::{
    collections::{HashMap, VecDeque},
    f64::consts::TAU,
    sync::{Arc, LazyLock},
};
use tokio::sync::Semaphore;

/// Twilio's code for text that cannot be spoken.
const UNSPEAKABLE: u32 = 13520;
/// Twilio's code for a file that cannot be played.
const UNPLAYABLE: u32 = 12300;
/// Bytes of decoded files kept.
const MAX_DECODED: usize = 64 * 1024 * 1024;

pub(super) async fn speak(
    shared: &Shared,
    tenant: Tenant,
    text: String,
    voice: Option<String>,
    language: Option<String>,
) -> Result<Prepared, FetchFailure> {
    let tenant = tenant.account.unwrap_or(tenant.carrier).to_string();
    let spoken = shared.speech.say(SayRequest { tenant, text, voice, language }).await;
    let spoken = spoken.map_err(|error| FetchFailure { code: UNSPEAKABLE, message: error.to_string() })?;
    Ok(Prepared { prompt: spoken.prompt, warning: spoken.warning })
}

pub(super) async fn load(
    shared: &Shared,
    call: CallRef,
    url: WebhookUrl,
    file: Option<MediaFile>,
) -> Result<Prepared, FetchFailure> {
    let MediaFile { content_type, body } = match file {
        Some(file) => file,
        None => shared.outside.media(call, url.clone()).await?,
    };
    let path = url.as_str().split(['?', '#']).next().unwrap_or_default();
    let raw = Raw::told_by(content_type.as_deref(), path);
    if let Some(prompt) = shared.decoded.known(&body, raw) {
        return Ok(Prepared { prompt, warning: None });
    }
    let unplayable =
        |why: String| FetchFailure { code: UNPLAYABLE, message: format!("{}: {why}", url.shown()) };
    let _turn = shared.decoded.turns.acquire().await.map_err(|error| unplayable(error.to_string()))?;
    let decoded = Arc::clone(&shared.decoded);
    let prompt = shared.tracker.spawn_blocking(move || decoded.decode(&body, raw)).await;
    let prompt = prompt.map_err(|error| unplayable(error.to_string()))?;
    let prompt = prompt.map_err(|error| unplayable(error.to_string()))?;
    Ok(Prepared { prompt, warning: None })
}

/// SHA-256 of a file.
type Digest = [u8; 32];
/// A file, and what it holds where its own bytes do not tell.
type Key = (Digest, Option<Raw>);

/// Files decoded lately, so that a thousand calls that play one file decode it once, even all at once. Oldest out first.
pub(super) struct Decoded {
    files: Mutex<Files>,
    /// One for each core: decoding is work for all of them and no more.
    turns: Semaphore,
}

#[derive(Default)]
struct Files {
    prompts: HashMap<Key, Arc<Prompt>>,
    order: VecDeque<Key>,
    bytes: usize,
    /// Files under way; whoever has the lock of one decodes it.
    flights: HashMap<Key, Arc<Mutex<()>>>,
    /// Digests by where a file lies in memory, which no other can while it is held here.
    digests: HashMap<(usize, usize), (Bytes, Digest)>,
    /// Bytes held so.
    held: usize,
}

impl Decoded {
    pub(super) fn new() -> Decoded {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Decoded { files: Mutex::default(), turns: Semaphore::new(cores) }
    }

    /// What this very file came to, without reading it.
    fn known(&self, file: &Bytes, raw: Option<Raw>) -> Option<Arc<Prompt>> {
        let files = self.files();
        let (_, digest) = files.digests.get(&place(file))?;
        files.prompts.get(&(*digest, raw)).cloned()
    }

    /// Decodes a file, unless that has been done. Takes its time; not for the async runtime.
    fn decode(&self, file: &Bytes, raw: Option<Raw>) -> Result<Arc<Prompt>, audio::AudioError> {
        let digest: Digest = digest::digest(&digest::SHA256, file).as_ref().try_into().unwrap_or_default();
        let key = (digest, raw);
        let flight = Arc::clone(self.files().flights.entry(key).or_default());
        let _turn = flight.lock();
        self.files().remember(file, digest);
        let decoded = self.get(&key).map_or_else(|| audio::decode_prompt(file, raw).map(Arc::new), Ok);
        decoded.iter().for_each(|prompt| self.keep(key, Arc::clone(prompt)));
        self.files().flights.remove(&key);
        decoded
    }

    fn get(&self, key: &Key) -> Option<Arc<Prompt>> {
        self.files().prompts.get(key).cloned()
    }

    fn keep(&self, key: Key, prompt: Arc<Prompt>) {
        let mut files = self.files();
        let size = prompt.bytes();
        if size > MAX_DECODED || files.prompts.contains_key(&key) {
            return;
        }
        while files.bytes + size > MAX_DECODED {
            let Some(oldest) = files.order.pop_front() else { break };
            let freed = files.prompts.remove(&oldest).map_or(0, |prompt| prompt.bytes());
            files.bytes -= freed;
        }
        files.bytes += size;
        files.order.push_back(key);
        files.prompts.insert(key, prompt);
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock()
    }
}

impl Files {
    fn remember(&mut self, file: &Bytes, digest: Digest) {
        if self.held + file.len() > MAX_DECODED {
            self.digests.clear();
            self.held = 0;
        }
        if self.digests.insert(place(file), (file.clone(), digest)).is_none() {
            self.held += file.len();
        }
    }
}

fn place(file: &Bytes) -> (usize, usize) {
    (file.as_ptr().addr(), file.len())
}

/// 440 and 480 Hz, two seconds on and four off (ITU-T E.180, as in North America).
pub(super) fn ringback() -> Arc<Prompt> {
    static TONE: LazyLock<Arc<Prompt>> = LazyLock::new(|| Arc::new(Prompt::from_pcm8k(&ringback_samples())));
    Arc::clone(&TONE)
}

fn ringback_samples() -> Vec<i16> {
    const RATE: u32 = 8000;
    const LEVEL: f64 = 3000.0;
    let sample = |n: u32| {
        let t = f64::from(n) / f64::from(RATE);
        #[expect(clippy::cast_possible_truncation, reason = "two sines of 3,000 stay within 16 bits")]
        let value = (LEVEL * ((TAU * 440.0 * t).sin() + (TAU * 480.0 * t).sin())) as i16;
        if n < 2 * RATE { value } else { 0 }
    };
    (0..6 * RATE).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoded_files_stay_within_their_room() {
        let decoded = Decoded::new();
        let big = Arc::new(Prompt::from_pcm8k(&vec![0; MAX_DECODED / 4]));
        for name in 0..3 {
            decoded.keep(([name; 32], None), Arc::clone(&big));
        }
        let kept = [0, 1, 2].map(|name| decoded.get(&([name; 32], None)).is_some());
        assert_eq!((kept, decoded.files().bytes <= MAX_DECODED), ([false, true, true], true));
    }

    #[test]
    fn a_file_is_decoded_once_however_many_play_it_at_once() {
        let decoded = Decoded::new();
        let wav = crate::engine::tests::sound::wav(440.0, std::time::Duration::from_secs(1));
        let files: Vec<Bytes> = (0..8).map(|_| Bytes::from(wav.clone())).collect();
        let prompts: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                files.iter().map(|file| scope.spawn(|| decoded.decode(file, None).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(prompts.iter().all(|prompt| Arc::ptr_eq(prompt, &prompts[0])));
        let known = decoded.known(&files[3], None).is_some_and(|prompt| Arc::ptr_eq(&prompt, &prompts[0]));
        assert!(known && decoded.files().flights.is_empty(), "known by its place from now on");
    }

    #[test]
    fn ringback_pauses_longer_than_it_sounds() {
        let samples = ringback_samples();
        let loud = samples.iter().rposition(|sample| *sample != 0).unwrap();
        assert_eq!((samples.len(), loud < 16_000), (48_000, true));
    }
}
