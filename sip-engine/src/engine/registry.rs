//! Who has which leg and which call: the map between signalling and actors.

use crate::{
    outside::CallRef,
    relax::relax,
    sip::{Event, LegKey},
};
use domain::{
    Sid, Steady,
    call::{EndReason, Program, Status},
};
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Messages waiting for one call; a call that is flooded is ended.
pub(super) const INBOX: usize = 128;

/// What an actor is told from outside its own work.
#[derive(Debug)]
pub(super) enum Message {
    Sip(Event),
    Redirect(Sid, Program),
    End(Sid, Status),
    Stop(EndReason),
}

/// The way to an actor.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) inbox: mpsc::Sender<Message>,
    /// Cancelled when the inbox was full and something was lost.
    pub(super) flooded: CancellationToken,
    /// The time of the call.
    pub(super) time: Steady,
}

impl Address {
    /// The way to nobody: the call is over, and only its last messages are still seen.
    pub(super) fn nobody(time: Steady) -> Address {
        let (inbox, _) = mpsc::channel(1);
        Address { inbox, flooded: CancellationToken::new(), time }
    }

    /// Never waits. A full inbox floods the call; whether anybody is there is told.
    pub(super) fn tell(&self, message: Message) -> bool {
        match self.inbox.try_send(message) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.flooded.cancel();
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }
}

#[derive(Default)]
struct Maps {
    legs: HashMap<LegKey, (Address, CallRef)>,
    calls: HashMap<Sid, Address>,
}

/// All live legs and calls of the engine.
#[derive(Default)]
pub(super) struct Registry(Mutex<Maps>);

impl Registry {
    /// The call is reachable from now on.
    pub(super) fn add_call(&self, sid: Sid, address: Address) {
        self.maps().calls.insert(sid, address);
    }

    /// The leg's events go to this address from now on.
    pub(super) fn add_leg(&self, key: LegKey, address: Address, call: CallRef) {
        self.maps().legs.insert(key, (address, call));
    }

    /// The actor is gone.
    pub(super) fn remove(&self, keys: &[LegKey], calls: &[Sid]) {
        let mut maps = self.maps();
        for key in keys {
            maps.legs.remove(key);
        }
        for sid in calls {
            maps.calls.remove(sid);
        }
        relax(&mut maps.legs);
        relax(&mut maps.calls);
    }

    pub(super) fn leg(&self, key: LegKey) -> Option<(Address, CallRef)> {
        self.maps().legs.get(&key).cloned()
    }

    pub(super) fn call(&self, sid: &Sid) -> Option<Address> {
        self.maps().calls.get(sid).cloned()
    }

    /// Every call there is.
    pub(super) fn calls(&self) -> Vec<Address> {
        self.maps().calls.values().cloned().collect()
    }

    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.0.lock()
    }
}
