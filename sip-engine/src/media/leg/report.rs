//! RTCP of a leg: our report about every 5 seconds, and what the peer reports.

use super::{LegState, Turn};
use crate::media::{
    ports::random_bytes,
    rtcp::{self, Report},
    wheel::Kind,
};
use ring::rand::SystemRandom;
use std::net::SocketAddr;

/// Half of RFC 3550's five seconds; a random share of as much again is added, twice for a mean of five.
const REPORT_MS: u64 = 2_500;

/// What is known from and for RTCP.
#[derive(Debug)]
pub(super) struct PeerReports {
    cname: String,
    /// Where the peer's RTCP comes from.
    source: Option<SocketAddr>,
    /// Its last sender report: middle bits of its NTP time, and our NTP time when it came.
    last_sent: Option<(u32, u64)>,
    planned: bool,
    /// Packets we had sent at our last report.
    reported: u64,
    pub(super) rtt_ms: Option<f64>,
    buffer: Vec<u8>,
}

impl PeerReports {
    pub(super) fn new(random: &SystemRandom) -> Self {
        let name: [u8; 12] = random_bytes(random);
        Self {
            cname: name.iter().map(|byte| format!("{byte:02x}")).collect(),
            source: None,
            last_sent: None,
            planned: false,
            reported: 0,
            rtt_ms: None,
            buffer: Vec::new(),
        }
    }
}

impl LegState {
    pub(super) fn forget_rtcp_source(&mut self) {
        self.peer.source = None;
        self.rtcp.disconnect();
    }

    pub(super) fn plan_report(&mut self, turn: &mut Turn<'_>) {
        let [high, low] = random_bytes(turn.random);
        let chance = u64::from(u16::from_be_bytes([high, low]));
        // The first comes after half the time (RFC 3550 section 6.2).
        let share = if self.peer.planned { 1 } else { 2 };
        self.peer.planned = true;
        let due = turn.now + (REPORT_MS + chance * 2 * REPORT_MS / 65_536) / share;
        self.arm(turn, Kind::Report, due);
    }

    pub(in crate::media) fn on_report(&mut self, turn: &mut Turn<'_>) {
        self.send_report(turn, false);
        self.plan_report(turn);
    }

    pub(super) fn send_report(&mut self, turn: &mut Turn<'_>, bye: bool) {
        let Some(target) = self.rtcp_target() else { return };
        let (packets, octets) = self.outgoing.sent();
        let timestamp = self.outgoing.timestamp(turn.now);
        let since = |(sent, came): (u32, u64)| (sent, (turn.ntp.wrapping_sub(came) >> 16) as u32);
        let report = Report {
            ssrc: self.outgoing.ssrc(),
            cname: &self.peer.cname,
            sent: (packets > self.peer.reported).then_some((turn.ntp, timestamp, packets, octets)),
            block: self.reception.report(),
            last_report: self.peer.last_sent.map_or((0, 0), since),
            bye,
        };
        self.peer.reported = packets;
        rtcp::write(&report, &mut self.peer.buffer);
        self.rtcp.send(&self.peer.buffer, target);
    }

    /// The peer's own RTCP source; else the signalled address if it is at the peer's host; else the port
    /// after its RTP.
    fn rtcp_target(&self) -> Option<SocketAddr> {
        let setup = self.setup.as_ref()?;
        let media = setup.latch.target()?;
        let signalled =
            setup.remote.rtcp.filter(|rtcp| rtcp.ip().to_canonical() == media.ip() && rtcp.port() != 0);
        let next = media.port().checked_add(1).map(|port| SocketAddr::new(media.ip(), port));
        self.peer.source.or(signalled).or(next)
    }

    /// Takes in a datagram of the RTCP socket: only from the host RTP is locked to, and only about its stream.
    pub(in crate::media) fn hear_rtcp(&mut self, turn: &mut Turn<'_>, source: SocketAddr, bytes: &[u8]) {
        let locked = self.setup.as_ref().and_then(|setup| setup.latch.locked());
        let known = self.peer.source.is_none_or(|known| known == source);
        let ours = locked.is_some_and(|locked| locked.ip() == source.ip()) && known;
        let heard = rtcp::parse(bytes, self.outgoing.ssrc())
            .filter(|heard| Some(heard.ssrc) == self.reception.ssrc());
        let Some(heard) = heard.filter(|_| ours) else {
            self.foreign_dropped += 1;
            return;
        };
        if self.peer.source.is_none() {
            self.peer.source = Some(source);
            self.rtcp.connect(source);
        }
        if let Some(sent) = heard.sent {
            self.peer.last_sent = Some((sent, turn.ntp));
        }
        if let Some(about) = heard.about_us {
            self.peer.rtt_ms = about.round_trip_ms((turn.ntp >> 16) as u32).or(self.peer.rtt_ms);
        }
    }
}
