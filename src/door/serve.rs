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
    use hyper::client::conn::http2;
    use poem::{
        Addr, EndpointExt,
        endpoint::{make, make_sync},
    };
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::{
        io::{AsyncWriteExt, DuplexStream},
        sync::watch,
        task::JoinHandle,
        time::Instant,
    };

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
        let endpoint = make_sync(|_| vec![b'x'; 1024 * 1024]).map_to_response();
        tokio::spawn(talk(came(near, seats), Arc::new(endpoint), CancellationToken::new()))
    }

    /// A connection that was taken in.
    fn came(near: DuplexStream, seats: &Seats) -> Came<DuplexStream> {
        let guest = Guest::new(near, Patience::default(), seats.take(None));
        let (local, remote) = (Addr::custom("test", "here"), Addr::custom("test", "there"));
        (guest, LocalAddr(local), RemoteAddr(remote), Scheme::HTTP)
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_requests_on_one_connection_only_so_many_are_under_way() {
        let (far, near) = tokio::io::duplex(1024 * 1024);
        let (open, under_way) = (watch::Sender::new(false), Arc::new(AtomicUsize::new(0)));
        let (opened, counted) = (open.clone(), Arc::clone(&under_way));
        let endpoint = make(move |_| {
            let (mut opened, counted) = (opened.subscribe(), Arc::clone(&counted));
            async move {
                counted.fetch_add(1, Ordering::SeqCst);
                opened.wait_for(|open| *open).await.is_ok().to_string()
            }
        });
        let seats = Seats::new(10, Vec::new());
        let talk = talk(came(near, &seats), Arc::new(endpoint.map_to_response()), CancellationToken::new());
        tokio::spawn(talk);
        let client = http2::handshake(TokioExecutor::new(), TokioIo::new(far));
        let (mut client, connection) = client.await.unwrap();
        tokio::spawn(connection);
        let mut ask = || {
            let request = hyper::Request::builder().uri("http://voice.example.com/").body(String::new());
            tokio::spawn(client.send_request(request.unwrap()))
        };
        let asked: Vec<_> = (0..3 * STREAMS).map(|_| ask()).collect();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(under_way.load(Ordering::SeqCst), STREAMS as usize, "all else that could happen has");
        open.send_replace(true);
        let mut served = 0;
        for answer in asked {
            served += usize::from(answer.await.unwrap().is_ok());
        }
        assert!(served >= STREAMS as usize, "{served}; the others waited, or were refused");
        assert_eq!(ask().await.unwrap().unwrap().status(), 200, "and the connection goes on");
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
