//! `trunkline repair`: rebuilds what follows from the events (heads, streams, claims, the ledger of commands) where it is not
//! what they make it, and says what it changed. Events are never touched, nor is anything of a log whose chain fails.

use super::{audit, progress::Progress};
use crate::{
    app::{self, Trouble},
    config::Config,
    fail, fail_on,
    keys::MasterKey,
};
use clap::Command;
use std::process::ExitCode;
use store::{RandomIds, Store, StoreOptions};

/// The command line.
pub fn command() -> Command {
    Command::new("repair").about(
        "Rebuilds heads, streams, claims and the ledger from the events, and says what it changed; stop every server first",
    )
}

/// Does it; fails when a chain does, or somebody writes meanwhile.
pub fn run(config: &Config) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(async {
        match repair(config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(trouble) => fail_on(config, &trouble),
        }
    })
}

async fn repair(config: &Config) -> Result<(), Trouble> {
    audit::must_exist(config)?;
    let kept = audit::with_noted(config, &[])?;
    let key = MasterKey::find(&config.data_dir, &RandomIds::default())?;
    if key.is_new {
        let place = config.data_dir.join("vault.key");
        return Err(
            format!("without {} nothing can be proved; restore it from the backup", place.display()).into()
        );
    }
    let options = StoreOptions {
        seals_file: Some(config.data_dir.join(app::SEALS)),
        ..StoreOptions::new(config.store_url(), key.bytes)
    };
    let store = Store::open_to_repair(options).await?;
    if let Some((node, place)) = reactors::living(store.db(), store.clock()).await?.first() {
        let text = format!("node {node} runs, {place}; stop every server of this database first");
        store.close().await;
        return Err(text.into());
    }
    let mut progress = Progress::new("repair");
    let mended = store::audit::repair(&store, &kept, |at| progress.at(at.done, at.total)).await;
    progress.finish();
    let mended = mended?;
    mended.iter().for_each(|one| super::say(one));
    match mended.len() {
        0 => println!("everything is what the events make it; nothing was changed"),
        1 => println!("1 row was set right"),
        count => println!("{count} rows were set right"),
    }
    Ok(())
}
