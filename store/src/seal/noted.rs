//! A file of seals, a line each: log, last position, name, time. Nothing reads it here: it is for copying elsewhere.

use super::Seal;
use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
};

/// Adds a line for this seal.
pub(super) fn note(file: &Path, seal: &Seal) -> io::Result<()> {
    let line = format!("{} {} {} {}\n", seal.log.as_str(), seal.to, seal.name(), seal.sealed_at);
    OpenOptions::new().create(true).append(true).open(file)?.write_all(line.as_bytes())
}
