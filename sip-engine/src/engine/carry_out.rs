//! The orders of a call, carried out on SIP, media, the web and the journal.

use super::{
    actor::{Actor, Done},
    dispatch,
    journal::{self, Fact},
    negotiate::{TrunkMedia, digit_info},
    place::{self, Blocked, Found, Placed, Search},
    sounds,
    wire::NoMedia,
};
use crate::{
    call::{Closing, Happened, LegNo, Order, Placement, Signal},
    media::{LegId, LegStatistics, Loops, MediaError, PlayToken},
    outside::{CallRef, DocumentRequest, FetchFailure, Fetched},
    routing::{Directory, Identity, Route, caller_user},
    sip::{Command, Credentials, Invite, LegKey, Target, Transport, build::known_as},
};
use bytes::Bytes;
use domain::{
    Number, Sid,
    call::{CallCommand, ExchangeError, MediaSummary, WebhookExchange},
    caller_id::CallerId,
    trunk,
};
use ipnet::IpNet;
use std::{net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};
use tokio::time::Instant;

/// The longest a document may take altogether: two addresses of fifteen seconds, and a little.
const FETCH: Duration = Duration::from_secs(35);
/// The token of a ringback tone; nobody waits for its end.
const RINGBACK: PlayToken = PlayToken(u64::MAX);

impl Actor {
    pub(super) async fn carry_out(&mut self, order: Order) {
        match order {
            Order::Record(call, at, fact) => {
                let fact = self.with_dialog(&call, *fact);
                self.note((call, at, fact)).await;
            }
            Order::Ring(leg) => self.ring(leg).await,
            Order::Progress(leg) => {
                if let Some(sdp) = self.wire(leg).preview() {
                    self.respond(leg, 183, Some(sdp)).await;
                }
            }
            Order::Pickup(leg) => self.pick_up(leg).await,
            Order::Refuse(leg, code) => self.respond(leg, code, None).await,
            Order::Place(leg, placement) => self.place(leg, &placement),
            Order::TryNext(leg) => self.try_next(leg),
            Order::HangUp(leg) => self.hang_up(leg).await,
            Order::Release(leg) => self.release(leg),
            Order::Speak { token, tenant, text, voice, language } => {
                let shared = Arc::clone(&self.shared);
                self.jobs.spawn(async move {
                    let spoken = sounds::speak(&shared, tenant, text, voice, language).await;
                    Done::Happened(Happened::Prepared(token, spoken))
                });
            }
            Order::Load { token, call, url, file } => {
                let shared = Arc::clone(&self.shared);
                self.jobs.spawn(async move {
                    Done::Happened(Happened::Prepared(token, sounds::load(&shared, call, url, file).await))
                });
            }
            Order::Play { leg, token, prompt, times } => {
                let loops = Loops::Times(NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN));
                let played = self.media(leg).map(|media| media.play(prompt, loops, PlayToken(token)));
                self.or_over(played, token);
            }
            Order::SendDigits { leg, token, digits } => {
                let sent = self.media(leg).map(|media| media.send_digits(&digits, PlayToken(token)));
                self.or_over(sent, token);
            }
            Order::Ringback(leg) => {
                let prompt = sounds::ringback();
                noted(self.media(leg).map(|media| media.play(prompt, Loops::Endless, RINGBACK)));
            }
            Order::Hush(leg) => noted(self.media(leg).map(crate::media::Leg::stop_playing)),
            Order::Bridge(one, other) => {
                let both = self.media(one).zip(self.media(other));
                noted(both.map(|(one, other)| one.bridge(other)));
            }
            Order::Listen(one, other) => {
                let both = self.media(one).zip(self.media(other));
                noted(both.map(|(one, other)| one.listen(other)));
            }
            Order::Unbridge(leg) => noted(self.media(leg).map(crate::media::Leg::unbridge)),
            Order::Fetch { token, request } => self.fetch(token, *request),
            Order::SetTimer(key, after) => self.timers.set(key, Instant::now(), after),
            Order::CancelTimer(key) => self.timers.cancel(key),
        }
    }

    /// Before a phase is announced it is kept, with everything that led to it. The rest goes together, at the end.
    async fn note(&mut self, fact: Fact) {
        let phase = journal::is_phase(&fact.2);
        self.facts.push(fact);
        if phase {
            self.journal.record(std::mem::take(&mut self.facts)).await;
        }
    }

    /// With the answer goes what another process needs to end the call, should we be gone.
    fn with_dialog(&self, call: &CallRef, fact: CallCommand) -> CallCommand {
        let wire = || self.machine.leg_of(&call.sid).and_then(|no| self.wires.get(&no));
        let dialog = || wire().and_then(|wire| wire.dialog.clone());
        match fact {
            CallCommand::Answer => dialog().map_or(fact, CallCommand::Connect),
            CallCommand::Ring { sip_code, .. } => {
                CallCommand::Ring { sip_code, invite: dialog().filter(|placed| placed.via.is_some()) }
            }
            fact => fact,
        }
    }

    fn media(&self, leg: LegNo) -> Option<&crate::media::Leg> {
        self.wires.get(&leg)?.media.as_ref()
    }

    /// What could not be begun is over at once, so that no program waits for it.
    fn or_over(&mut self, begun: Option<Result<(), MediaError>>, token: u64) {
        if !matches!(begun, Some(Ok(()))) {
            noted(begun);
            self.next.push_back(Happened::Played(token));
        }
    }

    async fn respond(&mut self, no: LegNo, code: u16, sdp: Option<Bytes>) {
        let Some(leg) = self.wire(no).key else { return };
        let mut headers = dispatch::come_back(code);
        headers.extend(self.wire(no).warning(code));
        let reason = None;
        self.shared.command(Command::Respond { leg, code, reason, headers, sdp }).await;
    }

    /// Opens the ports first: a call without any is turned away before it rings.
    async fn ring(&mut self, no: LegNo) {
        match self.open(no) {
            Ok(()) => self.respond(no, 180, None).await,
            Err(NoMedia { code, detail }) => self.closed(no, Closing::NoMedia { code, detail }),
        }
    }

    /// Says which call has a leg that has gone silent, and through which trunk it goes.
    pub(super) fn tell_of_silence(&mut self, no: LegNo) {
        let call = self.machine.call_of(no).map(|call| call.sid.to_string()).unwrap_or_default();
        let trunk = self.wire(no).through.as_ref().map(Sid::to_string).unwrap_or_default();
        tracing::info!(%call, %trunk, "a leg of a call has gone silent");
    }

    /// A leg that has gone silent is asked for its session again; a peer that is gone does not answer, and SIP closes
    /// the leg.
    pub(super) async fn probe(&mut self, no: LegNo) {
        let wire = self.wire(no);
        if let Some((leg, sdp)) = wire.key.zip(wire.offer()) {
            self.shared.command(Command::Reinvite { leg, sdp }).await;
        }
    }

    /// The peer's INFO says that a key was pressed. Media knows whether it was told otherwise as well.
    pub(super) fn informed(&mut self, no: LegNo, digit: char) {
        match self.media(no).map(|media| media.pressed(digit)) {
            Some(Ok(())) => {}
            _ => self.next.push_back(Happened::Pressed(no, digit)),
        }
    }

    /// Tells the peer a key by INFO.
    pub(super) async fn inform(&mut self, leg: LegId, digit: char) {
        let Some(leg) = self.media_legs.get(&leg).and_then(|no| self.wires.get(no)?.key) else { return };
        let (content_type, body) = digit_info(digit);
        self.shared.command(Command::Info { leg, content_type, body: body.into() }).await;
    }

    async fn pick_up(&mut self, no: LegNo) {
        match self.open(no).and_then(|()| self.wire(no).describe()) {
            Ok(sdp) => self.respond(no, 200, Some(sdp)).await,
            Err(NoMedia { code, detail }) => {
                // Already counted as answered by the machine, which then knows no final response to send.
                self.respond(no, code, None).await;
                self.closed(no, Closing::NoMedia { code, detail });
            }
        }
    }

    fn open(&mut self, no: LegNo) -> Result<(), NoMedia> {
        let (shared, group, events) = (Arc::clone(&self.shared), self.group, self.media_events.clone());
        let carrier = self.machine.call_of(no).map(|call| call.tenant.carrier.clone());
        let wire = self.wire(no);
        wire.open(&shared, carrier.as_ref(), group, &events)?;
        let id = wire.media.as_ref().map(crate::media::Leg::id);
        self.media_legs.extend(id.map(|id| (id, no)));
        Ok(())
    }

    /// The signal that goes on, unless the two sides found no media; then the leg is hung up.
    pub(super) async fn after_negotiation(
        &mut self,
        key: LegKey,
        result: Result<(), NoMedia>,
        signal: Signal,
    ) -> Signal {
        let Err(NoMedia { code, detail }) = result else { return signal };
        self.shared.command(Command::Bye { leg: key, headers: Vec::new() }).await;
        Signal::Closed(Closing::NoMedia { code, detail })
    }

    /// Answers a re-INVITE or UPDATE. Says whether we are held, if that has changed.
    pub(super) async fn reoffered(&mut self, key: LegKey, no: LegNo, sdp: Option<Bytes>) -> Option<bool> {
        let wire = self.wire(no);
        let offered = wire.offered(sdp.as_ref());
        let held = wire.would_hold();
        let described = offered.and_then(|()| wire.describe());
        let changed = if described.is_ok() { wire.hold_changed(held) } else { None };
        let (code, sdp) = match described {
            Ok(sdp) => (200, Some(sdp)),
            Err(refused) => (refused.code, None),
        };
        let (reason, headers) = (None, self.wire(no).warning(code).into_iter().collect());
        self.shared.command(Command::Respond { leg: key, code, reason, headers, sdp }).await;
        changed
    }

    fn place(&mut self, leg: LegNo, placement: &Placement) {
        self.shared.registry.add_call(placement.sid.clone(), self.address.clone());
        let directory = self.shared.directory.load_full();
        let begun = Search::begin(&directory, placement);
        match begun.and_then(|search| self.counted(leg, &directory, placement).map(|()| search)) {
            Ok(search) => {
                // Who calls has ports from the first ring on; this leg may need those that are kept.
                self.wire(leg).emergency = directory.is_emergency(&placement.account, &placement.to);
                self.find(leg, search);
            }
            Err(signal) => self.next.push_back(Happened::Signalled(leg, signal)),
        }
    }

    /// Counts a dialled call within its account's limits. The main call was counted when room was kept for it, and a
    /// call for help is outside of them.
    fn counted(
        &mut self,
        leg: LegNo,
        directory: &Directory,
        Placement { account, on_behalf_of, to, .. }: &Placement,
    ) -> Result<(), Signal> {
        if leg == LegNo::MAIN || directory.is_emergency(account, to) {
            return Ok(());
        }
        let placed =
            self.shared.place_for(account, on_behalf_of.as_deref().map(|party| (party, to.as_str())));
        self.wire(leg).placed = Some(placed.map_err(|exceeded| place::exceeded(&exceeded))?);
        Ok(())
    }

    /// The attempt under way failed. What still comes of it is SIP's business: a late answer is acknowledged and hung up.
    /// Its key stays known, so that those messages are evidence of this call.
    fn try_next(&mut self, leg: LegNo) {
        let wire = self.wire(leg);
        wire.key = None;
        match wire.search.take() {
            Some(search) => self.find(leg, search),
            None => self.closed(leg, Closing::Lost("Nothing is left to try")),
        }
    }

    fn find(&mut self, leg: LegNo, search: Search) {
        let shared = Arc::clone(&self.shared);
        self.jobs.spawn(async move { Done::Found(leg, Box::new(search.next(&shared).await)) });
    }

    /// The next way is found, or there is none.
    pub(super) async fn found(&mut self, no: LegNo, found: Found) {
        if self.wire(no).given_up {
            return;
        }
        let Found { search, blocked, placed } = found;
        for Blocked { trunk, address, reason } in blocked {
            let address = address.map(|address| address.to_string());
            self.next.push_back(Happened::Signalled(no, Signal::Blocked { trunk, address, reason }));
        }
        match placed {
            Ok(placed) => self.invite(no, search, placed).await,
            Err(signal) => self.next.push_back(Happened::Signalled(no, signal)),
        }
    }

    /// The INVITE leaves.
    async fn invite(&mut self, no: LegNo, search: Search, placed: Placed) {
        let former = self.wire(no).leaves_from(placed.local);
        former.map(|media| self.media_legs.remove(&media.id()));
        if let Err(NoMedia { code, detail }) = self.open(no) {
            return self.closed(no, Closing::NoMedia { code, detail });
        }
        let call_id = format!("{:016x}{:016x}", self.shared.number(), self.shared.number());
        let directory = self.shared.directory.load();
        let trunk = directory.trunk(&placed.route.trunk);
        let networks = trunk.map(|trunk| trunk.sources().to_vec()).unwrap_or_default();
        let media = trunk.map(TrunkMedia::of_callee).unwrap_or_default();
        drop(directory);
        let (key, peer) = (self.shared.next_leg(), placed.next_hop.ip());
        let wire = self.wire(no);
        (wire.key, wire.source) = (Some(key), Some(peer));
        wire.through = Some(placed.route.trunk.clone());
        (wire.networks, wire.trunk) = (networks, media);
        let Some(sdp) = wire.offer() else { return };
        self.keys.insert(key, no);
        if let Some(call) = self.machine.call_of(no).cloned() {
            self.shared.registry.add_leg(key, self.address.clone(), call);
        }
        let (trunk, request_uri) = (placed.route.trunk.clone(), placed.route.request_uri());
        let invite = self.invitation((no, key), call_id.clone(), (&placed, &search.placement), sdp);
        self.wire(no).search = Some(search);
        self.shared.command(Command::Invite(Box::new(invite))).await;
        let (address, more) = (placed.next_hop.to_string(), placed.more);
        let signal = Signal::Placed { trunk, address, request_uri, sip_call_id: call_id, more };
        self.next.push_back(Happened::Signalled(no, signal));
    }

    fn invitation(
        &self,
        (no, leg): (LegNo, LegKey),
        call_id: String,
        (placed, placement): (&Placed, &Placement),
        sdp: Bytes,
    ) -> Invite {
        let Placed { route, next_hop, local, host, .. } = placed;
        let sources = self.wires.get(&no).map(|wire| wire.networks.as_slice()).unwrap_or_default();
        let networks = host.iter().copied().map(IpNet::from).chain(sources.iter().copied()).collect();
        let transport = match route.transport {
            trunk::Transport::Udp => Transport::Udp,
            trunk::Transport::Tcp => Transport::Tcp,
        };
        let own = self.shared.listening.towards(*next_hop);
        let port = own.unwrap_or_else(|_| self.shared.listening.first()).port();
        let local = SocketAddr::new(*local, port);
        let ours = known_as(local, self.shared.config.advertise);
        let directory = self.shared.directory.load();
        let vouched = vouched(&directory, route, placement);
        let identity = Identity::of(&placement.from, &route.from_user, &ours.to_string(), vouched.as_deref());
        let credentials = route
            .credentials
            .clone()
            .map(|(username, password)| Credentials { username, password: password.to_string() });
        Invite {
            leg,
            target: Target {
                uri: route.request_uri(),
                next_hop: *next_hop,
                networks,
                transport,
                local: None,
            },
            call_id: Some(call_id),
            headers: identity.headers,
            from: identity.from,
            to: format!("<sip:{}@{}>", route.to_user, route.authority()),
            sdp,
            credentials,
            max_forwards: placement.max_forwards,
            emergency: directory.is_emergency(&placement.account, &placement.to),
            ring_timeout: placed.ring_timeout,
            silence: placed.silence,
        }
    }

    async fn hang_up(&mut self, no: LegNo) {
        let wire = self.wire(no);
        match wire.key {
            Some(leg) => self.shared.command(Command::Bye { leg, headers: Vec::new() }).await,
            None => {
                wire.given_up = true;
                self.closed(no, Closing::Ordered);
            }
        }
    }

    fn closed(&mut self, no: LegNo, closing: Closing) {
        self.next.push_back(Happened::Signalled(no, Signal::Closed(closing)));
    }

    fn release(&mut self, no: LegNo) {
        if self.wire(no).placed.take().is_some() {
            self.shared.freed();
        }
        self.wire(no).sounds = None;
        // Dropped, it is closed, and its figures come with its last event.
        if self.wire(no).media.take().is_none() {
            self.next.push_back(Happened::Released(no, None));
        }
    }

    /// A leg's media is gone: as ordered, or by itself.
    pub(super) fn media_closed(&mut self, no: LegNo, figures: &LegStatistics) {
        let by_itself = self.wire(no).media.take().is_some();
        self.wire(no).sounds = None;
        if let Some(source) = figures.foreign_from.filter(|_| figures.packets_received == 0) {
            self.next.push_back(Happened::Unheard(no, source, figures.foreign_dropped));
        }
        self.next.push_back(match by_itself {
            true => Happened::MediaLost(no),
            false => Happened::Released(no, summary(figures)),
        });
    }

    fn fetch(&mut self, token: u64, request: DocumentRequest) {
        let outside = Arc::clone(&self.shared.outside);
        self.jobs.spawn(async move {
            let late = too_late(&request);
            let fetched = tokio::time::timeout(FETCH, outside.fetch(request)).await.unwrap_or(late);
            Done::Happened(Happened::Fetched(token, Box::new(fetched)))
        });
    }
}

/// The user that is asserted to be calling: a number of the account's, where nobody from outside just says to be it; or, through a trunk that is trusted with it, whom a
/// trusted network named behind a caller who hides (RFC 3325 section 5).
fn vouched(directory: &Directory, route: &Route, placement: &Placement) -> Option<String> {
    match &placement.from {
        CallerId::Shown(number) => {
            let owned =
                Number::stored(number).is_ok_and(|number| directory.owns(&placement.account, &number));
            (owned && placement.authentic).then(|| route.from_user.clone())
        }
        CallerId::Hidden => {
            let trunk = directory.trunk(&route.trunk)?;
            let outbound = trunk.outbound.as_ref().filter(|side| side.trusted)?;
            Some(caller_user(outbound, trunk.country, placement.asserted.as_deref()?))
        }
    }
}

/// Media orders can only fail while the media plane is overloaded or shut down.
fn noted(result: Option<Result<(), MediaError>>) {
    match result {
        Some(Err(error)) => tracing::warn!(%error, "a media order was not carried out"),
        None => tracing::debug!("a media order for a leg without media"),
        Some(Ok(())) => {}
    }
}

/// A leg's figures as they are remembered; `None` when no media was agreed on.
fn summary(figures: &LegStatistics) -> Option<MediaSummary> {
    Some(MediaSummary {
        codec: figures.codec?.name().to_owned(),
        packets_received: figures.packets_received,
        packets_sent: figures.packets_sent,
        packets_lost: figures.packets_lost,
        jitter_ms: figures.jitter_ms,
        rtt_ms: figures.rtt_ms,
        mos: figures.mos,
        foreign_dropped: figures.foreign_dropped,
    })
}

/// The answer to a request that nobody answered.
fn too_late(request: &DocumentRequest) -> Fetched {
    let message = format!("no answer within {} seconds", FETCH.as_secs());
    let failure = FetchFailure { code: 11205, message: message.clone() };
    let exchange = WebhookExchange {
        purpose: request.purpose,
        method: request.method,
        url: request.url.shown(),
        parameters: request.params.clone(),
        status: None,
        duration_ms: u64::try_from(FETCH.as_millis()).unwrap_or(u64::MAX),
        response_headers: Vec::new(),
        body: String::new(),
        truncated: false,
        error: Some(ExchangeError { code: 11205, message }),
    };
    Fetched { exchange, content_type: None, base: None, body: Bytes::new(), failure: Some(failure) }
}
