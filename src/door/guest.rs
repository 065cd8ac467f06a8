//! One connection, which may keep us waiting only so long, and goes when its seat does.

use super::{Patience, seats::Seat};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// What ends the head of a request.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// How the requests of health checks begin.
const CHECKS: [&[u8]; 6] = [
    b"GET /healthz ",
    b"GET /readyz ",
    b"GET /metrics ",
    b"HEAD /healthz ",
    b"HEAD /readyz ",
    b"HEAD /metrics ",
];
/// Bytes after which it is known whether one is.
const LONGEST_CHECK: usize = 14;

/// A connection that may keep us waiting only so long.
pub struct Guest<Io> {
    io: Io,
    idle: Duration,
    until: Pin<Box<Sleep>>,
    /// How much of the end of the first request's head was seen; `None` once all of it was.
    head: Option<usize>,
    /// How the first request begins, as far as it takes to know a health check.
    begins: Vec<u8>,
    goes: Pin<Box<WaitForCancellationFutureOwned>>,
    seat: Seat,
}

impl<Io> Guest<Io> {
    pub(super) fn new(io: Io, patience: Patience, seat: Seat) -> Guest<Io> {
        let until = Box::pin(tokio::time::sleep(patience.head));
        let goes = Box::pin(seat.goes.clone().cancelled_owned());
        Guest { io, idle: patience.idle, until, head: Some(0), begins: Vec::new(), goes, seat }
    }

    /// Looks for the end of the first head. What drips in before it gives no more time.
    fn heard(&mut self, bytes: &[u8]) {
        if let Some(mut seen) = self.head {
            self.learn(bytes);
            for byte in bytes {
                let expected = END_OF_HEAD.get(seen) == Some(byte);
                seen = if expected { seen + 1 } else { usize::from(*byte == b'\r') };
                if seen == END_OF_HEAD.len() {
                    self.head = None;
                    break;
                }
            }
            self.head = self.head.map(|_| seen);
        }
        self.stirred();
    }

    /// Whether the first request is a health check.
    fn learn(&mut self, bytes: &[u8]) {
        let before = self.begins.len();
        if before >= LONGEST_CHECK {
            return;
        }
        self.begins.extend(bytes.iter().take(LONGEST_CHECK - before));
        if CHECKS.iter().any(|check| self.begins.starts_with(check)) {
            self.begins.resize(LONGEST_CHECK, 0);
            self.seat.checks_health();
        }
    }

    /// Whether it kept us waiting for too long, or somebody else has its seat. Asked before anything else whichever way the
    /// connection is looked at: one that only waits to write to a far end that does not read is never read from.
    fn stays(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.until.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if self.goes.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }

    fn stirred(&mut self) {
        if self.head.is_none() {
            self.until.as_mut().reset(Instant::now() + self.idle);
            self.seat.stirred();
        }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Guest<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stays(cx)?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        self.heard(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Guest<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stays(cx)?;
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.stirred();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stays(cx)?;
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices))?;
        self.stirred();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stays(cx)?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::seats::Seats, *};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn seat() -> Seat {
        Seats::new(10, Vec::new()).take(None)
    }

    #[tokio::test]
    async fn whose_seat_is_taken_goes_at_once() {
        let (_far, near) = tokio::io::duplex(64);
        let seats = Seats::new(1, Vec::new());
        let mut guest = Guest::new(near, Patience::default(), seats.take(None));
        let mut bytes = [0; 8];
        let (heard, _next) = tokio::join!(guest.read(&mut bytes), async { seats.take(None) });
        assert_eq!(heard.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test]
    async fn a_health_check_is_known_by_how_it_begins() {
        for (begins, is_check) in [("GET /readyz HTTP/1.1", true), ("GET /readyzz", false), ("GET /", false)]
        {
            let (mut far, near) = tokio::io::duplex(64);
            let seats = Seats::new(1, Vec::new());
            let mut guest = Guest::new(near, Patience::default(), seats.take(None));
            // However it is cut.
            for part in [&begins[..5], &begins[5..]].into_iter().filter(|part| !part.is_empty()) {
                far.write_all(part.as_bytes()).await.unwrap();
                let mut bytes = [0; 64];
                assert_eq!(guest.read(&mut bytes).await.unwrap(), part.len());
            }
            let _crowd = seats.take(None);
            assert_eq!(guest.seat.goes.is_cancelled(), !is_check, "{begins}");
        }
    }

    #[tokio::test]
    async fn a_head_that_drips_is_hung_up_on() {
        let (mut far, near) = tokio::io::duplex(64);
        let patience = Patience { head: Duration::from_millis(30), idle: Duration::from_secs(60) };
        let mut guest = Guest::new(near, patience, seat());
        let drip = async {
            while far.write_all(b"X-A: b\r\n").await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        let heard = async {
            let mut bytes = [0; 16];
            loop {
                if let Err(error) = guest.read(&mut bytes).await {
                    break error.kind();
                }
            }
        };
        let kind = tokio::select! {
            () = drip => panic!("the reader ends it"),
            kind = heard => kind,
        };
        assert_eq!(kind, io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn after_its_head_a_connection_may_be_idle_for_longer() {
        let (mut far, near) = tokio::io::duplex(64);
        let patience = Patience { head: Duration::from_secs(60), idle: Duration::from_millis(30) };
        let mut guest = Guest::new(near, patience, seat());
        far.write_all(b"GET / HTTP/1.1\r\n\r").await.unwrap();
        let mut bytes = [0; 64];
        assert_eq!(guest.read(&mut bytes).await.unwrap(), 17);
        assert_eq!(guest.head, Some(3));
        far.write_all(b"\n").await.unwrap();
        assert_eq!(guest.read(&mut bytes).await.unwrap(), 1);
        assert_eq!(guest.head, None);
        assert_eq!(guest.read(&mut bytes).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
