//! From a target to an open connection: resolve, check every address, connect to a checked one, agree on TLS.

use super::{
    Inner,
    failure::{BAD_HOST, CONNECTION, Failure, PROTOCOL},
    overrides::Overrides,
    target::Target,
};
use bytes::Bytes;
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
    time::{Instant, timeout, timeout_at},
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
    pub(super) async fn connect(&self, target: &Target, overrides: &Overrides) -> Result<Sender, Failure> {
        let deadline = Instant::now() + overrides.connect;
        let host = target.host_text();
        let late = || {
            Failure::connect(CONNECTION, format!("no connection to {host} within {:?}", overrides.connect))
        };
        let addresses = timeout_at(deadline, self.addresses(target)).await.map_err(|_| late())??;
        let stream = self.tcp(&addresses, deadline, target).await?;
        let opened =
            async { if target.is_tls() { self.tls(stream, target).await } else { self.speak(stream).await } };
        timeout_at(deadline, opened).await.map_err(|_| late())?
    }

    /// The target's addresses, every one of them allowed.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Failure> {
        let host = target.host_text();
        if !self.guard.allows_host(&host) {
            return Err(Failure::refused(BAD_HOST, format!("{host} is where we are ourselves")));
        }
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.resolver.resolve(&host).await.map_err(|error| {
                Failure::connect(BAD_HOST, format!("{host} could not be resolved: {error}"))
            })?,
        };
        if found.is_empty() {
            return Err(Failure::connect(BAD_HOST, format!("{host} has no address")));
        }
        if !found.iter().all(|address| self.guard.allows(SocketAddr::new(*address, target.port()))) {
            return Err(Failure::refused(
                BAD_HOST,
                format!("{host} has an address that is not a public one"),
            ));
        }
        Ok(found)
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
                Ok(Err(error)) => last = format!("no connection to {host}: {error}"),
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
