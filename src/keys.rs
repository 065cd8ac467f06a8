//! What this installation keeps for itself in the data directory: the key that opens the vault, and the node's name.

use domain::Ids;
use std::{
    io::{self, ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// The vault's master key, and whether it is new.
pub struct MasterKey {
    /// 256 bits.
    pub bytes: [u8; 32],
    /// Not on disk yet; see [`MasterKey::keep`].
    pub is_new: bool,
}

impl MasterKey {
    /// Reads `vault.key`, or makes a new key in memory.
    ///
    /// # Errors
    /// When the file cannot be read, has not 32 bytes, or others may read it.
    pub fn find(data_dir: &Path, ids: &dyn Ids) -> io::Result<MasterKey> {
        let file = data_dir.join("vault.key");
        let text = match std::fs::read(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut bytes = [0; 32];
                ids.fill(&mut bytes);
                return Ok(MasterKey { bytes, is_new: true });
            }
            text => text?,
        };
        let wrong = |why: &str| io::Error::new(ErrorKind::InvalidData, format!("{} {why}", file.display()));
        if std::fs::metadata(&file)?.permissions().mode() & 0o077 != 0 {
            return Err(wrong("can be read by others; run chmod 600 on it"));
        }
        let bytes = text.try_into().map_err(|_| wrong("is not 32 bytes long; restore it from the backup"))?;
        Ok(MasterKey { bytes, is_new: false })
    }

    /// Writes a new key, for its owner only.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn keep(&self, data_dir: &Path) -> io::Result<()> {
        if !self.is_new {
            return Ok(());
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(data_dir.join("vault.key"))?;
        file.write_all(&self.bytes)?;
        file.sync_all()
    }
}

/// The node's name: made once, so that after a crash it knows its own calls again.
///
/// # Errors
/// When the file cannot be read or made.
pub fn node_name(data_dir: &Path, ids: &dyn Ids) -> io::Result<String> {
    let file = data_dir.join("node");
    match std::fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let name = format!("node-{}", &ids.token()[..8]);
            std::fs::write(file, &name)?;
            Ok(name)
        }
        name => Ok(name?.trim().to_owned()),
    }
}

/// The node's name, if it has one yet.
#[must_use]
pub fn known_name(data_dir: &Path) -> Option<String> {
    let name = std::fs::read_to_string(data_dir.join("node")).ok()?;
    Some(name.trim().to_owned())
}

/// Whether others than its owner may read `vault.key`.
#[must_use]
pub fn is_open_to_others(data_dir: &Path) -> bool {
    let key = std::fs::metadata(data_dir.join("vault.key"));
    key.is_ok_and(|key| key.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::RandomIds;

    #[test]
    fn a_key_is_found_again_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let made = MasterKey::find(folder.path(), &RandomIds::default()).unwrap();
        made.keep(folder.path()).unwrap();
        let found = MasterKey::find(folder.path(), &RandomIds::default()).unwrap();
        assert_eq!((made.bytes, made.is_new, found.is_new), (found.bytes, true, false));
        let file = folder.path().join("vault.key");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(MasterKey::find(folder.path(), &RandomIds::default()).is_err());
        assert!(is_open_to_others(folder.path()));
    }

    #[test]
    fn a_node_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(known_name(folder.path()), None);
        let name = node_name(folder.path(), &RandomIds::default()).unwrap();
        assert_eq!(known_name(folder.path()), Some(name.clone()));
        assert_eq!(node_name(folder.path(), &RandomIds::default()).unwrap(), name);
    }
}
