//! A leg's wire: its SIP key, its media, and the session descriptions that connect the two.

use super::{
    config::Hearable,
    listening::Listening,
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
use domain::{Sid, call::SipDialog};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::sync::mpsc;

/// One leg of a call, as the driver holds it.
#[derive(Default)]
pub(super) struct Wire {
    pub(super) key: Option<LegKey>,
    pub(super) media: Option<Leg>,
    session: Option<LocalSession>,
    /// Whether that is one of IPv4.
    family: Option<bool>,
    /// The offer that waits for our answer.
    offer: Option<RemoteSession>,
    /// Why the latest offer cannot be used, for the Warning of a 488.
    misfit: Option<Misfit>,
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
    /// The trunk itself.
    pub(super) through: Option<Sid>,
    /// What its trunk says of its media.
    pub(super) trunk: TrunkMedia,
    /// Where sound may be sent, once there is any.
    hearable: Option<Hearable>,
    /// It is a call for help that somebody takes: ports are kept for it.
    pub(super) emergency: bool,
    /// Hung up before the INVITE could leave.
    pub(super) given_up: bool,
    /// What it counts for within its account's limits, while it is not over.
    pub(super) placed: Option<Held>,
    /// What it counts for among its carrier's legs, while it has sound.
    pub(super) sounds: Option<Held>,
    held: bool,
    /// What another process needs to end it.
    pub(super) dialog: Option<Box<SipDialog>>,
    /// How often that has changed.
    pub(super) moves: u8,
    /// The attempts to place it, while there is one.
    pub(super) search: Option<Search>,
}

/// Why a leg has no media; the SIP code to say so with, and words for a person.
#[derive(Clone, Debug)]
pub(super) struct NoMedia {
    pub(super) code: u16,
    pub(super) detail: String,
}

/// What of an offer cannot be used (RFC 3261 section 20.43).
#[derive(Clone, Debug)]
enum Misfit {
    /// Its media address: of a family that is not ours, or a host name.
    Address,
    /// All of it, in words.
    Media(String),
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Misfit::Address => f.write_str("301 trunkline \"Incompatible network address formats\""),
            Misfit::Media(offered) => {
                write!(f, "305 trunkline \"Incompatible media format: offered {offered}\"")
            }
        }
    }
}

/// An IPv4 address looks the same through a socket of both families.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// RFC 3261 section 20.43 has warning 301 for this: incompatible network address formats.
fn other_family(theirs: SocketAddr) -> NoMedia {
    let family = if theirs.is_ipv4() { "IPv4" } else { "IPv6" };
    let detail = format!("the media address {theirs} is {family}, which is not listened to (sip.listen)");
    NoMedia { code: 488, detail }
}

fn beyond_its_share() -> NoMedia {
    NoMedia { code: 503, detail: "the carrier's calls have as many legs with sound as they may now".into() }
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
        let dialog = call.dialog.clone();
        Wire { key: Some(call.leg), local, source, trunk, dialog, ..Wire::default() }
    }

    /// The call goes another way, which may leave from another address of ours. The media of the way before is given back.
    pub(super) fn leaves_from(&mut self, local: IpAddr) -> Option<Leg> {
        self.early = None;
        if self.local.replace(local) == Some(local) {
            return None;
        }
        (self.session, self.family) = (None, None);
        self.media.take()
    }

    /// Opens the leg's ports and the description that names them.
    pub(super) fn open(
        &mut self,
        shared: &Shared,
        carrier: Option<&Sid>,
        group: GroupKey,
        events: &mpsc::Sender<MediaEvent>,
    ) -> Result<(), NoMedia> {
        if self.media.is_some() {
            return Ok(());
        }
        if self.sounds.is_none()
            && let Some(carrier) = carrier
        {
            self.sounds = Some(shared.leg_of(carrier, self.emergency).ok_or_else(beyond_its_share)?);
        }
        let local = self.local_for_media(&shared.listening)?;
        let bound = shared.listening.media_of(local);
        let options = LegOptions { local: Some(bound), urgent: self.emergency, events: events.clone() };
        self.hearable = Some(Arc::clone(&shared.config.hearable));
        let opened = shared.media.open_leg(group, options);
        let leg = opened.map_err(|error| NoMedia { code: 503, detail: error.to_string() })?;
        let port = leg.rtp_port();
        let address = known_as(SocketAddr::new(local, port), shared.config.advertise);
        self.family = Some(local.is_ipv4());
        self.session = Some(LocalSession::new(address, port.wrapping_add(1), shared.number()));
        self.media = Some(leg);
        Ok(())
    }

    /// The Warning of a 488, for whoever reads a trace at the far end.
    pub(super) fn warning(&self, code: u16) -> Option<(String, String)> {
        let misfit = self.misfit.as_ref().filter(|_| code == 488)?;
        Some(("Warning".to_owned(), misfit.to_string()))
    }

    /// Notes the offer of a leg that arrives, and whether it can be answered at all.
    pub(super) fn arrived(&mut self, sdp: Option<&Bytes>, listening: &Listening) -> Result<(), NoMedia> {
        self.offered(sdp)?;
        self.local_for_media(listening).map(drop).inspect_err(|_| self.misfit = Some(Misfit::Address))
    }

    /// Our address for media: the one SIP came to, or where the offer is of the other family (RFC 6157), our own of that
    /// family on the way there.
    fn local_for_media(&self, listening: &Listening) -> Result<IpAddr, NoMedia> {
        let local = self.local.unwrap_or_else(|| listening.first().ip());
        let offered = self.offer.as_ref().map(|offer| canonical(offer.audio.addr));
        match offered.filter(|addr| addr.is_ipv4() != local.is_ipv4()) {
            Some(addr) => listening.towards(addr).map(|own| own.ip()).map_err(|_| other_family(addr)),
            None => Ok(local),
        }
    }

    /// Notes the peer's offer, to be answered later. One in a family that the session does not have is refused.
    pub(super) fn offered(&mut self, sdp: Option<&Bytes>) -> Result<(), NoMedia> {
        (self.offer, self.misfit) = (None, None);
        let offer = sdp.map(|sdp| self.read(sdp)).transpose()?;
        let fits = offer.iter().try_for_each(|offer| self.fits(offer));
        fits.inspect_err(|_| self.misfit = Some(Misfit::Address))?;
        self.offer = offer;
        Ok(())
    }

    fn read(&mut self, sdp: &Bytes) -> Result<RemoteSession, NoMedia> {
        sdp::parse(sdp).map_err(|refusal| match refusal {
            SdpRefusal::NothingFits => {
                let offered = sdp::words(sdp);
                let detail =
                    format!("nothing in the offer fits ({offered}): PCMU or PCMA over RTP/AVP would");
                self.misfit = Some(Misfit::Media(offered));
                NoMedia { code: 488, detail }
            }
            SdpRefusal::HostName => {
                self.misfit = Some(Misfit::Address);
                refusal.into()
            }
            SdpRefusal::TooLarge | SdpRefusal::Malformed => refusal.into(),
        })
    }

    /// An address of the other family is of no use to a session that is open; none at all (hold) is no address.
    fn fits(&self, theirs: &RemoteSession) -> Result<(), NoMedia> {
        let addr = canonical(theirs.audio.addr);
        let other = self.family.is_some_and(|v4| v4 != addr.is_ipv4()) && !addr.ip().is_unspecified();
        if other { Err(other_family(addr)) } else { Ok(()) }
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

    /// Our answer to the peer's offer for a provisional response, once. `None` if it made no offer that fits, or when media
    /// cannot take it now; then it is answered with the 2xx.
    pub(super) fn preview(&mut self) -> Option<Bytes> {
        let offer = self.offer.clone()?;
        self.said = self.describe().ok();
        if self.said.is_none() {
            self.offer = Some(offer);
        }
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
        self.fits(theirs)?;
        let far = FarEnd { source: self.source, media: &self.trunk, we_offered };
        let mut remote = negotiate::remote(&theirs.audio, &far).ok_or(SdpRefusal::NothingFits)?;
        if let Some(hearable) = &self.hearable {
            negotiate::guard(&mut remote, &**hearable);
        }
        let Some(media) = &self.media else { return Ok(()) };
        media.configure(remote).map_err(|error| NoMedia { code: 503, detail: error.to_string() })
    }
}
