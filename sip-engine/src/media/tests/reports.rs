use super::phone::{Bench, Phone};
use crate::media::{
    Codec,
    reception::Block,
    rtcp::{self, Report},
};

/// What a phone reports back about a leg's stream, having kept our report for a quarter of a second.
fn reply(heard: &rtcp::Heard, phone_ssrc: u32) -> Vec<u8> {
    let block = Block { ssrc: heard.ssrc, fraction_lost: 64, lost: 3, highest: 9, jitter: 0 };
    let mut bytes = Vec::new();
    let last_report = (heard.sent.expect("a sender report"), 0);
    rtcp::write(
        &Report { ssrc: phone_ssrc, cname: "phone", sent: None, block: Some(block), last_report, bye: false },
        &mut bytes,
    );
    bytes
}

#[tokio::test]
async fn reports_are_sent_and_the_peers_give_round_trip_time_and_loss() {
    let (bench, mut phone) = (Bench::new(), Phone::new(1).await);
    let mut side = bench.call(&phone, Codec::Pcmu).await;
    phone.talk(&side.leg, 0, &[0xff; 160]).await;
    side.latched().await;
    phone.next.sequence = phone.next.sequence.wrapping_add(1); // one is lost
    phone.talk(&side.leg, 0, &[0xff; 160]).await;

    let (bytes, source) = phone.hear_rtcp().await;
    assert_eq!(source.port(), side.leg.rtp_port() + 1);
    let heard = rtcp::parse(&bytes, 1).unwrap();
    assert!(heard.sent.is_some());
    assert!(heard.about_us.is_some() && bytes[32] > 0, "our loss is told: {bytes:?}");

    phone.rtcp.send_to(&reply(&heard, 1), source).await.unwrap();
    let statistics = loop {
        let statistics = side.leg.statistics().await.unwrap();
        if statistics.rtt_ms.is_some() {
            break statistics;
        }
    };
    assert!(statistics.rtt_ms.is_some_and(|rtt| (0.0..2_000.0).contains(&rtt)), "{statistics:?}");
    assert_eq!(statistics.packets_lost, 1);
    assert!(statistics.mos.is_some_and(|mos| (1.0..3.0).contains(&mos)), "a third is lost: {statistics:?}");
}

#[tokio::test]
async fn a_closing_leg_says_goodbye() {
    let (bench, phone) = (Bench::new(), Phone::new(1).await);
    let side = bench.call(&phone, Codec::Pcmu).await;
    drop(side.leg);
    let (bytes, _) = phone.hear_rtcp().await;
    assert_eq!(bytes[bytes.len() - 8..][..4], [0x81, 203, 0, 1]);
}

#[tokio::test]
async fn a_clean_stream_has_a_clean_score() {
    let (bench, mut phone) = (Bench::new(), Phone::new(1).await);
    let side = bench.call(&phone, Codec::Pcma).await;
    assert_eq!(side.leg.statistics().await.unwrap().mos, None, "nothing heard, nothing judged");
    for _ in 0..50 {
        phone.hear().await; // our own packets beat the time
        phone.talk(&side.leg, 8, &[0xd5; 160]).await;
    }
    let statistics = side.leg.statistics().await.unwrap();
    assert_eq!((statistics.packets_lost, statistics.codec), (0, Some(Codec::Pcma)));
    assert!(statistics.packets_received >= 49 && statistics.packets_sent >= 50, "{statistics:?}");
    assert!(statistics.mos.is_some_and(|mos| mos > 4.3), "{statistics:?}");
    assert!(statistics.jitter_ms < 50.0, "{statistics:?}");
}
