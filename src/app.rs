//! Puts the parts together: store, projections, engine, reactors, web. `App::build` is the map of what needs what.

use crate::{assets::Dashboard, config::Config, demo, examples, keys};
use api::{ApiConfig, Gauge, auth::Passwords};
use domain::{Clock, Ids, Log};
use poem::{
    EndpointExt, Route, Server,
    listener::{Acceptor, Listener, TcpListener},
};
use reactors::{
    Reactors,
    http::{Guard, HttpOptions, SystemResolver},
};
use sip_engine::{Engine, EngineConfig, EngineHandle};
use std::{error::Error, sync::Arc, time::Duration};
use store::{RandomIds, Store, StoreOptions, SystemClock};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Anything that keeps Trunkline from starting, in words for a person.
pub type Trouble = Box<dyn Error + Send + Sync>;

/// How long everything may take to stop once calls are over.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running Trunkline.
pub struct App {
    /// Where dashboard and APIs are.
    pub http_url: String,
    /// Where SIP is.
    pub sip_address: String,
    /// What opens the demo, if it was asked for.
    pub demo: Option<demo::Demo>,
    store: Store,
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
    let store = Store::open(StoreOptions::new(config.store_url(), key.bytes)).await?;
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

impl App {
    /// Starts everything; when it returns, calls and requests are taken.
    ///
    /// # Errors
    /// When a port, the store or the demo is not to be had.
    pub async fn build(config: Config, with_demo: bool) -> Result<App, Trouble> {
        let store = open_store(&config).await?;
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>) =
            (Arc::new(SystemClock), Arc::new(RandomIds::default()));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let projections = projections::Projections::start(store.clone(), tasks.clone(), stop.clone()).await?;

        let node = keys::node_name(&config.data_dir, &*ids)?;
        let web = TcpListener::bind(config.http.listen).into_acceptor().await;
        let web = web.map_err(|error| format!("http.listen {}: {error}", config.http.listen))?;
        let http_url = public_url(&config, &web);
        let reactors = reactors::Options {
            store: store.clone(),
            projections: projections.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            node: node.clone(),
            spool: config.data_dir.join("spool"),
            http: outgoing(&config, with_demo, &ids),
            queue_limit: reactors::QUEUE_LIMIT,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let reactors = Reactors::open(reactors).await?;
        let engine = EngineConfig {
            sip_listen: config.sip.listen,
            advertise: config.advertise()?,
            rtp_ports: config.rtp_ports()?,
            rtp_timeout: sip_engine::media::DEFAULT_RTP_TIMEOUT,
            node,
            max_calls: config.sip.max_calls,
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let engine = Engine::start(engine, Arc::new(reactors.world()), reactors.directory().directory()).await;
        let engine = engine.map_err(|error| format!("sip.listen {}: {error}", config.sip.listen))?;
        let sip_address = reachable(engine.sip_addr());

        let api = ApiConfig {
            public_url: http_url.clone(),
            secure_cookies: http_url.starts_with("https://"),
            sip_address: Some(sip_address.clone()),
            ..ApiConfig::default()
        };
        let demo = match with_demo {
            false => None,
            true => {
                let passwords = Passwords::new(api.password_cost, &*ids)?;
                let maker =
                    demo::Maker { store: store.clone(), clock: clock.clone(), ids: ids.clone(), passwords };
                let demo = maker.prepare(&config.data_dir, &http_url, &sip_address).await?;
                let head = store.head(Log::Core).await?;
                projections.reached(Log::Core, head, STOP_LIMIT).await?;
                Some(demo)
            }
        };
        reactors.start(Arc::new(engine.clone()));
        let parts = api::Parts {
            store: store.clone(),
            projections,
            clock,
            ids,
            config: api,
            health: Arc::new(NodeHealth { engine: engine.clone(), reactors }),
            stop: stop.clone(),
        };
        let mut routes = Route::new().nest("/", api::router(&api::App::new(parts)?, Dashboard.boxed()));
        if with_demo {
            routes = routes.nest("/examples", examples::routes());
        }
        let stopped = stop.clone();
        tasks.spawn(async move {
            let server = Server::new_with_acceptor(web);
            if let Err(error) =
                server.run_with_graceful_shutdown(routes, stopped.cancelled_owned(), Some(STOP_LIMIT)).await
            {
                tracing::error!(%error, "the web server ended");
            }
        });
        let drain = Duration::from_secs(config.shutdown.drain_seconds);
        Ok(App { http_url, sip_address, demo, store, engine, tasks, stop, drain })
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
        self.store.close().await;
    }
}

/// What this node says about itself on `/readyz` and `/metrics`.
struct NodeHealth {
    engine: EngineHandle,
    reactors: Reactors,
}

impl api::Health for NodeHealth {
    #[expect(clippy::cast_precision_loss, reason = "none of these comes near 2^52")]
    fn gauges(&self) -> Vec<Gauge> {
        let state = self.reactors.state();
        [
            ("trunkline_live_calls", "Calls this node has now.", self.engine.live() as f64),
            ("trunkline_spooled_facts", "Facts that wait for the store.", state.spooled as f64),
            ("trunkline_evidence_dropped", "SIP messages not kept since the start.", state.evidence_dropped as f64),
            ("trunkline_directory_lag", "Events the engine's directory does not know yet.", state.directory_lag as f64),
        ]
        .map(|(name, help, value)| Gauge { name, help, value })
        .to_vec()
    }
}

/// How customers' applications are asked. The demo's own application is on this machine.
fn outgoing(config: &Config, with_demo: bool, ids: &Arc<dyn Ids>) -> HttpOptions {
    let allow_private = config.webhooks.allow_private || with_demo;
    HttpOptions {
        guard: Guard { allow_private, ..Guard::default() },
        resolver: Arc::new(SystemResolver),
        extra_roots: Vec::new(),
        ids: ids.clone(),
    }
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
