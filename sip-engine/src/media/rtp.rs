//! RTP packets (RFC 3550 section 5.1): read from a peer with every bound checked, and written.

/// Size of the header we write: no CSRC, no extension.
pub(super) const HEADER: usize = 12;
/// Most payload we pass on; 60 ms of G.711 is 480 bytes.
pub(super) const MAX_PAYLOAD: usize = 1_200;
/// Largest datagram we look at.
pub(super) const MAX_PACKET: usize = 2_048;

/// The fields of a header that matter to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
}

impl Header {
    /// Writes header and payload into `out`, which holds `HEADER + MAX_PAYLOAD` bytes, and returns what to send.
    pub(super) fn write<'a>(&self, payload: &[u8], out: &'a mut [u8]) -> &'a [u8] {
        let payload = payload.get(..payload.len().min(MAX_PAYLOAD)).unwrap_or_default();
        let [.., s0, s1] = u32::from(self.sequence).to_be_bytes();
        let second = self.payload_type & 0x7f | u8::from(self.marker) << 7;
        let mut header = [0x80, second, s0, s1, 0, 0, 0, 0, 0, 0, 0, 0];
        header[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        header[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        let length = HEADER + payload.len();
        out[..HEADER].copy_from_slice(&header);
        out[HEADER..length].copy_from_slice(payload);
        &out[..length]
    }
}

/// A packet as it lies in the receive buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) header: Header,
    pub(super) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// `None` for anything that is not a well-formed RTP packet, RTCP included (RFC 5761 section 4).
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let fixed: &[u8; HEADER] = bytes.first_chunk()?;
        let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *fixed;
        if first >> 6 != 2 || (192..=223).contains(&second) {
            return None;
        }
        let mut payload = bytes.get(HEADER + 4 * usize::from(first & 0x0f)..)?;
        if first & 0x10 != 0 {
            let extension: &[u8; 4] = payload.first_chunk()?;
            let words = usize::from(u16::from_be_bytes([extension[2], extension[3]]));
            payload = payload.get(4 + 4 * words..)?;
        }
        if first & 0x20 != 0 {
            let padding = usize::from(*payload.last()?);
            payload = payload.get(..payload.len().checked_sub(padding.max(1))?)?;
        }
        let header = Header {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
        };
        Some(Self { header, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Header =
        Header { marker: true, payload_type: 101, sequence: 0xfffe, timestamp: 0x8000_0001, ssrc: 7 };

    #[test]
    fn what_is_written_reads_back() {
        let mut buffer = [0; HEADER + MAX_PAYLOAD];
        let packet = Packet::parse(HEAD.write(&[1, 2, 3], &mut buffer)).unwrap();
        assert_eq!((packet.header, packet.payload), (HEAD, &[1u8, 2, 3][..]));
    }

    #[test]
    fn contributors_extension_and_padding_are_not_payload() {
        let mut bytes = vec![0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([9, 9, 9, 9]); // one contributor
        bytes.extend([0xbe, 0xde, 0, 1, 8, 8, 8, 8]); // extension of one word
        bytes.extend([5, 6, 0, 0, 3]); // payload and padding of three
        assert_eq!(Packet::parse(&bytes).unwrap().payload, [5, 6]);
    }

    #[test]
    fn lies_about_lengths_are_refused() {
        let header = |first: u8| vec![first, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        for (first, rest) in [
            (0x8f, &[0u8; 20][..]),            // 15 contributors, room for 5
            (0x90, &[0xbe, 0xde, 0xff, 0xff]), // extension longer than the packet
            (0xa0, &[1, 2, 200]),              // padding longer than the packet
            (0xa0, &[]),                       // padding of nothing
            (0x40, &[0; 20]),                  // version 1
        ] {
            assert!(Packet::parse(&[header(first), rest.to_vec()].concat()).is_none(), "{first:#x}");
        }
        assert!(Packet::parse(&[0x80; 11]).is_none());
    }

    #[test]
    fn rtcp_is_not_taken_for_rtp() {
        assert!(Packet::parse(&[0x80, 200, 0, 6, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0]).is_none());
    }
}
