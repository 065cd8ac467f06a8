//! Sounds for `<Play>`, kept as HTTP allows (RFC 9111): while they are fresh, and after that for as long as their
//! validators say they have not changed.

use crate::http::{CallLogins, Failure, Http, MAX_MEDIA, Request, Response, failure::RETRIEVAL};
use bytes::Bytes;
use domain::{Sid, webhook_url::Method};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Most that is kept, in bytes; the least recently used go first.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// Most files kept, however small.
const MAX_FILES: usize = 4_096;
/// Longest header value kept, in bytes; a longer one is as good as none.
const MAX_HEADER: usize = 256;
/// What a file costs beside its bytes, key and headers, in bytes.
const OVERHEAD: usize = 512;
/// Longest time something counts as fresh, whatever it says.
const MAX_FRESH: Duration = Duration::from_secs(24 * 3600);

/// Whose it is and where it is from: an application may answer each account differently.
type Key = (Option<Sid>, String);

/// The cache; clones share it.
#[derive(Clone)]
pub(crate) struct MediaCache {
    http: Http,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    files: HashMap<Key, File>,
    bytes: usize,
}

#[derive(Clone)]
struct File {
    content_type: Option<String>,
    body: Bytes,
    etag: Option<String>,
    modified: Option<String>,
    fresh_until: Instant,
    used: Instant,
}

impl MediaCache {
    pub fn new(http: Http) -> MediaCache {
        MediaCache { http, kept: Arc::default() }
    }

    /// The file's Content-Type and bytes, for a call with these logins.
    pub async fn get(
        &self,
        account: Option<Sid>,
        url: &str,
        logins: CallLogins,
    ) -> Result<(Option<String>, Bytes), Failure> {
        // With the login, so that nobody without has what it lets see.
        let key = (account, logins.signed_in_address(url));
        let kept = self.kept(&key);
        if let Some(file) = &kept
            && Instant::now() < file.fresh_until
        {
            return Ok((file.content_type.clone(), file.body.clone()));
        }
        let outcome = self.http.send(&request(key.clone(), kept.as_ref(), logins)).await;
        let response = outcome.result?;
        match (response.status, kept) {
            (304, Some(file)) => {
                let file = File { fresh_until: fresh_until(&response), ..file };
                Ok(self.keep(key, file, &response))
            }
            (200..=299, _) => Ok(self.keep(key, File::of(&response), &response)),
            (status, _) => {
                self.drop_file(&key);
                Err(Failure::read(RETRIEVAL, format!("the file could not be had: HTTP status {status}")))
            }
        }
    }

    fn kept(&self, key: &Key) -> Option<File> {
        let mut kept = self.kept.lock();
        let file = kept.files.get_mut(key)?;
        file.used = Instant::now();
        Some(file.clone())
    }

    fn keep(&self, key: Key, file: File, response: &Response) -> (Option<String>, Bytes) {
        let answer = (file.content_type.clone(), file.body.clone());
        let worth = file.etag.is_some() || file.modified.is_some() || Instant::now() < file.fresh_until;
        if worth && !directive(response, "no-store") {
            self.kept.lock().insert(key, file);
        } else {
            self.drop_file(&key);
        }
        answer
    }

    fn drop_file(&self, key: &Key) {
        self.kept.lock().remove(key);
    }
}

impl Kept {
    fn insert(&mut self, key: Key, file: File) {
        self.remove(&key);
        self.bytes += file.cost(&key);
        self.files.insert(key, file);
        while self.bytes > MAX_BYTES || self.files.len() > MAX_FILES {
            let oldest = self.files.iter().min_by_key(|(_, file)| file.used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { return };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(file) = self.files.remove(key) {
            self.bytes = self.bytes.saturating_sub(file.cost(key));
        }
    }
}

impl File {
    fn of(response: &Response) -> File {
        let header =
            |name| response.header(name).filter(|value| value.len() <= MAX_HEADER).map(str::to_owned);
        File {
            content_type: header("content-type"),
            body: response.body.clone(),
            etag: header("etag"),
            modified: header("last-modified"),
            fresh_until: fresh_until(response),
            used: Instant::now(),
        }
    }

    /// What keeping it takes, in bytes.
    fn cost(&self, (account, url): &Key) -> usize {
        let headers = [&self.content_type, &self.etag, &self.modified].into_iter().flatten();
        let texts = headers.chain([url]).map(String::len).sum::<usize>();
        let account = account.as_ref().map_or(0, |account| account.as_str().len());
        self.body.len() + texts + account + OVERHEAD
    }
}

/// Asks for the file, or only whether it has changed. Media requests carry no parameters and no signature.
fn request((account, url): Key, kept: Option<&File>, logins: CallLogins) -> Request {
    let etag = kept.and_then(|file| file.etag.clone()).map(|etag| ("If-None-Match", etag));
    let modified = kept.and_then(|file| file.modified.clone()).map(|since| ("If-Modified-Since", since));
    Request {
        method: Method::Get,
        url,
        parameters: vec![],
        auth_token: None,
        headers: etag.into_iter().chain(modified).collect(),
        limit: MAX_MEDIA,
        sounds: false,
        token: None,
        cookies: None,
        logins: Some(logins),
        account,
    }
}

fn fresh_until(response: &Response) -> Instant {
    let age = directive_value(response, "max-age").and_then(|age| age.parse().ok()).unwrap_or(0);
    let fresh = if directive(response, "no-cache") { 0 } else { age };
    Instant::now() + Duration::from_secs(fresh).min(MAX_FRESH)
}

fn directives(response: &Response) -> impl Iterator<Item = &str> {
    response.header("cache-control").unwrap_or_default().split(',').map(str::trim)
}

fn directive(response: &Response, name: &str) -> bool {
    directives(response).any(|directive| directive.eq_ignore_ascii_case(name))
}

fn directive_value<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let mut pairs = directives(response).filter_map(|directive| directive.split_once('='));
    pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &[(&str, String)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Response { status: 200, headers, body: Bytes::from_static(b"RIFF"), at: None }
    }

    #[test]
    fn everything_a_file_takes_is_counted_and_given_back() {
        let mut kept = Kept::default();
        let (etag, url) = ("\"v1\"".to_owned(), "http://a.test/1.wav".to_owned());
        let key = (None, url.clone());
        kept.insert(key.clone(), File::of(&response(&[("etag", etag.clone())])));
        assert_eq!(kept.bytes, 4 + url.len() + etag.len() + OVERHEAD);
        kept.insert(key.clone(), File::of(&response(&[])));
        assert_eq!(kept.bytes, 4 + url.len() + OVERHEAD, "in place of the first");
        kept.remove(&key);
        assert_eq!(kept.bytes, 0);
    }

    #[test]
    fn small_files_have_a_limit_as_well_and_long_validators_are_not_kept() {
        let mut kept = Kept::default();
        for number in 0..=MAX_FILES {
            kept.insert((None, number.to_string()), File::of(&response(&[])));
        }
        assert_eq!(kept.files.len(), MAX_FILES);
        assert!(File::of(&response(&[("etag", "x".repeat(MAX_HEADER + 1))])).etag.is_none());
    }
}
