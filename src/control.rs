//! The way for `trunkline replay` to a server that has the store: a socket in the data directory, for whoever may open
//! the database file too. One request line (`replay calls`), progress lines (`12000 55800`), then `done` or `failed …`.
//! `trunkline route` comes the same way; its lines are what is to be printed.

use crate::{
    app::Trouble,
    routes::{self, Order},
};
use projections::{Projections, replay};
use reactors::DirectoryMirror;
use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};
use store::Store;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::{UnixListener, UnixStream},
    sync::watch,
};

/// The socket's name in the data directory.
const SOCKET: &str = "control.sock";
/// Bytes of a request line; and of an answer's line.
const LINE: u64 = 256;
/// How long whoever connects may take to say what they want.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the socket. A path too long for one is no reason not to serve.
pub fn open(data_dir: &Path) -> Option<UnixListener> {
    let path = data_dir.join(SOCKET);
    // The store's lock is ours, so one that is there was left behind.
    let _ = std::fs::remove_file(&path);
    let opened = UnixListener::bind(&path).and_then(|listener| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    });
    opened
        .inspect_err(
            |error| tracing::warn!(%error, path = %path.display(), "no rebuilding beside the server"),
        )
        .ok()
}

/// Does what is asked, one after another.
pub async fn serve(listener: UnixListener, store: Store, projections: Projections, mirror: DirectoryMirror) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = answer(stream, &store, &projections, &mirror).await {
                    tracing::debug!(%error, "who asked went away");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket");
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }
}

async fn answer(
    stream: UnixStream,
    store: &Store,
    projections: &Projections,
    mirror: &DirectoryMirror,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut asked = String::new();
    tokio::time::timeout(PATIENCE, BufReader::new(read.take(LINE)).read_line(&mut asked)).await??;
    if let Some(order) = asked.trim().strip_prefix("route ") {
        return write.write_all(routed(store, projections, mirror, order).await.as_bytes()).await;
    }
    let Some(name) = asked.trim().strip_prefix("replay ") else {
        return write.write_all(b"failed: not a request\n").await;
    };
    let (tell, mut told) = watch::channel((0, 0));
    let rebuild = replay::rebuild(store, name, move |at| {
        tell.send_replace((at.done, at.total));
    });
    tokio::pin!(rebuild);
    let outcome = loop {
        tokio::select! {
            outcome = &mut rebuild => break outcome,
            Ok(()) = told.changed() => {
                let (done, total) = *told.borrow_and_update();
                // Who went away is not told; the table is rebuilt all the same.
                let _ = write.write_all(format!("{done} {total}\n").as_bytes()).await;
            }
        }
    };
    let last = outcome.map_or_else(|trouble| format!("failed: {trouble}\n"), |()| "done\n".to_owned());
    write.write_all(last.as_bytes()).await
}

async fn routed(store: &Store, projections: &Projections, mirror: &DirectoryMirror, order: &str) -> String {
    let outcome = match Order::read(order.split_whitespace()) {
        Ok(order) => routes::carry_out(store, projections, Some(mirror), &order).await,
        Err(trouble) => Err(trouble),
    };
    match outcome {
        Ok(lines) => lines.iter().map(|line| format!("{line}\n")).chain(["done\n".into()]).collect(),
        Err(trouble) => format!("failed: {trouble}\n"),
    }
}

/// Whether a server serves `data_dir`.
pub async fn is_served(data_dir: &Path) -> bool {
    UnixStream::connect(data_dir.join(SOCKET)).await.is_ok()
}

/// The process that serves `data_dir`, if one does and the system says which.
pub async fn server(data_dir: &Path) -> Option<i32> {
    UnixStream::connect(data_dir.join(SOCKET)).await.ok()?.peer_cred().ok()?.pid()
}

/// Has the server that serves `data_dir` show or move a route; the lines to print.
///
/// # Errors
/// When no server answers there, or it says why not.
pub async fn route(data_dir: &Path, order: &Order) -> Result<Vec<String>, Trouble> {
    let mut lines = ask(data_dir, &format!("route {order}")).await?;
    let mut told = Vec::new();
    while let Some(line) = lines.next_line().await? {
        match line.strip_prefix("failed: ") {
            Some(trouble) => return Err(trouble.into()),
            None if line == "done" => return Ok(told),
            None => told.push(line),
        }
    }
    Err("the server went away".into())
}

async fn ask(data_dir: &Path, line: &str) -> Result<Lines<BufReader<UnixStream>>, Trouble> {
    let mut stream = UnixStream::connect(data_dir.join(SOCKET))
        .await
        .map_err(|error| format!("the store is open in another process, which does not answer: {error}"))?;
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    Ok(BufReader::new(stream).lines())
}

/// Has the server that serves `data_dir` rebuild a table; `hear` hears how far it is.
///
/// # Errors
/// When no server answers there, or it says why not.
pub async fn rebuild(data_dir: &Path, name: &str, mut hear: impl FnMut(u64, u64)) -> Result<(), Trouble> {
    let mut lines = ask(data_dir, &format!("replay {name}")).await?;
    while let Some(line) = lines.next_line().await? {
        match line.split_once(' ') {
            _ if line == "done" => return Ok(()),
            Some((done, total)) if line.starts_with(|c: char| c.is_ascii_digit()) => {
                hear(done.parse()?, total.parse()?);
            }
            _ => return Err(line.strip_prefix("failed: ").unwrap_or(&line).into()),
        }
    }
    Err("the server went away".into())
}
