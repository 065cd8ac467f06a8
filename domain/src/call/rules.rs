//! Every rule about calls.

use super::{Call, CallCommand, CallError, CallEvent, EndReason, Ending, Phase, Status};

impl Call {
    /// The one table. Reports that come late or twice are not errors: they change nothing.
    pub(super) fn decide(&self, command: CallCommand) -> Result<Vec<CallEvent>, CallError> {
        use {CallCommand as C, CallError as R, CallEvent as E, Phase as P};
        match (self.phase, command) {
            (P::New, C::Receive(received)) => Ok(vec![E::Received(received)]),
            (P::New, C::Queue(queued)) => Ok(vec![E::Queued(queued)]),
            (_, C::Receive(_) | C::Queue(_)) => Err(R::AlreadyExists),
            (P::New, _) => Err(R::NotFound),
            (_, _) if self.deleted => Err(R::NotFound),

            (P::Queued, C::Claim { node }) => Ok(vec![E::Claimed { node }]),
            (_, C::Claim { node }) if self.claimed_by.as_ref() == Some(&node) => Ok(vec![]),
            (P::Ended, C::Claim { .. }) => Err(R::NotInProgress),
            (_, C::Claim { .. }) => Err(R::AlreadyClaimed(self.claimed_by.clone().unwrap_or_default())),

            (_, C::Exchange(exchange)) => Ok(vec![E::Exchanged(exchange)]),
            (_, C::Warn { code, message }) => Ok(vec![E::Warned { code, message }]),
            (_, C::Summarize(summary)) => Ok(vec![E::Summarized(summary)]),
            (P::Ended, C::EndVerb { index, outcome }) => Ok(vec![E::VerbEnded { index, outcome }]),
            (P::Ended, C::Unbridge { with }) => Ok(vec![E::Unbridged { with }]),
            (P::Ended, C::Delete) => Ok(vec![E::Deleted {}]),
            (_, C::Delete) => Err(R::StillInProgress),
            (P::Ended, C::Redirect(_) | C::RequestEnd { .. }) => Err(R::NotInProgress),
            (P::Ended, _) => Ok(vec![]),

            (P::Answered, C::RequestEnd { status: Status::Canceled }) => Err(R::AlreadyAnswered),
            // Nobody has it yet, so nobody else will end it.
            (P::Queued, C::RequestEnd { status: status @ (Status::Canceled | Status::Completed) }) => {
                let ending = self.ending_of(Ending::because(EndReason::CanceledByApi));
                Ok(vec![E::EndRequested { status }, E::Ended(ending)])
            }
            (_, C::RequestEnd { status: status @ (Status::Canceled | Status::Completed) }) => {
                Ok(vec![E::EndRequested { status }])
            }
            (_, C::RequestEnd { .. }) => Err(R::NotAnEnd),
            (_, C::Redirect(program)) => Ok(vec![E::Redirected(program)]),

            (_, C::Initiate { trunk, request_uri, sip_call_id }) => {
                Ok(vec![E::Initiated { trunk, request_uri, sip_call_id }])
            }
            (P::Answered, C::Ring { .. } | C::Answer) => Ok(vec![]),
            (_, C::Ring { sip_code }) => Ok(vec![E::Ringing { sip_code }]),
            (_, C::Answer) => Ok(vec![E::Answered {}]),
            (_, C::StartVerb { index, verb, attributes }) => {
                Ok(vec![E::VerbStarted { index, verb, attributes }])
            }
            (_, C::EndVerb { index, outcome }) => Ok(vec![E::VerbEnded { index, outcome }]),
            (_, C::Press { digits }) => Ok(vec![E::Pressed { digits }]),
            (_, C::Hold { held }) => Ok(vec![E::Held { held }]),
            (_, C::Bridge { with }) => Ok(vec![E::Bridged { with }]),
            (_, C::Unbridge { with }) => Ok(vec![E::Unbridged { with }]),
            (_, C::End(ending)) => Ok(vec![E::Ended(self.ending_of(ending))]),
        }
    }

    fn ending_of(&self, ending: Ending) -> Ending {
        Ending { status: ending.reason.status(self.answered), ..ending }
    }

    pub(super) fn on(&mut self, event: CallEvent) {
        use CallEvent as E;
        match event {
            E::Received(received) => (self.phase, self.claimed_by) = (Phase::Ringing, Some(received.node)),
            E::Queued(_) => self.phase = Phase::Queued,
            E::Claimed { node } => (self.phase, self.claimed_by) = (Phase::Claimed, Some(node)),
            E::Ringing { .. } => self.phase = Phase::Ringing,
            E::Answered {} => (self.phase, self.answered) = (Phase::Answered, true),
            E::Ended(ending) => (self.phase, self.ended) = (Phase::Ended, Some(ending)),
            E::Deleted {} => self.deleted = true,
            E::Initiated { .. }
            | E::Exchanged(_)
            | E::VerbStarted { .. }
            | E::VerbEnded { .. }
            | E::Pressed { .. }
            | E::Warned { .. }
            | E::Held { .. }
            | E::Bridged { .. }
            | E::Unbridged { .. }
            | E::Summarized(_)
            | E::Redirected(_)
            | E::EndRequested { .. } => {}
        }
    }
}
