//! Input made to break things.

use super::phone::{Bench, Phone, marked};
use crate::media::{Codec, dtmf::DigitReceiver, outgoing::Outgoing, reception::Reception, rtcp, rtp::Packet};

/// A small generator of repeatable chance (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Random bytes, half of the time dressed up as RTP or RTCP.
    fn datagram(&mut self) -> Vec<u8> {
        let length = (self.next() % 200) as usize;
        let mut bytes: Vec<u8> = (0..length).map(|_| self.next() as u8).collect();
        let dress: &[u8] = match self.next() % 8 {
            0 => &[0x80, 0],
            1 => &[0x80, 101],
            2 => &[0x90, 8],
            3 => &[0xb5, 0],
            4 => &[0x81, 200, 0, 12],
            5 => &[0x9f, 201, 0, 3],
            _ => &[],
        };
        for (byte, dressed) in bytes.iter_mut().zip(dress) {
            *byte = *dressed;
        }
        bytes
    }
}

#[test]
fn a_million_random_packets_break_no_parser() {
    let mut chance = Chance(0x5eed);
    let (mut digits, mut reception, mut outgoing) =
        (DigitReceiver::default(), Reception::default(), Outgoing::new(1, 2, 3));
    let (mut rtp, mut rtcps) = (0, 0);
    for now in 0..1_000_000 {
        let bytes = chance.datagram();
        if let Some(packet) = Packet::parse(&bytes) {
            rtp += 1;
            digits.hear(now, &packet.header, packet.payload);
            digits.expire(now + 100);
            reception.hear(&packet.header, Some(chance.next()));
            outgoing.relay(now, &packet.header, 0, packet.payload.len());
        }
        rtcps += u32::from(rtcp::parse(&bytes, chance.next() as u32).is_some());
        reception.report();
    }
    assert!(rtp > 10_000 && rtcps > 100, "the generator reaches the code behind the checks: {rtp}, {rtcps}");
}

#[tokio::test]
async fn ten_thousand_malformed_datagrams_from_the_peer_leave_the_call_up() {
    let (bench, mut alice, mut bob) = (Bench::new(), Phone::new(1).await, Phone::new(2).await);
    let (one, other) = bench.bridged((&mut alice, Codec::Pcmu), (&mut bob, Codec::Pcma)).await;
    let mut chance = Chance(77);
    for n in 0..10_000u32 {
        let bytes = chance.datagram();
        let rtcp_port = one.leg.rtp_port() + 1;
        alice.rtp.send_to(&bytes, ("127.0.0.1", one.leg.rtp_port())).await.unwrap();
        alice.rtcp.send_to(&bytes, ("127.0.0.1", rtcp_port)).await.unwrap();
        if n % 500 == 0 {
            one.leg.statistics().await.unwrap();
        }
    }
    one.leg.statistics().await.unwrap();
    bob.talk(&other.leg, 8, &marked(0x77, 1)).await;
    alice.hear_sound().await;
    assert_eq!(bench.media.live_legs(), 2);
}

#[tokio::test]
async fn a_flood_from_the_peer_is_cut_to_the_rate_of_a_call() {
    let (bench, mut alice) = (Bench::new(), Phone::new(1).await);
    let side = bench.call(&alice, Codec::Pcmu).await;
    for _ in 0..20 {
        for n in 0..100 {
            alice.talk(&side.leg, 0, &marked(1, n)).await;
        }
        side.leg.statistics().await.unwrap();
    }
    let statistics = side.leg.statistics().await.unwrap();
    assert!(statistics.packets_received <= 1_000, "{statistics:?}");
    assert!(statistics.packets_received + statistics.foreign_dropped > 1_000, "{statistics:?}");
}

#[tokio::test]
async fn a_huge_datagram_is_dropped() {
    let (bench, mut alice) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&alice, Codec::Pcmu).await;
    let mut bytes = vec![0x80; 9_000];
    bytes[1] = 0;
    alice.rtp.send_to(&bytes, ("127.0.0.1", side.leg.rtp_port())).await.unwrap();
    alice.talk(&side.leg, 0, &[1; 160]).await;
    side.latched().await;
    let statistics = side.leg.statistics().await.unwrap();
    assert_eq!((statistics.packets_received, statistics.foreign_dropped), (1, 1));
}
