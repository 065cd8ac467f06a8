//! Reads the first audio stream we can use out of a peer's description.

use super::prefilter::{self, Section, Sections};
use super::{Codec, CodecName, MediaDirection, MediaOffer, SdpRefusal};
use ezk_sdp_types::{Connection, Direction, MediaDescription, SessionDescription, TaggedAddress};
use std::net::{IpAddr, SocketAddr};

/// Longest packet time taken over from a peer, milliseconds.
const MAX_PTIME: u8 = 60;
/// Shortest packet time taken over from a peer, milliseconds.
const MIN_PTIME: u8 = 10;

/// A peer's description: the stream we use, and every m= line so that an answer has one for each (RFC 3264 section 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSession {
    /// The stream we use.
    pub audio: MediaOffer,
    /// The words of each m= line in order, without `m=`.
    pub(super) lines: Vec<String>,
    /// Which of them `audio` is.
    pub(super) chosen: usize,
}

/// Reads an offer or answer.
///
/// # Errors
/// [`SdpRefusal`] names the SIP answer to give.
pub fn parse(body: &[u8]) -> Result<RemoteSession, SdpRefusal> {
    let sections = prefilter::cut(body)?;
    let mut refusal = SdpRefusal::NothingFits;
    let usable = sections.media.iter().enumerate().find_map(|(index, section)| {
        match section.is_usable_audio().then(|| stream(&sections, section))? {
            Ok(audio) => return Some((index, audio)),
            Err(SdpRefusal::HostName) => refusal = SdpRefusal::HostName,
            Err(_) => {}
        }
        None
    });
    let (chosen, audio) = usable.ok_or(refusal)?;
    let lines = sections.media.into_iter().map(|section| section.line).collect();
    Ok(RemoteSession { audio, lines, chosen })
}

/// One section as a stream, if it has an address and a coding of ours.
fn stream(sections: &Sections, section: &Section) -> Result<MediaOffer, SdpRefusal> {
    let description = describe(sections, section).ok_or(SdpRefusal::NothingFits)?;
    let media = description.media_descriptions.first().ok_or(SdpRefusal::NothingFits)?;
    let codecs = codecs(media);
    let connection = media.connection.as_ref().or(description.connection.as_ref());
    let connection = connection.filter(|_| !codecs.is_empty()).ok_or(SdpRefusal::NothingFits)?;
    let ip = address(connection).ok_or(SdpRefusal::HostName)?;
    Ok(MediaOffer {
        addr: SocketAddr::new(ip, media.media.port),
        rtcp: rtcp(media, ip),
        codecs,
        telephone_event: telephone_event(media),
        ptime: ptime(section),
        direction: direction(media.direction, ip),
    })
}

/// Hands one section to ezk-sdp-types. Payload types above 127 and other words are taken off the m= line first.
fn describe(sections: &Sections, section: &Section) -> Option<SessionDescription> {
    let mut words = section.words();
    let (kind, port) = (words.next()?.to_ascii_lowercase(), words.next()?);
    words.next()?;
    let port = port.split('/').next()?;
    let formats: Vec<&str> =
        words.filter(|word| word.parse::<u8>().is_ok_and(|pt| pt < 128)).take(32).collect();
    let mut text = String::from("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
    for line in &sections.session {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str(&format!("m={kind} {port} RTP/AVP {}\r\n", formats.join(" ")));
    for line in section.lines.iter().filter(|line| is_well_formed(line)) {
        text.push_str(line);
        text.push_str("\r\n");
    }
    SessionDescription::parse(&text.into()).ok()
}

/// Attributes with a number in front must have one that fits, or the whole description would be refused.
fn is_well_formed(line: &str) -> bool {
    let number_fits = |rest: &str| {
        rest.split(|c: char| !c.is_ascii_digit()).next().is_some_and(|n| n.parse::<u8>().is_ok())
    };
    if let Some(rest) = line.strip_prefix("a=rtpmap:") {
        return number_fits(rest) && rest.contains(' ') && rest.contains('/');
    }
    if let Some(rest) = line.strip_prefix("a=fmtp:") {
        return number_fits(rest) && rest.contains(' ');
    }
    if let Some(rest) = line.strip_prefix("a=rtcp:") {
        return rest.split(' ').next().is_some_and(|port| port.parse::<u16>().is_ok());
    }
    true
}

fn address(connection: &Connection) -> Option<IpAddr> {
    match &connection.address {
        TaggedAddress::IP4(ip) => Some(IpAddr::V4(*ip)),
        TaggedAddress::IP6(ip) => Some(IpAddr::V6(*ip)),
        TaggedAddress::IP4FQDN(_) | TaggedAddress::IP6FQDN(_) => None,
    }
}

fn codecs(media: &MediaDescription) -> Vec<Codec> {
    let mut found: Vec<Codec> = Vec::new();
    for &fmt in &media.media.fmts {
        let codec = codec(media, fmt);
        found.extend(codec.filter(|codec| !found.iter().any(|have| have.name == codec.name)));
    }
    found
}

/// An rtpmap decides; without one the static table does (RFC 3551 section 6).
fn codec(media: &MediaDescription, pt: u8) -> Option<Codec> {
    let all = [CodecName::Pcmu, CodecName::Pcma];
    let map = media.rtpmap.iter().find(|map| map.payload == pt);
    let name = all.into_iter().find(|name| match map {
        Some(map) => map.encoding.eq_ignore_ascii_case(name.encoding()) && map.clock_rate == 8000,
        None => name.static_payload_type() == pt,
    })?;
    Some(Codec { name, pt })
}

fn telephone_event(media: &MediaDescription) -> Option<u8> {
    let is_event = |pt: u8| {
        media.rtpmap.iter().any(|map| {
            map.payload == pt
                && map.clock_rate == 8000
                && map.encoding.eq_ignore_ascii_case("telephone-event")
        })
    };
    media.media.fmts.iter().copied().find(|&fmt| is_event(fmt))
}

fn rtcp(media: &MediaDescription, ip: IpAddr) -> Option<SocketAddr> {
    let rtcp = media.rtcp.as_ref()?;
    let ip = match &rtcp.address {
        Some(TaggedAddress::IP4(own)) => IpAddr::V4(*own),
        Some(TaggedAddress::IP6(own)) => IpAddr::V6(*own),
        _ => ip,
    };
    (rtcp.port != 0).then(|| SocketAddr::new(ip, rtcp.port))
}

fn ptime(section: &Section) -> Option<u8> {
    let value = section.lines.iter().find_map(|line| line.strip_prefix("a=ptime:"))?;
    value.trim().parse::<u8>().ok().filter(|ms| (MIN_PTIME..=MAX_PTIME).contains(ms))
}

fn direction(written: Direction, ip: IpAddr) -> MediaDirection {
    let direction = match written {
        Direction::SendRecv => MediaDirection::SendRecv,
        Direction::RecvOnly => MediaDirection::RecvOnly,
        Direction::SendOnly => MediaDirection::SendOnly,
        Direction::Inactive => MediaDirection::Inactive,
    };
    if !ip.is_unspecified() {
        return direction;
    }
    // RFC 3264 section 8.4: the old way to hold.
    match direction {
        MediaDirection::SendRecv | MediaDirection::SendOnly => MediaDirection::SendOnly,
        MediaDirection::RecvOnly | MediaDirection::Inactive => MediaDirection::Inactive,
    }
}
