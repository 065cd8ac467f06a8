//! RTCP: sender and receiver reports, read from a peer and written (RFC 3550 section 6). Pure.

use super::reception::Block;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const REPORT_BLOCK: usize = 24;

/// What a compound packet of the peer tells us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Who reports.
    pub(super) ssrc: u32,
    /// Middle 32 bits of the NTP time in its sender report.
    pub(super) sent: Option<u32>,
    /// What it says about our stream.
    pub(super) about_us: Option<AboutUs>,
}

/// A report block about our stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AboutUs {
    last_report: u32,
    delay: u32,
}

impl AboutUs {
    /// Round-trip time in milliseconds, from the middle 32 bits of our NTP time on arrival (RFC 3550 6.4.1).
    /// `None` when the peer has had no report of ours, or its figures are impossible.
    pub(super) fn round_trip_ms(&self, now: u32) -> Option<f64> {
        let passed = now.wrapping_sub(self.last_report).checked_sub(self.delay)?;
        // Half the range of the 16.16 figure is far beyond any network; it means clocks or peers that lie.
        (self.last_report != 0 && passed < 60 << 16).then(|| f64::from(passed) * 1_000.0 / 65_536.0)
    }
}

/// Reads a compound packet; `None` when it is not well-formed from its first report to its end.
pub(super) fn parse(bytes: &[u8], our_ssrc: u32) -> Option<Heard> {
    let mut heard: Option<Heard> = None;
    let mut rest = bytes;
    while !rest.is_empty() {
        let &[first, kind, l0, l1] = rest.first_chunk()?;
        let length = 4 * (usize::from(u16::from_be_bytes([l0, l1])) + 1);
        let packet = rest.get(..length)?;
        rest = rest.get(length..)?;
        let is_report = matches!(kind, SENDER_REPORT | RECEIVER_REPORT);
        if first >> 6 != 2 || (heard.is_none() && !is_report) {
            return None;
        }
        if is_report {
            let report = heard.get_or_insert_default();
            read_report(packet, kind == SENDER_REPORT, usize::from(first & 0x1f), our_ssrc, report)?;
        }
    }
    heard
}

fn read_report(packet: &[u8], sender: bool, blocks: usize, our_ssrc: u32, heard: &mut Heard) -> Option<()> {
    heard.ssrc = word(packet, 4)?;
    if sender {
        heard.sent = Some(word(packet, 8)? << 16 | word(packet, 12)? >> 16);
    }
    let first = if sender { 28 } else { 8 };
    for block in packet.get(first..)?.chunks_exact(REPORT_BLOCK).take(blocks) {
        if word(block, 0) == Some(our_ssrc) {
            heard.about_us = Some(AboutUs { last_report: word(block, 16)?, delay: word(block, 20)? });
        }
    }
    Some(())
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_be_bytes(*chunk))
}

/// What our next report says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report<'a> {
    pub(super) ssrc: u32,
    /// A random name that stays the same for the call (RFC 7022).
    pub(super) cname: &'a str,
    /// Present when we have sent since the last report: NTP time, RTP time, packets, octets.
    pub(super) sent: Option<(u64, u32, u64, u64)>,
    pub(super) block: Option<Block>,
    /// Middle NTP bits of the peer's last sender report, and how long ago it came in 1/65536 s.
    pub(super) last_report: (u32, u32),
    pub(super) bye: bool,
}

/// Writes the compound packet: report, source description, and BYE when the leg closes.
pub(super) fn write(report: &Report<'_>, out: &mut Vec<u8>) {
    out.clear();
    let kind = if report.sent.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    let body = 4
        + if report.sent.is_some() { 20 } else { 0 }
        + if report.block.is_some() { REPORT_BLOCK } else { 0 };
    head(out, u8::from(report.block.is_some()), kind, body);
    put(out, report.ssrc);
    if let Some((ntp, rtp, packets, octets)) = report.sent {
        let words = [(ntp >> 32) as u32, ntp as u32, rtp, packets as u32, octets as u32];
        words.into_iter().for_each(|word| put(out, word));
    }
    if let Some(block) = report.block {
        let lost = u32::from(block.fraction_lost) << 24 | block.lost.cast_unsigned() & 0x00ff_ffff;
        let (last, delay) = report.last_report;
        let words = [block.ssrc, lost, block.highest, block.jitter, last, delay];
        words.into_iter().for_each(|word| put(out, word));
    }
    describe(report, out);
    if report.bye {
        head(out, 1, BYE, 4);
        put(out, report.ssrc);
    }
}

fn describe(report: &Report<'_>, out: &mut Vec<u8>) {
    let name = report.cname.as_bytes();
    let name = name.get(..name.len().min(255)).unwrap_or_default();
    // The list of items ends with at least one zero and is padded to a word.
    let padded = (2 + name.len() + 4) / 4 * 4;
    head(out, 1, SOURCE_DESCRIPTION, 4 + padded);
    put(out, report.ssrc);
    out.extend([1, name.len() as u8]);
    out.extend(name);
    out.resize(out.len() + padded - 2 - name.len(), 0);
}

fn head(out: &mut Vec<u8>, count: u8, kind: u8, body: usize) {
    let words = (body / 4) as u16;
    out.extend([0x80 | count, kind]);
    out.extend(words.to_be_bytes());
}

fn put(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Block = Block { ssrc: 9, fraction_lost: 64, lost: -2, highest: 70_000, jitter: 12 };

    fn report(bye: bool) -> Report<'static> {
        let sent = Some((0x0001_0002_0003_0004, 1_600, 10, 1_600));
        Report { ssrc: 7, cname: "abc", sent, block: Some(BLOCK), last_report: (0xaaaa_0000, 0x8000), bye }
    }

    #[test]
    fn a_written_report_reads_back() {
        let mut bytes = Vec::new();
        write(&report(true), &mut bytes);
        let heard = parse(&bytes, 9).unwrap();
        assert_eq!((heard.ssrc, heard.sent), (7, Some(0x0002_0003)));
        let about = heard.about_us.unwrap();
        // Half a second at the peer, three quarters of a second in all.
        assert_eq!(about.round_trip_ms(0xaaaa_0000 + 0xc000), Some(250.0));
        assert_eq!(parse(&bytes, 10).unwrap().about_us, None);
    }

    #[test]
    fn the_layout_is_the_rfcs() {
        let mut bytes = Vec::new();
        write(&report(true), &mut bytes);
        assert_eq!(bytes[..8], [0x81, 200, 0, 12, 0, 0, 0, 7]);
        assert_eq!(bytes[28..36], [0, 0, 0, 9, 64, 0xff, 0xff, 0xfe]);
        assert_eq!(bytes[52..68], [0x81, 202, 0, 3, 0, 0, 0, 7, 1, 3, b'a', b'b', b'c', 0, 0, 0]);
        assert_eq!(bytes[68..], [0x81, 203, 0, 1, 0, 0, 0, 7]);
        write(&Report { sent: None, block: None, bye: false, ..report(false) }, &mut bytes);
        assert_eq!(bytes[..8], [0x80, 201, 0, 1, 0, 0, 0, 7]);
    }

    #[test]
    fn impossible_figures_give_no_round_trip_time() {
        let about = |last_report, delay| AboutUs { last_report, delay };
        assert_eq!(about(0, 0).round_trip_ms(5), None, "no report of ours has arrived");
        assert_eq!(about(100, 500).round_trip_ms(200), None, "more delay than time");
        assert_eq!(about(1, 0).round_trip_ms(0x8000_0000), None, "hours");
    }

    #[test]
    fn malformed_compounds_are_refused() {
        let mut good = Vec::new();
        write(&report(false), &mut good);
        for cut in 1..good.len() {
            // A cut at a packet's border leaves a shorter well-formed compound.
            assert_eq!(parse(&good[..cut], 9).is_some(), cut == 52, "cut at {cut}");
        }
        assert_eq!(parse(&[], 9), None);
        assert_eq!(parse(&[0x81, 202, 0, 0], 9), None, "a description can't come first");
        assert_eq!(parse(&[0x9f, 201, 0, 0], 9), None, "no room for the sender");
    }
}
