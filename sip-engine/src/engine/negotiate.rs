//! Offers and answers turned into what a media leg needs.

use crate::{
    media::{Codec, Direction, Remote},
    sip::sdp::{CodecName, MediaDirection, MediaOffer},
};
use ipnet::IpNet;
use std::{net::IpAddr, time::Duration};

/// What we offer, in the order we like it.
pub(super) const OFFERED: [CodecName; 2] = [CodecName::Pcmu, CodecName::Pcma];
/// The payload type of telephone-event in our offers.
const OFFERED_EVENT: u8 = 101;
/// Audio per packet where the far end does not say.
const PTIME: u8 = 20;

/// The far end of a leg, as far as media needs to know.
pub(super) struct FarEnd<'a> {
    /// Where its SIP comes from.
    pub(super) source: Option<IpAddr>,
    /// Networks its trunk's media may come from.
    pub(super) networks: &'a [IpNet],
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
    remote.carrier_prefixes = far.networks.to_vec();
    remote.payload_type = codec.pt;
    remote.telephone_event = audio.telephone_event;
    remote.receive_telephone_event = audio.telephone_event.and(far.we_offered.then_some(OFFERED_EVENT));
    remote.ptime = Duration::from_millis(u64::from(audio.ptime.unwrap_or(PTIME)));
    remote.direction = direction;
    Some(remote)
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

#[cfg(test)]
mod tests {
    use super::*;

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
