//! Which programs speak, and within which limits.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Prompts kept in memory, both laws counted: about four and a half hours.
pub const DEFAULT_CACHE_BYTES: usize = 256 * 1024 * 1024;
/// A sentence not made by then is given up, waiting for a free process included.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest text of one request, in characters (Twilio's limit of `<Say>`).
pub const MAX_TEXT: usize = 4_096;

/// Settings of [`Speech`](super::Speech).
#[derive(Clone, Debug)]
pub struct SpeechConfig {
    /// Path of flite; without it English is spoken by espeak-ng.
    pub flite: Option<PathBuf>,
    /// Path of espeak-ng; without it every language is spoken by flite, with a warning.
    pub espeak: Option<PathBuf>,
    /// Memory for prompts, in bytes.
    pub cache_bytes: usize,
    /// Programs running at the same time.
    pub max_processes: usize,
    /// Limit of one request.
    pub timeout: Duration,
}

impl SpeechConfig {
    /// The programs found in the folders of `path` (as in the `PATH` variable), one process per core.
    #[must_use]
    pub fn find(path: &OsStr) -> Self {
        let find = |name: &str| {
            std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| is_program(file))
        };
        Self {
            flite: find("flite"),
            espeak: find("espeak-ng"),
            cache_bytes: DEFAULT_CACHE_BYTES,
            max_processes: std::thread::available_parallelism().map_or(1, usize::from),
            timeout: DEFAULT_TIMEOUT,
        }
    }
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}
