//! What every endpoint is given: the store, its projections, time, chance and settings.

use crate::{
    auth::{ApiKeys, Limits, Passwords, Sessions, behind_proxies},
    marks::Marks,
    problem::Refusal,
    secrets::Secrets,
};
use domain::{Actor, Clock, Ids, Kind, Log, Meta, Sid, Tenant, Timestamp};
use futures_util::future::BoxFuture;
use ipnet::IpNet;
use poem::Request;
use projections::Projections;
use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, SocketAddr},
    ops::Deref,
    sync::Arc,
    time::Duration,
};
use store::{Appended, Store};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a write waits for its projections, so that a read after it sees it.
pub const READ_YOUR_WRITES: Duration = Duration::from_secs(1);

/// How long a write that calls are routed by waits for this node's directory, so that the next call is routed by it.
const ROUTED_BY: Duration = Duration::from_secs(5);
/// What calls are routed by.
const ROUTING: [Kind; 4] = [Kind::Carrier, Kind::Account, Kind::Trunk, Kind::PhoneNumber];

/// Most characters of a User-Agent that are kept.
const USER_AGENT_LENGTH: usize = 256;

/// The API's settings.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// Where browsers and programs reach us, without a slash at the end, for example `https://voice.example.com`.
    pub public_url: String,
    /// Whether the session cookie is `__Host-` and `Secure`; false only for plain http.
    pub secure_cookies: bool,
    /// What carriers point their switches at, for example `203.0.113.7:5060`.
    pub sip_address: Option<String>,
    /// Networks of our own proxies: from them, and only from them, `X-Forwarded-For` says who asks.
    pub trusted_proxies: Vec<IpNet>,
    /// Trunks inside our trust domain (RFC 3325); carriers see it and cannot set it.
    pub trusted_trunks: HashSet<Sid>,
    /// Networks within which trunks may name wider ones than carriers may by themselves.
    pub wide_networks: Vec<IpNet>,
    /// Most networks a carrier may name as sources, over all its trunks.
    pub sources_per_carrier: usize,
    /// Where calls may be sent.
    pub reachable: Reachable,
    /// How hard passwords are hashed.
    pub password_cost: crate::auth::Cost,
}

impl Default for ApiConfig {
    fn default() -> ApiConfig {
        ApiConfig {
            public_url: "http://127.0.0.1:8080".into(),
            secure_cookies: false,
            sip_address: None,
            trusted_proxies: Vec::new(),
            trusted_trunks: HashSet::new(),
            wide_networks: Vec::new(),
            sources_per_carrier: 1_024,
            reachable: Reachable::default(),
            password_cost: crate::auth::Cost::default(),
        }
    }
}

/// Says of an address whether calls may be sent there; of every one, until it is told better.
#[derive(Clone)]
pub struct Reachable(pub Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>);

impl Default for Reachable {
    fn default() -> Reachable {
        Reachable(Arc::new(|_| true))
    }
}

impl fmt::Debug for Reachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reachable").finish_non_exhaustive()
    }
}

/// One thing that must be well for us to take requests.
#[derive(Clone, Debug)]
pub struct Check {
    /// What, for example `projections`.
    pub name: &'static str,
    /// `None` when it is well, else what is wrong.
    pub trouble: Option<String>,
}

/// What a figure does, as Prometheus wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figures {
    /// Goes up and down.
    Gauge,
    /// Only goes up, from 0 at the start; its name ends in `_total`.
    Counter,
}

/// A figure for `/metrics`.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it does.
    pub kind: Figures,
    /// Its Prometheus name, for example `trunkline_live_calls`.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Its value now.
    pub value: f64,
}

/// Something that reached us and was turned away before there was a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    /// From where.
    pub source: IpAddr,
    /// What it was answered with; `None` where it was dropped unread.
    pub code: Option<u16>,
    /// The SIP method; empty where it was not read.
    pub method: String,
    /// Why.
    pub reason: String,
    /// How often since the start of the process.
    pub count: u64,
    /// When last.
    pub last: Timestamp,
}

/// What the rest of the process says about itself. The database is asked by the API itself.
pub trait Health: Send + Sync {
    /// Everything `/readyz` answers for.
    fn checks(&self) -> Vec<Check> {
        Vec::new()
    }

    /// A proxy that is not trusted was seen; told once.
    fn proxy_seen(&self, _: IpAddr) {}

    /// Everything `/metrics` shows beside the API's own figures.
    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }

    /// Waits, at most `within`, until calls of this node are routed by what the core log has up to this position;
    /// whether they are. A process without calls has nothing to wait for.
    fn routed_by(&self, position: i64, within: Duration) -> BoxFuture<'_, bool> {
        let _ = (position, within);
        Box::pin(std::future::ready(true))
    }

    /// What came from a trunk's sources, or unread from next to them or to its host, and came to nothing; newest first.
    fn turned_away(&self, trunk: &Sid) -> Vec<TurnedAway> {
        let _ = trunk;
        Vec::new()
    }
}

/// A process with nothing to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Well;

impl Health for Well {}

/// What the composition root hands in.
pub struct Parts {
    /// The log, the vault and the evidence.
    pub store: Store,
    /// The read side.
    pub projections: Projections,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub ids: Arc<dyn Ids>,
    /// Settings.
    pub config: ApiConfig,
    /// The other parts' state.
    pub health: Arc<dyn Health>,
    /// Cancelled when the process shuts down; WebSockets close by it.
    pub stop: CancellationToken,
    /// Where changes run to their end when their client has left; waited for when the process shuts down.
    pub tasks: TaskTracker,
}

/// What every endpoint is given; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// The shared part of [`App`].
pub struct Inner {
    /// What was handed in.
    pub parts: Parts,
    /// Secrets by their names.
    pub secrets: Secrets,
    /// Carrier API keys.
    pub keys: ApiKeys,
    /// The dashboard's sessions.
    pub sessions: Sessions,
    /// The password hasher.
    pub passwords: Passwords,
    /// How often passwords and codes may be tried.
    pub(crate) limits: Limits,
    /// What pages are told of how far the tables are.
    pub(crate) marks: Marks,
    /// Whether a proxy that is not trusted has been told of.
    told_of_proxy: std::sync::Once,
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Deref for Inner {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl App {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When the configured password cost is outside of what argon2 allows.
    pub fn new(parts: Parts) -> Result<App, argon2::Error> {
        let passwords = Passwords::new(parts.config.password_cost, &*parts.ids)?;
        let secrets = Secrets::new(parts.store.clone());
        let (keys, sessions) = (ApiKeys::new(secrets.clone()), Sessions::default());
        let (limits, marks) = (Limits::new(&parts.clock), Marks::new(&*parts.ids));
        let told_of_proxy = std::sync::Once::new();
        Ok(App(Arc::new(Inner { parts, secrets, keys, sessions, passwords, limits, marks, told_of_proxy })))
    }

    /// What events caused by this request carry.
    #[must_use]
    pub fn meta(&self, request: &Request, tenant: Tenant, actor: Actor) -> Meta {
        let mut meta = Meta::new(tenant, actor, self.clock.now());
        meta.ip = self.peer(request);
        meta.user_agent =
            request.header("user-agent").map(|text| text.chars().take(USER_AGENT_LENGTH).collect());
        meta.correlation = Some(crate::problem::request_id());
        meta
    }

    /// What events of this user's requests carry.
    pub(crate) fn user_meta(&self, request: &Request, carrier: &Sid, user: &Sid) -> Meta {
        self.meta(request, Tenant::carrier(carrier.clone()), Actor::User(user.clone()))
    }

    /// The address the request came from.
    #[must_use]
    pub fn peer(&self, request: &Request) -> Option<IpAddr> {
        let remote = request.remote_addr().as_socket_addr()?.ip();
        let lines = request.headers().get_all("x-forwarded-for").iter();
        let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        let trusted = |network: &IpNet| network.contains(&remote.to_canonical());
        if !lines.is_empty() && !self.config.trusted_proxies.iter().any(trusted) {
            self.told_of_proxy.call_once(|| {
                tracing::warn!(
                    %remote,
                    "X-Forwarded-For comes from an address that is not trusted, so that all who come through it are one \
                     to us; if it is your proxy, name it in http.trusted_proxies"
                );
                self.health.proxy_seen(remote.to_canonical());
            });
        }
        Some(behind_proxies(remote, &lines.join(","), &self.config.trusted_proxies))
    }

    /// Waits until a read sees what was just written, and the next call is routed by it. Tables or a directory that lag
    /// for longer do not fail the write.
    ///
    /// # Errors
    /// Never now; it is a result so that callers end with it.
    pub async fn settled(&self, log: Log, appended: &Appended) -> Result<(), Refusal> {
        if let Err(behind) = self.projections.reached(log, appended.position, READ_YOUR_WRITES).await {
            tracing::warn!(%behind, "a projection lags; the client may not see its own write yet");
        }
        let routing = log == Log::Core && ROUTING.contains(&appended.stream.kind());
        if routing && !self.health.routed_by(appended.position, ROUTED_BY).await {
            tracing::warn!(
                position = appended.position,
                "the directory lags; the next call may be routed without what was just written"
            );
        }
        Ok(())
    }
}
