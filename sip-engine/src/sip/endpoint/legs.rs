//! The legs there are: those that go on, which have a limit, and those that are over but for what may still come of them.

use super::leg::{Leg, Stage};
use crate::relax::relax;
use crate::sip::flow::LegKey;
use std::collections::{HashMap, VecDeque};
use std::ops::Deref;

/// Legs that are over and may still get an answer, for one that goes on: a call that fails at once is remembered for 32 s.
const OVER_PER_LEG: usize = 8;

/// All legs. One is over once it was put back so, and stays it.
#[derive(Default)]
pub(super) struct Legs {
    held: HashMap<LegKey, Leg>,
    /// How many are over.
    over: usize,
    /// Those that are over, or were, the first one first.
    ended: VecDeque<LegKey>,
}

impl Legs {
    /// How many go on: these are what a limit of calls is about.
    pub fn going_on(&self) -> usize {
        self.held.len() - self.over
    }

    /// One that is changed where it is; whether it is over does not change so.
    pub fn get_mut(&mut self, key: &LegKey) -> Option<&mut Leg> {
        self.held.get_mut(key)
    }

    /// All of them, as with [`Legs::get_mut`].
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Leg> {
        self.held.values_mut()
    }

    /// Takes one out, to be changed and put back.
    pub fn remove(&mut self, key: &LegKey) -> Option<Leg> {
        let leg = self.held.remove(key)?;
        self.over -= usize::from(leg.stage == Stage::Over);
        Some(leg)
    }

    /// Puts one back.
    pub fn insert(&mut self, mut leg: Leg) {
        if leg.stage == Stage::Over {
            self.over += 1;
            if !std::mem::replace(&mut leg.is_listed, true) {
                self.ended.push_back(leg.key);
            }
        }
        self.held.insert(leg.key, leg);
    }

    /// The one that has been over the longest, where there are too many beside this many that may go on.
    pub fn surplus(&mut self, most: usize) -> Option<LegKey> {
        while self.ended.pop_front_if(|key| !self.held.contains_key(key)).is_some() {}
        if self.over <= most.saturating_mul(OVER_PER_LEG) { None } else { self.ended.pop_front() }
    }

    /// Gives memory back that a rush took.
    pub fn relax(&mut self) {
        relax(&mut self.held);
    }
}

impl Deref for Legs {
    type Target = HashMap<LegKey, Leg>;

    fn deref(&self) -> &HashMap<LegKey, Leg> {
        &self.held
    }
}
