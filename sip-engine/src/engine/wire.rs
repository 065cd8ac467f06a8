//! A leg's wire: its SIP key, its media, and the session descriptions that connect the two.

use super::{
    negotiate::{self, FarEnd, OFFERED, TrunkMedia},
    place::Search,
    shared::Shared,
    shares::Held,
};
use crate::{
    media::{GroupKey, Leg, LegOptions, MediaEvent},
    sip::{
        IncomingCall, LegKey,
        build::known_as,
        sdp::{self, LocalSession, MediaDirection, RemoteSession, SdpRefusal},
    },
};
use bytes::Bytes;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use tokio::sync::mpsc;

/// One leg of a call, as the driver holds it.
#[derive(Default)]
pub(super) struct Wire {
    pub(super) key: Option<LegKey>,
    pub(super) media: Option<Leg>,
    session: Option<LocalSession>,
    /// The offer that waits for our answer.
    offer: Option<RemoteSession>,
    /// What the peer said to our offer before it answered.
    early: Option<Bytes>,
    /// What we said to the peer's offer before we answered; the 2xx says it again (RFC 3261 section 13.2.1).
    said: Option<Bytes>,
    /// What the peer says to our offer comes with its ACK.
    answer_in_ack: bool,
    /// Our address towards the peer.
    pub(super) local: Option<IpAddr>,
    /// Where the peer's SIP comes from.
    pub(super) source: Option<IpAddr>,
    /// Networks of the trunk a call goes through: requests inside it go there only.
    pub(super) networks: Vec<IpNet>,
    /// What its trunk says of its media.
    pub(super) trunk: TrunkMedia,
    /// Hung up before the INVITE could leave.
    pub(super) given_up: bool,
    /// What it counts for within its account's limits, while it is not over.
    pub(super) placed: Option<Held>,
    held: bool,
    /// The attempts to place it, while there is one.
    pub(super) search: Option<Search>,
}

/// Why a leg has no media; the SIP code to say so with, and words for a person.
#[derive(Clone, Debug)]
pub(super) struct NoMedia {
    pub(super) code: u16,
    pub(super) detail: String,
}

impl From<SdpRefusal> for NoMedia {
    fn from(refusal: SdpRefusal) -> NoMedia {
        NoMedia { code: refusal.code(), detail: refusal.to_string() }
    }
}

impl Wire {
    /// A leg that arrived.
    pub(super) fn incoming(call: &IncomingCall, trunk: TrunkMedia) -> Wire {
        let (local, source) = (Some(call.local.ip()), Some(call.source.ip()));
        Wire { key: Some(call.leg), local, source, trunk, ..Wire::default() }
    }

    /// The call goes another way, which may leave from another address of ours. The media of the way before is given back.
    pub(super) fn leaves_from(&mut self, local: IpAddr) -> Option<Leg> {
        self.early = None;
        if self.local.replace(local) == Some(local) {
            return None;
        }
        self.session = None;
        self.media.take()
    }

    /// Opens the leg's ports and the description that names them.
    pub(super) fn open(
        &mut self,
        shared: &Shared,
        group: GroupKey,
        events: &mpsc::Sender<MediaEvent>,
    ) -> Result<(), NoMedia> {
        if self.media.is_some() {
            return Ok(());
        }
        let bound = shared.sip_addr.ip();
        let local = self.local.unwrap_or(bound);
        let same_family = bound.is_unspecified() && bound.is_ipv4() == local.is_ipv4();
        let options = LegOptions { local: (!same_family).then_some(local), events: events.clone() };
        let opened = shared.media.open_leg(group, options);
        let leg = opened.map_err(|error| NoMedia { code: 503, detail: error.to_string() })?;
        let port = leg.rtp_port();
        let address = known_as(SocketAddr::new(local, port), shared.config.advertise);
        self.session = Some(LocalSession::new(address, port.wrapping_add(1), shared.number()));
        self.media = Some(leg);
        Ok(())
    }

    /// Notes the peer's offer, to be answered later.
    pub(super) fn offered(&mut self, sdp: Option<&Bytes>) -> Result<(), NoMedia> {
        self.offer = sdp.map(|sdp| sdp::parse(sdp)).transpose()?;
        Ok(())
    }

    /// Our description for a 2xx: the answer to the peer's offer, or our own offer where it made none.
    pub(super) fn describe(&mut self) -> Result<Bytes, NoMedia> {
        if let Some(said) = self.said.take() {
            return Ok(said);
        }
        let no_session = || NoMedia { code: 488, detail: "there is no media to describe".into() };
        let session = self.session.as_mut().ok_or_else(no_session)?;
        match self.offer.take() {
            Some(offer) => {
                let body = session.answer(&offer, MediaDirection::SendRecv);
                self.settle(&offer, false)?;
                Ok(body)
            }
            None => {
                self.answer_in_ack = true;
                Ok(session.offer(&OFFERED, MediaDirection::SendRecv))
            }
        }
    }

    /// Our answer to the peer's offer for a provisional response, once. `None` if it made no offer that fits.
    pub(super) fn preview(&mut self) -> Option<Bytes> {
        self.offer.as_ref()?;
        self.said = self.describe().ok();
        self.said.clone()
    }

    /// Our offer for an INVITE.
    pub(super) fn offer(&mut self) -> Option<Bytes> {
        self.session.as_mut().map(|session| session.offer(&OFFERED, MediaDirection::SendRecv))
    }

    /// A provisional response to our offer: the peer may be heard from now on, and is when it says something.
    pub(super) fn progressed(&mut self, sdp: Option<Bytes>) {
        let Some(sdp) = sdp else { return };
        if let Err(refused) =
            sdp::parse(&sdp).map_err(NoMedia::from).and_then(|early| self.settle(&early, true))
        {
            tracing::debug!(?refused, "nothing is heard before the answer");
        }
        self.early = Some(sdp);
    }

    /// The peer's answer to our offer: what it says now, or said last while it rang.
    pub(super) fn answered(&mut self, sdp: Option<&Bytes>) -> Result<(), NoMedia> {
        let missing = || NoMedia { code: 488, detail: "the answer has no session description".into() };
        let early = self.early.take();
        let answer = sdp::parse(sdp.or(early.as_ref()).ok_or_else(missing)?)?;
        self.settle(&answer, true)
    }

    /// The ACK to our 2xx, which carries the answer if the 2xx carried the offer.
    pub(super) fn acknowledged(&mut self, sdp: Option<&Bytes>) -> Result<(), NoMedia> {
        if std::mem::take(&mut self.answer_in_ack) { self.answered(sdp) } else { Ok(()) }
    }

    /// Whether the peer holds us, if that has changed.
    pub(super) fn hold_changed(&mut self, held: bool) -> Option<bool> {
        (std::mem::replace(&mut self.held, held) != held).then_some(held)
    }

    /// Whether the offer that waits puts us on hold.
    pub(super) fn would_hold(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| !offer.audio.listens())
    }

    fn settle(&mut self, theirs: &RemoteSession, we_offered: bool) -> Result<(), NoMedia> {
        let far = FarEnd { source: self.source, media: &self.trunk, we_offered };
        let remote = negotiate::remote(&theirs.audio, &far).ok_or(SdpRefusal::NothingFits)?;
        let Some(media) = &self.media else { return Ok(()) };
        media.configure(remote).map_err(|error| NoMedia { code: 503, detail: error.to_string() })
    }
}
