//! Trunkline: programmable voice for carriers, in one binary. The composition root.

mod app;
mod assets;
mod commands;
mod config;
mod control;
mod demo;
mod disk;
mod door;
mod examples;
mod health;
mod keys;
mod open_files;
mod ports;
mod private;
mod routes;
mod telemetry;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use commands::serve::Reload;
use config::Config;
use std::{path::PathBuf, process::ExitCode};
use tikv_jemallocator::Jemalloc;

/// Gives memory back within a second of the rush that needed it, SQLite's too; `.cargo/config.toml` has its settings.
/// (Password hashing takes 19 MiB at a time, which the system's allocator would keep for good.)
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let matches = command_line().get_matches();
    let config = match Config::read(matches.get_one::<PathBuf>("config").cloned(), &flags(&matches)) {
        Ok(config) => config,
        Err(refused) => return fail(&refused),
    };
    private::keep_to_ourselves();
    let filter = match telemetry::start(&config.log) {
        Ok(filter) => filter,
        Err(refused) => return fail(&refused),
    };
    match matches.subcommand() {
        Some(("serve", of_serve)) => {
            let (file, flags) = (matches.get_one::<PathBuf>("config").cloned(), flags(&matches));
            let again = Reload { read: Box::new(move || Config::read(file.clone(), &flags)), filter };
            commands::serve::run(config, of_serve.get_flag("demo"), &again)
        }
        Some(("audit", matches)) => commands::audit::run(&config, &commands::audit::kept(matches)),
        Some(("replay", matches)) => commands::replay::run(&config, &commands::replay::wish(matches)),
        Some(("demo", _)) => commands::demo::run(&config),
        Some(("repair", _)) => commands::repair::run(&config),
        Some(("route", matches)) => commands::route::run(&config, commands::route::order(matches)),
        Some(("doctor", _)) => commands::doctor::run(&config),
        _ => ExitCode::FAILURE,
    }
}

/// Says why on standard error.
pub(crate) fn fail(why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("trunkline: {}", commands::shown(why));
    ExitCode::FAILURE
}

/// The same of what the data directory or the database had to do with: what that means, and what to do.
pub(crate) fn fail_on(config: &Config, why: &dyn std::fmt::Display) -> ExitCode {
    fail(&disk::explained(config, why))
}

/// The commands, and a flag for every setting there is.
fn command_line() -> Command {
    let settings = config::names().into_iter().map(|name| {
        let help = format!("setting {name}; variable {}", variable(&name));
        Arg::new(&name).long(name).value_name("VALUE").help(help).global(true).help_heading("Settings")
    });
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .global(true)
        .value_parser(value_parser!(PathBuf));
    Command::new("trunkline")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Programmable voice for carriers")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(file.help("settings file [default: trunkline.toml, if it is there]"))
        .args(settings)
        .subcommand(
            Command::new("serve").about("Serves dashboard, APIs and SIP").arg(
                Arg::new("demo")
                    .long("demo")
                    .action(ArgAction::SetTrue)
                    .help("make a carrier to play with, once, on an empty store"),
            ),
        )
        .subcommand(commands::audit::command())
        .subcommand(commands::replay::command())
        .subcommand(commands::demo::command())
        .subcommand(commands::repair::command())
        .subcommand(commands::route::command())
        .subcommand(Command::new("doctor").about("Checks settings and machine, says what to do"))
}

fn variable(name: &str) -> String {
    format!("TRUNKLINE_{}", name.replace('.', "__").to_uppercase())
}

/// The settings given as flags.
fn flags(matches: &ArgMatches) -> Vec<(String, String)> {
    let mut innermost = matches;
    while let Some((_, deeper)) = innermost.subcommand() {
        innermost = deeper;
    }
    let given = |name: &String| {
        innermost.get_one::<String>(name).or_else(|| matches.get_one::<String>(name)).cloned()
    };
    config::names().into_iter().filter_map(|name| given(&name).map(|value| (name, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command_line().debug_assert();
    }

    #[test]
    fn a_setting_is_a_flag_before_and_after_the_command() {
        for line in [["trunkline", "--data_dir", "x", "serve"], ["trunkline", "serve", "--data_dir", "x"]] {
            let matches = command_line().get_matches_from(line);
            assert_eq!(flags(&matches), [("data_dir".to_owned(), "x".to_owned())]);
        }
    }
}
