//! Offers and answers turned into what a media leg needs.

use crate::{
    media::{Codec, Direction, Remote},
    routing::TrunkEntry,
    sip::sdp::{CodecName, MediaDirection, MediaOffer},
};
use domain::trunk::{Inbound, Outbound};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// What we offer, in the order we like it.
pub(super) const OFFERED: [CodecName; 2] = [CodecName::Pcmu, CodecName::Pcma];
/// The payload type of telephone-event in our offers.
const OFFERED_EVENT: u8 = 101;
/// Audio per packet where the far end does not say.
const PTIME: u8 = 20;

/// What a trunk says of where its media comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TrunkMedia {
    /// Networks of gateways that send from elsewhere than they say.
    pub(super) networks: Vec<IpNet>,
    /// They listen where they say and send from elsewhere.
    pub(super) asymmetric: bool,
}

impl TrunkMedia {
    /// Of calls that come through this trunk.
    pub(super) fn of_caller(trunk: &TrunkEntry) -> TrunkMedia {
        let side = |side: &Inbound| TrunkMedia {
            networks: side.media_networks.clone(),
            asymmetric: side.asymmetric_rtp,
        };
        trunk.inbound.as_ref().map(side).unwrap_or_default()
    }

    /// Of calls that go out through it.
    pub(super) fn of_callee(trunk: &TrunkEntry) -> TrunkMedia {
        let side = |side: &Outbound| TrunkMedia {
            networks: side.media_networks.clone(),
            asymmetric: side.asymmetric_rtp,
        };
        trunk.outbound.as_ref().map(side).unwrap_or_default()
    }
}

/// The far end of a leg, as far as media needs to know.
pub(super) struct FarEnd<'a> {
    /// Where its SIP comes from.
    pub(super) source: Option<IpAddr>,
    /// What its trunk says of its media.
    pub(super) media: &'a TrunkMedia,
    /// Whether we made the offer it answers.
    pub(super) we_offered: bool,
}

/// The leg's other side. `None` when it shares no codec.
pub(super) fn remote(audio: &MediaOffer, far: &FarEnd<'_>) -> Option<Remote> {
    let codec = audio.codecs.first()?;
    let direction = match MediaDirection::SendRecv.answering(audio.direction) {
        MediaDirection::SendRecv => Direction::SendReceive,
        MediaDirection::SendOnly => Direction::SendOnly,
        MediaDirection::RecvOnly => Direction::ReceiveOnly,
        MediaDirection::Inactive => Direction::Inactive,
    };
    let name = match codec.name {
        CodecName::Pcmu => Codec::Pcmu,
        CodecName::Pcma => Codec::Pcma,
    };
    let mut remote = Remote::new(audio.addr, name);
    remote.rtcp = audio.rtcp;
    remote.sip_source = far.source;
    remote.media_networks.clone_from(&far.media.networks);
    remote.asymmetric = far.media.asymmetric;
    remote.payload_type = codec.pt;
    remote.telephone_event = audio.telephone_event;
    remote.receive_telephone_event = audio.telephone_event.and(far.we_offered.then_some(OFFERED_EVENT));
    remote.ptime = Duration::from_millis(u64::from(audio.ptime.unwrap_or(PTIME)));
    remote.direction = direction;
    Some(remote)
}

/// Notes where sound may not be sent although the peer says so: then it goes to where its own comes from.
pub(super) fn guard(remote: &mut Remote, hearable: &dyn Fn(SocketAddr, Option<IpAddr>) -> bool) {
    let unsaid = remote.rtp.port() == 0 || remote.rtp.ip().is_unspecified();
    remote.forbidden = !unsaid && !hearable(remote.rtp, remote.sip_source);
    if !remote.forbidden {
        return;
    }
    tracing::debug!(rtp = %remote.rtp, source = ?remote.sip_source, "sound is not sent to where a peer says that it is");
    // What stands in for it may be as bad.
    let instead = remote.sip_source.map(|ip| SocketAddr::new(ip, remote.rtp.port()));
    if instead.is_none_or(|instead| !hearable(instead, remote.sip_source)) {
        remote.rtp.set_port(0);
    }
}

/// `Signal=5` of an `application/dtmf-relay` body, or the one character of an `application/dtmf` body.
pub(super) fn info_digit(content_type: &str, body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?;
    let value = match content_type {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then_some(value)
        })?,
        "application/dtmf" => text,
        _ => return None,
    };
    let digit = match value.trim() {
        "10" => '*',
        "11" => '#',
        one => one.chars().next().filter(|_| one.len() == 1)?.to_ascii_uppercase(),
    };
    matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D').then_some(digit)
}

/// The body of an INFO that tells a key: the type and the length that switches understand.
pub(super) fn digit_info(digit: char) -> (&'static str, String) {
    ("application/dtmf-relay", format!("Signal={digit}\r\nDuration=160\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_tell_by_info_we_understand() {
        for digit in "0123456789*#ABCD".chars() {
            let (content_type, body) = digit_info(digit);
            assert_eq!(info_digit(content_type, body.as_bytes()), Some(digit));
        }
    }

    #[test]
    fn digits_in_info_are_read() {
        for (content_type, body, digit) in [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", Some('5')),
            ("application/dtmf-relay", "signal = * \r\n", Some('*')),
            ("application/dtmf-relay", "Signal=11", Some('#')),
            ("application/dtmf", "7", Some('7')),
            ("application/dtmf", "77", None),
            ("text/plain", "7", None),
            ("application/dtmf-relay", "", None),
        ] {
            assert_eq!(info_digit(content_type, body.as_bytes()), digit, "{content_type} {body:?}");
        }
    }
}
