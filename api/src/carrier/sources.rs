//! Whose calls come from where: calls are routed by the longest prefix over all carriers, so a network inside another
//! carrier's would take that one's calls. The exact network is a claim in the log; what overlaps is refused here.

use crate::{
    App,
    app::READ_YOUR_WRITES,
    problem::{FieldError, Refusal},
};
use domain::{Log, Sid, trunk::Inbound};
use ipnet::IpNet;
use tokio::sync::MutexGuard;

/// Checks that no source of `inbound` overlaps another carrier's. Hold what is returned until the change can be read, so
/// that the next one is checked against it; two nodes can still race, and then the directory keeps the older trunk's.
///
/// # Errors
/// 409 `taken` with every source that overlaps; 503 when the database fails.
pub(super) async fn free<'a>(
    app: &'a App,
    carrier: &Sid,
    inbound: &Inbound,
) -> Result<MutexGuard<'a, ()>, Refusal> {
    let turn = app.sources.lock().await;
    let head = app.store.head(Log::Core).await?;
    if let Err(behind) = app.projections.reached(Log::Core, head, READ_YOUR_WRITES).await {
        tracing::warn!(%behind, "sources are checked against trunks as they were");
    }
    let trunks = app.projections.system().trunks().await?.into_iter();
    let others = trunks.filter(|trunk| trunk.carrier != *carrier).filter_map(|trunk| trunk.inbound);
    let others: Vec<IpNet> = others.flat_map(|inbound| inbound.sources).collect();
    let overlaps =
        |source: &IpNet| others.iter().any(|other| other.contains(source) || source.contains(other));
    let sources = inbound.sources.iter().map(IpNet::trunc).enumerate();
    let errors: Vec<FieldError> =
        sources.filter(|(_, source)| overlaps(source)).map(|(at, source)| taken(at, source)).collect();
    match errors.first() {
        Some(first) => Err(Refusal { errors: errors.clone(), ..Refusal::taken("", first.message.clone()) }),
        None => Ok(turn),
    }
}

fn taken(at: usize, source: IpNet) -> FieldError {
    let message = format!("{source} overlaps a network that another carrier is called from.");
    FieldError { field: format!("inbound.sources.{at}"), message }
}
