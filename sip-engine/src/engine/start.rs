//! Putting an engine together: SIP sockets, media threads, speech, and the task that reads what SIP says.

use super::{
    EngineConfig, EngineHandle,
    dispatch::{self, is_for_help},
    farewell,
    listening::Listening,
    shared::{Parts, Shared},
    turned_away::{Claimed, RefusalLog},
};
use crate::{
    media::{Media, MediaConfig},
    net::{NetConfig, Sip},
    outside::Outside,
    routing::Directory,
    sip::{EndpointConfig, IncomingCall, TurnedAway},
    speech::Speech,
};
use arc_swap::ArcSwap;
use std::{
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, atomic::AtomicBool},
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Commands waiting for SIP; calls wait beyond it.
const COMMANDS: usize = 1024;
/// Events waiting for calls; SIP keeps more of its own beyond it.
const EVENTS: usize = 1024;
/// Legs per call that are allowed for, on average.
const LEGS_PER_CALL: usize = 3;

/// The call engine.
#[derive(Debug)]
pub struct Engine;

impl Engine {
    /// Starts an engine; when it returns, calls are taken. Calls are routed by whatever `directory` holds when they
    /// arrive. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the SIP address cannot be bound or the media threads do not start.
    pub async fn start(
        config: EngineConfig,
        outside: Arc<dyn Outside>,
        directory: Arc<ArcSwap<Directory>>,
    ) -> io::Result<EngineHandle> {
        let draining = Arc::new(AtomicBool::new(false));
        let turned_away = Arc::new(RefusalLog::new(Arc::clone(&config.clock)));
        let sip = bind(&config, &directory, &draining, &turned_away)?;
        let listening = Listening::new(sip.addrs());
        let sip_addr = listening.first();
        let (ports, rtp_timeout) = (config.rtp_ports.clone(), config.rtp_timeout);
        let most_legs = config.max_legs;
        let media = MediaConfig { ports, most_legs, rtp_timeout, ..MediaConfig::new(sip_addr.ip()) };
        let media = Media::start(media)?;
        let speech = Speech::detect();
        let (commands, orders) = mpsc::channel(COMMANDS);
        let (told, events) = mpsc::channel(EVENTS);
        let (goodbyes, waiting) = mpsc::channel(farewell::WAITING);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let counters = sip.counters();
        let net = TaskTracker::new();
        net.spawn(sip.run(orders, told, stop.clone()));
        let tracker = tracker.clone();
        let parts = Parts {
            config,
            outside,
            directory,
            media,
            speech,
            commands,
            goodbyes,
            listening,
            tracker,
            draining,
            turned_away,
        };
        let shared = Arc::new(Shared::new(parts));
        net.spawn(dispatch::run(Arc::clone(&shared), events));
        net.spawn(farewell::run(Arc::clone(&shared), waiting, stop.clone()));
        net.close();
        tracing::info!(%sip_addr, "SIP is listened to");
        Ok(EngineHandle::new(shared, stop, net, counters))
    }
}

/// The SIP sockets. An IPv4 wildcard that is alone gets its IPv6 twin where the system has IPv6.
fn bind(
    config: &EngineConfig,
    directory: &Arc<ArcSwap<Directory>>,
    draining: &Arc<AtomicBool>,
    log: &Arc<RefusalLog>,
) -> io::Result<Sip> {
    if let [own] = *config.sip_listen.as_slice()
        && own.ip().is_unspecified()
        && own.is_ipv4()
    {
        let twin = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), own.port());
        match Sip::bind(net_config(config, directory, draining, log, vec![own, twin])) {
            Ok(sip) => return Ok(sip),
            Err(error) => tracing::info!(%error, "SIP is listened to on IPv4 only"),
        }
    }
    Sip::bind(net_config(config, directory, draining, log, config.sip_listen.clone()))
}

fn net_config(
    config: &EngineConfig,
    directory: &Arc<ArcSwap<Directory>>,
    draining: &Arc<AtomicBool>,
    log: &Arc<RefusalLog>,
    listen: Vec<SocketAddr>,
) -> NetConfig {
    let mut seed = [0; 32];
    config.ids.fill(&mut seed);
    let (routes, claims, log) = (Arc::clone(directory), Arc::clone(directory), Arc::clone(log));
    let directory = Arc::clone(directory);
    let turns_away = move |call: &IncomingCall| {
        routes.load().inbound(call.source.ip(), &call.from.user, &call.dialled).refused_with()
    };
    let helped = Arc::clone(&directory);
    let for_help = move |call: &IncomingCall| {
        let directory = helped.load();
        let routed = directory.inbound(call.source.ip(), &call.from.user, &call.dialled);
        is_for_help(&directory, &routed)
    };
    let endpoint = EndpointConfig {
        advertise: config.advertise,
        for_help: Arc::new(for_help),
        max_legs: config.max_calls.saturating_mul(LEGS_PER_CALL),
        draining: Arc::clone(draining),
        turns_away: Arc::new(turns_away),
        turned_away: Arc::new(move |what: TurnedAway| {
            let directory = claims.load();
            let first = directory.first_of(what.source).cloned();
            log.note(what, Claimed { newest: directory.newest_claim(), first });
        }),
        known: Arc::new(move |ip| directory.load().knows(ip)),
    };
    NetConfig {
        listen,
        connections: config.connections,
        connections_per_peer: config.connections_per_peer,
        endpoint,
        seed,
    }
}
