//! From a number to the addresses an INVITE goes to, one after the other: routing, and the look-up of trunks' hosts.

use super::{
    names::{self, Located},
    shared::Shared,
    shares::Exceeded,
};
use crate::{
    call::{Placement, Signal},
    routing::{Directory, Next, NoRoute, Route, Ways},
};
use domain::{
    Sid,
    call::EndReason,
    outbound::{REFUSAL_TIME, refusal},
};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// A call on its way to somebody who answers.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) placement: Placement,
    ways: Ways,
    /// The attempt that goes on, and where it went.
    since: Instant,
    to: Option<SocketAddr>,
}

/// Where a call goes next.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) route: Route,
    pub(super) next_hop: SocketAddr,
    /// Every address the trunk's host has.
    pub(super) host: Vec<IpAddr>,
    /// Our own address on the way there.
    pub(super) local: IpAddr,
    /// How long it may be silent.
    pub(super) silence: Duration,
    /// How long it may ring.
    pub(super) ring_timeout: Duration,
    /// Whether another way is left.
    pub(super) more: bool,
}

/// A way that ended before an INVITE could leave.
#[derive(Debug)]
pub(super) struct Blocked {
    pub(super) trunk: Sid,
    pub(super) address: Option<SocketAddr>,
    pub(super) reason: String,
}

/// What a step of a search found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) search: Search,
    pub(super) blocked: Vec<Blocked>,
    pub(super) placed: Result<Placed, Signal>,
}

impl Search {
    /// The ways a call can go, or the signal that says why there is none.
    pub(super) fn begin(directory: &Directory, placement: &Placement) -> Result<Search, Signal> {
        let Placement { tenant, account, from, to, .. } = placement;
        let routes = directory
            .outbound(&tenant.carrier, account, from.as_str(), to)
            .map_err(|refusal| no_route(&refusal))?;
        let ways = Ways::new(routes, placement.ring_timeout);
        Ok(Search { placement: placement.clone(), ways, since: Instant::now(), to: None })
    }

    /// The attempt under way failed; whether anybody had responded to it.
    pub(super) fn failed(&mut self, responded: bool, shared: &Shared) {
        self.ways.failed(self.since.elapsed(), responded);
        if responded {
            return self.responded(shared);
        }
        self.to.into_iter().for_each(|to| shared.silent().failed(to, Instant::now().into_std()));
    }

    /// Somebody is where the attempt under way went.
    pub(super) fn responded(&self, shared: &Shared) {
        self.to.into_iter().for_each(|to| shared.silent().responded(to));
    }

    /// The next way that an INVITE can leave by.
    pub(super) async fn next(mut self, shared: &Shared) -> Found {
        let mut blocked: Vec<Blocked> = Vec::new();
        let placed = loop {
            match self.ways.next_step() {
                Next::LookUp(route) => {
                    let began = Instant::now();
                    match look_up(shared, &route).await {
                        Ok(addresses) => {
                            let now = Instant::now().into_std();
                            self.ways
                                .found(&route, &addresses, |address| shared.silent().rests(address, now));
                        }
                        Err(reason) => blocked.push(Blocked { trunk: route.trunk, address: None, reason }),
                    }
                    self.ways.waited(began.elapsed());
                }
                Next::Try(route, next_hop, silence) => match local_toward(shared, next_hop) {
                    Ok(local) => break Ok(self.placed(shared, *route, (next_hop, local), silence)),
                    Err(error) => blocked.push(Blocked {
                        trunk: route.trunk,
                        address: Some(next_hop),
                        reason: error.to_string(),
                    }),
                },
                Next::Nothing => {
                    let last = blocked.last().map(|last| last.reason.clone());
                    break Err(unreachable(last.unwrap_or_else(|| "no trunk has an address".into())));
                }
                Next::TooLate => {
                    break Err(unreachable("no trunk answered in time".into()));
                }
            }
        };
        Found { search: self, blocked, placed }
    }

    fn placed(
        &mut self,
        shared: &Shared,
        route: Route,
        (next_hop, local): (SocketAddr, IpAddr),
        silence: Duration,
    ) -> Placed {
        (self.since, self.to) = (Instant::now(), Some(next_hop));
        let host = shared.hosts.last(&names::key(&route)).unwrap_or_default();
        let host = host.iter().map(SocketAddr::ip).collect();
        let (ring_timeout, more) = (self.ways.rings_for(), !self.ways.is_last());
        Placed { route, next_hop, host, local, silence, ring_timeout, more }
    }
}

fn unreachable(detail: String) -> Signal {
    Signal::NotPlaced { reason: EndReason::TrunkUnreachable, code: None, detail }
}

fn no_route(refusal: &NoRoute) -> Signal {
    let code = match refusal {
        NoRoute::NotANumber => 13223,
        NoRoute::NoTrunk | NoRoute::StrangersPhone => 13224,
        NoRoute::AccountDisabled => 10001,
        NoRoute::Emergency => 13225,
        NoRoute::Forbidden(_) => 13227,
    };
    Signal::NotPlaced { reason: refusal.reason(), code: Some(code), detail: refusal.to_string() }
}

/// A dialled call that its account may not place now.
pub(super) fn exceeded(exceeded: &Exceeded) -> Signal {
    let (reason, code) = match exceeded {
        Exceeded::SamePair(_) => (EndReason::LoopDetected, 13225),
        Exceeded::AtOnce(_) | Exceeded::PerSecond(..) => (EndReason::LimitReached, 10004),
    };
    Signal::NotPlaced { reason, code: Some(code), detail: exceeded.to_string() }
}

/// The addresses of the trunk's host in the order that is drawn for this call (RFC 3263 section 4.2), but for those that we
/// have no way to, which come last.
pub(super) async fn look_up(shared: &Shared, route: &Route) -> Result<Vec<SocketAddr>, String> {
    let key = names::key(route);
    let servers = match shared.hosts.fresh(&key) {
        Some(known) => known,
        None => found(shared, route, key).await?,
    };
    let mut all = names::in_order(servers, shared.number());
    all.sort_by_key(|address| shared.listening.towards(*address).is_err());
    Ok(all)
}

/// Where the trunk's host is. Every address must be one that calls may go to, and the ones that were looked at are the ones
/// that are called. Where nobody can say which they are, it is those that were found last.
async fn found(shared: &Shared, route: &Route, key: String) -> Result<Vec<Located>, String> {
    let refused_at = Instant::now() + REFUSAL_TIME;
    let found = names::servers_of(&*shared.config.names, route).await;
    let new = found.as_ref().ok().cloned();
    let servers = found.map(|(servers, _)| servers).unwrap_or_else(|reason| {
        tracing::debug!(host = route.host, reason, "a trunk's host was not resolved");
        shared.hosts.stale(&key).unwrap_or_default()
    });
    let all: Vec<SocketAddr> = servers.iter().flat_map(|server| server.addresses.iter().copied()).collect();
    if all.is_empty() || !all.iter().all(|address| (shared.config.reachable)(*address)) {
        // Whatever the reason, in the same words and time: which one it is would tell what is inside.
        sleep_until(refused_at).await;
        return Err(refusal(&route.host));
    }
    if let Some(answer) = new {
        shared.hosts.found(key, answer);
    }
    Ok(servers)
}

/// The address our packets to `peer` leave from.
fn local_toward(shared: &Shared, peer: SocketAddr) -> std::io::Result<IpAddr> {
    Ok(shared.listening.towards(peer)?.ip())
}
