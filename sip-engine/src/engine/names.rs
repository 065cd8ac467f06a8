//! Host names to addresses, as RFC 3263 section 4.2 says: a name without a port is first asked for its SRV records, and
//! then for its addresses.

use crate::routing::Route;
use async_trait::async_trait;
use domain::trunk::{Outbound, Transport};
use hickory_resolver::{TokioResolver, proto::rr::RData};
use std::{
    cmp::Reverse,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// How long the look-up of one host may take altogether.
const LOOK_UP: Duration = Duration::from_secs(3);
/// How long its SRV records may take of that.
const SRV: Duration = Duration::from_millis(1500);
/// How long each of the servers they name may take of the rest.
const TARGET: Duration = Duration::from_millis(1400);
/// Most SRV records of one name that are used.
const MAX_SERVERS: usize = 8;
/// Most addresses of one host that are used.
const MAX_ADDRESSES: usize = 16;

/// One server of a service (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Lower ones are tried first.
    pub priority: u16,
    /// Among equal priorities, the share of calls it comes first in.
    pub weight: u16,
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How long that holds.
    pub holds: Duration,
}

/// One server of a host, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Located {
    priority: u16,
    weight: u16,
    pub(super) addresses: Vec<SocketAddr>,
}

impl Located {
    /// The only one there is.
    pub(super) fn alone(addresses: Vec<SocketAddr>) -> Vec<Located> {
        vec![Located { priority: 0, weight: 0, addresses }]
    }
}

/// The servers of a host, and how long that holds, where anybody says.
pub(super) type Answer = (Vec<Located>, Option<Duration>);

/// Answers what names mean.
#[async_trait]
pub trait Names: Send + Sync + 'static {
    /// The servers of a service, `_sip._udp.example.com`; none when it has no SRV records.
    ///
    /// # Errors
    /// When nobody could say.
    async fn servers(&self, service: &str) -> io::Result<Vec<Server>>;

    /// The addresses of a host.
    ///
    /// # Errors
    /// When it has none or nobody could say.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The names as this machine knows them: its resolver for addresses (with `/etc/hosts`), its name servers for SRV.
pub struct SystemNames(Option<TokioResolver>);

impl SystemNames {
    /// Reads the system's configuration. Where there is none, no name has SRV records.
    #[must_use]
    pub fn new() -> SystemNames {
        let resolver = TokioResolver::builder_tokio().and_then(hickory_resolver::ResolverBuilder::build);
        SystemNames(
            resolver.inspect_err(|error| tracing::info!(%error, "SRV records are not looked up")).ok(),
        )
    }
}

impl Default for SystemNames {
    fn default() -> SystemNames {
        SystemNames::new()
    }
}

#[async_trait]
impl Names for SystemNames {
    async fn servers(&self, service: &str) -> io::Result<Vec<Server>> {
        let Some(resolver) = &self.0 else { return Ok(Vec::new()) };
        let found = match resolver.srv_lookup(format!("{service}.")).await {
            Ok(found) => found,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(io::Error::other(error)),
        };
        let servers = found.answers().iter().filter_map(|record| match &record.data {
            RData::SRV(srv) => Some(Server {
                priority: srv.priority,
                weight: srv.weight,
                host: srv.target.to_utf8().trim_end_matches('.').to_owned(),
                port: srv.port,
                holds: Duration::from_secs(record.ttl.into()),
            }),
            _ => None,
        });
        Ok(servers.collect())
    }

    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// What a route's addresses are remembered by.
pub(super) fn key(route: &Route) -> String {
    remembered_by(&route.host, route.port_given.then_some(route.port), route.transport)
}

/// What the addresses of a trunk's host are remembered by.
pub(super) fn key_of(outbound: &Outbound) -> String {
    let (host, port) = outbound.host.name_and_port();
    remembered_by(host, outbound.host.names_port().then_some(port), outbound.transport)
}

fn remembered_by(host: &str, port: Option<u16>, transport: Transport) -> String {
    format!("{transport:?} {host} {}", port.unwrap_or_default())
}

/// The servers of a route's host.
pub(super) async fn servers_of(names: &dyn Names, route: &Route) -> Result<Answer, String> {
    if let Ok(ip) = route.host.parse::<IpAddr>() {
        return Ok((Located::alone(vec![SocketAddr::new(ip, route.port)]), None));
    }
    let found = tokio::time::timeout(LOOK_UP, resolve(names, route)).await;
    found.map_err(|_| format!("looking up {} took too long", route.host))?
}

async fn resolve(names: &dyn Names, route: &Route) -> Result<Answer, String> {
    let servers = if route.port_given { Vec::new() } else { servers(names, route).await };
    if servers.is_empty() {
        let found = names.addresses(&route.host).await.map_err(|error| format!("{}: {error}", route.host))?;
        return Ok((Located::alone(at_port(found, route.port)), None));
    }
    let holds = servers.iter().map(|server| server.holds).min();
    // A single "." as the target says that there is no such service (RFC 2782).
    let servers = most_wanted(servers).into_iter().filter(|server| !server.host.is_empty());
    let found = futures_util::future::join_all(servers.map(|server| located(names, server))).await;
    if found.iter().all(|server| server.addresses.is_empty()) {
        return Err(format!("no server of {} has an address", route.host));
    }
    Ok((found, holds))
}

/// As many servers as are used: of the first priorities, and of one priority those that are wanted most.
fn most_wanted(mut servers: Vec<Server>) -> Vec<Server> {
    servers.sort_by_key(|server| (server.priority, Reverse(server.weight)));
    servers.truncate(MAX_SERVERS);
    servers
}

/// The addresses of one server; one that cannot be looked up hides no other.
async fn located(names: &dyn Names, Server { priority, weight, host, port, .. }: Server) -> Located {
    let addresses = match host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => {
            let found = tokio::time::timeout(TARGET, names.addresses(&host)).await;
            at_port(found.ok().and_then(Result::ok).unwrap_or_default(), port)
        }
    };
    Located { priority, weight, addresses }
}

/// What the SRV records say, if anything: who cannot answer that is not asked twice.
async fn servers(names: &dyn Names, route: &Route) -> Vec<Server> {
    let transport = if route.transport == Transport::Tcp { "tcp" } else { "udp" };
    let service = format!("_sip._{transport}.{}", route.host);
    match tokio::time::timeout(SRV, names.servers(&service)).await {
        Ok(Ok(servers)) => servers,
        Ok(Err(error)) => {
            tracing::debug!(%error, service, "no SRV records");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

fn at_port(mut found: Vec<IpAddr>, port: u16) -> Vec<SocketAddr> {
    let mut seen = std::collections::HashSet::new();
    found.retain(|ip| seen.insert(*ip));
    found.into_iter().take(MAX_ADDRESSES).map(|ip| SocketAddr::new(ip, port)).collect()
}

/// Their addresses in the order one call tries them: by priority; within one, drawn by weight (RFC 2782). `dice` decides.
pub(super) fn in_order(mut servers: Vec<Located>, mut dice: u64) -> Vec<SocketAddr> {
    // Those of weight 0 stand first, so that they have a small chance.
    servers.sort_by_key(|server| (server.priority, server.weight));
    let mut ordered = Vec::new();
    while let Some(priority) = servers.first().map(|server| server.priority) {
        let equals = servers.iter().take_while(|server| server.priority == priority);
        let weights: Vec<u64> = equals.map(|server| u64::from(server.weight)).collect();
        let sum: u64 = weights.iter().sum();
        let mut point = dice % (sum + 1);
        dice = dice.rotate_left(13).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let drawn = weights.iter().position(|weight| {
            let here = point <= *weight;
            point = point.saturating_sub(*weight);
            here
        });
        ordered.extend(servers.remove(drawn.unwrap_or_default()).addresses);
    }
    ordered.truncate(MAX_ADDRESSES);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Kind, Sid};

    /// A name server in a table.
    struct Table(Vec<Server>, Vec<(&'static str, &'static str)>);

    #[async_trait]
    impl Names for Table {
        async fn servers(&self, service: &str) -> io::Result<Vec<Server>> {
            if service.contains("broken") {
                return Err(io::Error::other("SERVFAIL"));
            }
            if service.contains("slow") {
                std::future::pending::<()>().await;
            }
            Ok(if service == "_sip._udp.sip.example.com" { self.0.clone() } else { Vec::new() })
        }

        async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
            let found: Vec<_> = self.1.iter().filter(|(name, _)| *name == host).collect();
            if found.is_empty() {
                return Err(io::Error::other("no such host"));
            }
            Ok(found.iter().map(|(_, ip)| ip.parse().unwrap()).collect())
        }
    }

    fn server(priority: u16, weight: u16, host: &str) -> Server {
        Server { priority, weight, host: host.into(), port: 5080, holds: Duration::from_secs(7) }
    }

    fn route(host: &str, port: Option<u16>) -> Route {
        Route {
            trunk: Sid::from_uuid(Kind::Trunk, Default::default()),
            to_user: "1".into(),
            from_user: "2".into(),
            host: host.into(),
            port: port.unwrap_or(5060),
            port_given: port.is_some(),
            transport: Transport::Udp,
            credentials: None,
        }
    }

    async fn found(names: &Table, host: &str, port: Option<u16>) -> Result<Vec<String>, String> {
        let (servers, _) = servers_of(names, &route(host, port)).await?;
        Ok(in_order(servers, 7).iter().map(SocketAddr::to_string).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_without_a_port_is_asked_for_its_servers_first() {
        let hosts = vec![
            ("a.example", "192.0.2.1"),
            ("b.example", "192.0.2.2"),
            ("b.example", "2001:db8::2"),
            ("sip.example.com", "192.0.2.9"),
            ("broken.example", "192.0.2.8"),
            ("slow.example", "192.0.2.7"),
        ];
        let names = Table(vec![server(20, 0, "b.example"), server(10, 0, "a.example")], hosts);
        let ok = |texts: &[&str]| Ok(texts.iter().map(|text| (*text).to_owned()).collect());
        let servers = ok(&["192.0.2.1:5080", "192.0.2.2:5080", "[2001:db8::2]:5080"]);
        assert_eq!(found(&names, "sip.example.com", None).await, servers);
        assert_eq!(
            found(&names, "sip.example.com", Some(5060)).await,
            ok(&["192.0.2.9:5060"]),
            "a port is given"
        );
        assert_eq!(found(&names, "b.example", None).await, ok(&["192.0.2.2:5060", "[2001:db8::2]:5060"]));
        assert_eq!(found(&names, "broken.example", None).await, ok(&["192.0.2.8:5060"]));
        assert_eq!(found(&names, "slow.example", None).await, ok(&["192.0.2.7:5060"]));
        assert_eq!(found(&names, "198.51.100.1", None).await, ok(&["198.51.100.1:5060"]));
        assert!(found(&names, "nowhere.example", None).await.is_err());
    }

    #[tokio::test]
    async fn a_dead_server_does_not_hide_the_others_and_a_service_may_not_exist() {
        let names = Table(
            vec![server(1, 0, "gone.example"), server(2, 0, "a.example")],
            vec![("a.example", "192.0.2.1")],
        );
        assert_eq!(found(&names, "sip.example.com", None).await, Ok(vec!["192.0.2.1:5080".to_owned()]));
        let none = Table(vec![server(0, 0, "")], vec![("sip.example.com", "192.0.2.1")]);
        assert!(found(&none, "sip.example.com", None).await.is_err());
    }

    #[tokio::test]
    async fn what_is_found_holds_as_long_as_its_shortest_record() {
        let short = Server { holds: Duration::from_secs(2), ..server(1, 0, "a.example") };
        let hosts = vec![("a.example", "192.0.2.1"), ("b.example", "192.0.2.2")];
        let names = Table(vec![server(1, 0, "b.example"), short], hosts);
        for (host, holds) in [
            ("sip.example.com", Some(Duration::from_secs(2))),
            // Nobody says.
            ("a.example", None),
            ("192.0.2.1", None),
        ] {
            assert_eq!(servers_of(&names, &route(host, None)).await.unwrap().1, holds, "{host}");
        }
    }

    #[test]
    fn of_many_servers_those_that_are_wanted_most_are_used() {
        let mut servers: Vec<_> = (0..8).map(|_| server(1, 1, "light")).collect();
        servers.extend([server(2, 9, "spare"), server(1, 100, "heavy")]);
        let used = most_wanted(servers);
        assert_eq!((used.len(), used[0].host.as_str()), (MAX_SERVERS, "heavy"));
        assert!(used[1..].iter().all(|server| server.host == "light"));
    }

    #[test]
    fn servers_of_one_priority_are_drawn_by_weight() {
        let at = |last: u8| SocketAddr::from(([192, 0, 2, last], 5060));
        let server = |priority, weight, last| Located { priority, weight, addresses: vec![at(last)] };
        let servers = vec![server(1, 10, 10), server(1, 90, 90), server(0, 0, 1), server(1, 0, 0)];
        let mut second = std::collections::HashMap::new();
        for dice in 0..1_000_u64 {
            let ordered = in_order(servers.clone(), dice.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            assert_eq!((ordered.len(), ordered[0]), (4, at(1)));
            *second.entry(ordered[1]).or_insert(0) += 1;
        }
        assert!(second[&at(90)] > 800 && second[&at(10)] > 40, "{second:?}");
    }
}
