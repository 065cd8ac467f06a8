//! `trunkline demo code`: the demo owner's one-time code, for who has no authenticator app at hand.

use super::audit;
use crate::{app::Trouble, config::Config, demo::Demo, fail, fail_on};
use api::auth::totp::code_at;
use clap::Command;
use domain::{Clock, Log};
use std::process::ExitCode;
use store::SystemClock;

/// The command.
pub fn command() -> Command {
    let code = Command::new("code").about("Prints the code that signs the demo's owner in now");
    Command::new("demo").about("Helps with the demo carrier").subcommand_required(true).subcommand(code)
}

/// Prints the code, on a store that `serve --demo` made and on no other.
pub fn run(config: &Config) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    match runtime.block_on(code(config)) {
        Ok(code) => {
            println!("{code}");
            ExitCode::SUCCESS
        }
        Err(trouble) => fail_on(config, &trouble),
    }
}

async fn code(config: &Config) -> Result<String, Trouble> {
    let demo =
        Demo::kept(&config.data_dir)?.ok_or("there is no demo.json in data_dir: `serve --demo` makes it")?;
    is_the_demos(config, &demo).await?;
    let seed = demo.totp_seed().ok_or("demo.json has no two-factor key that can be read")?;
    Ok(code_at(&seed, SystemClock.now()).ok_or("the two-factor key makes no code")?)
}

/// A store's first fact says who made it. A store of real people never gives a code away, whatever file lies beside it.
async fn is_the_demos(config: &Config, demo: &Demo) -> Result<(), Trouble> {
    let store = audit::open(config).await?;
    let first = store.read(Log::Core, 0, 1).await;
    store.close().await;
    if first?.first().is_some_and(|first| demo.began(first)) {
        Ok(())
    } else {
        Err("this store was not made by `serve --demo`: it gives no codes".into())
    }
}
