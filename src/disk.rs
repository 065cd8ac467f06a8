//! The disk under the data directory, and what a database's or disk's failure means in words for a person.

use crate::config::Config;
use std::{fmt::Display, path::Path};

/// Free bytes under which there is a word about it: some days of calls.
pub const LITTLE: u64 = 1 << 30;
/// Free bytes under which nothing of use can be written.
const NOTHING: u64 = 1 << 20;

/// Bytes that may still be written under `path`; nothing when the system does not say.
#[must_use]
pub fn free(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether the disk of `path` is full.
#[must_use]
pub fn is_full(path: &Path) -> bool {
    free(path).is_some_and(|free| free < NOTHING)
}

/// So many bytes, for a person.
#[must_use]
pub fn told(bytes: u64) -> String {
    if bytes < LITTLE { format!("{} MiB", bytes >> 20) } else { format!("{} GiB", bytes >> 30) }
}

/// Why a command failed; with the file that is meant, and what to do, where database and system say neither.
#[must_use]
pub fn explained(config: &Config, trouble: &dyn Display) -> String {
    let text = trouble.to_string();
    let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    let data = config.data_dir.display();
    // ENOSPC and EDQUOT.
    if has(&["database or disk is full", "(os error 28)", "(os error 122)"]) {
        return format!(
            "the disk of data_dir {data} is full; make room there, or move data_dir to a larger disk ({text})"
        );
    }
    let Some(file) = config.store_file() else {
        // PostgreSQL's 53100, in the words of its system.
        return if has(&["No space left on device", "Disk quota exceeded"]) {
            format!("the disk of the PostgreSQL server is full; make room there ({text})")
        } else {
            text
        };
    };
    let file = file.display();
    if has(&["file is not a database"]) {
        return format!("{file} is no SQLite database; restore it from the backup ({text})");
    }
    if has(&["disk image is malformed"]) {
        return format!("{file} is damaged; keep a copy of it, and restore it from the backup ({text})");
    }
    if has(&["disk I/O error", "unable to open database file", "attempt to write a readonly database"]) {
        return format!("{file} cannot be read and written; look at its disk, and whose it is ({text})");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_says_is_told_with_its_file_and_what_to_do() {
        let config = Config { data_dir: "/srv/voice".into(), ..Config::default() };
        for (said, words) in [
            (
                "the database failed: error returned from database: (code: 13) database or disk is full",
                "/srv/voice is full",
            ),
            ("No space left on device (os error 28)", "make room there"),
            ("(code: 26) file is not a database", "/srv/voice/trunkline.db is no SQLite database"),
            ("(code: 11) database disk image is malformed", "/srv/voice/trunkline.db is damaged"),
        ] {
            let told = explained(&config, &said);
            assert!(told.contains(words) && told.contains(said), "{told}");
        }
        assert_eq!(explained(&config, &"no such table"), "no such table");

        let elsewhere = Config { database_url: "postgres://db/voice".into(), ..config };
        let said = "could not extend file \"base/5/16384\": No space left on device";
        assert!(explained(&elsewhere, &said).starts_with("the disk of the PostgreSQL server is full"));
        let own = "seals.log: No space left on device (os error 28)";
        assert!(explained(&elsewhere, &own).starts_with("the disk of data_dir /srv/voice is full"));
    }

    #[test]
    fn a_disk_says_how_much_is_free() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(folder.path()).is_some() && free(&folder.path().join("nowhere")).is_none());
        assert_eq!([told(5 << 20), told(3 << 30)], ["5 MiB", "3 GiB"]);
    }
}
