//! Puts the parts together: store, projections, engine, reactors, web. `App::build` is the map of what needs what.

use crate::{assets::Dashboard, config::Config, demo, examples, keys};
use api::{ApiConfig, auth::Passwords};
use domain::{Clock, Ids, Log};
use poem::{
    EndpointExt, Route, Server,
    listener::{Acceptor, Listener, TcpListener},
};
use reactors::ReactorsConfig;
use sip_engine::{Engine, EngineConfig, EngineHandle};
use std::{error::Error, sync::Arc, time::Duration};
use store::{RandomIds, Store, StoreOptions, SystemClock};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Anything that keeps Trunkline from starting, in words for a person.
pub type Trouble = Box<dyn Error + Send + Sync>;

/// How long a queued call may wait for an engine.
const QUEUE_LIMIT: Duration = Duration::from_secs(300);
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
        let reactors = ReactorsConfig {
            node: node.clone(),
            data_dir: config.data_dir.clone(),
            allow_private: config.webhooks.allow_private || with_demo,
            public_url: http_url.clone(),
            queue_limit: QUEUE_LIMIT,
        };
        let outside = reactors::Outside::start(
            store.clone(),
            projections.clone(),
            &reactors,
            clock.clone(),
            tasks.clone(),
            stop.clone(),
        )
        .await?;
        let directory =
            reactors::sync_directory::start(store.clone(), projections.clone(), tasks.clone(), stop.clone())
                .await?;
        let engine = EngineConfig {
            sip_listen: config.sip.listen,
            advertise: config.advertise()?,
            rtp_ports: config.rtp_ports()?,
            node,
            max_calls: config.sip.max_calls,
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let engine = Engine::start(engine, outside.clone(), directory).await;
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
        reactors::start(
            store.clone(),
            projections.clone(),
            engine.clone(),
            outside,
            reactors,
            clock.clone(),
            tasks.clone(),
            stop.clone(),
        )
        .await?;
        let parts = api::Parts {
            store: store.clone(),
            projections,
            clock,
            ids,
            config: api,
            health: Arc::new(EngineHealth(engine.clone())),
            stop: stop.clone(),
        };
        let mut routes = Route::new().nest("/", api::router(&api::App::new(parts), Dashboard.boxed()));
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

/// What the engine says about itself on `/readyz` and `/metrics`.
struct EngineHealth(EngineHandle);

impl api::Health for EngineHealth {
    fn gauges(&self) -> Vec<api::Gauge> {
        #[expect(clippy::cast_precision_loss, reason = "a node has far fewer calls than 2^52")]
        let value = self.0.live() as f64;
        vec![api::Gauge { name: "trunkline_live_calls", help: "Calls this node has now.", value }]
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
