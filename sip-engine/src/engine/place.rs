//! From a number to the address an INVITE goes to: routing, and the look-up of the trunk's host.

use super::shared::Shared;
use crate::{
    call::{Placement, Signal},
    net::own_towards,
    routing::{Directory, NoRoute, Route},
};
use domain::call::EndReason;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// How long a host name may take to be looked up.
const LOOK_UP: Duration = Duration::from_secs(3);

/// Most addresses of one host that are used.
const MAX_ADDRESSES: usize = 16;

/// Where a call goes.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) route: Route,
    pub(super) next_hop: SocketAddr,
    /// Every address the trunk's host has.
    pub(super) host: Vec<IpAddr>,
    /// Our own address on the way there.
    pub(super) local: IpAddr,
}

/// Finds the way for a call, or the signal that says why there is none.
pub(super) async fn find(
    shared: &Shared,
    directory: &Directory,
    placement: &Placement,
) -> Result<Placed, Signal> {
    let Placement { tenant, account, from, to, .. } = placement;
    let route = directory.outbound(&tenant.carrier, account, from, to).map_err(no_route)?;
    let unreachable =
        |detail: String| Signal::NotPlaced { reason: EndReason::TrunkUnreachable, code: None, detail };
    let all = look_up(shared, &route).await.map_err(unreachable)?;
    let no_address = || unreachable(format!("{} has no address", route.host));
    let next_hop = *all.first().ok_or_else(no_address)?;
    let local = local_toward(shared, next_hop).map_err(|error| unreachable(error.to_string()))?;
    let host = all.iter().map(SocketAddr::ip).collect();
    Ok(Placed { route, next_hop, host, local })
}

fn no_route(refusal: NoRoute) -> Signal {
    let code = match refusal {
        NoRoute::NotANumber => Some(13223),
        NoRoute::NoTrunk => Some(13224),
        NoRoute::AccountDisabled => Some(10001),
    };
    Signal::NotPlaced { reason: refusal.reason(), code, detail: refusal.to_string() }
}

/// The addresses of the trunk's host, those of our own family first. Every one must be one that calls may go to, and
/// the ones that were looked at are the ones that are called.
async fn look_up(shared: &Shared, route: &Route) -> Result<Vec<SocketAddr>, String> {
    let authority = route.authority();
    if let Some(known) = shared.remembered(&authority) {
        return Ok(known);
    }
    let mut all = addresses(route).await?;
    if let Some(refused) = all.iter().find(|address| !(shared.config.reachable)(**address)) {
        return Err(format!("{}: calls may not be sent to {}", route.host, refused.ip()));
    }
    all.sort_by_key(|address| address.is_ipv4() != shared.sip_addr.is_ipv4());
    all.truncate(MAX_ADDRESSES);
    shared.remember(authority, all.clone());
    Ok(all)
}

async fn addresses(route: &Route) -> Result<Vec<SocketAddr>, String> {
    if let Ok(ip) = route.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, route.port)]);
    }
    let host = (route.host.as_str(), route.port);
    let found = tokio::time::timeout(LOOK_UP, tokio::net::lookup_host(host)).await;
    let addresses = found.map_err(|_| format!("looking up {} took too long", route.host))?;
    Ok(addresses.map_err(|error| format!("{}: {error}", route.host))?.collect())
}

/// The address our packets to `peer` leave from.
fn local_toward(shared: &Shared, peer: SocketAddr) -> std::io::Result<IpAddr> {
    let own = shared.sip_addr.ip();
    if own.is_unspecified() { own_towards(peer) } else { Ok(own) }
}
