//! Serves HTTP/1 and HTTP/2 on every connection that comes in; what one may hold in memory is bounded.

use super::{Door, guest::Guest};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use poem::{
    Endpoint, Response,
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Most of a request's head, and of what is read ahead, in bytes.
const HEAD: usize = 64 * 1024;
/// Most requests under way on one HTTP/2 connection (RFC 9113 section 6.5.2).
const STREAMS: u32 = 32;
/// Bytes of one request's body that may be on their way to us, and of all requests' of a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// Bytes of one response that wait for a browser that does not read.
const SEND_BUFFER: usize = 64 * 1024;
/// Bytes of an HTTP/2 request's headers, decoded.
const HEADER_LIST: u32 = 16 * 1024;
/// Requests that were taken back before we saw them, beyond which a connection is closed (CVE-2023-44487).
const RESETS: usize = 20;

/// A connection, and who is at which end.
type Came<Io> = (Guest<Io>, LocalAddr, RemoteAddr, Scheme);

/// Serves until `stop`, and what is under way by then for at most `within`.
pub async fn serve<A, E>(mut door: Door<A>, endpoint: E, stop: CancellationToken, within: Duration)
where
    A: Acceptor + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    let endpoint = Arc::new(endpoint);
    while let Some(came) = stop.run_until_cancelled(door.accept()).await {
        if let Ok(came) = came {
            let talk = talk(came, Arc::clone(&endpoint), stop.clone());
            let cut = cut.clone();
            tasks.spawn(async move { cut.run_until_cancelled(talk).await });
        }
    }
    drop(door);
    tasks.close();
    if tokio::time::timeout(within, tasks.wait()).await.is_err() {
        cut.cancel();
        tasks.wait().await;
    }
}

async fn talk<Io, E>((io, local, remote, scheme): Came<Io>, endpoint: Arc<E>, stop: CancellationToken)
where
    Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let endpoint = Arc::clone(&endpoint);
        let from = (request, local.clone(), remote.clone(), scheme.clone());
        async move { Ok::<hyper::Response<_>, Infallible>(endpoint.get_response(from.into()).await.into()) }
    });
    let builder = limited();
    let talk = builder.serve_connection_with_upgrades(TokioIo::new(io), service);
    tokio::pin!(talk);
    if stop.run_until_cancelled(talk.as_mut()).await.is_none() {
        talk.as_mut().graceful_shutdown();
        let _ = talk.await;
    }
}

fn limited() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(HEAD);
    builder
        .http2()
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(HEADER_LIST)
        .max_pending_accept_reset_streams(RESETS);
    builder
}
