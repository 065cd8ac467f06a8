use super::*;
use crate::media::Codec;

const LEGIT: &str = "203.0.113.7:4000";
const NEIGHBOUR: &str = "203.0.113.7:4002";
const SIP_HOST: &str = "198.51.100.1:9000";
const STRANGER: &str = "192.0.2.66:4000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn remote() -> Remote {
    Remote { sip_source: Some(address(SIP_HOST).ip()), ..Remote::new(address(LEGIT), Codec::Pcmu) }
}

/// One whose address cannot be reached from outside.
fn hidden() -> Remote {
    Remote { rtp: address("192.168.1.20:4000"), ..remote() }
}

/// Audio in which nothing is to be heard.
const SILENCE: Sign<'static> = Sign::Audio(&|| false);
const VOICE: Sign<'static> = Sign::Audio(&|| true);

/// Sends `count` silent packets 20 ms apart from `now` on and returns the verdicts.
fn stream(latch: &mut Latch, source: &str, now: u64, count: u16) -> Vec<Verdict> {
    stream_of(latch, source, now, count, SILENCE)
}

fn stream_of(latch: &mut Latch, source: &str, now: u64, count: u16, sign: Sign<'_>) -> Vec<Verdict> {
    (0..count)
        .map(|n| {
            let header = Header { sequence: n, ssrc: 1, ..Header::default() };
            let at = now + 20 * u64::from(n);
            let verdict = latch.hear(at, address(source), &header, sign);
            latch.filter(at);
            verdict
        })
        .collect()
}

fn accepted(verdicts: &[Verdict]) -> usize {
    verdicts.iter().filter(|verdict| **verdict != Verdict::Drop).count()
}

#[test]
fn the_signalled_address_locks_with_its_first_packet() {
    let mut latch = Latch::new(&remote());
    assert_eq!(stream(&mut latch, LEGIT, 0, 2), [Verdict::Lock, Verdict::Accept]);
    assert_eq!(latch.target(), Some(address(LEGIT)));
}

#[test]
fn other_sources_of_a_peer_that_cannot_be_reached_lock_after_eight_steady_packets_only() {
    let mut latch = Latch::new(&hidden());
    let verdicts = stream(&mut latch, SIP_HOST, 0, 10);
    assert_eq!(accepted(&verdicts), 3);
    assert_eq!(verdicts[7], Verdict::Lock);
    assert_eq!(latch.target(), Some(address(SIP_HOST)));
}

#[test]
fn a_reachable_address_loses_to_nobody_for_being_silent() {
    let mut latch = Latch::new(&remote());
    for (n, source) in [SIP_HOST, NEIGHBOUR, STRANGER].into_iter().enumerate() {
        assert_eq!(accepted(&stream(&mut latch, source, 10_000 * n as u64, 300)), 0, "{source}");
        assert_eq!(latch.target(), Some(address(LEGIT)), "{source}");
    }
}

#[test]
fn another_port_of_the_host_or_its_sip_source_is_heard_when_a_voice_or_a_key_decided_and_never_sent_to() {
    for source in [NEIGHBOUR, SIP_HOST] {
        let mut latch = Latch::new(&remote());
        let verdicts = stream_of(&mut latch, source, 0, 60, VOICE);
        assert_eq!((verdicts[49], verdicts[50]), (Verdict::Drop, Verdict::Lock), "{source}");
        assert_eq!(latch.target(), Some(address(LEGIT)), "{source}");
        assert_eq!(latch.filter(60_000), Filter::Keep, "a connected socket would send there");
    }

    let mut latch = Latch::new(&remote());
    stream(&mut latch, NEIGHBOUR, 0, 20);
    let keys = (20..24).map(|sequence| {
        let header = Header { sequence, ssrc: 1, ..Header::default() };
        latch.hear(400, address(NEIGHBOUR), &header, Sign::Key)
    });
    assert_eq!(keys.collect::<Vec<_>>(), [Verdict::Drop, Verdict::Drop, Verdict::Lock, Verdict::Accept]);
    assert_eq!(latch.target(), Some(address(LEGIT)));
    assert_eq!(latch.hear(500, address(LEGIT), &Header::default(), SILENCE), Verdict::Lock);
}

#[test]
fn an_asymmetric_peer_is_heard_from_elsewhere_and_sent_to_where_it_says() {
    let networks = vec!["192.0.2.0/24".parse().unwrap()];
    for (source, rtp) in [(NEIGHBOUR, LEGIT), (STRANGER, LEGIT), (STRANGER, "192.168.1.20:4000")] {
        let media_networks = networks.clone();
        let peer = Remote { asymmetric: true, media_networks, rtp: address(rtp), ..remote() };
        let mut latch = Latch::new(&peer);
        assert_eq!(stream(&mut latch, source, 0, 8)[7], Verdict::Lock, "{source}");
        assert_eq!((latch.target(), latch.filter(7_000)), (Some(address(rtp)), Filter::Keep), "{source}");
    }
}

#[test]
fn an_asymmetric_peer_is_not_lost_to_what_it_sends_from_where_it_listens() {
    let media_networks = vec!["192.0.2.0/24".parse().unwrap()];
    for source in [NEIGHBOUR, STRANGER] {
        let mut latch =
            Latch::new(&Remote { asymmetric: true, media_networks: media_networks.clone(), ..remote() });
        assert_eq!(stream(&mut latch, LEGIT, 0, 1), [Verdict::Drop], "one packet is no stream");
        assert_eq!(stream(&mut latch, source, 20, 8)[7], Verdict::Lock, "{source}");
        assert_eq!(stream(&mut latch, LEGIT, 200, 1), [Verdict::Drop]);
        assert_eq!(latch.locked(), Some(address(source)));
        assert_eq!(stream(&mut latch, LEGIT, 10_000, 8)[7], Verdict::Lock, "it speaks from there now");
        assert_eq!(latch.filter(10_200), Filter::Keep, "the kernel drops none of the others");
        assert_eq!(stream(&mut latch, source, 20_000, 8)[7], Verdict::Lock, "and from elsewhere again");
    }
}

#[test]
fn packets_out_of_step_or_of_another_stream_never_add_up() {
    let mut latch = Latch::new(&remote());
    for n in 0..100u16 {
        let jumping = Header { sequence: n * 50, ssrc: 1, ..Header::default() };
        assert_eq!(latch.hear(0, address(NEIGHBOUR), &jumping, SILENCE), Verdict::Drop);
        let changing = Header { sequence: n, ssrc: u32::from(n), ..Header::default() };
        assert_eq!(latch.hear(0, address(SIP_HOST), &changing, SILENCE), Verdict::Drop);
        let implausible = Header { sequence: n, ssrc: 1, ..Header::default() };
        assert_eq!(latch.hear(0, address("203.0.113.7:8"), &implausible, Sign::Foreign), Verdict::Drop);
    }
    assert_eq!(latch.target(), Some(address(LEGIT)));
}

#[test]
fn a_stranger_is_never_heard() {
    let mut latch = Latch::new(&remote());
    assert_eq!(accepted(&stream(&mut latch, STRANGER, 0, 200)), 0);
}

#[test]
fn a_gateway_in_the_media_networks_is_heard_and_sent_to() {
    let media_networks = vec!["192.0.2.0/24".parse().unwrap()];
    let mut latch = Latch::new(&Remote { media_networks, ..remote() });
    assert_eq!(accepted(&stream(&mut latch, STRANGER, 0, 8)), 1);
    assert_eq!(latch.target(), Some(address(STRANGER)));
}

#[test]
fn an_attacker_who_came_first_loses_to_the_signalled_address() {
    let mut latch = Latch::new(&remote());
    assert_eq!(accepted(&stream(&mut latch, NEIGHBOUR, 0, 5)), 0);
    assert_eq!(latch.target(), Some(address(LEGIT)), "what we send never follows a candidate");
    assert_eq!(stream(&mut latch, LEGIT, 100, 1), [Verdict::Lock]);
    assert_eq!(accepted(&stream(&mut latch, NEIGHBOUR, 120, 200)), 0);
}

#[test]
fn a_source_on_probation_yields_to_a_better_one() {
    let mut latch = Latch::new(&hidden());
    stream(&mut latch, SIP_HOST, 0, 20);
    assert_eq!(latch.locked(), Some(address(SIP_HOST)));
    assert_eq!(latch.filter(1_000), Filter::Keep, "not connected, or the better one would not be heard");
    assert_eq!(latch.hear(1_000, hidden().rtp, &Header::default(), SILENCE), Verdict::Lock);
    assert_eq!(latch.filter(1_000), Filter::Connect(hidden().rtp));
    assert_eq!(accepted(&stream(&mut latch, SIP_HOST, 1_020, 50)), 0);
}

/// A latch that has heard this source, and nobody else, for six seconds.
fn used_to(source: &str, remote: &Remote) -> Latch {
    let mut latch = Latch::new(remote);
    for n in 0..300u16 {
        let header = Header { sequence: n, ssrc: 1, ..Header::default() };
        latch.hear(20 * u64::from(n), address(source), &header, VOICE);
    }
    latch
}

#[test]
fn a_source_of_lower_rank_is_connected_where_the_signalled_address_cannot_be_reached() {
    let mut latch = used_to(SIP_HOST, &hidden());
    assert_eq!(latch.filter(5_990), Filter::Connect(address(SIP_HOST)));
    assert_eq!(latch.filter(8_000), Filter::Disconnect, "after two silent seconds others may come");
}

#[test]
fn the_signalled_address_wins_back_from_whoever_came_first_however_late() {
    let mut latch = used_to(NEIGHBOUR, &remote());
    assert_eq!(latch.filter(5_990), Filter::Keep, "the kernel must not drop what it sends");
    assert_eq!(latch.hear(60_000, address(LEGIT), &Header::default(), SILENCE), Verdict::Lock);
    assert_eq!(latch.filter(60_000), Filter::Connect(address(LEGIT)));
}

#[test]
fn another_of_equal_rank_takes_over_after_two_silent_seconds_and_not_before() {
    let media_networks = vec!["192.0.2.0/24".parse().unwrap()];
    let mut latch = Latch::new(&Remote { media_networks, ..hidden() });
    stream(&mut latch, SIP_HOST, 0, 300); // until 5,980
    let other = "198.51.100.1:5000";
    assert_eq!(accepted(&stream(&mut latch, other, 6_000, 90)), 0);
    assert_eq!(accepted(&stream(&mut latch, STRANGER, 8_000, 50)), 0, "a lower rank never takes over");
    assert_eq!(stream(&mut latch, other, 9_000, 8)[7], Verdict::Lock);
}

#[test]
fn the_exact_address_is_kept_through_any_silence() {
    let mut latch = Latch::new(&remote());
    stream(&mut latch, LEGIT, 0, 1);
    assert_eq!(latch.filter(60_000), Filter::Keep);
    assert_eq!(accepted(&stream(&mut latch, NEIGHBOUR, 60_000, 100)), 0);
}

#[test]
fn only_a_new_signalled_address_opens_the_latch() {
    let mut latch = Latch::new(&remote());
    stream(&mut latch, LEGIT, 0, 5);
    assert_eq!(latch.reconfigure(&remote()), Filter::Keep);
    assert_eq!(latch.locked(), Some(address(LEGIT)));
    let moved = Remote { rtp: address("203.0.113.9:5000"), ..remote() };
    assert_eq!(latch.reconfigure(&moved), Filter::Disconnect);
    assert_eq!((latch.locked(), latch.target()), (None, Some(moved.rtp)));
    assert_eq!(accepted(&stream(&mut latch, LEGIT, 200, 20)), 0);
}

#[test]
fn after_signalling_moved_the_address_the_former_source_is_no_candidate() {
    let mut latch = Latch::new(&remote());
    stream(&mut latch, LEGIT, 0, 5);
    let moved = Remote { rtp: address("203.0.113.7:5000"), ..remote() };
    latch.reconfigure(&moved);
    assert_eq!(accepted(&stream_of(&mut latch, LEGIT, 200, 300, VOICE)), 0, "the same host, and loud");
    assert_eq!(latch.hear(9_000, moved.rtp, &Header::default(), SILENCE), Verdict::Lock);
    latch.reconfigure(&remote());
    assert_eq!(stream(&mut latch, LEGIT, 10_000, 1), [Verdict::Lock], "unless signalling names it again");

    let mut latch = Latch::new(&hidden());
    stream(&mut latch, SIP_HOST, 0, 20);
    latch.reconfigure(&Remote { rtp: address("192.168.1.20:5000"), ..remote() });
    assert_eq!(accepted(&stream(&mut latch, SIP_HOST, 1_000, 50)), 0);
    assert_eq!(accepted(&stream(&mut latch, "198.51.100.1:9002", 2_000, 8)), 1);
}

#[test]
fn a_hold_in_the_old_manner_names_no_address_and_moves_nothing() {
    let mut latch = Latch::new(&hidden());
    stream(&mut latch, SIP_HOST, 0, 20);
    assert_eq!(latch.reconfigure(&Remote { rtp: address("0.0.0.0:4000"), ..remote() }), Filter::Keep);
    assert_eq!(latch.reconfigure(&hidden()), Filter::Keep);
    assert_eq!((latch.locked(), latch.target()), (Some(address(SIP_HOST)), Some(address(SIP_HOST))));
}

#[test]
fn an_ssrc_may_change_at_the_locked_source() {
    let mut latch = Latch::new(&remote());
    stream(&mut latch, LEGIT, 0, 3);
    let header = Header { ssrc: 99, sequence: 40_000, ..Header::default() };
    assert_eq!(latch.hear(80, address(LEGIT), &header, SILENCE), Verdict::Accept);
}

#[test]
fn a_private_address_behind_a_public_sip_source_is_sent_to_at_that_source() {
    assert_eq!(Latch::new(&hidden()).target(), Some(address("198.51.100.1:4000")));
    let both_private =
        Remote { sip_source: Some("10.0.0.1".parse().unwrap()), rtp: address("10.0.0.2:4000"), ..remote() };
    assert_eq!(Latch::new(&both_private).target(), Some(address("10.0.0.2:4000")));
    for nowhere in ["0.0.0.0:4000", "203.0.113.7:0", "[::]:4000", "224.0.0.1:4000"] {
        assert_eq!(Latch::new(&Remote { rtp: address(nowhere), ..remote() }).target(), None, "{nowhere}");
    }
}

#[test]
fn a_flood_of_sources_keeps_its_memory_bounded_and_the_better_one_in() {
    let media_networks = vec!["192.0.2.0/24".parse().unwrap()];
    let mut latch = Latch::new(&Remote { media_networks, ..hidden() });
    for port in 1..2_000u16 {
        latch.hear(0, SocketAddr::new([192, 0, 2, 66].into(), port), &Header::default(), SILENCE);
    }
    assert_eq!(latch.candidates.len(), MAX_CANDIDATES);
    assert_eq!(accepted(&stream(&mut latch, SIP_HOST, 0, 8)), 1);
}

/// One that names an address inside our own network, or ours.
fn inside(rtp: &str, source: &str) -> Remote {
    let sip_source = Some(source.parse().unwrap());
    Remote { rtp: address(rtp), forbidden: true, sip_source, ..remote() }
}

#[test]
fn nothing_is_sent_to_an_address_that_is_not_the_peers_to_name() {
    for asymmetric in [false, true] {
        let far = Remote { asymmetric, ..inside("203.0.113.200:5060", "203.0.113.7") };
        let mut latch = Latch::new(&far);
        assert_eq!(latch.target(), None, "ours, by its public address");
        assert_eq!(
            accepted(&stream_of(&mut latch, "203.0.113.200:5060", 0, 60, VOICE)),
            0,
            "nor is it heard"
        );
        assert_eq!(latch.target(), None);
        assert!(accepted(&stream(&mut latch, "203.0.113.7:4000", 2_000, 20)) > 0);
        assert_eq!(latch.target(), Some(address("203.0.113.7:4000")), "where its sound comes from");
    }
}

#[test]
fn a_phone_behind_its_own_nat_is_spoken_to_at_its_public_side_and_then_where_its_sound_comes_from() {
    let far = inside("192.168.1.20:4000", "198.51.100.1");
    let mut latch = Latch::new(&far);
    assert_eq!(latch.target(), Some(address("198.51.100.1:4000")));
    assert!(accepted(&stream(&mut latch, "198.51.100.1:23456", 0, 20)) > 0);
    assert_eq!(latch.target(), Some(address("198.51.100.1:23456")));
}
