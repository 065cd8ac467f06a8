//! A local file that keeps facts while the store does not answer: appended, fsynced, read again at start, emptied when
//! everything in it has reached the log.
//!
//! One line per entry: eight hex digits of its SHA-256, a space, JSON. A torn last line (power cut) fails its sum and is
//! left out: nobody was told it was kept.

use domain::{Sid, Tenant, Timestamp, call::CallCommand};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// Largest file, in bytes: hours of calls without a store.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// The file's name in its folder.
const FILE: &str = "facts.jsonl";

/// Facts of one call, to be appended together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Marks its events (as their correlation), so that a repetition is seen.
    pub id: String,
    /// The call.
    pub call: Sid,
    /// Whose it is.
    pub tenant: Tenant,
    /// What happened, in order.
    pub facts: Vec<(Timestamp, CallCommand)>,
}

/// The file; clones share it.
#[derive(Clone)]
pub(crate) struct Spool(Arc<Mutex<Inner>>);

struct Inner {
    file: File,
    bytes: u64,
    /// Entries in the file that have not reached the log.
    outstanding: usize,
}

impl Spool {
    /// Opens the spool in `folder` and returns what an earlier process left in it, in order.
    pub fn open(folder: &Path) -> io::Result<(Spool, Vec<Entry>)> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(FILE);
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        File::open(folder)?.sync_all()?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let entries: Vec<Entry> = text.split(|byte| *byte == b'\n').filter_map(decode).collect();
        // A torn line stays where it is; the next entry begins on a line of its own.
        if text.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n")?;
        }
        let inner = Inner { file, bytes: text.len() as u64 + 1, outstanding: entries.len() };
        Ok((Spool(Arc::new(Mutex::new(inner))), entries))
    }

    /// Keeps an entry; durable when it returns. Blocks on the disk: call it where blocking is allowed.
    pub fn keep(&self, entry: &Entry) -> io::Result<()> {
        let line = encode(entry)?;
        let mut inner = self.lock();
        if inner.bytes + line.len() as u64 > MAX_BYTES {
            return Err(io::Error::other(format!("the spool has reached its limit of {MAX_BYTES} bytes")));
        }
        inner.file.write_all(&line)?;
        inner.file.sync_data()?;
        inner.bytes += line.len() as u64;
        inner.outstanding += 1;
        Ok(())
    }

    /// One entry has reached the log. After the last one the file is emptied.
    pub fn done(&self) -> io::Result<()> {
        let mut inner = self.lock();
        inner.outstanding = inner.outstanding.saturating_sub(1);
        if inner.outstanding == 0 {
            inner.file.set_len(0)?;
            inner.file.rewind()?;
            inner.file.sync_data()?;
            inner.bytes = 0;
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sum(json: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, json);
    digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn encode(entry: &Entry) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(entry).map_err(io::Error::other)?;
    Ok([sum(&json).as_bytes(), b" ", &json, b"\n"].concat())
}

fn decode(line: &[u8]) -> Option<Entry> {
    let (stated, json) = (line.get(..8)?, line.get(9..)?);
    if sum(json).as_bytes() != stated {
        tracing::error!("a line of the spool is torn and is left out");
        return None;
    }
    serde_json::from_slice(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    fn entry(id: &str) -> Entry {
        let sid = |kind| Sid::from_uuid(kind, uuid::Uuid::from_u128(7));
        let facts = vec![(Timestamp::from_micros(5), CallCommand::Press { digits: "5".into() })];
        Entry { id: id.into(), call: sid(Kind::Call), tenant: Tenant::carrier(sid(Kind::Carrier)), facts }
    }

    #[test]
    fn what_is_kept_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, left) = Spool::open(folder.path()).unwrap();
        assert!(left.is_empty());
        spool.keep(&entry("a")).unwrap();
        spool.keep(&entry("b")).unwrap();
        spool.done().unwrap();
        drop(spool);
        // Which entry was done is not in the file: repeating it is seen in the log.
        assert_eq!(Spool::open(folder.path()).unwrap().1, vec![entry("a"), entry("b")]);
    }

    #[test]
    fn a_torn_line_is_left_out_and_the_next_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, _) = Spool::open(folder.path()).unwrap();
        spool.keep(&entry("a")).unwrap();
        let path = folder.path().join(FILE);
        let torn = &encode(&entry("b")).unwrap()[..30];
        OpenOptions::new().append(true).open(path).unwrap().write_all(torn).unwrap();
        let (spool, left) = Spool::open(folder.path()).unwrap();
        assert_eq!(left, vec![entry("a")]);
        spool.keep(&entry("c")).unwrap();
        assert_eq!(Spool::open(folder.path()).unwrap().1, vec![entry("a"), entry("c")]);
    }

    #[test]
    fn an_emptied_spool_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, _) = Spool::open(folder.path()).unwrap();
        spool.keep(&entry("a")).unwrap();
        spool.done().unwrap();
        assert!(Spool::open(folder.path()).unwrap().1.is_empty());
    }
}
