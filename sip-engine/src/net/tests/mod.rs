//! The sockets for real, on loopback.
#![expect(clippy::disallowed_methods, reason = "tests start their own tasks")]

mod sipp;

use super::{Counters, NetConfig, Sip};
use crate::sip::{Command, EndpointConfig, Event, Invite, LegKey, Target, Transport};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(30);
/// TCP connections one address may have here.
const PER_PEER: usize = 4;

pub(super) struct Running {
    pub addr: SocketAddr,
    pub commands: mpsc::Sender<Command>,
    pub events: mpsc::Receiver<Event>,
    pub counters: Arc<Counters>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub fn start(listen: &str, known: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Running {
        let endpoint = EndpointConfig { known: Arc::new(known), ..EndpointConfig::default() };
        let listen = vec![listen.parse().unwrap()];
        let (connections, connections_per_peer) = (super::CONNECTIONS, PER_PEER);
        let config = NetConfig { listen, connections, connections_per_peer, endpoint, seed: [3; 32] };
        let sip = Sip::bind(config).unwrap();
        let (addr, counters, stop) = (sip.addrs()[0], sip.counters(), CancellationToken::new());
        let (commands, orders) = mpsc::channel(64);
        let (told, events) = mpsc::channel(64);
        let task = tokio::spawn(sip.run(orders, told, stop.clone()));
        Running { addr, commands, events, counters, stop, task }
    }

    /// The next event that is not a trace.
    pub async fn event(&mut self) -> Event {
        loop {
            match timeout(SOON, self.events.recv())
                .await
                .expect("an event in time")
                .expect("a running endpoint")
            {
                Event::Trace(_) => {}
                event => return event,
            }
        }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        timeout(SOON, self.task).await.expect("an end in time").expect("no panic");
    }
}

fn options(transport: &str, addr: SocketAddr, branch: &str) -> String {
    format!(
        "OPTIONS sip:{addr} SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bK{branch};rport\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:{addr}>\r\nCall-ID: {branch}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

async fn answer(socket: &UdpSocket) -> String {
    let mut buffer = vec![0; 65_535];
    let length = timeout(SOON, socket.recv(&mut buffer)).await.expect("an answer in time").unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

async fn read_some(stream: &mut TcpStream) -> String {
    let mut buffer = vec![0; 65_535];
    let length = timeout(SOON, stream.read(&mut buffer)).await.expect("bytes in time").unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[tokio::test]
async fn a_udp_request_is_answered_to_its_source() {
    for listen in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
        let running = Running::start(listen, |_| true);
        let peer = if running.addr.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(peer).await.unwrap();
        let to = if listen.starts_with("0.0.0.0") {
            format!("127.0.0.1:{}", running.addr.port())
        } else {
            running.addr.to_string()
        };
        socket.connect(to).await.unwrap();
        socket.send(options("UDP", running.addr, "u1").as_bytes()).await.unwrap();
        let text = answer(&socket).await;
        assert!(text.starts_with("SIP/2.0 200 OK\r\n"), "{text}");
        assert!(text.contains(&format!(";rport={}", socket.local_addr().unwrap().port())));
        running.stop().await;
    }
}

#[tokio::test]
async fn an_unknown_source_gets_no_answer_and_is_counted() {
    let running = Running::start("127.0.0.1:0", |ip| ip != IpAddr::from([127, 0, 0, 2]));
    let stranger = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let friend = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    stranger.send_to(options("UDP", running.addr, "s1").as_bytes(), running.addr).await.unwrap();
    friend.connect(running.addr).await.unwrap();
    friend.send(options("UDP", running.addr, "f1").as_bytes()).await.unwrap();
    answer(&friend).await;
    assert_eq!(running.counters.unknown_source.load(Ordering::Relaxed), 1);
    assert_eq!(running.counters.received.load(Ordering::Relaxed), 1);
    let mut buffer = [0; 10];
    assert!(stranger.try_recv(&mut buffer).is_err());
    running.stop().await;
}

#[tokio::test]
async fn after_the_kill_packet_requests_are_still_answered() {
    let running = Running::start("127.0.0.1:0", |_| true);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(running.addr).await.unwrap();
    let kill = options("UDP", running.addr, "k")
        .replace("Content-Length: 0", "Content-Length: 18446744073709551615");
    socket.send(kill.as_bytes()).await.unwrap();
    assert!(answer(&socket).await.starts_with("SIP/2.0 400 "));
    assert_eq!(running.counters.malformed.load(Ordering::Relaxed), 1);
    socket.send(options("UDP", running.addr, "after").as_bytes()).await.unwrap();
    assert!(answer(&socket).await.starts_with("SIP/2.0 200 "));
    assert_eq!(running.counters.panics.load(Ordering::Relaxed), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_tcp_request_in_pieces_is_answered_on_its_connection() {
    let running = Running::start("127.0.0.1:0", |_| true);
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in options("TCP", running.addr, "t1").as_bytes().chunks(37) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(read_some(&mut stream).await.starts_with("SIP/2.0 200 OK\r\n"));
    stream.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(read_some(&mut stream).await, "\r\n");
    running.stop().await;
}

#[tokio::test]
async fn a_call_over_tcp_knows_the_address_it_came_to() {
    let mut running = Running::start("0.0.0.0:0", |_| true);
    let mut stream = TcpStream::connect(("127.0.0.2", running.addr.port())).await.unwrap();
    let invite = options("TCP", running.addr, "i2").replace("OPTIONS", "INVITE");
    stream.write_all(invite.as_bytes()).await.unwrap();
    let Event::IncomingCall(call) = running.event().await else { panic!("no call") };
    assert_eq!(call.local, SocketAddr::new([127, 0, 0, 2].into(), running.addr.port()));
    running.stop().await;
}

#[tokio::test]
async fn a_stream_that_lies_about_its_length_is_closed() {
    for length in ["-1", "4294967296", "18446744073709551615", "2147483648"] {
        let running = Running::start("127.0.0.1:0", |_| true);
        let mut stream = TcpStream::connect(running.addr).await.unwrap();
        let text = options("TCP", running.addr, "t1")
            .replace("Content-Length: 0", &format!("Content-Length: {length}"));
        stream.write_all(text.as_bytes()).await.unwrap();
        assert_eq!(read_some(&mut stream).await, "", "{length}");
        running.stop().await;
    }
}

#[tokio::test]
async fn one_address_cannot_hold_all_connections() {
    let running = Running::start("127.0.0.1:0", |_| true);
    let mut held = Vec::new();
    for _ in 0..PER_PEER {
        held.push(TcpStream::connect(running.addr).await.unwrap());
    }
    let mut refused = TcpStream::connect(running.addr).await.unwrap();
    assert_eq!(read_some(&mut refused).await, "");
    assert_eq!(running.counters.connections_refused.load(Ordering::Relaxed), 1);
    assert_eq!(running.counters.connections_over_peer.load(Ordering::Relaxed), 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed() {
    let running = Running::start("127.0.0.1:0", |_| true);
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    let mut buffer = [0; 1];
    // Paused time runs to the deadline as soon as nothing else can happen.
    assert_eq!(stream.read(&mut buffer).await.unwrap(), 0);
    running.stop().await;
}

fn invite(leg: LegKey, next_hop: SocketAddr, transport: Transport) -> Command {
    Command::Invite(Box::new(Invite {
        leg,
        target: Target {
            uri: format!("sip:1@{next_hop}"),
            next_hop,
            networks: Arc::default(),
            transport,
            local: None,
        },
        call_id: None,
        from: "<sip:2@127.0.0.1>".into(),
        to: format!("<sip:1@{next_hop}>"),
        headers: Vec::new(),
        sdp: Bytes::from_static(b"v=0\r\n"),
        credentials: None,
        max_forwards: 70,
        emergency: false,
        ring_timeout: Duration::from_secs(30),
        silence: Duration::from_secs(32),
    }))
}

#[tokio::test]
async fn a_refused_connection_fails_the_call() {
    let mut running = Running::start("127.0.0.1:0", |_| true);
    // Bound and not listening: it refuses, and nobody else gets it meanwhile.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = closed.local_addr().unwrap();
    let leg = LegKey::outbound(1);
    running.commands.send(invite(leg, nobody, Transport::Tcp)).await.unwrap();
    assert!(matches!(running.event().await, Event::Failed { code: 503, from_peer: false, .. }));
    running.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_closed_udp_port_fails_the_call_at_once_and_no_other_one() {
    let mut running = Running::start("127.0.0.1:0", |_| true);
    let callee = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // Kept, and listening to somebody else only.
    let kept = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    kept.connect("127.0.0.1:9").await.unwrap();
    let closed = kept.local_addr().unwrap();
    let (dead, alive) = (LegKey::outbound(1), LegKey::outbound(2));
    for _ in 0..3 {
        running.commands.send(invite(dead, closed, Transport::Udp)).await.unwrap();
    }
    running.commands.send(invite(alive, callee.local_addr().unwrap(), Transport::Udp)).await.unwrap();
    let event = running.event().await;
    assert!(
        matches!(event, Event::Failed { leg, code: 503, from_peer: false, .. } if leg == dead),
        "{event:?}"
    );
    assert!(answer(&callee).await.starts_with("INVITE "));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn whom_we_connect_to_may_take_his_time() {
    let mut running = Running::start("127.0.0.1:0", |_| true);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let order = invite(LegKey::outbound(1), listener.local_addr().unwrap(), Transport::Tcp);
    running.commands.send(order).await.unwrap();
    let (_silent, _) = listener.accept().await.unwrap();
    let event = loop {
        match running.events.recv().await.unwrap() {
            Event::Trace(_) => {}
            event => break event,
        }
    };
    assert!(matches!(event, Event::TimedOut { .. }), "the ring ends it, not the connection: {event:?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_a_call_needs_is_kept_alive() {
    let running = Running::start("127.0.0.1:0", |_| true);
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    let invite = options("TCP", running.addr, "i1").replace("OPTIONS", "INVITE");
    stream.write_all(invite.as_bytes()).await.unwrap();
    let (mut heard, mut buffer) = (String::new(), [0; 4_096]);
    // Behind the 100 Trying comes the double CRLF.
    while !heard.contains("\r\n\r\n\r\n\r\n") {
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "closed after {heard}");
        heard.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    running.stop().await;
}

#[tokio::test]
async fn whom_we_call_may_answer_but_not_call() {
    let mut running = Running::start("127.0.0.1:0", |_| false);
    let callee = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let leg = LegKey::outbound(1);
    running.commands.send(invite(leg, callee.local_addr().unwrap(), Transport::Udp)).await.unwrap();
    let text = answer(&callee).await;
    let head = text.split("\r\n\r\n").next().unwrap();
    let keep =
        |line: &&str| ["Via", "From", "Call-ID", "CSeq", "To"].iter().any(|name| line.starts_with(name));
    let tagged = |line: &str| if line.starts_with("To") { format!("{line};tag=x") } else { line.to_owned() };
    let echoed: Vec<String> = head.lines().filter(keep).map(tagged).collect();
    callee.send_to(options("UDP", running.addr, "o").as_bytes(), running.addr).await.unwrap();
    let busy = format!("SIP/2.0 486 Busy Here\r\n{}\r\n\r\n", echoed.join("\r\n"));
    callee.send_to(busy.as_bytes(), running.addr).await.unwrap();
    assert!(matches!(running.event().await, Event::Failed { code: 486, from_peer: true, .. }));
    assert!(answer(&callee).await.starts_with("ACK "));
    assert_eq!(
        running.counters.unknown_source.load(Ordering::Relaxed),
        0,
        "its OPTIONS was read, and not answered"
    );
    running.stop().await;
}
