//! The one HTTP client that talks to customers' applications. It is told where to go by strangers, so it trusts nobody:
//! every address is checked, everything has a limit, nothing is decompressed, and a proxy is never used.

mod breaker;
mod connect;
mod cookies;
mod exchange;
pub mod failure;
pub mod guard;
mod known;
mod logins;
pub mod overrides;
mod places;
mod pool;
pub mod resolve;
mod send;
mod shares;
mod target;
#[cfg(test)]
mod tests;

pub use cookies::CallCookies;
pub(crate) use cookies::Cookies;
pub use failure::{Failure, Stage};
pub use guard::Guard;
pub use logins::CallLogins;
pub(crate) use logins::Logins;
pub(crate) use places::QUICK;
pub use resolve::{Resolver, SystemResolver};
pub use send::{Leave, application, host, shown};
pub(crate) use shares::Carriers;

use bytes::Bytes;
use domain::{Ids, Sid, webhook_url::Method};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// The `User-Agent` of every request.
pub const USER_AGENT: &str = "TwilioProxy/1.1";
/// The longest a request takes, retries and redirects included.
pub const MAX_TIME: Duration = Duration::from_secs(15);
/// Largest TwiML document, in bytes.
pub const MAX_DOCUMENT: usize = 64 * 1024;
/// Largest audio file, in bytes.
pub const MAX_MEDIA: usize = 16 * 1024 * 1024;

/// The client; clones share connections and limits.
#[derive(Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    guard: Guard,
    resolver: Arc<dyn Resolver>,
    tls: Arc<rustls::ClientConfig>,
    ids: Arc<dyn Ids>,
    places: places::Places,
    pool: pool::Pool,
    tasks: TaskTracker,
}

/// What the client is handed.
#[derive(Clone)]
pub struct HttpOptions {
    /// Decides which addresses may be called.
    pub guard: Guard,
    /// Finds addresses of names.
    pub resolver: Arc<dyn Resolver>,
    /// Certificates trusted beside the web's own authorities.
    pub extra_roots: Vec<rustls::pki_types::CertificateDer<'static>>,
    /// Most connections at once, idle ones included.
    pub connections: usize,
    /// Makes idempotency tokens.
    pub ids: Arc<dyn Ids>,
}

/// Most connections of one client at once that are of use.
pub const MAX_CONNECTIONS: usize = places::MAX_QUICK + places::MAX_SLOW + pool::MAX_IDLE;

/// A request to a customer's application.
#[derive(Clone, Debug)]
pub struct Request {
    /// GET puts the parameters into the query, POST into a form.
    pub method: Method,
    /// As configured; a fragment holds connection overrides, user and password answer a challenge, by Digest or Basic, and
    /// are told nobody who does not ask.
    pub url: String,
    /// Sent in this order.
    pub parameters: Vec<(String, String)>,
    /// Signs the request when given: the auth token of the account that owns the resource.
    pub auth_token: Option<Arc<str>>,
    /// More headers, for example `If-None-Match`.
    pub headers: Vec<(&'static str, String)>,
    /// Largest response, in bytes.
    pub limit: usize,
    /// Whether a response that is audio may be as large as a sound, whatever the limit.
    pub sounds: bool,
    /// The idempotency token; a fresh one when there is none. Give the same to what may be sent again.
    pub token: Option<uuid::Uuid>,
    /// The call's cookies: what goes along, and where those of the answers are kept.
    pub cookies: Option<CallCookies>,
    /// The call's logins: who has signed in at an origin is so in all of the call.
    pub logins: Option<CallLogins>,
    /// Whose application it is: one account's requests leave room for the others'.
    pub account: Option<Sid>,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The URL first requested, without user and password.
    pub url: String,
    /// From the request to the last byte received: waiting for a place, retries and redirects included.
    pub duration: Duration,
    /// The response, whatever its status, or why there is none.
    pub result: Result<Response, Failure>,
}

/// A response, whole and within its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As sent; never decompressed.
    pub body: Bytes,
    /// Where redirects led, if any did: with user and password, without our parameters. Addresses in the body are relative
    /// to it (RFC 3986 section 5.1.3).
    pub at: Option<url::Url>,
}

impl Response {
    /// Every header of this name (lower case).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is a sound.
    #[must_use]
    pub fn is_audio(&self) -> bool {
        self.header("content-type").is_some_and(is_audio)
    }
}

/// Whether a body of this content type is a sound.
fn is_audio(content_type: &str) -> bool {
    content_type.get(..6).is_some_and(|kind| kind.eq_ignore_ascii_case("audio/"))
}

impl Http {
    /// Two clients that have nothing in common: one with two thirds of the connections for documents and sounds, one for
    /// what is told beside a call. An application that is slow to take that delays no conversation, and ends none.
    /// Of several carriers each has a share.
    #[must_use]
    pub(crate) fn two(options: &HttpOptions, carriers: &Carriers) -> [Http; 2] {
        let beside = options.connections / 3;
        [options.connections - beside, beside]
            .map(|connections| Http::of(HttpOptions { connections, ..options.clone() }, carriers))
    }

    /// A client that knows of no carriers.
    ///
    /// # Panics
    /// Never: ring offers the protocol versions that are asked for.
    #[must_use]
    pub fn new(options: HttpOptions) -> Http {
        Http::of(options, &Carriers::default())
    }

    fn of(options: HttpOptions, carriers: &Carriers) -> Http {
        let HttpOptions { guard, resolver, extra_roots, connections, ids } = options;
        let tls = Arc::new(tls_config(extra_roots));
        Http(Arc::new(Inner {
            guard,
            resolver,
            tls,
            ids,
            places: places::Places::new(connections, carriers),
            pool: pool::Pool::new(connections),
            tasks: TaskTracker::new(),
        }))
    }
}

fn tls_config(extra_roots: Vec<rustls::pki_types::CertificateDer<'static>>) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(extra_roots);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.expect("ring speaks TLS 1.2 and 1.3");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}
