//! `trunkline route`: whose calls from a source to a number are where carriers share both, and moving them.

use crate::{
    app::{self, Trouble},
    config::Config,
    control, fail_on,
    routes::{self, Order},
};
use clap::{Arg, ArgMatches, Command};
use domain::Log;
use projections::Projections;
use std::{process::ExitCode, time::Duration};
use store::Store;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long the tables may take to catch up with the log.
const CATCH_UP: Duration = Duration::from_secs(60);

/// The command line.
pub fn command() -> Command {
    Command::new("route")
        .about("Shows which carriers claim a source's calls to a number, and moves them")
        .arg(Arg::new("source").required(true).help("the address the calls come from, e.g. 203.0.113.7"))
        .arg(Arg::new("number").required(true).help("the number they go to, e.g. +85512345678"))
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("CARRIER")
                .help("the SID of the carrier that shall get them"),
        )
}

/// What the command line asks for.
///
/// # Errors
/// When a word is not what it should be.
pub fn order(matches: &ArgMatches) -> Result<Order, Trouble> {
    let words = ["source", "number", "to"].into_iter().filter_map(|name| matches.get_one::<String>(name));
    Order::read(words.map(String::as_str))
}

/// Does it, and prints who has the calls then.
pub fn run(config: &Config, order: Result<Order, Trouble>) -> ExitCode {
    let outcome = order.and_then(|order| {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(carry_out(config, &order))
    });
    match outcome {
        Ok(lines) => {
            lines.iter().for_each(|line| super::say(line));
            ExitCode::SUCCESS
        }
        Err(trouble) => fail_on(config, &trouble),
    }
}

async fn carry_out(config: &Config, order: &Order) -> Result<Vec<String>, Trouble> {
    super::audit::must_exist(config)?;
    // A server that runs here does it, so that its next call goes the new way.
    if control::is_served(&config.data_dir).await {
        return control::route(&config.data_dir, order).await;
    }
    beside(app::open_store(config).await?, order).await
}

async fn beside(store: Store, order: &Order) -> Result<Vec<String>, Trouble> {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let projections = Projections::start(store.clone(), tasks.clone(), stop.clone()).await?;
    let head = store.head(Log::Core).await?;
    projections.reached(Log::Core, head, CATCH_UP).await.map_err(|behind| behind.to_string())?;
    let outcome = routes::carry_out(&store, &projections, None, order).await;
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    store.close().await;
    outcome
}
