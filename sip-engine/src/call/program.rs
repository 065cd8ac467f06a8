//! The program's side: documents in, asks honoured, and what happens when an application fails.

use super::{
    ending::passed_on,
    machine::{Machine, Request, Sound},
    order::{Order, TimerKey},
    params,
};
use crate::outside::{DocumentRequest, Fetched, MediaFile};
use domain::{
    call::{CallCommand, Document, EndReason, Ending, Program, Purpose},
    url_password,
    webhook_url::{Method, WebhookUrl, shown},
};
use twiml::{Ask, Event, RejectReason, Warning};

/// What is said when neither the application nor its fallback can be used.
const APOLOGY: &str =
    "<Response><Say>We are sorry. An application error has occurred. Goodbye.</Say></Response>";
/// A parameter that says what the verb's name says already.
const REDUNDANT: &str = "msg";
/// Twilio's code for an address that is none.
const BAD_URL: u32 = 11100;

impl Machine {
    /// Runs a program from its beginning.
    pub(super) fn run(&mut self, program: Program, purpose: Purpose) {
        match program {
            Program::Fetched(Document { url, method, .. }) => self.fetch(purpose, url, method, Vec::new()),
            Program::Inline(text) => match twiml::Document::parse(&text, None) {
                Ok(document) => {
                    self.script.running = None;
                    self.load(document);
                }
                Err(error) => {
                    self.warn(error.code(), error.to_string());
                    self.apologise();
                }
            },
        }
    }

    fn load(&mut self, document: twiml::Document) {
        let asks = self.script.program.load(document);
        self.honour(asks);
    }

    fn fetch(&mut self, purpose: Purpose, url: WebhookUrl, method: Method, more: Vec<(String, String)>) {
        let (Some(main), Some(tenant)) = (self.leg(self.script.leg), self.tenant()) else { return };
        let params = params::of(main).into_iter().chain(more).collect();
        let request = DocumentRequest { tenant, call: main.call.sid.clone(), purpose, url, method, params };
        let token = self.token();
        let (leg, url) = (self.script.leg, request.url.clone());
        self.requests.insert(token, Request { leg, purpose, url });
        self.script.fetching = Some(token);
        self.order(Order::Fetch { token, request: Box::new(request) });
    }

    /// A document came. One that nobody waits for any more is only recorded.
    pub(super) fn fetched(&mut self, token: u64, fetched: Fetched) {
        let Some(Request { purpose, url, .. }) = self.requests.remove(&token) else { return };
        self.record(self.script.leg, CallCommand::Exchange(Box::new(fetched.exchange)));
        if self.script.awaited == Some(token) {
            return self.begin_awaited();
        }
        if self.script.fetching != Some(token) {
            return;
        }
        self.script.fetching = None;
        let base = fetched.base.map_or_else(|| url.as_str().parse::<twiml::Url>(), Ok);
        let read = match (fetched.failure, base) {
            (Some(failure), _) => Err((failure.code, failure.message)),
            (None, Err(_)) => Err((BAD_URL, "is not a web address".to_owned())),
            (None, Ok(base)) => {
                let content_type = fetched.content_type.as_deref();
                let sound = twiml::is_audio(content_type).then(|| MediaFile {
                    content_type: fetched.content_type.clone(),
                    body: fetched.body.clone(),
                });
                self.script.answered_with = sound.map(|sound| (twiml::Url::clone(&base), sound));
                twiml::Document::from_response(content_type, &fetched.body, &base)
                    .map_err(|error| (error.code(), error.to_string()))
            }
        };
        match read {
            Ok(document) => {
                self.script.running = Some((purpose, url));
                self.load(document);
            }
            Err((code, message)) => self.failed(purpose, &url.shown(), code, &message),
        }
    }

    /// The application at `url`, as shown, failed: its fallback is asked once, and after that we apologise.
    fn failed(&mut self, purpose: Purpose, url: &str, code: u32, message: &str) {
        self.warn(code, format!("{url}: {}", url_password::hidden(message)));
        match &self.script.source {
            Program::Fetched(Document { fallback_url: Some(fallback), fallback_method, .. })
                if purpose != Purpose::Fallback =>
            {
                let more = vec![("ErrorCode".into(), code.to_string()), ("ErrorUrl".into(), url.to_owned())];
                self.fetch(Purpose::Fallback, fallback.clone(), *fallback_method, more);
            }
            _ => self.apologise(),
        }
    }

    /// The document that runs cannot go on as it is written.
    fn stuck(&mut self, warning: Warning) {
        match self.script.running.take() {
            Some((purpose, url)) => self.failed(purpose, &url.shown(), warning.code, &warning.message),
            None => {
                self.remark(warning);
                self.apologise();
            }
        }
    }

    fn apologise(&mut self) {
        self.script.last_word = EndReason::ApplicationFailed;
        match twiml::Document::parse(APOLOGY, None) {
            Ok(document) => self.load(document),
            Err(error) => {
                self.finish(Ending::because(EndReason::InternalError).with_detail(error.to_string()));
            }
        }
    }

    /// Tells the program everything that is waiting for it, and does what it asks for.
    pub(super) fn tell_program(&mut self) {
        while let Some(event) = self.script.events.pop_front() {
            let asks = self.script.program.on(&event);
            self.honour(asks);
        }
    }

    pub(super) fn honour(&mut self, asks: Vec<Ask>) {
        asks.into_iter().for_each(|ask| self.honour_one(ask));
    }

    fn honour_one(&mut self, ask: Ask) {
        match ask {
            Ask::Answer => self.pick_up(),
            Ask::Say { text, voice, language, times } => self.speak(text, voice, language, times),
            Ask::Play { url, times } => self.load_sound(&url, times),
            Ask::SendDigits(digits) => {
                let token = self.new_sound(1);
                self.order(Order::SendDigits { leg: self.script.leg, token, digits });
            }
            Ask::StopPlaying => {
                self.script.sound = None;
                self.order(Order::Hush(self.script.leg));
            }
            Ask::Timer(after) => self.order(Order::SetTimer(TimerKey::Verb(self.script.leg), after)),
            Ask::CancelTimer => self.order(Order::CancelTimer(TimerKey::Verb(self.script.leg))),
            Ask::Fetch(request) => self.follow(request),
            Ask::Dial(plan) => self.begin_dial(plan),
            Ask::EndDial => self.end_dial(),
            Ask::AbandonDial => self.abandon_dial(),
            Ask::Reject(RejectReason::Rejected) => self.refuse(603, Ending::because(EndReason::Rejected)),
            Ask::Reject(RejectReason::Busy) => self.refuse(486, Ending::because(EndReason::RejectedBusy)),
            Ask::HangUp => self.program_hung_up(),
            Ask::Fail(warning) => self.stuck(warning),
            Ask::Warn(warning) => self.remark(warning),
            Ask::VerbStarted { verb, details } => {
                let (index, verb) = (self.script.verbs, verb.to_owned());
                let attributes = details.into_iter().map(|(name, value)| (name, shown(&value))).collect();
                self.record(self.script.leg, CallCommand::StartVerb { index, verb, attributes });
            }
            Ask::VerbEnded { outcome, results, .. } => self.verb_ended(outcome, &results),
        }
    }

    fn speak(&mut self, text: String, voice: Option<String>, language: Option<String>, times: u32) {
        let Some(tenant) = self.tenant() else { return };
        let token = self.new_sound(times);
        self.order(Order::Speak { token, tenant, text, voice, language });
    }

    fn load_sound(&mut self, url: &twiml::Url, times: u32) {
        let Some(call) = self.call_of(self.script.leg).cloned() else { return };
        let file = self.script.answered_with.take().filter(|(of, _)| of == url).map(|(_, file)| file);
        match url.as_str().parse() {
            Ok(url) => {
                let token = self.new_sound(times);
                self.order(Order::Load { token, call, url, file });
            }
            Err(_) => {
                self.warn(BAD_URL, format!("{} is not a web address", shown(url.as_str())));
                self.script.events.push_back(Event::PlayFinished);
            }
        }
    }

    fn new_sound(&mut self, times: u32) -> u64 {
        let token = self.token();
        self.script.sound = Some(Sound { token, times, is_prelude: false });
        token
    }

    /// Tells an application what became of a dial; its answer is recorded and not run. The request's token, if one is made.
    pub(super) fn notify(&mut self, farewell: Result<twiml::Request, Warning>) -> Option<u64> {
        let request = farewell.map_err(|warning| self.remark(warning)).ok()?;
        let Ok(url) = request.url.as_str().parse::<WebhookUrl>() else {
            self.warn(BAD_URL, format!("{} is not a web address", shown(request.url.as_str())));
            return None;
        };
        self.fetch(Purpose::Action, url, method(request.method), request.params);
        self.script.fetching.take()
    }

    /// A verb goes on with another document.
    fn follow(&mut self, request: twiml::Request) {
        let method = method(request.method);
        let purpose = if request.params.is_empty() { Purpose::Document } else { Purpose::Action };
        match request.url.as_str().parse() {
            Ok(url) => self.fetch(purpose, url, method, request.params),
            Err(_) => {
                self.failed(purpose, &shown(request.url.as_str()), BAD_URL, "is not a web address");
            }
        }
    }

    fn verb_ended(&mut self, outcome: &str, results: &[(String, String)]) {
        let told = results.iter().filter(|(name, value)| !value.is_empty() && name != REDUNDANT);
        let found: Vec<_> = told.map(|(name, value)| format!("{name}={value}")).collect();
        let outcome =
            if found.is_empty() { outcome.to_owned() } else { format!("{outcome}: {}", found.join(", ")) };
        self.record(self.script.leg, CallCommand::EndVerb { index: self.script.verbs, outcome });
        self.script.verbs += 1;
    }

    /// The program is over. A call nobody picked up is turned away with what its dial came to.
    fn program_hung_up(&mut self) {
        let answered = self.leg(self.script.leg).is_some_and(super::leg::Leg::is_answered);
        match self.script.dialled.take() {
            _ if answered => self.finish(Ending::because(self.script.last_word)),
            Some(ending) => self.refuse(passed_on(&ending), ending),
            None => self.refuse(603, Ending::because(self.script.last_word)),
        }
    }

    /// A remark of the program's. An address that is none may have a password in it all the same.
    fn remark(&mut self, Warning { code, message }: Warning) {
        self.warn(code, url_password::hidden(&message));
    }

    pub(super) fn warn(&mut self, code: u32, message: String) {
        self.record(self.script.leg, CallCommand::Warn { code, message });
    }
}

pub(super) fn method(method: twiml::Method) -> Method {
    match method {
        twiml::Method::Get => Method::Get,
        twiml::Method::Post => Method::Post,
    }
}
