//! A program and the leg it runs on. The family begins with one; a dialled leg that is redirected gets one of its own. The
//! machine works on one at a time: the one that what happened is about.

use super::{
    dial::Dial,
    input::Happened,
    leg::LegNo,
    machine::{Machine, Sound},
    order::TimerKey,
};
use crate::outside::MediaFile;
use domain::{
    call::{EndReason, Ending, Program, Purpose},
    webhook_url::WebhookUrl,
};
use std::collections::VecDeque;

/// A program that runs.
pub(super) struct Script {
    /// On which leg.
    pub(super) leg: LegNo,
    pub(super) program: twiml::Machine,
    /// What runs, for its fallback address.
    pub(super) source: Program,
    /// The request the program waits for.
    pub(super) fetching: Option<u64>,
    /// The request that is waited for before the program begins: the action of a dial that a redirect ended.
    pub(super) awaited: Option<u64>,
    /// A sound that the application answered with, and the address it is of.
    pub(super) answered_with: Option<(twiml::Url, MediaFile)>,
    /// The document that runs: what it was asked for, and where it is from.
    pub(super) running: Option<(Purpose, WebhookUrl)>,
    /// What is being prepared or played for the program.
    pub(super) sound: Option<Sound>,
    pub(super) dial: Option<Dial>,
    /// How the latest `<Dial>` of an unanswered call ended.
    pub(super) dialled: Option<Ending>,
    /// What the program is to be told next.
    pub(super) events: VecDeque<twiml::Event>,
    /// Verbs begun so far.
    pub(super) verbs: u32,
    /// Why the call ends when the program says so.
    pub(super) last_word: EndReason,
}

impl Script {
    /// One for this leg, which is answered or not.
    pub(super) fn new(leg: LegNo, answered: bool, source: Program) -> Script {
        Script {
            leg,
            program: twiml::Machine::new(answered),
            source,
            fetching: None,
            awaited: None,
            answered_with: None,
            running: None,
            sound: None,
            dial: None,
            dialled: None,
            events: VecDeque::new(),
            verbs: 0,
            last_word: EndReason::ApplicationHungUp,
        }
    }

    /// Whether it ordered this sound, or these digits.
    fn ordered(&self, token: u64) -> bool {
        self.sound.as_ref().is_some_and(|sound| sound.token == token)
            || self.dial.as_ref().is_some_and(|dial| dial.sends(token))
    }
}

impl Machine {
    /// The legs that run a program, in their order.
    pub(super) fn scripts(&self) -> Vec<LegNo> {
        let mut legs: Vec<LegNo> = self.others.keys().copied().chain([self.script.leg]).collect();
        legs.sort();
        legs
    }

    /// Works on the program of this leg from now on.
    pub(super) fn turn_to(&mut self, leg: LegNo) {
        if let Some(script) = self.others.remove(&leg) {
            self.put(script);
        }
    }

    /// Works on this program, beside those there are.
    pub(super) fn put(&mut self, script: Script) {
        let former = std::mem::replace(&mut self.script, script);
        self.others.insert(former.leg, former);
    }

    /// The leg whose program this is about: its own, or the one that dialled it.
    pub(super) fn concerned(&self, happened: &Happened) -> LegNo {
        use Happened as H;
        match happened {
            H::Started | H::NotKept | H::Stopped(_) => LegNo::MAIN,
            H::TimerFired(TimerKey::Verb(leg) | TimerKey::TimeLimit(leg)) => *leg,
            H::Fetched(token, _) => self.requests.get(token).map_or(LegNo::MAIN, |request| request.leg),
            H::Prepared(token, _) | H::Played(token) | H::Unplayable(token) => {
                let whose = self.others.values().find(|script| script.ordered(*token));
                whose.map_or(self.script.leg, |script| script.leg)
            }
            H::Signalled(leg, _)
            | H::KeyDown(leg)
            | H::Pressed(leg, _)
            | H::MediaLost(leg)
            | H::Unheard(leg, ..)
            | H::Released(leg, _)
            | H::Redirected(leg, _)
            | H::EndRequested(leg, _) => self.leg(*leg).map_or(LegNo::MAIN, |leg| leg.script),
        }
    }
}
