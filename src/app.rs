//! Puts the parts together: store, projections, engine, reactors, web. `App::build` is the map of what needs what.

use crate::{
    assets::Dashboard,
    config::Config,
    control, demo,
    door::{Door, Patience},
    examples,
    health::NodeHealth,
    keys,
};
use api::{ApiConfig, auth::Passwords};
use domain::{Clock, Ids, Log};
use poem::{
    EndpointExt, Route, Server,
    listener::{Acceptor, Listener, TcpListener},
};
use projections::Projections;
use reactors::{
    Reactors,
    http::{Guard, HttpOptions, SystemResolver},
};
use sip_engine::{Engine, EngineConfig, EngineHandle};
use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};
use store::{RandomIds, Store, StoreOptions, SystemClock};
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
/// When a directory, key or database cannot be used; a database with data whose key is gone is not touched.
pub async fn open_store(config: &Config) -> Result<Store, Trouble> {
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| format!("data_dir {}: {error}", config.data_dir.display()))?;
    let ids: Arc<dyn Ids> = Arc::new(RandomIds::default());
    let key = keys::MasterKey::find(&config.data_dir, &*ids)?;
    let store = Store::open(StoreOptions {
        evidence_kept: config.evidence_kept(),
        patience: DATABASE_PATIENCE,
        seals_file: Some(config.data_dir.join(SEALS)),
        ..StoreOptions::new(config.store_url(), key.bytes)
    })
    .await?;
    if key.is_new && store.head(Log::Core).await? > 0 {
        let place = config.data_dir.join("vault.key");
        return Err(format!(
            "the database has data, but its key {} is gone; restore it from the backup",
            place.display()
        )
        .into());
    }
    key.keep(&config.data_dir)?;
    Ok(store)
}

/// What everything else stands on.
struct Base {
    config: Config,
    with_demo: bool,
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
    pub async fn build(config: Config, with_demo: bool) -> Result<App, Trouble> {
        let base = Base::open(config, with_demo).await?;
        let listen = base.config.http.listen;
        let web = TcpListener::bind(listen)
            .into_acceptor()
            .await
            .map_err(|error| format!("http.listen {listen}: {error}"))?;
        let http_url = public_url(&base.config, &web);
        let mut demo = base.demo(&http_url).await?;
        base.caught_up().await?;
        let reactors = base.reactors().await?;
        let engine = base.engine(&reactors).await?;
        let sip_address = reachable(engine.sip_addr());
        if let Some(demo) = &mut demo {
            demo.sip_address.clone_from(&sip_address);
            demo.keep(&base.config.data_dir)?;
        }
        reactors.start(Arc::new(engine.clone()));
        base.serve(web, &http_url, NodeHealth { engine: engine.clone(), reactors: reactors.clone() })?;
        base.take_orders();
        let drain = Duration::from_secs(base.config.shutdown.drain_seconds);
        let Base { store, tasks, stop, .. } = base;
        Ok(App { http_url, sip_address, demo, store, reactors, engine, tasks, stop, drain })
    }

    /// Waits until another process is this node; then its calls end at once, for they are over in the log.
    pub async fn replaced(&mut self) {
        self.reactors.replaced().await;
        self.drain = Duration::ZERO;
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
    async fn open(config: Config, with_demo: bool) -> Result<Base, Trouble> {
        let store = open_store(&config).await?;
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>) =
            (Arc::new(SystemClock), Arc::new(RandomIds::default()));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let projections = Projections::start(store.clone(), tasks.clone(), stop.clone()).await?;
        let node = keys::node_name(&config.data_dir, &*ids)?;
        Ok(Base { config, with_demo, store, projections, clock, ids, node, tasks, stop })
    }

    async fn demo(&self, http_url: &str) -> Result<Option<demo::Demo>, Trouble> {
        if !self.with_demo {
            return Ok(None);
        }
        let passwords = Passwords::new(ApiConfig::default().password_cost, &*self.ids)?;
        let (store, clock, ids) = (self.store.clone(), self.clock.clone(), self.ids.clone());
        let maker = demo::Maker { store, clock, ids, passwords };
        maker.prepare(&self.config.data_dir, http_url).await.map(Some)
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
            http: outgoing(&self.config, self.with_demo, &self.ids),
            queue_limit: reactors::QUEUE_LIMIT,
            trusted_trunks: self.config.trusted_trunks()?,
            tasks: self.tasks.clone(),
            stop: self.stop.clone(),
        };
        Ok(Reactors::open(options).await?)
    }

    async fn engine(&self, reactors: &Reactors) -> Result<EngineHandle, Trouble> {
        let guard = guard(&self.config, self.with_demo);
        let config = EngineConfig {
            sip_listen: self.config.sip_listen()?,
            connections_per_peer: self.config.sip.connections_per_peer,
            advertise: self.config.advertise()?,
            rtp_ports: self.config.rtp_ports()?,
            rtp_timeout: sip_engine::media::DEFAULT_RTP_TIMEOUT,
            node: reactors.node().to_owned(),
            max_calls: self.config.sip.max_calls,
            reachable: Arc::new(move |address| guard.allows_call(address)),
            names: Arc::new(sip_engine::SystemNames::new()),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        };
        let engine =
            Engine::start(config, Arc::new(reactors.world()), reactors.directory().directory()).await;
        Ok(engine.map_err(|error| format!("sip.listen: {error}"))?)
    }

    /// From `trunkline replay` beside this process, until `stop`.
    fn take_orders(&self) {
        if let Some(socket) = control::open(&self.config.data_dir) {
            let orders = control::serve(socket, self.store.clone(), self.projections.clone());
            let stop = self.stop.clone();
            self.tasks.spawn(async move { stop.run_until_cancelled(orders).await });
        }
    }

    /// Dashboard, APIs and, in the demo, the example application, until `stop`.
    fn serve(&self, web: impl Acceptor + 'static, http_url: &str, health: NodeHealth) -> Result<(), Trouble> {
        let config = ApiConfig {
            public_url: http_url.to_owned(),
            secure_cookies: http_url.starts_with("https://"),
            sip_address: Some(reachable(health.engine.sip_addr())),
            trusted_proxies: self.config.trusted_proxies()?,
            trusted_trunks: self.config.trusted_trunks()?,
            wide_networks: self.config.wide_networks()?,
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
        let mut routes = Route::new().nest("/", api::router(&api::App::new(parts)?, Dashboard.boxed()));
        if self.with_demo {
            routes = routes.nest("/examples", examples::routes());
        }
        let web = Door::new(web, Patience::default(), self.config.trusted_proxies()?);
        let stopped = self.stop.clone();
        self.tasks.spawn(async move {
            let server = Server::new_with_acceptor(web);
            let run =
                server.run_with_graceful_shutdown(routes, stopped.cancelled_owned(), Some(WEB_STOP_LIMIT));
            if let Err(error) = run.await {
                tracing::error!(%error, "the web server ended");
            }
        });
        Ok(())
    }
}

/// How customers' applications are asked.
fn outgoing(config: &Config, with_demo: bool, ids: &Arc<dyn Ids>) -> HttpOptions {
    HttpOptions {
        guard: guard(config, with_demo),
        resolver: Arc::new(SystemResolver::default()),
        extra_roots: Vec::new(),
        ids: ids.clone(),
    }
}

/// Where customers may make us go, with webhooks and with calls. The demo's application and phones are on this machine.
fn guard(config: &Config, with_demo: bool) -> Guard {
    let sip = config.sip_listen().unwrap_or_default();
    let listen: Vec<_> = sip.into_iter().chain([config.http.listen]).collect();
    let advertised = config.advertise().ok().flatten();
    let outside = listen.iter().filter_map(|listen| Some(SocketAddr::new(advertised?, listen.port())));
    let own = outside.chain(listen.iter().copied()).collect();
    let own_host = reactors::http::host(&config.http.public_url);
    Guard { allow_private: config.webhooks.allow_private || with_demo, own, own_host, ..Guard::default() }
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
