//! Writes a frozen sample for each event type that has none yet, from a store that has such events:
//! `cargo run -p store --example bless -- sqlite://data/trunkline.sqlite schema/events`.
//!
//! Take a store of invented people: samples are published with the source.

use domain::Log;
use std::{collections::HashSet, error::Error, fs, path::Path};
use store::{Store, StoreOptions};

/// Facts read at once.
const PAGE: usize = 1000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, folder] = arguments.as_slice() else { return Err("bless <store> <folder>".into()) };
    // Nothing is unsealed here, so any master key will do.
    let store = Store::open_to_read(StoreOptions::new(url.as_str(), [0; 32])).await?;
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

/// Whether there is a sample of this event and version, of whatever case.
fn has(folder: &str, name: &str) -> std::io::Result<bool> {
    let prefix = format!("{name}.");
    let names = fs::read_dir(folder)?.flatten().map(|file| file.file_name());
    Ok(names.into_iter().any(|file| file.to_string_lossy().starts_with(&prefix)))
}
