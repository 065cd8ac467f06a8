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

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests start both ends of a connection")]
mod tests {
    use super::{super::Patience, super::seats::Seats, *};
    use poem::{Addr, EndpointExt, endpoint::make_sync};
    use tokio::{io::AsyncWriteExt, task::JoinHandle, time::Instant};

    /// What somebody says who reads nothing of the answer: a request with the first byte of another behind it, whose
    /// connection is not read before the answer is written; and pings of HTTP/2, of which the same is true of the pongs.
    fn said() -> [Vec<u8>; 2] {
        let ping = [&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], &[7; 8]].concat();
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        [
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\nG".to_vec(),
            [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings, &ping.repeat(20_000)].concat(),
        ]
    }

    /// A connection from a far end that says this and then reads nothing.
    fn silent(seats: &Seats, said: Vec<u8>) -> JoinHandle<()> {
        let (mut far, near) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move {
            let _ = far.write_all(&said).await;
            std::future::pending::<()>().await;
        });
        let guest = Guest::new(near, Patience::default(), seats.take(None));
        let (local, remote) = (Addr::custom("test", "here"), Addr::custom("test", "there"));
        let endpoint = make_sync(|_| vec![b'x'; 1024 * 1024]).map_to_response();
        let came = (guest, LocalAddr(local), RemoteAddr(remote), Scheme::HTTP);
        tokio::spawn(talk(came, Arc::new(endpoint), CancellationToken::new()))
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_nothing_of_the_answer_is_hung_up_on_when_the_patience_is_over() {
        for said in said() {
            let (seats, began) = (Seats::new(10, Vec::new()), Instant::now());
            let talk = silent(&seats, said);
            tokio::time::timeout(Duration::from_secs(3600), talk).await.expect("it ends").unwrap();
            assert_eq!(began.elapsed().as_secs(), Patience::default().idle.as_secs());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_nothing_of_the_answer_leaves_its_seat_to_the_next() {
        for said in said() {
            let (seats, began) = (Seats::new(1, Vec::new()), Instant::now());
            let talk = silent(&seats, said);
            tokio::time::sleep(Duration::from_secs(1)).await;
            seats.take(None).free().await;
            assert_eq!((began.elapsed().as_secs(), talk.is_finished()), (1, true));
        }
    }
}
