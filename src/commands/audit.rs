//! `trunkline audit verify`: walks every hash chain and seal, and names the first position that is not as written.

use super::progress::Progress;
use crate::{app, config::Config, fail};
use std::process::ExitCode;

/// Verifies the log; fails with the first bad position.
pub fn run(config: &Config) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(async {
        let store = match app::open_store(config).await {
            Ok(store) => store,
            Err(trouble) => return fail(&trouble),
        };
        let mut progress = Progress::new("audit");
        let outcome = store::audit::verify(&store, |done, total| progress.at(done, total)).await;
        progress.finish();
        match outcome {
            Ok(report) => {
                println!("{report}");
                ExitCode::SUCCESS
            }
            Err(finding) => fail(&finding),
        }
    })
}
