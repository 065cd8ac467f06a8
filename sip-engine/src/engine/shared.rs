//! What all actors of an engine share.

use super::{
    config::EngineConfig,
    farewell::Goodbye,
    hosts::Hosts,
    listening::Listening,
    names,
    registry::Registry,
    shares::{Rates, Shares},
    sounds::Decoded,
    turned_away::RefusalLog,
};
use crate::{
    call::Surroundings,
    media::Media,
    outside::Outside,
    routing::{Directory, Silent, TrunkEntry},
    sip::{Command, LegKey},
    speech::Speech,
};
use arc_swap::ArcSwap;
use domain::{Number, Sid, Tenant};
use ipnet::IpNet;
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};
use tokio_util::task::TaskTracker;

/// Calls refused for want of room that are recorded, a second; and of those that come to nothing by themselves, for each
/// trunk.
pub(super) const RECORDED_REFUSALS: u32 = 10;

/// How many such calls there were in the present second, together, and how many of each trunk were refused for what they
/// were.
#[derive(Default)]
struct Refusals {
    since: Option<Instant>,
    counts: HashMap<Option<Sid>, u32>,
}

pub(super) struct Shared {
    pub(super) config: EngineConfig,
    pub(super) outside: Arc<dyn Outside>,
    pub(super) directory: Arc<ArcSwap<Directory>>,
    pub(super) media: Media,
    pub(super) speech: Speech,
    pub(super) commands: mpsc::Sender<Command>,
    /// Dialogs of processes that are gone.
    pub(super) goodbyes: mpsc::Sender<Goodbye>,
    /// Where SIP really listens.
    pub(super) listening: Listening,
    pub(super) registry: Registry,
    pub(super) tracker: TaskTracker,
    /// Main calls that go on.
    pub(super) live: AtomicUsize,
    /// Those of them that have a place which is kept for calls for help.
    pub(super) kept: AtomicUsize,
    /// Told when `live` goes down.
    pub(super) quieter: Notify,
    /// How often a place, or an account's right to another call, became free.
    pub(super) freed: watch::Sender<u64>,
    pub(super) shares: Arc<Shares>,
    pub(super) rates: Rates,
    /// No new calls are taken.
    pub(super) draining: Arc<AtomicBool>,
    /// It stops: not even a call for help could be had.
    pub(super) stopping: AtomicBool,
    refusals: Mutex<Refusals>,
    /// What came to nothing before there was a call.
    pub(super) turned_away: Arc<RefusalLog>,
    pub(super) decoded: Arc<Decoded>,
    legs: AtomicU64,
    /// The addresses of trunks' hosts.
    pub(super) hosts: Hosts,
    silent: Mutex<Silent>,
}

/// What an engine is put together from.
pub(super) struct Parts {
    pub(super) config: EngineConfig,
    pub(super) outside: Arc<dyn Outside>,
    pub(super) directory: Arc<ArcSwap<Directory>>,
    pub(super) media: Media,
    pub(super) speech: Speech,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) goodbyes: mpsc::Sender<Goodbye>,
    pub(super) listening: Listening,
    pub(super) tracker: TaskTracker,
    pub(super) draining: Arc<AtomicBool>,
    pub(super) turned_away: Arc<RefusalLog>,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Shared {
        let Parts { config, outside, directory, media, speech, commands, listening, tracker, .. } = parts;
        let (draining, turned_away, goodbyes) = (parts.draining, parts.turned_away, parts.goodbyes);
        Shared {
            config,
            outside,
            directory,
            media,
            speech,
            commands,
            goodbyes,
            listening,
            registry: Registry::default(),
            tracker,
            live: AtomicUsize::new(0),
            kept: AtomicUsize::new(0),
            quieter: Notify::new(),
            freed: watch::Sender::default(),
            shares: Arc::default(),
            rates: Rates::default(),
            draining,
            stopping: AtomicBool::default(),
            refusals: Mutex::default(),
            turned_away,
            decoded: Arc::new(Decoded::new()),
            legs: AtomicU64::new(1),
            hosts: Hosts::default(),
            silent: Mutex::default(),
        }
    }

    /// Whether no further call is taken because this node is about to stop; one for help is, as long as it can be had.
    pub(super) fn is_closing(&self, emergency: bool) -> bool {
        self.stopping.load(Ordering::Acquire) || (!emergency && self.draining.load(Ordering::Acquire))
    }

    pub(super) fn surroundings(&self, whose: &Tenant) -> Surroundings {
        let country = whose.account.as_ref().and_then(|account| self.directory.load().country_of(account));
        let (directory, account) = (Arc::clone(&self.directory), whose.account.clone());
        let owns = move |number: &Number| {
            account.as_ref().is_some_and(|account| directory.load().owns(account, number))
        };
        let (node, ids) = (self.config.node.clone(), Arc::clone(&self.config.ids));
        Surroundings { node, ids, country, owns: Arc::new(owns) }
    }

    pub(super) fn next_leg(&self) -> LegKey {
        LegKey::outbound(self.legs.fetch_add(1, Ordering::Relaxed))
    }

    /// A random number for session identifiers.
    pub(super) fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        self.config.ids.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    /// Hands a command to SIP. The queue is the endpoint's; waiting here is waiting for its socket loop.
    pub(super) async fn command(&self, command: Command) {
        if self.commands.send(command).await.is_err() {
            tracing::debug!("SIP is shut down; a command is dropped");
        }
    }

    /// Addresses that did not respond a moment ago.
    pub(super) fn silent(&self) -> MutexGuard<'_, Silent> {
        self.silent.lock()
    }

    /// The addresses that are a trunk's: where its calls come from, and its host as far as that is known now.
    pub(super) fn networks_of(&self, trunk: &TrunkEntry) -> Vec<IpNet> {
        let host = self.host_of(trunk).into_iter().map(IpNet::from);
        trunk.sources().iter().copied().chain(host).collect()
    }

    /// The addresses a trunk is called at, as far as they are known now.
    pub(super) fn host_of(&self, trunk: &TrunkEntry) -> Vec<IpAddr> {
        let Some(outbound) = &trunk.outbound else { return Vec::new() };
        match outbound.host.name_and_port().0.parse() {
            Ok(literal) => vec![literal],
            Err(_) => {
                let found = self.hosts.last(&names::key_of(outbound)).unwrap_or_default();
                found.into_iter().map(|address| address.ip()).collect()
            }
        }
    }

    /// Main calls there may be, beside those that have a place which is kept for calls for help.
    pub(super) fn most_live(&self) -> usize {
        self.config.max_calls.saturating_add(self.kept.load(Ordering::Acquire))
    }

    /// One main call less.
    pub(super) fn less_live(&self) {
        self.live.fetch_sub(1, Ordering::AcqRel);
        self.quieter.notify_waiters();
    }

    /// Whoever waits for room looks again.
    pub(super) fn freed(&self) {
        self.freed.send_modify(|times| *times += 1);
    }

    /// Whether a call refused for want of room is recorded, or one that this trunk brought and that comes to nothing by
    /// itself. Beyond that it costs an answer and nothing else: overload must not make more work, nor whoever knows a
    /// trunk's address and tries numbers.
    pub(super) fn is_recorded(&self, trunk: Option<&Sid>) -> bool {
        let mut refusals = self.refusals.lock();
        let now = Instant::now();
        if refusals.since.is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1)) {
            *refusals = Refusals { since: Some(now), counts: HashMap::new() };
        }
        let count = refusals.counts.entry(trunk.cloned()).or_default();
        *count += 1;
        *count <= RECORDED_REFUSALS
    }
}
