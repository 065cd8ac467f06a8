//! `trunkline audit verify`: walks every hash chain and seal, and names the first position that is not as written.

use super::progress::Progress;
use crate::{app::Trouble, config::Config, fail, keys::MasterKey};
use std::process::ExitCode;
use store::{RandomIds, Store, StoreOptions};

/// Verifies the log; fails with the first bad position.
pub fn run(config: &Config) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(async {
        let store = match open(config).await {
            Ok(store) => store,
            Err(trouble) => return fail(&trouble),
        };
        let mut progress = Progress::new("audit");
        let outcome = store::audit::verify(&store, |at| progress.at(at.done, at.total)).await;
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

/// Opens the store to read it: a server that writes to it may go on.
pub(super) async fn open(config: &Config) -> Result<Store, Trouble> {
    let key = MasterKey::find(&config.data_dir, &RandomIds::default())?;
    Ok(Store::open_to_read(StoreOptions::new(config.store_url(), key.bytes)).await?)
}
