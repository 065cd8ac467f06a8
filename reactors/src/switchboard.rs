//! What a reactor asks of a call engine.

use domain::{
    Sid,
    call::{Direction, EndReason, Ending, Program, Queued, SipDialog, Status},
};
use sip_engine::{CallRef, EngineHandle, NoRoom, Reservation};
use tokio::sync::watch;

/// Room kept for one call; given back when it is dropped.
#[derive(Debug)]
pub struct Room(pub(crate) Option<Reservation>);

/// Takes orders about calls, and returns at once. What comes of them arrives as facts, not as an answer.
pub trait Switchboard: Send + Sync + 'static {
    /// Keeps room for a call, so that it can be claimed.
    ///
    /// # Errors
    /// When to ask again.
    fn reserve(&self, queued: &Queued) -> Result<Room, NoRoom>;

    /// Whether it is a call for help, for which there is always room.
    fn is_emergency(&self, queued: &Queued) -> bool;

    /// Changes whenever `reserve` may say another thing.
    fn freed(&self) -> watch::Receiver<u64>;

    /// Places a call that this node has claimed, in the room kept for it.
    ///
    /// # Errors
    /// How the call ends when the engine does not take it on; whoever asked records that.
    fn place(&self, call: CallRef, queued: Queued, room: Room) -> Result<(), Ending>;

    /// Runs another program in a live call; whether the call is here.
    fn redirect(&self, call: &Sid, program: Program) -> bool;

    /// Ends a call as canceled or completed; whether the call is here.
    fn end(&self, call: &Sid, status: Status) -> bool;

    /// Hangs up on the phone of a call whose process is gone; whether that is tried.
    fn part(&self, call: CallRef, direction: Direction, trunk: &Sid, dialog: Box<SipDialog>) -> bool;

    /// Whether the call goes on here.
    fn has(&self, call: &Sid) -> bool;

    /// Whether any call does.
    fn is_busy(&self) -> bool;
}

impl Switchboard for EngineHandle {
    fn reserve(&self, queued: &Queued) -> Result<Room, NoRoom> {
        EngineHandle::reserve(self, queued).map(|room| Room(Some(room)))
    }

    fn is_emergency(&self, queued: &Queued) -> bool {
        EngineHandle::is_emergency(self, queued)
    }

    fn freed(&self) -> watch::Receiver<u64> {
        EngineHandle::freed(self)
    }

    fn place(&self, call: CallRef, queued: Queued, Room(room): Room) -> Result<(), Ending> {
        let room = room.ok_or_else(|| Ending::because(EndReason::Overloaded))?;
        EngineHandle::place(self, call, queued, room)
    }

    fn redirect(&self, call: &Sid, program: Program) -> bool {
        EngineHandle::redirect(self, call, program)
    }

    fn end(&self, call: &Sid, status: Status) -> bool {
        EngineHandle::end(self, call, status)
    }

    fn part(&self, call: CallRef, direction: Direction, trunk: &Sid, dialog: Box<SipDialog>) -> bool {
        EngineHandle::part(self, call, direction, trunk, dialog)
    }

    fn has(&self, call: &Sid) -> bool {
        self.is_live(call)
    }

    fn is_busy(&self) -> bool {
        EngineHandle::live(self) > 0
    }
}
