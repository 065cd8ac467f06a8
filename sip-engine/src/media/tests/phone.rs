//! A scripted phone: two sockets, one stream, and patience with a limit.

use crate::media::{
    Codec, GroupKey, Leg, LegOptions, Loops, Media, MediaConfig, MediaEvent, Remote,
    rtp::{HEADER, Header, MAX_PAYLOAD, Packet},
};
use std::{net::SocketAddr, num::NonZeroU32, time::Duration};
use tokio::{net::UdpSocket, sync::mpsc, time::timeout};

/// Far longer than anything here takes; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// One round of a prompt.
pub(super) const ONCE: Loops = Loops::Times(NonZeroU32::MIN);

/// A received packet.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) header: Header,
    pub(super) payload: Vec<u8>,
}

pub(super) struct Phone {
    pub(super) rtp: UdpSocket,
    /// The same socket, to be read without asking the runtime, which may not have noticed a packet yet.
    raw: std::net::UdpSocket,
    pub(super) rtcp: UdpSocket,
    pub(super) next: Header,
}

impl Phone {
    pub(super) async fn new(ssrc: u32) -> Self {
        loop {
            let raw = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            raw.set_nonblocking(true).unwrap();
            let rtp = UdpSocket::from_std(raw.try_clone().unwrap()).unwrap();
            let port = rtp.local_addr().unwrap().port();
            let next = Header { ssrc, sequence: 65_530, timestamp: u32::MAX - 500, ..Header::default() };
            if let Ok(rtcp) = UdpSocket::bind(("127.0.0.1", port.saturating_add(1))).await {
                return Self { rtp, raw, rtcp, next };
            }
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.rtp.local_addr().unwrap()
    }

    /// What our signalling would have told the leg about this phone.
    pub(super) fn remote(&self, codec: Codec) -> Remote {
        Remote::new(self.address(), codec)
    }

    /// Sends the next 20 ms of the stream.
    pub(super) async fn talk(&mut self, leg: &Leg, payload_type: u8, payload: &[u8]) {
        self.send(leg, Header { payload_type, ..self.next }, payload).await;
        self.next.sequence = self.next.sequence.wrapping_add(1);
        self.next.timestamp = self.next.timestamp.wrapping_add(160);
    }

    /// Sends one packet as it is.
    pub(super) async fn send(&self, leg: &Leg, header: Header, payload: &[u8]) {
        let mut buffer = [0; HEADER + MAX_PAYLOAD];
        let packet = header.write(payload, &mut buffer);
        self.rtp.send_to(packet, ("127.0.0.1", leg.rtp_port())).await.unwrap();
    }

    /// The next packet.
    pub(super) async fn hear(&self) -> Heard {
        let mut buffer = [0; 2_048];
        let length = timeout(PATIENCE, self.rtp.recv(&mut buffer)).await.expect("a packet").unwrap();
        let packet = Packet::parse(&buffer[..length]).expect("well-formed RTP");
        Heard { header: packet.header, payload: packet.payload.to_vec() }
    }

    /// The next packet that is not silence.
    pub(super) async fn hear_sound(&self) -> Heard {
        loop {
            let heard = self.hear().await;
            if heard.payload.iter().any(|byte| !matches!(byte, 0xff | 0xd5)) {
                return heard;
            }
        }
    }

    /// Everything that has already arrived.
    pub(super) fn waiting(&self) -> Vec<Heard> {
        let mut buffer = [0; 2_048];
        let mut all = Vec::new();
        while let Ok(length) = self.raw.recv(&mut buffer) {
            let packet = Packet::parse(&buffer[..length]).unwrap();
            all.push(Heard { header: packet.header, payload: packet.payload.to_vec() });
        }
        all
    }

    pub(super) async fn hear_rtcp(&self) -> (Vec<u8>, SocketAddr) {
        let mut buffer = [0; 2_048];
        let (length, source) =
            timeout(PATIENCE, self.rtcp.recv_from(&mut buffer)).await.expect("a report").unwrap();
        (buffer[..length].to_vec(), source)
    }
}

/// The media plane with one thread and one leg group.
pub(super) struct Bench {
    pub(super) media: Media,
    pub(super) group: GroupKey,
}

/// A leg and its events.
pub(super) struct Side {
    pub(super) leg: Leg,
    pub(super) events: mpsc::Receiver<MediaEvent>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut MediaConfig)) -> Self {
        let mut config = MediaConfig { threads: 1, ports: 0..=0, ..MediaConfig::new([127, 0, 0, 1].into()) };
        change(&mut config);
        let media = Media::start(config).unwrap();
        let group = media.group();
        Self { media, group }
    }

    pub(super) fn open(&self) -> Side {
        let (sender, events) = mpsc::channel(128);
        let leg = self
            .media
            .open_leg(self.group, LegOptions { local: None, urgent: false, events: sender })
            .unwrap();
        Side { leg, events }
    }

    /// A leg configured towards `phone`, which has heard its first silence: the leg is surely at work.
    pub(super) async fn call(&self, phone: &Phone, codec: Codec) -> Side {
        let side = self.open();
        side.leg.configure(phone.remote(codec)).unwrap();
        phone.hear().await;
        side
    }

    /// Two legs, each latched to its phone, bridged.
    pub(super) async fn bridged(&self, a: (&mut Phone, Codec), b: (&mut Phone, Codec)) -> (Side, Side) {
        let mut one = self.call(a.0, a.1).await;
        let mut other = self.call(b.0, b.1).await;
        for (side, (phone, codec)) in [(&mut one, a), (&mut other, b)] {
            phone.talk(&side.leg, codec.static_payload_type(), &[codec.silence(); 160]).await;
            side.latched().await;
        }
        one.leg.bridge(&other.leg).unwrap();
        // Answered only after the bridge was made: commands are carried out in order.
        one.leg.statistics().await.unwrap();
        (one, other)
    }
}

impl Side {
    pub(super) async fn event(&mut self) -> MediaEvent {
        timeout(PATIENCE, self.events.recv()).await.expect("an event").expect("an open channel")
    }

    pub(super) async fn latched(&mut self) -> SocketAddr {
        match self.event().await {
            MediaEvent::Latched { address, .. } => address,
            other => panic!("latched was expected, not {other:?}"),
        }
    }

    pub(super) async fn digit(&mut self) -> char {
        loop {
            if let MediaEvent::Digit { digit, .. } = self.event().await {
                return digit;
            }
        }
    }
}

/// A payload that says which it is.
pub(super) fn marked(mark: u8, n: u8) -> Vec<u8> {
    let mut payload = vec![mark; 160];
    payload[0] = n;
    payload
}
