//! What a reactor asks of a call engine.

use domain::{
    Sid,
    call::{Ending, Program, Queued, Status},
};
use sip_engine::{CallRef, EngineHandle};

/// Takes orders about calls, and returns at once. What comes of them arrives as facts, not as an answer.
pub trait Switchboard: Send + Sync + 'static {
    /// Whether a call would be taken on now.
    fn has_room(&self) -> bool;

    /// Places a call that this node has claimed.
    ///
    /// # Errors
    /// How the call ends when the engine does not take it on; whoever asked records that.
    fn place(&self, call: CallRef, queued: Queued) -> Result<(), Ending>;

    /// Runs another program in a live call; whether the call is here.
    fn redirect(&self, call: &Sid, program: Program) -> bool;

    /// Ends a call as canceled or completed; whether the call is here.
    fn end(&self, call: &Sid, status: Status) -> bool;

    /// Whether the call goes on here.
    fn has(&self, call: &Sid) -> bool;
}

impl Switchboard for EngineHandle {
    fn has_room(&self) -> bool {
        EngineHandle::has_room(self)
    }

    fn place(&self, call: CallRef, queued: Queued) -> Result<(), Ending> {
        EngineHandle::place(self, call, queued)
    }

    fn redirect(&self, call: &Sid, program: Program) -> bool {
        EngineHandle::redirect(self, call, program)
    }

    fn end(&self, call: &Sid, status: Status) -> bool {
        EngineHandle::end(self, call, status)
    }

    fn has(&self, call: &Sid) -> bool {
        self.is_live(call)
    }
}
