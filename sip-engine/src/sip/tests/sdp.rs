//! Session descriptions: foreign media never costs the call, and an answer has a line for each of the offer's.

use crate::sip::sdp::{
    CodecName, LocalSession, MAX_BODY, MediaDirection, MediaOffer, RemoteSession, SdpRefusal, parse, words,
};
use std::net::SocketAddr;

const SESSION: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

fn offer(media: &str) -> Result<RemoteSession, SdpRefusal> {
    parse(format!("{SESSION}{media}").as_bytes())
}

fn audio(media: &str) -> MediaOffer {
    offer(media).unwrap().audio
}

fn local() -> LocalSession {
    LocalSession::new("198.51.100.7:40000".parse().unwrap(), 40001, 7 << 1)
}

fn answer(media: &str) -> String {
    let bytes = local().answer(&offer(media).unwrap(), MediaDirection::SendRecv);
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn names(media: &MediaOffer) -> Vec<(CodecName, u8)> {
    media.codecs.iter().map(|codec| (codec.name, codec.pt)).collect()
}

#[test]
fn a_plain_offer_is_read() {
    let media = audio("m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:30\r\n");
    assert_eq!(media.addr, "192.0.2.1:4000".parse::<SocketAddr>().unwrap());
    assert_eq!(names(&media), [(CodecName::Pcma, 8), (CodecName::Pcmu, 0)]);
    assert_eq!((media.telephone_event, media.ptime, media.rtcp), (Some(101), Some(30), None));
    assert_eq!(media.direction, MediaDirection::SendRecv);
}

#[test]
fn codings_may_go_by_dynamic_payload_types_in_any_case() {
    let media = audio(
        "m=audio 4000 RTP/AVP 96 97 0\r\na=rtpmap:96 pcma/8000/1\r\na=rtpmap:0 G726-32/8000\r\na=rtpmap:97 Telephone-Event/8000\r\n",
    );
    assert_eq!(names(&media), [(CodecName::Pcma, 96)]);
    assert_eq!(media.telephone_event, Some(97));
}

#[test]
fn telephone_event_of_another_clock_is_not_ours() {
    let media = audio(
        "m=audio 4000 RTP/AVP 0 98 99\r\na=rtpmap:98 telephone-event/48000\r\na=rtpmap:99 telephone-event/8000\r\n",
    );
    assert_eq!(media.telephone_event, Some(99));
}

#[test]
fn a_fax_line_does_not_cost_the_call() {
    let text = answer(
        "m=image 4002 udptl t38\r\na=T38FaxVersion:0\r\nm=audio 4000 RTP/AVP 0\r\nm=video 5000 RTP/SAVPF 96 97\r\n",
    );
    assert!(text.contains("m=image 0 udptl t38\r\nm=audio 40000 RTP/AVP 0\r\n"), "{text}");
    assert!(text.ends_with("m=video 0 RTP/SAVPF 96 97\r\n"), "{text}");
}

#[test]
fn of_several_audio_lines_the_first_usable_one_is_taken() {
    let text = answer(
        "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 18\r\nm=audio 4004 RTP/AVP 8\r\n",
    );
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        lines,
        ["m=audio 0 RTP/AVP 0", "m=audio 0 RTP/SAVP 0", "m=audio 0 RTP/AVP 18", "m=audio 40000 RTP/AVP 8"]
    );
}

#[test]
fn the_answer_names_the_transport_of_the_offer() {
    let text = answer("m=audio 4000 RTP/AVPF 0\r\n");
    assert!(text.contains("m=audio 40000 RTP/AVPF 0\r\n"), "{text}");
}

#[test]
fn malformed_foreign_attributes_do_not_cost_the_call() {
    let media = audio(
        "a=group:\r\na=fingerprint:x\r\nm=audio 4000 RTP/AVP 0 300 foo\r\na=candidate:bogus\r\na=rtpmap:300 x/1\r\na=rtpmap:nonsense\r\na=fmtp:\r\na=crypto:what\r\na=rtcp:99999\r\na=ssrc:abc\r\nb=AS:x\r\ni=\u{fe}\r\n",
    );
    assert_eq!(names(&media), [(CodecName::Pcmu, 0)]);
}

#[test]
fn an_address_beside_the_media_wins_over_the_session_one() {
    assert_eq!(
        audio("m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n").addr,
        "[2001:db8::1]:4000".parse().unwrap()
    );
}

#[test]
fn holds_of_both_ages_are_understood() {
    for (line, expected) in [
        ("a=sendonly", MediaDirection::SendOnly),
        ("a=recvonly", MediaDirection::RecvOnly),
        ("a=inactive", MediaDirection::Inactive),
        ("c=IN IP4 0.0.0.0", MediaDirection::SendOnly),
        ("c=IN IP4 0.0.0.0\r\na=inactive", MediaDirection::Inactive),
    ] {
        let media = audio(&format!("m=audio 4000 RTP/AVP 0\r\n{line}\r\n"));
        assert_eq!(media.direction, expected, "{line}");
        assert_eq!(media.listens(), expected == MediaDirection::RecvOnly, "{line}");
    }
    assert_eq!(audio("a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n").direction, MediaDirection::SendOnly);
}

#[test]
fn the_answer_to_a_hold_is_recvonly_and_to_inactive_inactive() {
    assert!(answer("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n").contains("a=recvonly\r\n"));
    assert!(answer("m=audio 4000 RTP/AVP 0\r\na=inactive\r\n").contains("a=inactive\r\n"));
}

#[test]
fn the_rtcp_attribute_is_read() {
    assert_eq!(
        audio("m=audio 4000 RTP/AVP 0\r\na=rtcp:4010\r\n").rtcp,
        Some("192.0.2.1:4010".parse().unwrap())
    );
    assert_eq!(
        audio("m=audio 4000 RTP/AVP 0\r\na=rtcp:4010 IN IP4 192.0.2.9\r\n").rtcp,
        Some("192.0.2.9:4010".parse().unwrap())
    );
}

#[test]
fn what_does_not_fit_is_488() {
    for media in [
        "",
        "m=audio 4000 RTP/AVP 18\r\n",
        "m=audio 4000 RTP/SAVP 0\r\n",
        "m=audio 0 RTP/AVP 0\r\n",
        "m=audio 70000 RTP/AVP 0\r\n",
        "m=video 4000 RTP/AVP 0\r\n",
    ] {
        assert_eq!(offer(media), Err(SdpRefusal::NothingFits), "{media}");
        assert_eq!(SdpRefusal::NothingFits.code(), 488);
    }
    assert_eq!(parse(b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n"), Err(SdpRefusal::NothingFits));
}

#[test]
fn what_is_no_description_or_too_large_is_400() {
    let fax = "m=audio 4000 RTP/SAVP 0 18\r\nm=image 0 udptl t38\r\nm=audio 4002 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n";
    assert_eq!(
        words(format!("{SESSION}{fax}").as_bytes()),
        "audio RTP/SAVP PCMU, G729; image udptl t38 (off); audio RTP/AVP opus"
    );
    assert_eq!(parse(b"hello"), Err(SdpRefusal::Malformed));
    assert_eq!(parse(b""), Err(SdpRefusal::Malformed));
    assert_eq!(parse(&vec![b'a'; MAX_BODY + 1]), Err(SdpRefusal::TooLarge));
    assert_eq!(offer(&"m=audio 0 RTP/AVP 0\r\n".repeat(17)), Err(SdpRefusal::TooLarge));
    assert_eq!(offer(&"a=x\r\n".repeat(500)), Err(SdpRefusal::TooLarge));
}

#[test]
fn line_feeds_alone_are_enough() {
    assert!(parse(format!("{SESSION}m=audio 4000 RTP/AVP 0\r\n").replace("\r\n", "\n").as_bytes()).is_ok());
}

#[test]
fn the_version_goes_up_only_when_the_description_changes() {
    let mut local = local();
    let version = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().nth(1).unwrap().to_owned();
    let both = [CodecName::Pcmu, CodecName::Pcma];
    assert_eq!(version(&local.offer(&both, MediaDirection::SendRecv)), "o=- 7 1 IN IP4 198.51.100.7");
    assert_eq!(version(&local.offer(&both, MediaDirection::SendRecv)), "o=- 7 1 IN IP4 198.51.100.7");
    assert_eq!(version(&local.offer(&both, MediaDirection::SendOnly)), "o=- 7 2 IN IP4 198.51.100.7");
}

#[test]
fn we_read_what_we_write() {
    let mut ours = LocalSession::new("[2001:db8::7]:40000".parse().unwrap(), 41000, 4);
    let remote = parse(&ours.offer(&[CodecName::Pcma, CodecName::Pcmu], MediaDirection::SendRecv)).unwrap();
    assert_eq!(names(&remote.audio), [(CodecName::Pcma, 8), (CodecName::Pcmu, 0)]);
    assert_eq!((remote.audio.telephone_event, remote.audio.ptime), (Some(101), Some(20)));
    assert_eq!(remote.audio.rtcp, Some("[2001:db8::7]:41000".parse().unwrap()));
}

#[test]
fn a_media_address_that_is_a_host_name_is_what_does_not_fit() {
    let named = |media: &str| parse(format!("v=0\r\nc=IN IP4 media.example.com\r\n{media}").as_bytes());
    assert_eq!(named("m=audio 4000 RTP/AVP 0\r\n"), Err(SdpRefusal::HostName));
    assert_eq!(named("m=audio 4000 RTP/AVP 0\r\nm=audio 5000 RTP/AVP 9\r\n"), Err(SdpRefusal::HostName));
    assert_eq!(named("m=audio 4000 RTP/AVP 9\r\n"), Err(SdpRefusal::NothingFits), "whatever its address");
    assert_eq!(SdpRefusal::HostName.code(), 488);
    let beside = "m=audio 4000 RTP/AVP 0\r\nm=audio 5000 RTP/AVP 8\r\nc=IN IP4 192.0.2.1\r\n";
    assert_eq!(named(beside).unwrap().audio.addr.port(), 5000);
}
