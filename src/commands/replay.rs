//! `trunkline replay`: rebuilds tables from the log, or verifies that they are what a rebuild would make.

use super::progress::Progress;
use crate::{app, config::Config, fail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::process::ExitCode;

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

/// Does it; `--verify` fails when a row differs.
pub fn run(config: &Config, wish: &Wish) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(async {
        // Comparing only reads, so a server may go on; a rebuild writes, and on SQLite one process does that.
        let opened = match wish {
            Wish::Verify => super::audit::open(config).await,
            Wish::Rebuild(_) => app::open_store(config).await,
        };
        match (opened, wish) {
            (Ok(store), Wish::Verify) => verify(&store).await,
            (Ok(store), Wish::Rebuild(name)) => rebuild(&store, name).await,
            (Err(trouble), _) => fail(&trouble),
        }
    })
}

async fn verify(store: &store::Store) -> ExitCode {
    let mut progress = Progress::new("replay");
    let outcome = projections::replay::verify(store, |at| progress.at(at.done, at.total)).await;
    progress.finish();
    match outcome {
        Ok(differences) if differences.is_empty() => {
            println!("every table is what a rebuild makes of the log");
            ExitCode::SUCCESS
        }
        Ok(differences) => {
            differences.iter().for_each(|difference| println!("{difference}"));
            fail(&format!("{} rows differ from a rebuild", differences.len()))
        }
        Err(trouble) => fail(&trouble),
    }
}

async fn rebuild(store: &store::Store, name: &str) -> ExitCode {
    let mut progress = Progress::new(name);
    let outcome = projections::replay::rebuild(store, name, |at| progress.at(at.done, at.total)).await;
    progress.finish();
    match outcome {
        Ok(()) => {
            println!("{name} is rebuilt and live");
            ExitCode::SUCCESS
        }
        Err(trouble) => fail(&trouble),
    }
}
