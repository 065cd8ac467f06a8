//! What a reactor asks of a call engine.

use async_trait::async_trait;
use domain::{
    Sid,
    call::{Ending, Program, Queued, Status},
};
use sip_engine::CallRef;

/// Takes orders about calls. What comes of them arrives as facts, not as an answer.
#[async_trait]
pub trait Switchboard: Send + Sync + 'static {
    /// Places a call that this node has claimed. Returns when the engine has taken it on.
    ///
    /// # Errors
    /// How the call ends when the engine does not take it; whoever asked records that.
    async fn place(&self, call: CallRef, queued: Queued) -> Result<(), Ending>;

    /// Runs another program in a live call; nothing when the call is not here.
    async fn redirect(&self, call: &Sid, program: Program);

    /// Ends a call as canceled or completed; nothing when the call is not here.
    async fn end(&self, call: &Sid, status: Status);
}
