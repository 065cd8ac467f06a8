//! The machine against scripted phones, media and web: no sockets, no clock.
//!
//! A [`Scene`] feeds what happens and reads what the call orders as short lines, facts as `leg: fact`.

mod api;
mod dialling;
mod inbound;
mod outbound;
mod redirected;

use super::{
    Closing, Happened, Incoming, LegNo, Machine, Order, Outgoing, Placement, Prepared, Signal, Surroundings,
    TimerKey,
};
use crate::{
    media::Prompt,
    outside::{CallRef, FetchFailure, Fetched},
};
use domain::{
    Ids, Kind, Sid, Tenant, Timestamp,
    call::{
        CallCommand, Direction, Document, EndReason, Ending, MediaSummary, Program, Purpose, Queued,
        Received, Status, WebhookExchange,
    },
    webhook_url::Method,
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub(super) const MAIN: LegNo = LegNo::MAIN;
pub(super) const VOICE: &str = "https://example.com/voice";

/// Counts instead of rolling dice.
struct Counting(AtomicU64);

impl Ids for Counting {
    fn uuid(&self) -> uuid::Uuid {
        uuid::Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

pub(super) fn sid(kind: Kind, number: u128) -> Sid {
    Sid::from_uuid(kind, uuid::Uuid::from_u128(number))
}

pub(super) struct Scene {
    machine: Machine,
    now: Timestamp,
    /// The latest token ordered, by what it was for.
    tokens: HashMap<&'static str, u64>,
    /// Parameters of the latest request.
    pub(super) asked: Vec<(String, String)>,
    /// The latest call to place.
    pub(super) placement: Option<Placement>,
    /// Every fact but the first, with all it says.
    told: Vec<String>,
}

fn surroundings() -> Surroundings {
    let ids = Arc::new(Counting(AtomicU64::new(100)));
    let owns =
        Arc::new(|number: &domain::Number| ["+12125550100", "7654321"].contains(&&*number.to_string()));
    Surroundings { node: "n1".into(), ids, country: "US".parse().ok(), owns }
}

fn call() -> CallRef {
    CallRef { sid: sid(Kind::Call, 1), tenant: Tenant::account(sid(Kind::Carrier, 1), sid(Kind::Account, 1)) }
}

pub(super) fn application(fallback: Option<&str>) -> Program {
    let fallback_url = fallback.map(|url| url.parse().unwrap());
    let (method, fallback_method) = (Method::Post, Method::Get);
    Program::Fetched(Document { url: VOICE.parse().unwrap(), method, fallback_url, fallback_method })
}

fn received(program: Program) -> Received {
    Received {
        node: "n1".into(),
        account: Some(sid(Kind::Account, 1)),
        trunk: sid(Kind::Trunk, 1),
        phone_number: Some(sid(Kind::PhoneNumber, 1)),
        from: "+15551230000".into(),
        to: "1234".into(),
        dialled: "1234".into(),
        sip_call_id: "id@host".into(),
        source: "192.0.2.1:5060".into(),
        program: Some(program),
        callback: None,
    }
}

fn arrived(received: Received, hops: u8) -> Incoming {
    let said = vec![received.from.clone()];
    Incoming { call: call(), received, refused: None, hops, said, asserted: None }
}

impl Scene {
    fn new(machine: Machine) -> Scene {
        Scene {
            machine,
            now: Timestamp::from_micros(0),
            tokens: HashMap::new(),
            asked: Vec::new(),
            placement: None,
            told: Vec::new(),
        }
    }

    /// A call that arrived for this program.
    pub(super) fn incoming(program: Program) -> Scene {
        Scene::new(Machine::incoming(surroundings(), arrived(received(program), 70)))
    }

    /// A call that arrived from this caller, with so many hops to go.
    pub(super) fn incoming_from(from: &str, hops: u8) -> Scene {
        let received = Received { from: from.into(), ..received(application(None)) };
        Scene::new(Machine::incoming(surroundings(), arrived(received, hops)))
    }

    /// A call that arrived from somebody who hides, and says that behind it.
    pub(super) fn incoming_hidden(said: &str) -> Scene {
        let received = Received { from: "anonymous".into(), ..received(application(None)) };
        let incoming = Incoming { said: vec![said.into()], ..arrived(received, 70) };
        Scene::new(Machine::incoming(surroundings(), incoming))
    }

    /// A call that arrived for nobody.
    pub(super) fn refused(code: u16, reason: EndReason) -> Scene {
        let received = received(application(None));
        Scene::new(Machine::incoming(
            surroundings(),
            Incoming { refused: Some((code, Ending::because(reason))), ..arrived(received, 70) },
        ))
    }

    /// A call the API asked for.
    pub(super) fn outgoing(program: Program, send_digits: Option<&str>) -> Scene {
        Scene::asked(Queued { send_digits: send_digits.map(str::to_owned), ..queued(program) })
    }

    pub(super) fn asked(queued: Queued) -> Scene {
        Scene::new(Machine::outgoing(surroundings(), Outgoing { call: call(), queued }))
    }

    /// A call that is answered and runs this TwiML; what led there is not shown.
    pub(super) fn talking(twiml: &str) -> (Scene, Vec<String>) {
        let mut scene = Scene::incoming(application(None));
        scene.starts();
        let mut lines = scene.document(twiml);
        if lines.last().is_some_and(|line| line == "Pickup 0") {
            lines = scene.signal(MAIN, Signal::Acknowledged);
        }
        (scene, lines)
    }

    pub(super) fn feed(&mut self, happened: Happened) -> Vec<String> {
        let orders = self.machine.handle(self.now, happened);
        orders.into_iter().map(|order| self.line(order)).collect()
    }

    pub(super) fn starts(&mut self) -> Vec<String> {
        self.feed(Happened::Started)
    }

    pub(super) fn later(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    /// So many milliseconds pass: a timer is never early, and seldom on the dot.
    pub(super) fn passes(&mut self, millis: u64) {
        self.now = self.now.plus(Duration::from_millis(millis));
    }

    /// What was recorded of ends: how long whoever ended had been answered.
    pub(super) fn measured(&self) -> Vec<String> {
        let ends = self.told.iter().filter(|fact| fact.starts_with("End("));
        ends.filter_map(|fact| Some(fact.split_once("duration_s: ")?.1.split(" }").next()?.to_owned()))
            .collect()
    }

    pub(super) fn signal(&mut self, leg: LegNo, signal: Signal) -> Vec<String> {
        self.feed(Happened::Signalled(leg, signal))
    }

    pub(super) fn placed(&mut self, leg: LegNo) -> Vec<String> {
        let (trunk, request_uri) = (sid(Kind::Trunk, 1), "sip:1@192.0.2.2".into());
        let (address, sip_call_id) = ("192.0.2.2:5060".into(), "out@host".into());
        self.signal(leg, Signal::Placed { trunk, address, request_uri, sip_call_id, more: false })
    }

    /// The INVITE left for this address, and others are left to try.
    pub(super) fn placed_at(&mut self, leg: LegNo, address: &str, more: bool) -> Vec<String> {
        let (trunk, request_uri) = (sid(Kind::Trunk, 1), format!("sip:1@{address}"));
        let (address, sip_call_id) = (address.into(), "out@host".into());
        self.signal(leg, Signal::Placed { trunk, address, request_uri, sip_call_id, more })
    }

    pub(super) fn fails(&mut self, leg: LegNo, code: u16) -> Vec<String> {
        let reason = String::new();
        self.signal(leg, Signal::Closed(Closing::Failed { code, reason, from_peer: true, heard: true }))
    }

    pub(super) fn press(&mut self, leg: LegNo, digits: &str) -> Vec<String> {
        digits.chars().flat_map(|digit| self.feed(Happened::Pressed(leg, digit))).collect()
    }

    pub(super) fn fires(&mut self, timer: TimerKey) -> Vec<String> {
        self.feed(Happened::TimerFired(timer))
    }

    pub(super) fn document(&mut self, body: &str) -> Vec<String> {
        self.response(Some("text/xml"), &format!("<Response>{body}</Response>"), None)
    }

    /// A document came that redirects led to.
    pub(super) fn document_at(&mut self, url: &str, body: &str) -> Vec<String> {
        let body = format!("<Response>{body}</Response>");
        self.came(Some("text/xml"), &body, None, url.parse().ok())
    }

    pub(super) fn response(
        &mut self,
        content_type: Option<&str>,
        body: &str,
        failure: Option<FetchFailure>,
    ) -> Vec<String> {
        self.came(content_type, body, failure, None)
    }

    fn came(
        &mut self,
        content_type: Option<&str>,
        body: &str,
        failure: Option<FetchFailure>,
        base: Option<twiml::Url>,
    ) -> Vec<String> {
        let exchange = WebhookExchange {
            purpose: Purpose::Document,
            method: Method::Post,
            url: VOICE.into(),
            parameters: vec![],
            status: Some(200),
            duration_ms: 1,
            response_headers: vec![],
            body: String::new(),
            truncated: false,
            error: None,
        };
        let content_type = content_type.map(str::to_owned);
        let fetched = Fetched { exchange, content_type, base, body: body.to_owned().into(), failure };
        self.feed(Happened::Fetched(self.tokens["fetch"], Box::new(fetched)))
    }

    pub(super) fn fetch_fails(&mut self) -> Vec<String> {
        self.response(None, "", Some(FetchFailure { code: 11200, message: "503".into() }))
    }

    /// The sound that was ordered is ready.
    pub(super) fn prepared(&mut self) -> Vec<String> {
        let sound = Prepared { prompt: Arc::new(Prompt::from_pcm8k(&[0; 160])), warning: None };
        self.feed(Happened::Prepared(self.tokens["sound"], Ok(sound)))
    }

    pub(super) fn unprepared(&mut self) -> Vec<String> {
        let failure = FetchFailure { code: 11200, message: "404".into() };
        self.feed(Happened::Prepared(self.tokens["sound"], Err(failure)))
    }

    pub(super) fn played(&mut self) -> Vec<String> {
        self.feed(Happened::Played(self.tokens["sound"]))
    }

    /// Signalling and media of all these legs are over.
    pub(super) fn winds_up(&mut self, legs: &[LegNo]) -> Vec<String> {
        let mut lines = Vec::new();
        for leg in legs {
            lines.extend(self.signal(*leg, Signal::Closed(Closing::Ordered)));
            lines.extend(self.feed(Happened::Released(*leg, Some(MediaSummary::default()))));
        }
        lines
    }

    pub(super) fn is_over(&self) -> bool {
        self.machine.is_over() && !self.machine.is_live()
    }

    /// A parameter of the latest request.
    pub(super) fn param(&self, name: &str) -> &str {
        self.asked.iter().find(|(have, _)| have == name).map_or("", |(_, value)| value)
    }

    fn line(&mut self, order: Order) -> String {
        match order {
            Order::Record(call, _, fact) => {
                if !matches!(*fact, CallCommand::Receive(_)) {
                    self.told.push(format!("{fact:?}"));
                }
                let leg = self.machine.leg_of(&call.sid).map_or("?".into(), |leg| leg.0.to_string());
                format!("{leg}: {}", fact_line(*fact))
            }
            Order::Ring(leg) => format!("Ring {}", leg.0),
            Order::Progress(leg) => format!("Progress {}", leg.0),
            Order::Pickup(leg) => format!("Pickup {}", leg.0),
            Order::Refuse(leg, code) => format!("Refuse {} {code}", leg.0),
            Order::Place(leg, placement) => {
                let line = format!("Place {} from {} to {}", leg.0, placement.from, placement.to);
                self.placement = Some(*placement);
                line
            }
            Order::TryNext(leg) => format!("TryNext {}", leg.0),
            Order::HangUp(leg) => format!("HangUp {}", leg.0),
            Order::Release(leg) => format!("Release {}", leg.0),
            Order::Speak { token, text, .. } => self.noted("sound", token, format!("Speak {text:?}")),
            Order::Load { token, url, file, .. } => {
                let had = file.map(|file| format!(" ({} bytes had)", file.body.len())).unwrap_or_default();
                self.noted("sound", token, format!("Load {url}{had}"))
            }
            Order::Play { leg, times, .. } => format!("Play {} x{times}", leg.0),
            Order::SendDigits { leg, token, digits } => {
                self.noted("sound", token, format!("SendDigits {} {digits}", leg.0))
            }
            Order::Ringback(leg) => format!("Ringback {}", leg.0),
            Order::Hush(leg) => format!("Hush {}", leg.0),
            Order::Bridge(one, other) => format!("Bridge {} {}", one.0, other.0),
            Order::Listen(one, other) => format!("Listen {} {}", one.0, other.0),
            Order::Unbridge(leg) => format!("Unbridge {}", leg.0),
            Order::Fetch { token, request } => {
                self.asked = request.params;
                let (method, url) = (request.method.as_str(), request.url);
                self.noted("fetch", token, format!("Fetch {method} {url}"))
            }
            Order::SetTimer(key, after) => format!("SetTimer {} {}", timer(key), after.as_secs()),
            Order::CancelTimer(key) => format!("CancelTimer {}", timer(key)),
        }
    }

    fn noted(&mut self, what: &'static str, token: u64, line: String) -> String {
        self.tokens.insert(what, token);
        line
    }
}

/// A timer's name, with the leg unless it is the main one.
fn timer(key: TimerKey) -> String {
    let (name, leg) = match key {
        TimerKey::Verb(leg) => ("Verb", leg),
        TimerKey::TimeLimit(leg) => ("TimeLimit", leg),
    };
    if leg == MAIN { name.to_owned() } else { format!("{name} of {}", leg.0) }
}

fn fact_line(fact: CallCommand) -> String {
    match fact {
        CallCommand::Receive(_) => "received".into(),
        CallCommand::Queue(queued) => format!("queued to {}", queued.to),
        CallCommand::Claim { node } => format!("claimed by {node}"),
        CallCommand::Initiate { .. } => "initiated".into(),
        CallCommand::FailAttempt { address, sip_code, reason, .. } => {
            let code = sip_code.map(|code| format!("{code} ")).unwrap_or_default();
            format!("{} failed: {code}{reason}", address.unwrap_or_else(|| "nowhere".into()))
        }
        CallCommand::Reroute { address, .. } => format!("rerouted to {address}"),
        CallCommand::Ring { sip_code, .. } => format!("rings {sip_code}"),
        CallCommand::Answer | CallCommand::Connect(_) => "answered".into(),
        CallCommand::Exchange(_) => "exchanged".into(),
        CallCommand::StartVerb { index, verb, .. } => format!("verb {index} {verb}"),
        CallCommand::EndVerb { index, outcome } => format!("verb {index} {outcome}"),
        CallCommand::Press { digits } => format!("pressed {digits}"),
        CallCommand::Warn { code, .. } => format!("warned {code}"),
        CallCommand::Hold { held } => format!("held {held}"),
        CallCommand::Bridge { .. } => "bridged".into(),
        CallCommand::Unbridge { .. } => "unbridged".into(),
        CallCommand::Summarize(_) => "summarized".into(),
        CallCommand::End(ending) => {
            let code = ending.sip_code.map(|code| format!(" {code}")).unwrap_or_default();
            format!("ended {:?}{code}", ending.reason)
        }
        other @ (CallCommand::Move(_)
        | CallCommand::Redirect(_)
        | CallCommand::RequestEnd { .. }
        | CallCommand::Delete) => {
            panic!("the engine never records {other:?}")
        }
    }
}

pub(super) fn end_requested(leg: LegNo, status: Status) -> Happened {
    Happened::EndRequested(leg, status)
}

/// A call the API asked for.
pub(super) fn queued(program: Program) -> Queued {
    Queued {
        account: sid(Kind::Account, 1),
        direction: Direction::OutboundApi,
        parent: None,
        from: "1234".into(),
        to: "+85510000001".into(),
        caller_id: None,
        phone_number: None,
        program: Some(program),
        callback: None,
        timeout: 60,
        time_limit: 86_400,
        send_digits: None,
    }
}
