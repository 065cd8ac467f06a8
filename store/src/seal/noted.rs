//! A file of seals, a line each: log, last position, name, time. It is for copying elsewhere; here it shows that the seals of
//! the database, which whoever can rewrite a log can delete, were more.

use super::Seal;
use crate::StoreError;
use domain::Log;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
};

/// A seal that was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The log.
    pub log: Log,
    /// The last position it covers.
    pub to: i64,
    /// Its name.
    pub name: String,
}

/// Adds a line for this seal.
pub(super) fn note(file: &Path, seal: &Seal) -> io::Result<()> {
    let line = format!("{} {} {} {}\n", seal.log.as_str(), seal.to, seal.name(), seal.sealed_at);
    OpenOptions::new().create(true).append(true).open(file)?.write_all(line.as_bytes())
}

/// The last seal of each log that a file notes; none when there is no file.
///
/// # Errors
/// When the file cannot be read.
pub fn noted(file: &Path) -> Result<Vec<Noted>, StoreError> {
    let lines = match File::open(file) {
        Ok(opened) => BufReader::new(opened).lines(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(file, &error)),
    };
    let mut last: Vec<Noted> = Vec::new();
    for line in lines {
        // A line that a crash cut short says nothing.
        let Some(seal) = parse(&line.map_err(|error| unreadable(file, &error))?) else { continue };
        last.retain(|earlier| earlier.log != seal.log);
        last.push(seal);
    }
    Ok(last)
}

fn parse(line: &str) -> Option<Noted> {
    let mut words = line.split(' ');
    let (log, to, name, _) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let log = Log::ALL.into_iter().find(|known| known.as_str() == log)?;
    Some(Noted { log, to: to.parse().ok()?, name: name.to_owned() })
}

fn unreadable(file: &Path, error: &io::Error) -> StoreError {
    StoreError::File { path: file.display().to_string(), reason: error.to_string() }
}
