//! Puts the parts together: store, projections, engine, reactors, web. `App::build` is the map of what needs what.

use crate::{
    assets::Dashboard,
    config::Config,
    control, demo,
    door::{Door, Patience, serve},
    examples,
    health::{NodeHealth, PROXY_NOTE},
    keys,
    open_files::Split,
    ports, private,
};
use api::{ApiConfig, Reachable, auth::Passwords};
use domain::{Clock, Ids, Log};
use ipnet::IpNet;
use poem::{
    EndpointExt, Server,
    listener::{Acceptor, Listener, TcpListener},
};
use projections::Projections;
use reactors::{
    DirectoryMirror, Reactors,
    http::{Guard, HttpOptions, SystemResolver},
};
use sip_engine::{Engine, EngineConfig, EngineHandle};
use std::{error::Error, net::Ipv4Addr, sync::Arc, time::Duration};
use store::{RandomIds, Store, StoreError, StoreOptions, SystemClock};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Anything that keeps Trunkline from starting, in words for a person.
pub type Trouble = Box<dyn Error + Send + Sync>;

/// How long a start waits for a database that is still coming up.
const DATABASE_PATIENCE: Duration = Duration::from_secs(60);
/// How long a start waits for the tables to catch up with the log.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(5);
/// How long everything may take to stop once calls are over.
const STOP_LIMIT: Duration = reactors::STOP_TIME.saturating_add(Duration::from_secs(3));
/// How long requests to us may take after that.
const WEB_STOP_LIMIT: Duration = Duration::from_secs(10);

/// The file in the data directory that every new seal is noted in.
pub const SEALS: &str = "seals.log";

/// A running Trunkline.
pub struct App {
    /// Where dashboard and APIs are.
    pub http_url: String,
    /// Where SIP is.
    pub sip_address: String,
    /// What opens the demo, if it was asked for.
    pub demo: Option<demo::Demo>,
    store: Store,
    reactors: Reactors,
    engine: EngineHandle,
    tasks: TaskTracker,
    stop: CancellationToken,
    drain: Duration,
}

/// Opens the store of these settings: makes the data directory, finds or makes the vault's key.
///
/// # Errors
/// When a directory, key or database cannot be used; a database with data whose key is gone or another one is not touched,
/// and one that is gone beside its key or its seals is not made anew.
pub async fn open_store(config: &Config) -> Result<Store, Trouble> {
    private::folder(&config.data_dir)
        .map_err(|error| format!("data_dir {}: {error}", config.data_dir.display()))?;
    let (key, had_data) = key_of(config)?;
    let store = Store::open(StoreOptions {
        evidence_kept: config.evidence_kept(),
        patience: DATABASE_PATIENCE,
        seals_file: Some(config.data_dir.join(SEALS)),
        ..StoreOptions::new(config.store_url(), key.bytes)
    })
    .await?;
    if let Err(trouble) = check(&store, config, &key, had_data).await {
        store.close().await;
        return Err(trouble);
    }
    key.keep(&config.data_dir)?;
    Ok(store)
}

/// The key of these settings' vault, and whether seals say that there were facts.
///
/// # Errors
/// When it cannot be read, or the database is gone beside it.
pub fn key_of(config: &Config) -> Result<(keys::MasterKey, bool), Trouble> {
    let key = keys::MasterKey::find(&config.data_dir, &RandomIds::default())?;
    // Seals are of facts. A key may be older than the first of them, but not than the file that holds them.
    let had_data = !store::noted_seals(&config.data_dir.join(SEALS))?.is_empty();
    if (had_data || !key.is_new) && config.store_file().is_some_and(|file| !file.exists()) {
        return Err(gone(config));
    }
    Ok((key, had_data))
}

/// Whether key and database belong together.
///
/// # Errors
/// When the key is gone or another one; and when there `had_data` been, and the database is empty.
pub async fn check(
    store: &Store,
    config: &Config,
    key: &keys::MasterKey,
    had_data: bool,
) -> Result<(), Trouble> {
    let place = config.data_dir.join("vault.key");
    let (place, head) = (place.display(), store.head(Log::Core).await?);
    let restore = match config.store_file() {
        Some(_) => "restore it from the backup",
        None => {
            "copy it from the data_dir of another process of this database, or restore it from the backup"
        }
    };
    if key.is_new && head > 0 {
        let text = format!("the database has data, but its key {place} is gone; {restore}");
        return Err(text.into());
    }
    if had_data && head == 0 {
        return Err(gone(config));
    }
    match store.check_key().await {
        Err(StoreError::Sealed) => {
            let text = format!("{place} is not the key this database was sealed with; {restore}");
            Err(text.into())
        }
        checked => Ok(checked?),
    }
}

/// That the database is gone, though there had been one.
pub fn gone(config: &Config) -> Trouble {
    let place = config.store_file();
    let place = place.map_or_else(|| "database_url".to_owned(), |file| file.display().to_string());
    let (data, has) = (config.data_dir.display(), |name: &str| config.data_dir.join(name).exists());
    let left = match (has("vault.key"), has(SEALS)) {
        (true, true) => format!("key vault.key and seals {SEALS}"),
        (true, false) => "key vault.key".to_owned(),
        (false, _) => format!("seals {SEALS}"),
    };
    format!(
        "the database ({place}) is empty or gone, but {data} has its {left}: restore the database and what else is gone \
         from the backup, or to begin anew move vault.key and {SEALS} away"
    )
    .into()
}

/// What everything else stands on.
struct Base {
    config: Config,
    with_demo: bool,
    split: Split,
    guard: Guard,
    store: Store,
    projections: Projections,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    node: String,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl App {
    /// Starts everything; when it returns, calls and requests are taken.
    ///
    /// # Errors
    /// When a port, the store or the demo is not to be had.
    pub async fn build(config: Config, with_demo: bool, split: Split) -> Result<App, Trouble> {
        let base = Base::open(config, with_demo, split).await?;
        let listen = base.config.http.listen;
        let web = TcpListener::bind(listen)
            .into_acceptor()
            .await
            .map_err(|error| ports::not_listening("http.listen", listen, &error))?;
        let doors = web.local_addr();
        doors.iter().filter_map(|door| door.as_socket_addr()).for_each(|door| base.guard.doors.add(*door));
        let http_url = public_url(&base.config, &web);
        let mut demo = base.demo(&http_url).await?;
        base.caught_up().await?;
        let reactors = base.reactors().await?;
        let engine = base.engine(&reactors).await?;
        engine.sip_addrs().iter().for_each(|door| base.guard.doors.add(*door));
        let sip_address = reachable(engine.sip_addr());
        if let Some(demo) = &mut demo {
            demo.sip_address.clone_from(&sip_address);
            demo.keep(&base.config.data_dir)?;
        }
        reactors.start(Arc::new(engine.clone()));
        base.serve(web, &http_url, base.health(&engine, reactors.clone()))?;
        base.take_orders(reactors.directory());
        let drain = Duration::from_secs(base.config.shutdown.drain_seconds);
        let Base { store, tasks, stop, .. } = base;
        Ok(App { http_url, sip_address, demo, store, reactors, engine, tasks, stop, drain })
    }

    /// Waits until another process is this node; then its calls end at once, for they are over in the log.
    pub async fn replaced(&mut self) {
        self.reactors.replaced().await;
        self.drain = Duration::ZERO;
    }

    /// The engine, for who is told to hurry while `stop` waits.
    pub fn engine(&self) -> EngineHandle {
        self.engine.clone()
    }

    /// How long live calls may go on when it stops.
    pub fn drain(&self) -> Duration {
        self.drain
    }

    /// Takes no more calls, lets live ones finish within the configured time, and stops.
    pub async fn stop(self) {
        self.engine.drain(self.drain).await;
        self.engine.shutdown().await;
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP_LIMIT, self.tasks.wait()).await.is_err() {
            tracing::warn!("some work did not stop in time; what was acknowledged is in the log");
        }
        self.reactors.leave().await;
        self.store.close().await;
    }
}

impl Base {
    async fn open(config: Config, with_demo: bool, split: Split) -> Result<Base, Trouble> {
        let store = open_store(&config).await?;
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>) =
            (Arc::new(SystemClock), Arc::new(RandomIds::default()));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let projections = Projections::start(store.clone(), tasks.clone(), stop.clone()).await?;
        let node = keys::node_name(&config.data_dir, &*ids)?;
        let guard = guard(&config, with_demo)?;
        Ok(Base { config, with_demo, split, guard, store, projections, clock, ids, node, tasks, stop })
    }

    async fn demo(&self, http_url: &str) -> Result<Option<demo::Demo>, Trouble> {
        if !self.with_demo {
            return Ok(None);
        }
        let passwords = Passwords::new(ApiConfig::default().password_cost, &*self.ids)?;
        let (store, clock, ids) = (self.store.clone(), self.clock.clone(), self.ids.clone());
        let maker = demo::Maker { store, clock, ids, passwords };
        let application = self.application().await?;
        maker.prepare(&self.config.data_dir, http_url, &application).await.map(Some)
    }

    /// Starts the demo's application at a port of its own, on loopback, the same as last time if that is free: where
    /// Trunkline itself listens, no webhook goes.
    async fn application(&self) -> Result<String, Trouble> {
        let last = demo::Demo::kept(&self.config.data_dir)?.map_or(0, |demo| demo.application_port());
        let bound = match TcpListener::bind((Ipv4Addr::LOCALHOST, last)).into_acceptor().await {
            Ok(bound) => bound,
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).into_acceptor().await?,
        };
        let address = bound.local_addr().into_iter().find_map(|address| address.as_socket_addr().copied());
        let stopped = self.stop.clone();
        self.tasks.spawn(async move {
            let server = Server::new_with_acceptor(bound);
            let run = server.run_with_graceful_shutdown(examples::routes(), stopped.cancelled_owned(), None);
            if let Err(error) = run.await {
                tracing::error!(%error, "the demo's application ended");
            }
        });
        Ok(address.map(|address| format!("http://{address}")).unwrap_or_default())
    }

    /// Waits until the tables know all that the log does, so that the first call is routed by the last change. Behind a
    /// dead node's lease that takes some seconds; a table that has stopped must not keep calls from being taken.
    async fn caught_up(&self) -> Result<(), Trouble> {
        let head = self.store.head(Log::Core).await?;
        if let Err(behind) = self.projections.reached(Log::Core, head, CATCH_UP_LIMIT).await {
            tracing::warn!(%behind, "calls are routed by tables that are behind");
        }
        Ok(())
    }

    async fn reactors(&self) -> Result<Reactors, Trouble> {
        let options = reactors::Options {
            store: self.store.clone(),
            projections: self.projections.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            node: self.node.clone(),
            spool: self.config.data_dir.join("spool"),
            http: outgoing(self.guard.clone(), self.split.applications, &self.ids),
            queue_limit: reactors::QUEUE_LIMIT,
            trusted_trunks: self.config.trusted_trunks()?,
            tasks: self.tasks.clone(),
            stop: self.stop.clone(),
        };
        Ok(Reactors::open(options).await?)
    }

    async fn engine(&self, reactors: &Reactors) -> Result<EngineHandle, Trouble> {
        let (guard, hearing) = (self.guard.clone(), self.guard.clone());
        let config = EngineConfig {
            sip_listen: self.config.sip_listen()?,
            connections_per_peer: self.config.sip.connections_per_peer,
            advertise: self.config.advertise()?,
            rtp_ports: self.config.rtp_ports()?,
            rtp_timeout: sip_engine::media::DEFAULT_RTP_TIMEOUT,
            node: reactors.node().to_owned(),
            max_calls: self.config.sip.max_calls,
            max_legs: self.split.legs(),
            connections: self.split.sip,
            reachable: Arc::new(move |address| guard.allows(address)),
            hearable: Arc::new(move |address, source| hearing.allows_sound(address, source)),
            names: Arc::new(sip_engine::SystemNames::new()),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        };
        let engine =
            Engine::start(config, Arc::new(reactors.world()), reactors.directory().directory()).await;
        Ok(engine.map_err(|error| format!("sip.listen: {error}"))?)
    }

    /// What is said about this process. A proxy noted by an earlier one may be trusted by now.
    fn health(&self, engine: &EngineHandle, reactors: Reactors) -> NodeHealth {
        let proxy_note = self.config.data_dir.join(PROXY_NOTE);
        let _ = std::fs::remove_file(&proxy_note);
        NodeHealth { engine: engine.clone(), reactors, proxy_note }
    }

    /// From `trunkline replay` beside this process, until `stop`.
    fn take_orders(&self, mirror: DirectoryMirror) {
        if let Some(socket) = control::open(&self.config.data_dir) {
            let orders = control::serve(socket, self.store.clone(), self.projections.clone(), mirror);
            let stop = self.stop.clone();
            self.tasks.spawn(async move { stop.run_until_cancelled(orders).await });
        }
    }

    /// Dashboard and APIs, until `stop`.
    fn serve(&self, web: impl Acceptor + 'static, http_url: &str, health: NodeHealth) -> Result<(), Trouble> {
        let guard = self.guard.clone();
        let config = ApiConfig {
            public_url: http_url.to_owned(),
            secure_cookies: http_url.starts_with("https://"),
            sip_address: Some(reachable(health.engine.sip_addr())),
            trusted_proxies: self.config.trusted_proxies()?,
            trusted_trunks: self.config.trusted_trunks()?,
            wide_networks: self.config.wide_networks()?,
            sources_per_carrier: self.config.sip.sources_per_carrier,
            reachable: Reachable(Arc::new(move |address| guard.allows(address))),
            ..ApiConfig::default()
        };
        let parts = api::Parts {
            store: self.store.clone(),
            projections: self.projections.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            config,
            health: Arc::new(health),
            stop: self.stop.clone(),
            tasks: self.tasks.clone(),
        };
        let routes = api::router(&api::App::new(parts)?, Dashboard.boxed());
        let web = Door::new(web, Patience::default(), self.split.web, self.config.trusted_proxies()?);
        self.tasks.spawn(serve(web, routes, self.stop.clone(), WEB_STOP_LIMIT));
        Ok(())
    }
}

/// How customers' applications are asked.
fn outgoing(guard: Guard, connections: usize, ids: &Arc<dyn Ids>) -> HttpOptions {
    let resolver = Arc::new(SystemResolver);
    HttpOptions { guard, resolver, extra_roots: Vec::new(), connections, ids: ids.clone() }
}

/// Where customers may make us go, with webhooks and with calls. The demo's application and phones are on this machine.
fn guard(config: &Config, with_demo: bool) -> Result<Guard, Trouble> {
    let loopback = demo::LOOPBACK.iter().filter(|_| with_demo).map(|network| network.parse::<IpNet>());
    let allowed = config.allowed_networks()?.into_iter().chain(loopback.flatten()).collect();
    let outside = config.advertise()?.into_iter().collect();
    let own_host = reactors::http::host(&config.http.public_url);
    Ok(Guard { allowed, outside, own_host, ..Guard::default() })
}

fn public_url(config: &Config, web: &impl Acceptor) -> String {
    if !config.http.public_url.is_empty() {
        return config.http.public_url.trim_end_matches('/').to_owned();
    }
    let bound = web.local_addr().into_iter().find_map(|address| address.as_socket_addr().copied());
    format!("http://{}", reachable(bound.unwrap_or(config.http.listen)))
}

/// The address as something on this machine would call it: a wildcard is loopback.
fn reachable(mut address: std::net::SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_is_gone_beside_its_key_or_its_seals_is_not_made_anew() {
        for left in [&["vault.key"][..], &[SEALS][..], &["vault.key", SEALS][..]] {
            let folder = tempfile::tempdir().unwrap();
            let config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
            for name in left {
                let content =
                    if *name == SEALS { &b"core 1 00 2026-01-01T00:00:00Z\n"[..] } else { &[7_u8; 32][..] };
                std::fs::write(folder.path().join(name), content).unwrap();
            }
            let refused = open_store(&config).await.err().unwrap().to_string();
            assert!(refused.contains("trunkline.db) is empty or gone"), "{left:?}: {refused}");
            assert!(left.iter().all(|name| refused.contains(name)), "{left:?}: {refused}");
            assert!(
                refused.contains("restore the database") && refused.contains("move vault.key"),
                "{refused}"
            );
            assert!(!folder.path().join("trunkline.db").exists(), "{left:?}: nothing was made");
        }
    }

    #[tokio::test]
    async fn a_start_before_anything_happened_is_no_lost_database() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        for _ in 0..2 {
            open_store(&config).await.unwrap().close().await;
        }
    }
}
