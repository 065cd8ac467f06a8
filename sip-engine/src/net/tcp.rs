//! One TCP connection: frames in, messages out, and the limits that keep slow or silent peers from hoarding.

use super::config::{CONNECT, FIRST_MESSAGE, IDLE, WHOLE_MESSAGE, WRITE};
use super::counters::{Counters, count};
use super::driver::Arrival;
use super::local::Gate;
use crate::sip::Flow;
use crate::sip::framing::{Frame, Framer};
use bytes::{Bytes, BytesMut};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, timeout, timeout_at};

/// Pause after a failed accept, so that running out of descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections of known sources until the driver is gone.
pub(super) async fn accept(
    listener: TcpListener,
    bound: SocketAddr,
    gate: Gate,
    arrivals: mpsc::Sender<Arrival>,
) {
    loop {
        let arrival = match listener.accept().await {
            Ok((_, peer)) if !gate.admits(peer.ip()) => continue,
            Ok((stream, peer)) => Arrival::Accepted { stream, peer, bound },
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if arrivals.send(arrival).await.is_err() {
            return;
        }
    }
}

/// Our address on a connection, with the port we listen on instead of its own.
pub(super) fn own_address(stream: &TcpStream, listened: SocketAddr) -> SocketAddr {
    let ip = stream.local_addr().map_or(listened.ip(), |own| own.ip());
    SocketAddr::new(ip, listened.port())
}

/// How a connection begins.
pub(super) enum Opening {
    /// A peer connected.
    Accepted(TcpStream),
    /// We connect.
    Connect,
}

/// Runs one connection to its end and reports it.
pub(super) async fn run(
    opening: Opening,
    flow: Flow,
    writes: mpsc::Receiver<Bytes>,
    pongs: mpsc::WeakSender<Bytes>,
    counters: Arc<Counters>,
    arrivals: mpsc::Sender<Arrival>,
    used: Arc<AtomicBool>,
) {
    // Whoever connects to us has something to say; whom we connect to may take his time to answer.
    let patience = if matches!(opening, Opening::Connect) { IDLE } else { FIRST_MESSAGE };
    let stream = match opening {
        Opening::Accepted(stream) => Ok(stream),
        Opening::Connect => match timeout(CONNECT, TcpStream::connect(flow.peer)).await {
            Ok(result) => result,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        },
    };
    if let Ok(stream) = stream {
        let _ = stream.set_nodelay(true);
        let flow = Flow { local: own_address(&stream, flow.local), ..flow };
        let (reader, writer) = stream.into_split();
        tokio::select! {
            broken = read(reader, flow, pongs, &arrivals, (patience, &*used)) => {
                if broken {
                    count(&counters.connections_broken);
                }
            }
            () = write(writer, writes) => {}
        }
    }
    // The driver may be gone already.
    let _ = arrivals.send(Arrival::Closed { flow }).await;
}

/// Reads frames; true if the peer misbehaved. `used` while a call needs the connection.
async fn read(
    mut reader: OwnedReadHalf,
    flow: Flow,
    pongs: mpsc::WeakSender<Bytes>,
    arrivals: &mpsc::Sender<Arrival>,
    (patience, used): (Duration, &AtomicBool),
) -> bool {
    let mut framer = Framer::default();
    let mut buffer = BytesMut::zeroed(16 * 1024);
    let mut deadline = Instant::now() + patience;
    loop {
        let length = match timeout_at(deadline, reader.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return false,
            Ok(Ok(length)) => length,
            // A call that has nothing to say is no reason to end; its keep-alives find out whether the peer is there.
            Err(_) if used.load(Ordering::Relaxed) && !framer.is_partial() => {
                deadline = Instant::now() + IDLE;
                continue;
            }
            Err(_) => return framer.is_partial(),
        };
        let was_partial = framer.is_partial();
        framer.push(buffer.get(..length).unwrap_or_default());
        let mut whole = false;
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Ping)) => {
                    whole = true;
                    pongs
                        .upgrade()
                        .into_iter()
                        .for_each(|pongs| drop(pongs.try_send(Bytes::from_static(b"\r\n"))));
                }
                Ok(Some(frame)) => {
                    whole = true;
                    if arrivals.send(Arrival::Frame { flow, frame }).await.is_err() {
                        return false;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(peer = %flow.peer, %error, "closing a connection");
                    return true;
                }
            }
        }
        deadline = next_deadline(deadline, whole, was_partial, framer.is_partial());
    }
}

/// A message under way keeps the deadline it began with, however slowly it drips.
fn next_deadline(deadline: Instant, whole: bool, was_partial: bool, is_partial: bool) -> Instant {
    match (whole, is_partial) {
        (true, false) => Instant::now() + IDLE,
        (true, true) => Instant::now() + WHOLE_MESSAGE,
        (false, true) if !was_partial => deadline.min(Instant::now() + WHOLE_MESSAGE),
        (false, _) => deadline,
    }
}

async fn write(mut writer: OwnedWriteHalf, mut writes: mpsc::Receiver<Bytes>) {
    while let Some(bytes) = writes.recv().await {
        match timeout(WRITE, writer.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
