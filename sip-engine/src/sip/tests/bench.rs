//! One endpoint on the bench: text in, messages and events out, time moved by hand.

use crate::sip::message::Message;
use crate::sip::parse::parse_datagram;
use crate::sip::{
    Command, ConnectionId, Credentials, Endpoint, EndpointConfig, Event, Flow, Input, Invite, LegKey, Output,
    Target, Tokens, Transport,
};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub(super) const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// The peer's usual address.
pub(super) fn peer() -> SocketAddr {
    "192.0.2.9:5060".parse().unwrap()
}

pub(super) struct Bench {
    pub endpoint: Endpoint,
    pub now: Instant,
    pub start: Instant,
    /// When, where to, what.
    pub sent: Vec<(Duration, Flow, Message)>,
    pub events: Vec<Event>,
    pub traces: Vec<Event>,
    pub transport: Transport,
    /// The one TCP connection there is with the peer.
    pub connection: u64,
    /// How long a call we place may be silent.
    pub silence: Duration,
    /// Further addresses of the peer.
    pub networks: std::sync::Arc<[ipnet::IpNet]>,
}

impl Bench {
    pub fn new() -> Bench {
        Bench::with(EndpointConfig::default())
    }

    #[expect(clippy::disallowed_methods, reason = "the start of a clock that a test then moves by hand")]
    pub fn with(config: EndpointConfig) -> Bench {
        let now = Instant::now();
        Bench {
            endpoint: Endpoint::new(config, Tokens::new(&[7; 32]), now),
            now,
            start: now,
            sent: Vec::new(),
            events: Vec::new(),
            traces: Vec::new(),
            transport: Transport::Udp,
            connection: 1,
            silence: Duration::from_secs(60),
            networks: std::sync::Arc::default(),
        }
    }

    /// From now on this network is the peer's, too.
    pub fn with_peers(mut self, network: &str) -> Bench {
        self.networks = [network.parse().unwrap()].into();
        self
    }

    /// When messages of a kind were sent, in seconds since the start.
    pub fn seconds(&self, kind: &str) -> Vec<f64> {
        let times = self.sent.iter().filter(|(_, _, message)| self::kind(message) == kind);
        times.map(|(at, ..)| at.as_secs_f64()).collect()
    }

    pub fn flow(&self, peer: SocketAddr) -> Flow {
        let local = if peer.is_ipv4() { "198.51.100.1:5060" } else { "[2001:db8::1]:5060" };
        let connection = (self.transport == Transport::Tcp).then_some(ConnectionId(self.connection));
        Flow { transport: self.transport, peer, local: local.parse().unwrap(), connection }
    }

    pub fn input(&mut self, input: Input) {
        self.endpoint.handle(self.now, input);
        while let Some(output) = self.endpoint.poll() {
            match output {
                Output::Transmit(transmit) => {
                    let request = transmit.request.iter();
                    request.for_each(|request| self.endpoint.left_by(request, ConnectionId(self.connection)));
                    let message = parse_datagram(&transmit.bytes).expect("what we send can be read");
                    self.sent.push((self.now - self.start, transmit.flow, message));
                }
                Output::Event(trace @ Event::Trace(_)) => self.traces.push(trace),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    pub fn receive_from(&mut self, peer: SocketAddr, bytes: impl Into<Bytes>) {
        let flow = self.flow(peer);
        self.input(Input::Datagram { flow, bytes: bytes.into() });
    }

    pub fn receive(&mut self, text: impl Into<String>) {
        self.receive_from(peer(), text.into());
    }

    pub fn command(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    /// Lets time pass, stopping at every timer.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.endpoint.timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.input(Input::Tick);
        }
        self.now = until;
        self.input(Input::Tick);
    }

    pub fn take_sent(&mut self) -> Vec<Message> {
        self.sent.drain(..).map(|(_, _, message)| message).collect()
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The codes or methods sent since the last look.
    pub fn sent_kinds(&mut self) -> Vec<String> {
        self.take_sent().iter().map(kind).collect()
    }

    /// An INVITE arrives; its leg.
    pub fn ring(&mut self) -> LegKey {
        self.receive(request("INVITE", 1, ""));
        let leg = match self.take_events().as_slice() {
            [Event::IncomingCall(call)] => call.leg,
            other => panic!("no call: {other:?}"),
        };
        self.command(Command::Confine { leg, networks: self.networks.clone() });
        leg
    }

    pub fn respond(&mut self, leg: LegKey, code: u16) {
        let sdp = (code / 100 == 2).then(|| Bytes::from_static(SDP.as_bytes()));
        self.command(Command::Respond { leg, code, reason: None, headers: Vec::new(), sdp });
    }

    /// A call arrives, is answered and acknowledged; the leg and our tag.
    pub fn call_up(&mut self) -> (LegKey, String) {
        let leg = self.ring();
        self.respond(leg, 200);
        let tag = self.our_tag();
        self.receive(within("ACK", 1, &tag, "ack1"));
        self.sent.clear();
        self.events.clear();
        (leg, tag)
    }

    pub fn our_tag(&self) -> String {
        crate::sip::values::tag(&self.sent.last().unwrap().2, "to").unwrap()
    }

    /// We place a call; its INVITE as sent.
    pub fn place(&mut self, leg: LegKey, credentials: Option<Credentials>) -> Message {
        self.place_ringing(leg, credentials, Duration::from_secs(60))
    }

    pub fn place_ringing(
        &mut self,
        leg: LegKey,
        credentials: Option<Credentials>,
        ring_timeout: Duration,
    ) -> Message {
        let target = Target {
            uri: "sip:+15550100@192.0.2.9".to_owned(),
            next_hop: peer(),
            networks: self.networks.clone(),
            transport: self.transport,
            local: Some("198.51.100.1:5060".parse().unwrap()),
        };
        self.command(Command::Invite(Box::new(Invite {
            leg,
            target,
            call_id: None,
            from: "\"Ann \\\"A\\\"\" <sip:+15550199@198.51.100.1>".to_owned(),
            to: "<sip:+15550100@192.0.2.9>".to_owned(),
            headers: vec![("X-Note".to_owned(), "one".to_owned()), ("Via".to_owned(), "mine".to_owned())],
            sdp: Bytes::from_static(SDP.as_bytes()),
            credentials,
            max_forwards: 70,
            emergency: false,
            ring_timeout,
            silence: self.silence,
        })));
        self.take_sent().pop().expect("an INVITE")
    }
}

/// `INVITE` or `200 INVITE`.
pub(super) fn kind(message: &Message) -> String {
    let method = crate::sip::values::CSeq::of(message).map(|cseq| cseq.method).unwrap_or_default();
    match message.code() {
        Some(code) => format!("{code} {method}"),
        None => method,
    }
}

/// A request outside a dialog from the usual peer; `extra` are further header lines with their line ends.
pub(super) fn request(method: &str, cseq: u32, extra: &str) -> String {
    let body = if method == "INVITE" { SDP } else { "" };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:+15551234@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{cseq}{method};rport\r\n\
         Max-Forwards: 70\r\nFrom: \"Bob\" <sip:bob@192.0.2.9>;tag=peer\r\nTo: <sip:+15551234@198.51.100.1>\r\n\
         Call-ID: call-1@192.0.2.9\r\nCSeq: {cseq} {method}\r\nContact: <sip:bob@192.0.2.9:5060>\r\n{extra}{kind}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A request inside the dialog of the usual call.
pub(super) fn within(method: &str, cseq: u32, our_tag: &str, branch: &str) -> String {
    request(method, cseq, "")
        .replace(
            "To: <sip:+15551234@198.51.100.1>",
            &format!("To: <sip:+15551234@198.51.100.1>;tag={our_tag}"),
        )
        .replace(&format!("z9hG4bK{cseq}{method}"), &format!("z9hG4bK{branch}"))
}

/// The peer's response to a request of ours; `tag` is its To tag.
pub(super) fn reply(request: &Message, code: u16, tag: &str, extra: &str, body: &str) -> String {
    let mut text = format!("SIP/2.0 {code} x\r\n");
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        for header in request.headers.all(name) {
            text.push_str(&format!("{name}: {}\r\n", header.text()));
        }
    }
    let to = request.headers.text("to").unwrap();
    let tag = if to.contains("tag=") || tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let contact = if extra.contains("Contact") { "" } else { "Contact: <sip:bob@192.0.2.9:5060>\r\n" };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{text}To: {to}{tag}\r\n{contact}{extra}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

pub(super) fn header(message: &Message, name: &str) -> String {
    message.headers.text(name).unwrap_or_default().into_owned()
}
