//! `trunkline serve`: everything, until SIGTERM or Ctrl-C. SIGHUP has the settings read again.

use crate::{
    app::App,
    config::{Config, Log, Refused},
    fail, fail_on,
    open_files::{self, Split},
    telemetry::{self, Filter},
};
use sip_engine::EngineHandle;
use std::{process::ExitCode, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long calls have to say goodbye when a stop is to be at once.
const AT_ONCE: Duration = Duration::from_secs(2);

/// How settings are read again while running.
pub struct Reload {
    /// From where they were read at the start.
    pub read: Box<dyn Fn() -> Result<Config, Refused>>,
    /// What of them can change.
    pub filter: Filter,
}

/// Serves until told to stop, then lets live calls finish.
pub fn run(mut config: Config, with_demo: bool, again: &Reload) -> ExitCode {
    let (mut running, log) = (config.clone(), config.log.clone());
    let split = Split::of(open_files::raise(), config.sip.max_calls);
    if let Some(text) = split.too_few(config.sip.max_calls) {
        tracing::warn!("{text}");
    }
    config.sip.max_calls = split.calls;
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(async {
        // Before anything else, so that a hang-up during the start does not end it.
        let hang_ups = signal(SignalKind::hangup());
        // A file that may not grow is a failed write, as on a full disk, and no reason to be killed.
        let _no_reason_to_end = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
        let mut stops = match Stops::listen() {
            Ok(stops) => stops,
            Err(error) => return fail(&error),
        };
        let built = tokio::select! {
            built = App::build(config, with_demo, split) => built,
            () = stops.told() => return ExitCode::SUCCESS,
        };
        let mut app = match built {
            Ok(app) => app,
            Err(trouble) => return fail_on(&running, &trouble),
        };
        banner(&app, &split);
        let outcome = tokio::select! {
            () = stops.told() => ExitCode::SUCCESS,
            () = app.replaced() => {
                telemetry::give_up(&log, "another process is this node by now; stopping");
                ExitCode::FAILURE
            }
            () = reload(hang_ups, again, &mut running) => ExitCode::SUCCESS,
        };
        let engine = app.engine();
        telemetry::say(&log, &stopping(engine.live(), app.drain()));
        tokio::select! {
            () = app.stop() => outcome,
            () = stops.told() => {
                hang_up(&engine, &log, &mut stops).await;
                ExitCode::FAILURE
            }
        }
    })
}

/// What is said of a stop: how many calls there are, and how long they have.
fn stopping(live: usize, drain: Duration) -> String {
    let seconds = drain.as_secs();
    match live {
        0 => "stopping; there are no live calls".to_owned(),
        1 => format!("stopping; 1 live call may go on for {seconds} s (again to stop at once)"),
        _ => format!("stopping; {live} live calls may go on for {seconds} s (again to stop at once)"),
    }
}

/// Told twice: live calls end at once, and their phones are told. Whoever does not answer is not waited for, and a third
/// time nobody is.
async fn hang_up(engine: &EngineHandle, log: &Log, stops: &mut Stops) {
    telemetry::say(log, &format!("hanging up on {} calls", engine.live()));
    tokio::select! {
        _ = tokio::time::timeout(AT_ONCE, engine.shutdown()) => {}
        () = stops.told() => {}
    }
}

/// Reads the settings again at every SIGHUP: what can change while running does, and the rest is named. Never ends.
async fn reload(hang_ups: std::io::Result<Signal>, again: &Reload, running: &mut Config) {
    let Ok(mut hang_ups) = hang_ups else { return std::future::pending().await };
    while hang_ups.recv().await.is_some() {
        match (again.read)().and_then(|config| again.filter.set(&config.log).map(|()| config)) {
            Ok(config) => {
                let waits = running.differs(&config);
                running.log.filter.clone_from(&config.log.filter);
                tracing::info!(log_filter = config.log.filter, "settings were read again");
                if !waits.is_empty() {
                    tracing::warn!(settings = waits.join(", "), "changed settings wait for the next start");
                }
            }
            Err(refused) => tracing::warn!(%refused, "settings stay as they were"),
        }
    }
    std::future::pending::<()>().await;
}

/// SIGTERM and SIGINT. They are listened to from the start on: one that comes right after "ready" is a stop like any other.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    fn listen() -> std::io::Result<Stops> {
        Ok(Stops { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// One of them came.
    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn banner(app: &App, split: &Split) {
    println!("Dashboard and APIs  {}", app.http_url);
    println!("SIP                 {} (udp, tcp)", app.sip_address);
    if let Some(demo) = &app.demo {
        println!(
            "Dial                {}",
            demo.numbers
                .iter()
                .map(|number| format!("sip:{number}@{}", app.sip_address))
                .collect::<Vec<_>>()
                .join("  ")
        );
        println!(
            "Sign in             {} (password in demo.json of the data directory; code: trunkline demo code)",
            demo.owner_email
        );
    } else {
        println!("Sign up             {}/sign-up", app.http_url);
    }
    println!("Open files          {split}");
    println!("Trunkline is ready");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_says_how_many_calls_may_go_on_and_for_how_long() {
        let drain = Duration::from_secs(10);
        assert_eq!(stopping(0, drain), "stopping; there are no live calls");
        assert!(stopping(1, drain).starts_with("stopping; 1 live call may go on for 10 s"));
        assert!(stopping(12, drain).starts_with("stopping; 12 live calls may go on for 10 s"));
    }
}
