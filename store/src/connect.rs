//! From an address to connections and a way of appending.

use crate::{Db, StoreError, StoreOptions, db::Pools, engine::Kind};
use domain::Ids;
use futures_util::future::BoxFuture;
use sea_query::Query;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// What an address names.
enum Address<'a> {
    Sqlite(&'a Path),
    Postgres,
    Memory,
}

impl Address<'_> {
    fn parse(url: &str) -> Result<Address<'_>, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            return Ok(Address::Sqlite(Path::new(path)));
        }
        match url {
            "memory:" => Ok(Address::Memory),
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Address::Postgres)
            }
            url => Err(StoreError::Address(url.chars().take(16).collect())),
        }
    }
}

/// What a store is opened on.
pub(crate) struct Connected {
    pub pools: Pools,
    pub kind: Kind,
    pub folder: Option<Folder>,
    /// Keeps the connections at a server that takes writes.
    pub following: Option<BoxFuture<'static, ()>>,
}

/// Connects to write.
pub(crate) async fn to_write(options: &StoreOptions, portable: bool) -> Result<Connected, StoreError> {
    let deadline = options.deadline;
    match Address::parse(&options.url)? {
        Address::Sqlite(path) => {
            let pools = Pools::sqlite(path, deadline).await?;
            Ok(Connected { pools, kind: Kind::Portable, folder: None, following: None })
        }
        Address::Postgres => {
            let kind = if portable { Kind::Portable } else { Kind::Function };
            let (pools, following) = Pools::postgres(&options.url, deadline, false, options.patience).await?;
            Ok(Connected { pools, kind, folder: None, following: Some(following) })
        }
        Address::Memory => {
            let folder = Folder::new(&*options.ids);
            let pools = Pools::sqlite(&folder.0.join("side-tables.sqlite"), deadline).await?;
            let kind = Kind::Memory(Box::default());
            Ok(Connected { pools, kind, folder: Some(folder), following: None })
        }
    }
}

/// Connects to read what is there.
pub(crate) async fn to_read(options: &StoreOptions) -> Result<(Pools, Kind), StoreError> {
    let deadline = options.deadline;
    let pools = match Address::parse(&options.url)? {
        Address::Sqlite(path) => Pools::sqlite_to_read(path, deadline).await?,
        Address::Postgres => Pools::postgres(&options.url, deadline, true, options.patience).await?.0,
        Address::Memory => return Err(StoreError::Address("memory: is another process's own".to_owned())),
    };
    Ok((pools, Kind::Portable))
}

/// Looks at the database of an address without changing anything; says in words what is there.
///
/// # Errors
/// What keeps a store from being opened there, and what to do about it.
pub async fn probe(url: &str, deadline: Duration) -> Result<String, StoreError> {
    match Address::parse(url)? {
        Address::Memory => Ok("in memory, gone with the process".to_owned()),
        Address::Postgres => {
            let version = Pools::probe_postgres(url, deadline).await?;
            Ok(format!("PostgreSQL {version} lets us in"))
        }
        Address::Sqlite(path) if !path.exists() => Ok(format!("SQLite file {} will be made", path.display())),
        Address::Sqlite(path) => {
            let unreadable = |error: StoreError| StoreError::File {
                path: path.display().to_string(),
                reason: error.to_string(),
            };
            let db = Db::new(Pools::sqlite_to_read(path, deadline).await.map_err(unreadable)?, deadline);
            let any = Query::select().column("name").from("sqlite_master").limit(1).to_owned();
            db.fetch_optional(&any).await.map_err(unreadable)?;
            db.close().await;
            Ok(format!("SQLite file {} can be read", path.display()))
        }
    }
}

/// A folder of its own under the system's temporary one, removed in the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    fn new(ids: &dyn Ids) -> Folder {
        Folder(std::env::temp_dir().join(format!("trunkline-{}", ids.token())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "the memory store's folder stays behind");
        }
    }
}
