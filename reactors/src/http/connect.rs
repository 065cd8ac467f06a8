//! From a target to an open connection: resolve, check every address, connect to a checked one, agree on TLS.

use super::{
    Inner,
    failure::{BAD_HOST, BAD_URL, CONNECTION, Failure, PROTOCOL},
    overrides::Overrides,
    target::Target,
};
use bytes::Bytes;
use domain::{
    Sid,
    outbound::{self, MAIL_PORTS, REFUSAL_TIME},
};
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep_until, timeout, timeout_at},
};

/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;
/// Most response headers that are read.
const MAX_HEADERS: usize = 100;
/// Largest response head, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// What requests are sent on.
pub(super) type Sender = SendRequest<Full<Bytes>>;

impl Inner {
    /// Opens a connection to the target, within `overrides.connect`.
    pub(super) async fn connect(
        &self,
        target: &Target,
        overrides: &Overrides,
        account: Option<&Sid>,
    ) -> Result<Sender, Failure> {
        let deadline = Instant::now() + overrides.connect;
        let late = || {
            let host = target.host_text();
            Failure::connect(CONNECTION, format!("no connection to {host} within {:?}", overrides.connect))
        };
        let addresses = self.addresses(target, deadline, account).await?;
        let stream = self.tcp(&addresses, deadline, target).await?;
        let opened =
            async { if target.is_tls() { self.tls(stream, target).await } else { self.speak(stream).await } };
        timeout_at(deadline, opened).await.map_err(|_| late())?
    }

    /// The target's addresses, every one of them allowed. Whatever the reason that there are none, the answer is the same
    /// and comes at the same time, so that nobody learns from it what is inside.
    async fn addresses(
        &self,
        target: &Target,
        deadline: Instant,
        account: Option<&Sid>,
    ) -> Result<Vec<IpAddr>, Failure> {
        if MAIL_PORTS.contains(&target.port()) {
            let text = format!("port {} is for mail and is not asked by HTTP", target.port());
            return Err(Failure::refused(BAD_URL, text));
        }
        let refused_at = Instant::now() + REFUSAL_TIME;
        let host = target.host_text();
        let found = timeout_at(deadline, self.resolved(&host, account)).await.unwrap_or_default();
        let allowed = |address: &IpAddr| self.guard.allows(SocketAddr::new(*address, target.port()));
        if found.is_empty() || !found.iter().all(allowed) {
            sleep_until(refused_at.min(deadline)).await;
            return Err(Failure::connect(BAD_HOST, outbound::refusal(&host)));
        }
        Ok(found)
    }

    async fn resolved(&self, host: &str, account: Option<&Sid>) -> Vec<IpAddr> {
        if !self.guard.allows_host(host) {
            return Vec::new();
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return vec![address];
        }
        let held = self.places.look_ups.take(account).await;
        let (resolver, name) = (Arc::clone(&self.resolver), host.to_owned());
        // A look-up goes on when nobody waits for it any more, and its account has one less for as long.
        let found = self.tasks.spawn(async move {
            let found = resolver.resolve(&name).await;
            drop(held);
            found
        });
        let found = found.await.map_err(std::io::Error::other).flatten();
        found.unwrap_or_else(|error| {
            tracing::debug!(host, %error, "a name was not resolved");
            Vec::new()
        })
    }

    /// A TCP connection to the first address that answers; the time left is shared among them.
    async fn tcp(
        &self,
        addresses: &[IpAddr],
        deadline: Instant,
        target: &Target,
    ) -> Result<TcpStream, Failure> {
        let host = target.host_text();
        let mut last = format!("{host} did not answer in time");
        let tried = addresses.len().min(MAX_ADDRESSES);
        for (index, address) in addresses.iter().take(tried).enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(tried - index).unwrap_or(1);
            match timeout(share, TcpStream::connect(SocketAddr::new(*address, target.port()))).await {
                Ok(Ok(stream)) => {
                    // Requests are small and one; waiting for more to send would only add delay.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                // What a port inside does with strangers is not theirs to know.
                Ok(Err(error)) if outbound::is_public(*address) => {
                    last = format!("no connection to {host}: {error}");
                }
                Ok(Err(_)) => last = format!("no connection to {host}"),
                Err(_) => {}
            }
        }
        Err(Failure::connect(CONNECTION, last))
    }

    async fn tls(&self, stream: TcpStream, target: &Target) -> Result<Sender, Failure> {
        let host = target.host_text();
        let name = rustls::pki_types::ServerName::try_from(host.to_string());
        let name = name.map_err(|_| Failure::refused(BAD_HOST, format!("{host} is no host name")))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(name, stream).await;
        self.speak(stream.map_err(|error| Failure::handshake(&host, &error))?).await
    }

    async fn speak<S>(&self, stream: S) -> Result<Sender, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD)
            // As Twilio writes them: gateways hand names on as they came, and applications look them up so.
            .title_case_headers(true)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) =
            handshake.map_err(|error| Failure::connect(PROTOCOL, error.to_string()))?;
        // It ends by itself when the sender is dropped or the far end closes.
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to an application closed");
            }
        });
        Ok(sender)
    }
}

/// Idle connections live less long than common servers keep them (node: 5 s), so that a request seldom meets a close.
pub(super) const IDLE: Duration = Duration::from_secs(4);
