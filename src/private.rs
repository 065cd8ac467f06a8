//! What this process keeps is for its owner only: folders 0700, files 0600, no memory on disk.

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, setrlimit, umask},
};
use std::{
    fs::{DirBuilder, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

/// Read, write and enter, for the owner.
const FOLDER: u32 = 0o700;
/// Read and write, for the owner.
const FILE: u32 = 0o600;
/// Everybody's folder, for example `/tmp`: whose it is is not for us to change.
const STICKY: u32 = 0o1000;
/// How names begin that are ours in the data directory.
const OURS: [&str; 9] = [
    "untrusted-proxy",
    "trunkline.db",
    "vault.key",
    "node",
    "seals.log",
    "demo.json",
    "spool",
    "control.sock",
    ".doctor",
];

/// Whatever this process makes from now on is for its owner, whatever the umask was; and if it crashes, its memory, which
/// has secrets, is not written to a file. To be called before there are threads.
pub fn keep_to_ourselves() {
    umask(Mode::RWXG | Mode::RWXO);
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, nothing) {
        eprintln!("trunkline: a crash may leave a core file: {error}");
    }
}

/// Makes the data directory, or takes it and what is ours in it away from everybody else: an earlier version, or a copy
/// out of a backup, may have left it open.
///
/// # Errors
/// When it cannot be made, or is not ours to close.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER).create(path)?;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & STICKY == 0 && mode & 0o077 != 0 {
        close(path, FOLDER)?;
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if OURS.iter().any(|ours| entry.file_name().to_string_lossy().starts_with(ours)) {
            close_all(&entry.path())?;
        }
    }
    Ok(())
}

/// A folder with everything in it, or a file. Links are not followed, and what goes meanwhile is gone.
fn close_all(path: &Path) -> io::Result<()> {
    let kind = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if kind.is_symlink() {
        return Ok(());
    }
    if !kind.is_dir() {
        return if kind.permissions().mode() & 0o077 == 0 { Ok(()) } else { close(path, FILE) };
    }
    close(path, FOLDER)?;
    for entry in std::fs::read_dir(path)? {
        close_all(&entry?.path())?;
    }
    Ok(())
}

fn close(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_an_earlier_version_left_open_is_closed_and_what_is_not_ours_stays() {
        let outside = tempfile::tempdir().unwrap();
        let data = outside.path().join("a/data");
        folder(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        std::fs::create_dir(data.join("spool")).unwrap();
        for (name, open) in [("trunkline.db-wal", 0o644), ("spool/1", 0o664), ("notes.txt", 0o644)] {
            std::fs::write(data.join(name), "").unwrap();
            close(&data.join(name), open).unwrap();
        }
        close(&data, 0o755).unwrap();
        close(&data.join("spool"), 0o755).unwrap();
        folder(&data).unwrap();
        let modes =
            ["", "spool", "trunkline.db-wal", "spool/1", "notes.txt"].map(|name| mode(&data.join(name)));
        assert_eq!(modes, [0o700, 0o700, 0o600, 0o600, 0o644]);
    }

    #[test]
    fn everybodys_folder_stays_everybodys() {
        let outside = tempfile::tempdir().unwrap();
        close(outside.path(), 0o1777).unwrap();
        folder(outside.path()).unwrap();
        assert_eq!(mode(outside.path()), 0o1777);
    }
}
