//! Our side of a session: writes offers and answers, and counts the o= version.

use super::{Codec, CodecName, MediaDirection, RemoteSession};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};

/// The payload type we give telephone-event when we offer.
const TELEPHONE_EVENT: u8 = 101;
/// What we offer; an answer names the offer's (RFC 3264 section 6).
const PROTOCOL: &str = "RTP/AVP";
/// Milliseconds of audio per packet we send and ask for.
const PTIME: u8 = 20;

/// What we say of ourselves in one leg. Keep it for the leg's whole life: the o= line must stay the same but for its
/// version, which goes up by one whenever the description changes (RFC 3264 section 8).
#[derive(Debug, Clone)]
pub struct LocalSession {
    rtp: SocketAddr,
    rtcp_port: u16,
    session_id: u64,
    version: u64,
    last: Option<String>,
}

impl LocalSession {
    /// A session that will receive on `rtp` (the address to advertise) and `rtcp_port`. `session_id` is any number
    /// unlikely to repeat.
    #[must_use]
    pub fn new(rtp: SocketAddr, rtcp_port: u16, session_id: u64) -> LocalSession {
        LocalSession { rtp, rtcp_port, session_id: session_id >> 1, version: 1, last: None }
    }

    /// An offer of `codecs` in that order, with telephone-event.
    pub fn offer(&mut self, codecs: &[CodecName], direction: MediaDirection) -> Bytes {
        let codecs: Vec<Codec> =
            codecs.iter().map(|&name| Codec { name, pt: name.static_payload_type() }).collect();
        let media = self.audio(PROTOCOL, &codecs, Some(TELEPHONE_EVENT), direction);
        self.finish(&media)
    }

    /// An answer: the first shared coding of `remote`, telephone-event if it was offered, port 0 for every other m= line.
    /// `willing` is what we would do if the peer let us; the answer's direction follows from it and the offer's.
    pub fn answer(&mut self, remote: &RemoteSession, willing: MediaDirection) -> Bytes {
        let mut media = String::new();
        for (index, line) in remote.lines.iter().enumerate() {
            if index == remote.chosen {
                let codec: Vec<Codec> = remote.audio.codecs.iter().take(1).copied().collect();
                let direction = willing.answering(remote.audio.direction);
                let protocol = line.split_ascii_whitespace().nth(2).unwrap_or(PROTOCOL);
                media.push_str(&self.audio(protocol, &codec, remote.audio.telephone_event, direction));
            } else {
                media.push_str(&rejected(line));
            }
        }
        self.finish(&media)
    }

    fn audio(
        &self,
        protocol: &str,
        codecs: &[Codec],
        event: Option<u8>,
        direction: MediaDirection,
    ) -> String {
        let formats: Vec<String> =
            codecs.iter().map(|codec| codec.pt).chain(event).map(|pt| pt.to_string()).collect();
        let mut text = format!("m=audio {} {protocol} {}\r\n", self.rtp.port(), formats.join(" "));
        for codec in codecs {
            text.push_str(&format!("a=rtpmap:{} {}/8000\r\n", codec.pt, codec.name.encoding()));
        }
        if let Some(pt) = event {
            text.push_str(&format!("a=rtpmap:{pt} telephone-event/8000\r\na=fmtp:{pt} 0-15\r\n"));
        }
        if self.rtcp_port != self.rtp.port().wrapping_add(1) {
            text.push_str(&format!("a=rtcp:{}\r\n", self.rtcp_port));
        }
        text.push_str(&format!("a=ptime:{PTIME}\r\na={}\r\n", direction_word(direction)));
        text
    }

    fn finish(&mut self, media: &str) -> Bytes {
        if self.last.as_deref().is_some_and(|last| last != media) {
            self.version += 1;
        }
        self.last = Some(media.to_owned());
        let ip = self.rtp.ip();
        let family = if ip.is_ipv6() { "IP6" } else { "IP4" };
        let ip = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => ip.to_string(),
        };
        Bytes::from(format!(
            "v=0\r\no=- {} {} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n{media}",
            self.session_id, self.version,
        ))
    }
}

/// The peer's m= line with port 0: its own media kind, transport and formats (a format must stand there, RFC 4566).
fn rejected(line: &str) -> String {
    let mut words = line.split_ascii_whitespace();
    let kind = words.next().unwrap_or("audio");
    let proto = words.nth(1).unwrap_or("RTP/AVP");
    let formats: Vec<&str> = words.take(8).collect();
    let formats = if formats.is_empty() { "0".to_owned() } else { formats.join(" ") };
    format!("m={kind} 0 {proto} {formats}\r\n")
}

fn direction_word(direction: MediaDirection) -> &'static str {
    match direction {
        MediaDirection::SendRecv => "sendrecv",
        MediaDirection::SendOnly => "sendonly",
        MediaDirection::RecvOnly => "recvonly",
        MediaDirection::Inactive => "inactive",
    }
}
