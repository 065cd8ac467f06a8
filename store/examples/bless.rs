//! Writes a frozen sample for each event type that has none yet, from a store that has such events:
//! `cargo run -p store --example bless -- schema/events sqlite://data/trunkline.db`. Then adds what is new to
//! `samples.lock`; a sample that was edited since it was frozen is refused. Without a store it only does that, for any
//! folder of samples.
//!
//! Take a store of invented people: samples are published with the source.

use domain::Log;
use std::{
    collections::{BTreeMap, HashSet},
    error::Error,
    fs,
    path::Path,
};
use store::{Store, StoreOptions};

/// Facts read at once.
const PAGE: usize = 1000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [folder] => freeze(Path::new(folder)),
        [folder, url] => {
            write_missing(url, folder).await?;
            freeze(Path::new(folder))
        }
        _ => Err("bless <folder> [<store>]".into()),
    }
}

async fn write_missing(url: &str, folder: &str) -> Result<(), Box<dyn Error>> {
    // Nothing is unsealed here, so any master key will do.
    let store = Store::open_to_read(StoreOptions::new(url, [0; 32])).await?;
    let mut written = HashSet::new();
    for log in Log::ALL {
        let mut after = 0;
        loop {
            let facts = store.read(log, after, PAGE).await?;
            for fact in &facts {
                let name = format!("{}.{}.v{}", fact.stream_type, fact.event_type, fact.schema_version);
                if !has(folder, &name)? && written.insert(name.clone()) {
                    fs::write(Path::new(folder).join(format!("{name}.json")), format!("{}\n", fact.payload))?;
                    println!("{name}");
                }
            }
            match facts.last() {
                Some(last) => after = last.position,
                None => break,
            }
        }
    }
    Ok(())
}

/// Adds a line for each sample that is not in the lock yet, in the format of `sha256sum`.
fn freeze(folder: &Path) -> Result<(), Box<dyn Error>> {
    let lock = folder.join("samples.lock");
    let text = if lock.exists() { fs::read_to_string(&lock)? } else { String::new() };
    let line = |line: &str| line.split_once("  ").map(|(sum, name)| (name.to_owned(), sum.to_owned()));
    let mut frozen: BTreeMap<String, String> = text.lines().filter_map(line).collect();
    for file in fs::read_dir(folder)? {
        let name = file?.file_name().to_string_lossy().into_owned();
        if name == "samples.lock" {
            continue;
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, &fs::read(folder.join(&name))?);
        let sum: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        match frozen.insert(name.clone(), sum.clone()) {
            Some(was) if was != sum => return Err(format!("{name} was edited since it was frozen").into()),
            _ => {}
        }
    }
    let lines: String = frozen.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
    Ok(fs::write(lock, lines)?)
}

/// Whether there is a sample of this event and version, of whatever case.
fn has(folder: &str, name: &str) -> std::io::Result<bool> {
    let prefix = format!("{name}.");
    let names = fs::read_dir(folder)?.flatten().map(|file| file.file_name());
    Ok(names.into_iter().any(|file| file.to_string_lossy().starts_with(&prefix)))
}
