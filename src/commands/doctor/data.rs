//! What `trunkline doctor` finds in the data directory and in the database: the checks of a start, without its changes.

use super::Finding::{self, Advice, Broken, Fine};
use crate::{
    app,
    config::Config,
    disk,
    keys::{self, MasterKey},
    private,
};
use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    path::Path,
};
use store::{Store, StoreError, StoreOptions};

/// What is written to see whether the disk takes it.
static PROBE: [u8; 64 * 1024] = [0; 64 * 1024];

/// Whoever could read the key so far may have it.
pub(super) fn open_key(data_dir: &Path) -> Option<Finding> {
    keys::is_open_to_others(data_dir).then(|| {
        let place = data_dir.join("vault.key");
        Advice(format!(
            "{} could be read by others than its owner; it is for its owner only from now on",
            place.display()
        ))
    })
}

/// Whether the data directory takes what a server writes, and how much more.
pub(super) fn data_dir(path: &Path) -> Vec<Finding> {
    let place = path.display();
    match private::folder(path).and_then(|()| try_to_write(&path.join(".doctor"))) {
        Ok(()) => {
            let free = disk::free(path);
            let room = free.map_or_else(String::new, |free| format!("; {} are free", disk::told(free)));
            let little = free.filter(|free| *free < disk::LITTLE).map(|free| {
                Advice(format!("data_dir {place}: only {} are free; make room", disk::told(free)))
            });
            [Some(Fine(format!("data_dir {place} can be written{room}"))), little]
                .into_iter()
                .flatten()
                .collect()
        }
        Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            vec![Broken(format!(
                "data_dir {place}: {error}; make room there, or move data_dir to a larger disk"
            ))]
        }
        Err(error) => {
            vec![Broken(format!("data_dir {place}: {error}; give it to this user, or set data_dir"))]
        }
    }
}

/// Writes a file that takes room, waits until the disk has it, and removes it.
fn try_to_write(probe: &Path) -> io::Result<()> {
    let written = File::create(probe).and_then(|mut file| {
        file.write_all(&PROBE)?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(probe);
    written.and(removed)
}

/// Connects as a server would; and whether what is there is what a server would start on.
pub(super) async fn database(config: &Config, server: Option<i32>) -> Vec<Finding> {
    let found = match store::probe(&config.store_url(), store::DEADLINE).await {
        Ok(found) => found,
        Err(error) => return vec![Broken(disk::explained(config, &error))],
    };
    match app::key_of(config) {
        Ok((key, had_data)) => {
            let mut findings = vec![Fine(found)];
            findings.extend(contents(config, &key, had_data, server).await);
            findings
        }
        // A file that is lost would be made, but for this.
        Err(trouble) => vec![Broken(trouble.to_string())],
    }
}

async fn contents(config: &Config, key: &MasterKey, had_data: bool, server: Option<i32>) -> Vec<Finding> {
    let place = config.data_dir.join("vault.key");
    let place = place.display();
    let store = match Store::open_to_read(StoreOptions::new(config.store_url(), key.bytes)).await {
        Ok(store) => store,
        Err(error) if had_data && error.to_string().contains("es_heads") => {
            return vec![Broken(app::gone(config).to_string())];
        }
        // A database without our tables has nothing that a key must open.
        Err(_) => {
            let will = if key.is_new { "will be made" } else { "is there" };
            return vec![Fine(format!("the vault's key {place} {will}"))];
        }
    };
    let mut findings = Vec::new();
    findings.extend(newer(&store).await);
    findings.push(match app::check(&store, config, key, had_data).await {
        Err(trouble) => Broken(disk::explained(config, &trouble)),
        Ok(()) => Fine(format!("the vault opens with {place}")),
    });
    findings.extend(twin(&store, config, server).await);
    if store.db().reads_only_by_default().await.unwrap_or_default() {
        findings.push(Advice(
            "PostgreSQL lets sessions of this database only read (default_transaction_read_only = on): if that was done to \
             keep writers out, note that Trunkline asks for writes by itself; else turn it off (ALTER DATABASE … RESET)"
                .into(),
        ));
    }
    store.close().await;
    findings
}

/// What a newer release has done to the database.
async fn newer(store: &Store) -> Option<Finding> {
    if let Err(error @ StoreError::Newer { .. }) = store.of_this_release().await {
        return Some(Broken(error.to_string()));
    }
    match projections::replay::of_this_release(store).await {
        Err(trouble @ projections::Trouble::Newer { .. }) => Some(Broken(trouble.to_string())),
        _ => None,
    }
}

/// Another process that has this one's name: the one that serves this data directory has it by right.
async fn twin(store: &Store, config: &Config, server: Option<i32>) -> Option<Finding> {
    let name = keys::known_name(&config.data_dir).filter(|_| server.is_none())?;
    let living = reactors::living(store.db(), store.clock()).await.ok()?;
    living.into_iter().find(|(node, _)| *node == name).map(|(node, place)| {
        Broken(format!(
            "node {node} runs already, {place}: a data_dir that was copied has the other's name in its file `node`; remove \
             that file from the copy"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_is_gone_beside_its_key_is_found_as_the_start_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        app::open_store(&config).await.unwrap().close().await;
        assert!(database(&config, None).await.iter().all(|finding| matches!(finding, Fine(_))));
        for name in ["trunkline.db", "trunkline.db-wal", "trunkline.db-shm"] {
            let _ = std::fs::remove_file(folder.path().join(name));
        }
        let refused = app::open_store(&config).await.err().unwrap().to_string();
        let findings = database(&config, None).await;
        let [Broken(text)] = &findings[..] else { panic!("it is not said") };
        assert_eq!(*text, refused);
    }

    #[test]
    fn a_folder_that_can_be_written_says_how_much_is_free_and_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let findings = data_dir(folder.path());
        assert!(matches!(&findings[0], Fine(text) if text.contains("are free")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
