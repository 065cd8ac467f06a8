//! `trunkline audit verify`: walks every hash chain and seal, and names the first position that is not as written,
//! or the first row beside the log that is not what the log makes it.

use super::progress::Progress;
use crate::{
    app::{self, Trouble},
    config::Config,
    fail, fail_on,
    keys::MasterKey,
};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::process::ExitCode;
use store::{RandomIds, Store, StoreOptions};

/// The command and its flags.
pub fn command() -> Command {
    let seal = Arg::new("seal")
        .long("seal")
        .value_name("DIGEST")
        .action(ArgAction::Append)
        .value_parser(digest)
        .help("a seal kept elsewhere (from seals.log) that must be in the log's chain; may be repeated");
    let verify = Command::new("verify").about(
        "Walks every hash chain and seal, up to the last one in seals.log; names the first bad position",
    );
    Command::new("audit").about("Proves the log").subcommand_required(true).subcommand(verify.arg(seal))
}

fn digest(text: &str) -> Result<String, String> {
    let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits { Ok(text.to_owned()) } else { Err("a seal is named by 64 hex digits".to_owned()) }
}

/// The seals that must be there.
pub fn kept(matches: &ArgMatches) -> Vec<String> {
    let verify = matches.subcommand_matches("verify");
    verify.and_then(|verify| verify.get_many("seal")).into_iter().flatten().cloned().collect()
}

/// Verifies the log; fails with the first bad position, or a kept seal that is gone.
pub fn run(config: &Config, kept: &[String]) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(async {
        let store = match open(config).await {
            Ok(store) => store,
            Err(trouble) => return fail_on(config, &trouble),
        };
        let kept = match with_noted(config, kept) {
            Ok(kept) => kept,
            Err(trouble) => return fail_on(config, &trouble),
        };
        let mut progress = Progress::new("audit");
        let outcome = store::audit::verify_with(&store, &kept, |at| progress.at(at.done, at.total)).await;
        progress.finish();
        match outcome {
            Ok(report) => {
                super::say(&report);
                ExitCode::SUCCESS
            }
            Err(finding) => super::not_as_written(config, &finding),
        }
    })
}

/// The seals that were given, and the last one of each log that the server noted: one that is deleted from the database
/// stands there still.
pub(super) fn with_noted(config: &Config, kept: &[String]) -> Result<Vec<String>, Trouble> {
    let noted = store::noted_seals(&config.data_dir.join(app::SEALS))?;
    Ok(kept.iter().cloned().chain(noted.into_iter().map(|seal| seal.name)).collect())
}

/// Opens the store to read it: a server that writes to it may go on.
pub(super) async fn open(config: &Config) -> Result<Store, Trouble> {
    must_exist(config)?;
    let key = MasterKey::find(&config.data_dir, &RandomIds::default())?;
    let store = Store::open_to_read(StoreOptions::new(config.store_url(), key.bytes)).await?;
    if let Err(trouble) = app::check(&store, config, &key, false).await {
        store.close().await;
        return Err(trouble);
    }
    Ok(store)
}

/// Whoever looks at a log must not make an empty one by a slip in its name.
pub(super) fn must_exist(config: &Config) -> Result<(), Trouble> {
    match config.store_file().filter(|file| !file.exists()) {
        Some(missing) => {
            let missing = missing.display();
            Err(format!("there is no store at {missing}: give the data_dir that `trunkline serve` has")
                .into())
        }
        None => Ok(()),
    }
}
