//! What arrived, what was lost, and how unevenly (RFC 3550 appendices A.1, A.3 and A.8). Pure.

use super::rtp::Header;

/// A forward jump of this many packets begins a new stream rather than a loss.
const MAX_DROPOUT: u16 = 3_000;
/// A step back of up to this many packets is a reordering.
const MAX_MISORDER: u16 = 100;
/// Transit times that differ by more than a second come from a restarted clock, not from the network.
const MAX_TRANSIT_STEP: i64 = 8_000;

/// The receiver's view of one peer, over all its streams (SSRCs).
#[derive(Debug, Default)]
pub(super) struct Reception {
    stream: Option<Stream>,
    /// Expected and received of streams that have ended.
    past: (u64, u64),
    received: u64,
    jitter: f64,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    base: u32,
    /// Highest sequence number with its cycles.
    highest: u32,
    received: u64,
    transit: Option<i64>,
    /// Expected and received at the last report.
    reported: (u64, u64),
}

/// The contents of a report block about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) ssrc: u32,
    pub(super) fraction_lost: u8,
    pub(super) lost: i32,
    pub(super) highest: u32,
    pub(super) jitter: u32,
}

impl Stream {
    fn begin(header: &Header) -> Self {
        let sequence = u32::from(header.sequence);
        Self {
            ssrc: header.ssrc,
            base: sequence,
            highest: sequence,
            received: 0,
            transit: None,
            reported: (0, 0),
        }
    }

    fn expected(&self) -> u64 {
        u64::from(self.highest.wrapping_sub(self.base)) + 1
    }
}

impl Reception {
    /// Counts a packet of the latched peer. `arrival` is our clock in 1/8000 s; `None` leaves jitter alone,
    /// as for digits, whose packets share a timestamp.
    pub(super) fn hear(&mut self, header: &Header, arrival: Option<u64>) {
        self.received += 1;
        if self.stream.as_ref().is_none_or(|stream| begins_anew(stream, header)) {
            self.fold();
        }
        let stream = self.stream.get_or_insert_with(|| Stream::begin(header));
        stream.received += 1;
        let ahead = header.sequence.wrapping_sub(stream.highest as u16);
        if ahead < MAX_DROPOUT {
            stream.highest = stream.highest.wrapping_add(u32::from(ahead));
        }
        let Some(arrival) = arrival else { return };
        let transit = i64::from((arrival as u32).wrapping_sub(header.timestamp));
        if let Some(before) = stream.transit.replace(transit) {
            let step = i64::from((transit as u32).wrapping_sub(before as u32) as i32).abs();
            if step <= MAX_TRANSIT_STEP {
                self.jitter += (step as f64 - self.jitter) / 16.0;
            }
        }
    }

    fn fold(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.past = (self.past.0 + stream.expected(), self.past.1 + stream.received);
        }
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    fn totals(&self) -> (u64, u64) {
        let now = self.stream.as_ref().map_or((0, 0), |stream| (stream.expected(), stream.received));
        (self.past.0 + now.0, self.past.1 + now.1)
    }

    /// Packets that never came; duplicates can't make it negative.
    pub(super) fn lost(&self) -> u64 {
        let (expected, received) = self.totals();
        expected.saturating_sub(received)
    }

    /// Lost as a share of expected, 0 to 1.
    pub(super) fn loss(&self) -> f64 {
        let expected = self.totals().0;
        if expected == 0 { 0.0 } else { self.lost() as f64 / expected as f64 }
    }

    pub(super) fn jitter_ms(&self) -> f64 {
        self.jitter / 8.0
    }

    /// The SSRC heard last.
    pub(super) fn ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    /// The block for our next report; its fraction covers the time since the previous one.
    pub(super) fn report(&mut self) -> Option<Block> {
        let jitter = self.jitter as u32;
        let stream = self.stream.as_mut()?;
        let (expected, received) = (stream.expected(), stream.received);
        let (due, came) = (expected - stream.reported.0, received - stream.reported.1);
        stream.reported = (expected, received);
        let fraction = due.saturating_sub(came).saturating_mul(256).checked_div(due).unwrap_or(0);
        let lost = (expected as i64 - received as i64).clamp(-0x80_0000, 0x7f_ffff);
        Some(Block {
            ssrc: stream.ssrc,
            fraction_lost: fraction.min(255) as u8,
            lost: lost as i32,
            highest: stream.highest,
            jitter,
        })
    }
}

fn begins_anew(stream: &Stream, header: &Header) -> bool {
    let ahead = header.sequence.wrapping_sub(stream.highest as u16);
    stream.ssrc != header.ssrc || (MAX_DROPOUT..=u16::MAX - MAX_MISORDER).contains(&ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, timestamp: u32) -> Header {
        Header { sequence, timestamp, ssrc: 5, ..Header::default() }
    }

    #[test]
    fn gaps_are_lost_and_late_packets_fill_them() {
        let mut reception = Reception::default();
        for sequence in [65_534, 65_535, 2, 1, 5] {
            reception.hear(&packet(sequence, 0), None);
        }
        // Expected 65534..=5 are 8, five came.
        assert_eq!((reception.lost(), reception.received()), (3, 5));
        let block = reception.report().unwrap();
        assert_eq!((block.fraction_lost, block.lost, block.highest), (96, 3, 0x1_0005));
        reception.hear(&packet(6, 0), None);
        assert_eq!(reception.report().unwrap().fraction_lost, 0, "the fraction is about the last interval");
    }

    #[test]
    fn an_even_stream_has_no_jitter_and_an_uneven_one_the_rfcs() {
        let mut even = Reception::default();
        (0..100u16).for_each(|n| even.hear(&packet(n, u32::from(n) * 160), Some(u64::from(n) * 160 + 77)));
        assert_eq!(even.jitter_ms(), 0.0);
        // Alternately on time and 10 ms late: every step is 80 ticks, so J converges to 80 ticks.
        let mut uneven = Reception::default();
        for n in 0..400u64 {
            uneven.hear(&packet(n as u16, n as u32 * 160), Some(n * 160 + n % 2 * 80));
        }
        assert!((uneven.jitter_ms() - 10.0).abs() < 0.01, "{}", uneven.jitter_ms());
    }

    #[test]
    fn a_new_stream_or_a_backward_timestamp_breaks_nothing() {
        let mut reception = Reception::default();
        for n in 0..10u16 {
            reception.hear(&packet(n, 4_000_000_000 - u32::from(n) * 1_000_000), Some(u64::from(n) * 160));
        }
        reception.hear(&Header { ssrc: 6, ..packet(40_000, 0) }, Some(0));
        reception.hear(&Header { ssrc: 6, ..packet(20_000, 0) }, Some(u64::MAX));
        assert_eq!((reception.lost(), reception.ssrc()), (0, Some(6)));
        assert!(reception.jitter_ms() < 1_000.0);
    }
}
