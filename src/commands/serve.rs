//! `trunkline serve`: everything, until SIGTERM or Ctrl-C.

use crate::{app::App, config::Config, fail, open_files};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until told to stop, then lets live calls finish.
pub fn run(mut config: Config, with_demo: bool) -> ExitCode {
    if let Some((room, text)) = open_files::too_few(open_files::raise(), config.sip.max_calls) {
        tracing::warn!("{text}");
        config.sip.max_calls = room;
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(async {
        let mut app = match App::build(config, with_demo).await {
            Ok(app) => app,
            Err(trouble) => return fail(&trouble),
        };
        banner(&app);
        let outcome = tokio::select! {
            () = told_to_stop() => ExitCode::SUCCESS,
            () = app.replaced() => fail(&"another process is this node by now; stopping"),
        };
        eprintln!("trunkline: stopping; live calls may finish (again to stop at once)");
        tokio::select! {
            () = app.stop() => outcome,
            () = told_to_stop() => ExitCode::FAILURE,
        }
    })
}

async fn told_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn banner(app: &App) {
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
    println!("Trunkline is ready");
}
