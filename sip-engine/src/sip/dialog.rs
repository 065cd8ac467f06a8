//! A dialog (RFC 3261 section 12): tags, both CSeq spaces, route set and remote target. Builds requests inside it.

use super::build;
use super::flow::{Flow, Transport};
use super::message::Message;
use super::uri::Uri;
use super::values::{self, CSeq, address_uri, contact_uri};
use bytes::Bytes;
use domain::{
    call::{CSEQ_AHEAD, SipDialog},
    trunk,
};
use std::net::IpAddr;

/// Most Route headers kept.
const MAX_ROUTES: usize = 20;

/// One dialog, confirmed or early.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    pub call_id: Bytes,
    /// Our From with its tag, as bytes for the wire.
    pub local: Bytes,
    /// The peer's To.
    pub remote: Bytes,
    pub local_tag: String,
    /// `None` for RFC 2543 peers without tags.
    pub remote_tag: Option<String>,
    pub local_cseq: u32,
    pub remote_cseq: Option<u32>,
    route_set: Vec<String>,
    target: String,
}

impl Dialog {
    /// Our side of an INVITE that arrived (RFC 3261 section 12.1.1): the route set in the order it came.
    pub fn of_incoming(request: &Message, local_tag: &str) -> Dialog {
        let value = |name| request.headers.get(name).map(|header| header.value.clone()).unwrap_or_default();
        let to = value("to");
        Dialog {
            call_id: value("call-id"),
            local: [to.as_ref(), b";tag=", local_tag.as_bytes()].concat().into(),
            remote: value("from"),
            local_tag: local_tag.to_owned(),
            remote_tag: values::tag(request, "from"),
            local_cseq: 0,
            remote_cseq: CSeq::of(request).map(|cseq| cseq.number),
            route_set: routes(request),
            target: contact_uri(request).or_else(|| from_uri(request)).unwrap_or_default(),
        }
    }

    /// Our side of an INVITE we sent, from the answer (RFC 3261 section 12.1.2): the route set reversed.
    pub fn of_outgoing(request: &Message, response: &Message) -> Dialog {
        let value = |message: &Message, name| {
            message.headers.get(name).map(|header| header.value.clone()).unwrap_or_default()
        };
        let mut route_set = routes(response);
        route_set.reverse();
        Dialog {
            call_id: value(request, "call-id"),
            local: value(request, "from"),
            remote: value(response, "to"),
            local_tag: values::tag(request, "from").unwrap_or_default(),
            remote_tag: values::tag(response, "to"),
            local_cseq: CSeq::of(request).map(|cseq| cseq.number).unwrap_or(1),
            remote_cseq: None,
            route_set,
            target: contact_uri(response).unwrap_or_else(|| request.uri().to_owned()),
        }
    }

    /// Our side of an INVITE that another process sent, from the answer alone; `None` where that does not say whom to talk to.
    pub fn of_stray(answer: &Message, cseq: u32) -> Option<Dialog> {
        let target = contact_uri(answer)?;
        let value = |name| answer.headers.get(name).map(|header| header.value.clone()).unwrap_or_default();
        let mut route_set = routes(answer);
        route_set.reverse();
        Some(Dialog {
            call_id: value("call-id"),
            local: value("from"),
            remote: value("to"),
            local_tag: values::tag(answer, "from").unwrap_or_default(),
            remote_tag: values::tag(answer, "to"),
            local_cseq: cseq.saturating_add(CSEQ_AHEAD),
            remote_cseq: None,
            route_set,
            target,
        })
    }

    /// What another process needs to end it. Of a caller who hides it says no name and no number: the tags are what tells
    /// dialogs apart (RFC 3261 section 12.2.2).
    pub fn kept(&self, flow: &Flow, hidden: bool, realm: Option<&str>) -> SipDialog {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let tag = self.remote_tag.as_ref().map(|tag| format!(";tag={tag}")).unwrap_or_default();
        let anonymous = format!("<sip:anonymous@anonymous.invalid>{tag}");
        SipDialog {
            call_id: text(&self.call_id),
            local: text(&self.local),
            remote: if hidden { anonymous } else { text(&self.remote) },
            target: if hidden { without_user(&self.target) } else { self.target.clone() },
            routes: self.route_set.clone(),
            cseq: self.local_cseq,
            peer: flow.peer,
            transport: transport(flow),
            realm: realm.map(str::to_owned),
            via: None,
        }
    }

    /// What another process needs to cancel an INVITE of ours.
    pub fn placed(invite: &Message, flow: &Flow, realm: Option<&str>) -> Option<SipDialog> {
        let text = |name| Some(invite.headers.text(name)?.into_owned());
        Some(SipDialog {
            call_id: text("call-id")?,
            local: text("from")?,
            remote: text("to")?,
            target: invite.uri().to_owned(),
            routes: invite.headers.all("route").map(|route| route.text().into_owned()).collect(),
            cseq: CSeq::of(invite)?.number,
            peer: flow.peer,
            transport: transport(flow),
            realm: realm.map(str::to_owned),
            via: text("via"),
        })
    }

    /// The INVITE of another process, as far as a CANCEL repeats it. `None` if it was answered.
    pub fn placed_again(kept: &SipDialog) -> Option<Message> {
        let mut invite = Message::request("INVITE", &kept.target);
        invite.headers.push("Via", kept.via.clone()?);
        invite.headers.push("Max-Forwards", "70");
        kept.routes.iter().for_each(|route| invite.headers.push("Route", route.clone()));
        invite.headers.push("From", kept.local.clone());
        invite.headers.push("To", kept.remote.clone());
        invite.headers.push("Call-ID", kept.call_id.clone());
        invite.headers.push("CSeq", format!("{} INVITE", kept.cseq));
        Some(invite)
    }

    /// A dialog that another process had, ahead of whatever that may have sent in it.
    pub fn taken_over(kept: &SipDialog) -> Dialog {
        let tag = |header: &str| super::text::parameter_value(header, "tag").filter(|tag| !tag.is_empty());
        Dialog {
            call_id: kept.call_id.clone().into(),
            local: kept.local.clone().into(),
            remote: kept.remote.clone().into(),
            local_tag: tag(&kept.local).unwrap_or_default(),
            remote_tag: tag(&kept.remote),
            local_cseq: kept.cseq.saturating_add(CSEQ_AHEAD),
            remote_cseq: None,
            route_set: kept.routes.clone(),
            target: kept.target.clone(),
        }
    }

    /// True if a request with these belongs here. Call-IDs and tags are compared byte for byte.
    pub fn owns(&self, request: &Message) -> bool {
        let call_id = request.headers.get("call-id").map(|header| header.value.clone());
        call_id.as_ref() == Some(&self.call_id)
            && values::tag(request, "to").as_deref() == Some(self.local_tag.as_str())
            && values::tag(request, "from") == self.remote_tag
    }

    /// Counts a request of the peer in. Gaps are legal; what is not above the last one is out of order (500).
    pub fn count_in(&mut self, request: &Message) -> bool {
        let Some(cseq) = CSeq::of(request) else { return false };
        if self.remote_cseq.is_some_and(|last| cseq.number <= last) {
            return false;
        }
        self.remote_cseq = Some(cseq.number);
        true
    }

    /// A target refresh request or response moves the remote target (RFC 3261 section 12.2). Whether it did.
    pub fn refresh_target(&mut self, message: &Message) -> bool {
        contact_uri(message)
            .is_some_and(|target| std::mem::replace(&mut self.target, target.clone()) != target)
    }

    /// A request inside the dialog, with everything but Contact and body. ACK takes the CSeq given, others the next one.
    pub fn request(
        &mut self,
        method: &str,
        cseq: Option<u32>,
        flow: &Flow,
        advertise: Option<IpAddr>,
        branch: &str,
    ) -> Message {
        let number = cseq.unwrap_or_else(|| {
            self.local_cseq = (self.local_cseq + 1) & 0x7fff_ffff;
            self.local_cseq
        });
        let (uri, routes) = self.uri_and_routes();
        let mut message = Message::request(method, &uri);
        message.headers.push("Via", build::via(flow, advertise, branch));
        message.headers.push("Max-Forwards", "70");
        for route in routes {
            message.headers.push("Route", route);
        }
        message.headers.push("From", self.local.clone());
        message.headers.push("To", self.remote.clone());
        message.headers.push("Call-ID", self.call_id.clone());
        message.headers.push("CSeq", format!("{number} {method}"));
        message.headers.push("User-Agent", build::AGENT);
        message
    }

    /// RFC 3261 section 12.2.1.1: a strict router first in the route set takes the Request-URI's place.
    fn uri_and_routes(&self) -> (String, Vec<String>) {
        let first = self.route_set.first().and_then(|route| address_uri(route));
        match first {
            Some(first) if !is_loose(&first) => {
                let mut routes: Vec<String> = self.route_set.iter().skip(1).cloned().collect();
                routes.push(format!("<{}>", self.target));
                (first, routes)
            }
            _ => (self.target.clone(), self.route_set.clone()),
        }
    }

    /// Where a request inside the dialog goes: the first route or the remote target if that is a literal address of the
    /// peer; a name, a private address behind a NAT or a third party's leads back to where the peer really is.
    pub fn next_hop(&self, pinned: &Flow, is_of_peer: &dyn Fn(IpAddr) -> bool) -> Flow {
        let first = self.route_set.first().and_then(|route| address_uri(route));
        next_hop(first.as_deref().unwrap_or(&self.target), pinned, is_of_peer)
    }
}

/// The same for a request that was made inside any dialog (RFC 3261 section 8.1.2).
pub(crate) fn next_hop_of(request: &Message, pinned: &Flow, is_of_peer: &dyn Fn(IpAddr) -> bool) -> Flow {
    let first = request.headers.list("route").first().and_then(|route| address_uri(route));
    let loose = first.filter(|uri| is_loose(uri));
    next_hop(loose.as_deref().unwrap_or(request.uri()), pinned, is_of_peer)
}

fn next_hop(uri: &str, pinned: &Flow, is_of_peer: &dyn Fn(IpAddr) -> bool) -> Flow {
    if pinned.connection.is_some() {
        return *pinned;
    }
    let literal = Uri::parse(uri).and_then(|uri| uri.socket_addr());
    match literal.filter(|addr| is_of_peer(addr.ip()) && addr.is_ipv4() == pinned.local.is_ipv4()) {
        Some(peer) => Flow { peer, ..*pinned },
        None => *pinned,
    }
}

fn is_loose(uri: &str) -> bool {
    Uri::parse(uri).is_some_and(|uri| uri.parameter("lr").is_some())
}

fn transport(flow: &Flow) -> trunk::Transport {
    match flow.transport {
        Transport::Udp => trunk::Transport::Udp,
        Transport::Tcp => trunk::Transport::Tcp,
    }
}

/// `sip:user@host;parameters` as `sip:host;parameters`.
fn without_user(uri: &str) -> String {
    let (scheme, rest) = uri.split_once(':').unwrap_or(("sip", uri));
    let (_, host) = rest.rsplit_once('@').unwrap_or(("", rest));
    format!("{scheme}:{host}")
}

fn routes(message: &Message) -> Vec<String> {
    let mut routes = message.headers.list("record-route");
    routes.truncate(MAX_ROUTES);
    routes
}

fn from_uri(message: &Message) -> Option<String> {
    let from = message.headers.text("from")?;
    address_uri(&from).filter(|uri| Uri::parse(uri).is_some_and(|uri| uri.is_sip()))
}
