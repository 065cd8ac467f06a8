//! `trunkline replay`: rebuilds tables from the log, or verifies that they are what a rebuild would make.

use super::progress::Progress;
use crate::{
    app::{self, Trouble},
    config::Config,
    control, fail, fail_on,
};
use clap::{Arg, ArgAction, ArgMatches, Command};
use projections::replay::Difference;
use std::{collections::BTreeSet, process::ExitCode};
use store::StoreError;

/// What was asked for.
pub enum Wish {
    /// Rebuild every table beside the live one and compare.
    Verify,
    /// Rebuild this table and switch to it.
    Rebuild(String),
}

/// The command line.
pub fn command() -> Command {
    Command::new("replay")
        .about("Rebuilds a table from the log, or compares all of them with a rebuild")
        .arg(
            Arg::new("verify")
                .long("verify")
                .action(ArgAction::SetTrue)
                .help("compare every table with a rebuild beside it"),
        )
        .arg(
            Arg::new("projection")
                .required_unless_present("verify")
                .conflicts_with("verify")
                .help("the table to rebuild, e.g. calls"),
        )
}

/// What the command line asks for.
pub fn wish(matches: &ArgMatches) -> Wish {
    matches.get_one::<String>("projection").map_or(Wish::Verify, |name| Wish::Rebuild(name.clone()))
}

/// Does it; `--verify` fails when a row differs or a table has stopped.
pub fn run(config: &Config, wish: &Wish) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(async {
        match wish {
            Wish::Verify => match super::audit::open(config).await {
                Ok(store) => verify(config, &store).await,
                Err(trouble) => fail_on(config, &trouble),
            },
            Wish::Rebuild(name) => rebuild(config, name).await,
        }
    })
}

/// A table that is what a rebuild makes of the log proves something only of a log that is as it was written.
async fn verify(config: &Config, store: &store::Store) -> ExitCode {
    let mut progress = Progress::new("log");
    let proved = store::audit::verify(store, |at| progress.at(at.done, at.total)).await;
    progress.finish();
    if let Err(finding) = proved {
        return super::not_as_written(config, &finding);
    }
    let mut progress = Progress::new("replay");
    let outcome = projections::replay::verify(store, |at| progress.at(at.done, at.total)).await;
    progress.finish();
    match outcome {
        Ok(differences) if differences.is_empty() => {
            println!("every table is what a rebuild makes of the log");
            ExitCode::SUCCESS
        }
        Ok(differences) => {
            differences.iter().for_each(|difference| super::say(difference));
            fail(&told(&differences))
        }
        Err(trouble) => fail_on(config, &trouble),
    }
}

/// How many there are, and what sets them right.
fn told(differences: &[Difference]) -> String {
    let tables: BTreeSet<&str> = differences.iter().map(|difference| difference.projection).collect();
    let commands: Vec<String> = tables.iter().map(|table| format!("`trunkline replay {table}`")).collect();
    let count = differences.len();
    let count = if count == 1 { "1 difference".to_owned() } else { format!("{count} differences") };
    format!("{count} from a rebuild; {} sets it right", commands.join(", "))
}

async fn rebuild(config: &Config, name: &str) -> ExitCode {
    if let Err(trouble) = super::audit::must_exist(config) {
        return fail_on(config, &trouble);
    }
    let mut progress = Progress::new(name);
    // A rebuild writes, and on SQLite one process does that: a server that runs is asked to.
    let outcome = match app::open_store(config).await {
        Ok(store) => {
            let heard = |at: projections::replay::Progress| progress.at(at.done, at.total);
            projections::replay::rebuild(&store, name, heard).await.map_err(Trouble::from)
        }
        Err(trouble) if is_locked(&trouble) => {
            control::rebuild(&config.data_dir, name, |done, total| progress.at(done, total)).await
        }
        Err(trouble) => Err(trouble),
    };
    progress.finish();
    match outcome {
        Ok(()) => {
            super::say(&format!("{name} is rebuilt and live"));
            ExitCode::SUCCESS
        }
        Err(trouble) => fail_on(config, &trouble),
    }
}

fn is_locked(trouble: &Trouble) -> bool {
    matches!(trouble.downcast_ref(), Some(StoreError::Locked(_)))
}
