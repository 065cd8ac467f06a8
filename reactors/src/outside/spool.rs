//! Local files that keep facts while the store does not answer: appended, fsynced, read again at start. A file is deleted
//! when everything in it has reached the log.
//!
//! One line per entry: eight hex digits of its SHA-256, a space, JSON. A torn last line (power cut) fails its sum and is
//! left out: nobody was told it was kept. A whole one that cannot be read is set aside.

use domain::{Sid, Tenant, Timestamp, call::CallCommand};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What the files may hold, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Together: hours of calls without a store.
    pub total: u64,
    /// One of them: what is done is deleted by the file.
    pub segment: u64,
}

/// The limits in use.
pub(super) const LIMITS: Limits = Limits { total: 64 * 1024 * 1024, segment: 4 * 1024 * 1024 };

/// Bytes that are written to find out whether the disk takes any.
const PROBE: usize = 16 * 1024;

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

/// An entry, and the number of the file it is in; none when no disk took it, and it is only remembered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub entry: Entry,
    pub segment: Option<u64>,
}

impl Entry {
    /// Whether the log first hears of the call by it.
    pub fn is_arrival(&self) -> bool {
        matches!(self.facts.first(), Some((_, CallCommand::Receive(_))))
    }
}

/// The files; clones share them.
#[derive(Clone)]
pub(crate) struct Spool(Arc<Mutex<Inner>>);

struct Inner {
    folder: PathBuf,
    limits: Limits,
    /// Files there are, by number.
    segments: BTreeMap<u64, Segment>,
    /// The one that is written to.
    current: Option<(u64, File)>,
    next: u64,
}

#[derive(Default)]
struct Segment {
    bytes: u64,
    /// Entries in it that have not reached the log.
    outstanding: usize,
}

impl Spool {
    /// Opens the spool in `folder` and returns what an earlier process left in it, in order.
    pub fn open(folder: &Path, limits: Limits) -> io::Result<(Spool, Vec<Kept>)> {
        std::fs::create_dir_all(folder)?;
        let (mut segments, mut left) = (BTreeMap::new(), Vec::new());
        for number in numbers(folder)? {
            let text = std::fs::read(path(folder, number))?;
            let (entries, unreadable) = entries(&text, number);
            if unreadable > 0 {
                set_aside(&path(folder, number), unreadable)?;
            }
            if entries.is_empty() {
                std::fs::remove_file(path(folder, number))?;
                continue;
            }
            segments.insert(number, Segment { bytes: text.len() as u64, outstanding: entries.len() });
            left.extend(entries);
        }
        // What was there is only read: behind a torn line nothing is written.
        let next = segments.keys().last().map_or(1, |last| last + 1);
        let inner = Inner { folder: folder.to_owned(), limits, segments, current: None, next };
        Ok((Spool(Arc::new(Mutex::new(inner))), left))
    }

    /// Keeps an entry and returns its file's number; durable when it returns. Blocks on the disk: call it where blocking
    /// is allowed.
    ///
    /// # Errors
    /// `StorageFull` when the files hold as much as they may; and whatever the disk says.
    pub fn keep(&self, entry: &Entry) -> io::Result<u64> {
        let line = encode(entry)?;
        let mut inner = self.0.lock();
        let (number, mut file) = inner.room_for(line.len() as u64)?;
        if let Err(error) = file.write_all(&line).and_then(|()| file.sync_data()) {
            inner.forsake(number);
            return Err(error);
        }
        let segment = inner.segments.entry(number).or_default();
        segment.bytes += line.len() as u64;
        segment.outstanding += 1;
        inner.current = Some((number, file));
        Ok(number)
    }

    /// Whether a small file can be written beside the others, and they have room for as much.
    ///
    /// # Errors
    /// `StorageFull` when they have not; and whatever the disk says. Blocks on it.
    pub fn probe(&self) -> io::Result<()> {
        let file = {
            let inner = self.0.lock();
            inner.has_room(PROBE as u64)?;
            inner.folder.join("probe")
        };
        let tried = std::fs::write(&file, [0; PROBE]);
        std::fs::remove_file(&file).ok();
        tried
    }

    /// One entry of this file has reached the log. After its last one the file is emptied or deleted.
    pub fn done(&self, number: u64) -> io::Result<()> {
        let mut inner = self.0.lock();
        let Some(segment) = inner.segments.get_mut(&number) else { return Ok(()) };
        segment.outstanding = segment.outstanding.saturating_sub(1);
        if segment.outstanding > 0 {
            return Ok(());
        }
        segment.bytes = 0;
        match &inner.current {
            Some((current, file)) if *current == number => {
                file.set_len(0)?;
                file.sync_data()
            }
            _ => {
                inner.segments.remove(&number);
                std::fs::remove_file(path(&inner.folder, number))
            }
        }
    }
}

impl Inner {
    /// A write to this file failed. One that holds nothing else goes.
    fn forsake(&mut self, number: u64) {
        if self.segments.get(&number).is_none_or(|segment| segment.outstanding == 0) {
            self.segments.remove(&number);
            std::fs::remove_file(path(&self.folder, number)).ok();
        }
    }

    /// The file so many bytes go to. It is taken out: one that a write failed on is not written to again.
    fn has_room(&self, bytes: u64) -> io::Result<()> {
        let total = self.limits.total;
        let held: u64 = self.segments.values().map(|segment| segment.bytes).sum();
        if held + bytes > total {
            let full = format!("the spool has reached its limit of {total} bytes");
            return Err(io::Error::new(io::ErrorKind::StorageFull, full));
        }
        Ok(())
    }

    fn room_for(&mut self, bytes: u64) -> io::Result<(u64, File)> {
        self.has_room(bytes)?;
        let segment = self.limits.segment;
        let filled = |number| self.segments.get(number).map_or(0, |segment| segment.bytes);
        match self.current.take() {
            Some((number, file)) if filled(&number) == 0 || filled(&number) + bytes <= segment => {
                Ok((number, file))
            }
            before => self.begin(before.map(|(number, _)| number)),
        }
    }

    /// A new file, after one that is full; that one goes if nothing in it is outstanding.
    fn begin(&mut self, full: Option<u64>) -> io::Result<(u64, File)> {
        if let Some(number) = full
            && self.segments.get(&number).is_none_or(|segment| segment.outstanding == 0)
        {
            self.segments.remove(&number);
            std::fs::remove_file(path(&self.folder, number))?;
        }
        let number = self.next;
        self.next += 1;
        let file =
            OpenOptions::new().append(true).create_new(true).mode(0o600).open(path(&self.folder, number))?;
        File::open(&self.folder)?.sync_all()?;
        Ok((number, file))
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("facts-{number:010}.jsonl"))
}

/// What can be read in a file, and how many entries are whole but make no sense to this release.
fn entries(text: &[u8], segment: u64) -> (Vec<Kept>, usize) {
    let (mut entries, mut unreadable) = (Vec::new(), 0);
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match decode(line) {
            Ok(Some(entry)) => entries.push(Kept { entry, segment: Some(segment) }),
            Ok(None) => tracing::error!("a line of the spool is torn and is left out"),
            Err(error) => {
                tracing::error!(%error, segment, "an entry of the spool cannot be read");
                unreadable += 1;
            }
        }
    }
    (entries, unreadable)
}

/// Keeps a file under a second name: the first one goes when what can be read in it has reached the log.
fn set_aside(file: &Path, unreadable: usize) -> io::Result<()> {
    let aside = file.with_extension("unreadable");
    match std::fs::hard_link(file, &aside) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    tracing::error!(unreadable, file = %aside.display(), "facts of calls are not in the log; they are kept in this file");
    Ok(())
}

/// The numbers of the files in this folder, in order.
fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let name = file?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("facts-")?.strip_suffix(".jsonl"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn sum(json: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, json);
    digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn encode(entry: &Entry) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(entry).map_err(io::Error::other)?;
    Ok([sum(&json).as_bytes(), b" ", &json, b"\n"].concat())
}

/// None of a torn line; an error for one that is whole and cannot be read, as one of a newer release may be.
fn decode(line: &[u8]) -> serde_json::Result<Option<Entry>> {
    match (line.get(..8), line.get(9..)) {
        (Some(stated), Some(json)) if sum(json).as_bytes() == stated => {
            serde_json::from_slice(json).map(Some)
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
