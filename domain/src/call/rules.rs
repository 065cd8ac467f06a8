//! Every rule about calls.

use super::{Call, CallCommand, CallError, CallEvent, Direction, EndReason, Ending, Phase, Status};

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
            (P::Ended, C::Claim { .. }) => Err(R::NotInProgress),
            // Asked twice, answered alike; but once it is on its way, nobody may place it again, a restarted node neither.
            (P::Claimed, C::Claim { node }) if self.claimed_by.as_ref() == Some(&node) => Ok(vec![]),
            (_, C::Claim { .. }) => Err(R::AlreadyClaimed(self.claimed_by.clone().unwrap_or_default())),

            (P::Answered, C::Move(dialog)) => Ok(vec![E::Moved { dialog }]),
            (_, C::Move(_)) => Ok(vec![]),
            (_, C::Exchange(exchange)) => Ok(vec![E::Exchanged(exchange)]),
            (_, C::Warn { code, message }) => Ok(vec![E::Warned { code, message }]),
            (_, C::Summarize(summary)) => Ok(vec![E::Summarized(summary)]),
            (P::Ended, C::EndVerb { index, outcome }) => Ok(vec![E::VerbEnded { index, outcome }]),
            (P::Ended, C::Unbridge { with }) => Ok(vec![E::Unbridged { with }]),
            (P::Ended, C::Delete) => Ok(vec![E::Deleted {}]),
            (_, C::Delete) => Err(R::StillInProgress),
            (P::Ended, C::Redirect(_)) => Err(R::NotInProgress),
            (P::Ended, C::RequestEnd { status: Status::Canceled | Status::Completed }) => Err(R::Over),
            (P::Ended, C::RequestEnd { .. }) => Err(R::NotAnEnd),
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
            (phase, C::Redirect(_)) if self.dialled && phase != P::Answered => Err(R::RunsNoProgram),
            (_, C::Redirect(program)) => Ok(vec![E::Redirected(program)]),

            (_, C::Initiate { trunk, request_uri, sip_call_id }) => {
                Ok(vec![E::Initiated { trunk, request_uri, sip_call_id }])
            }
            (
                P::Answered,
                C::Ring { .. } | C::Answer | C::Connect(_) | C::FailAttempt { .. } | C::Reroute { .. },
            ) => Ok(vec![]),
            (_, C::FailAttempt { trunk, address, sip_code, reason }) => {
                Ok(vec![E::AttemptFailed { trunk, address, sip_code, reason }])
            }
            (_, C::Reroute { trunk, address, request_uri, sip_call_id }) => {
                Ok(vec![E::Rerouted { trunk, address, request_uri, sip_call_id }])
            }
            (_, C::Ring { sip_code, invite }) => Ok(vec![E::Ringing { sip_code, invite }]),
            (_, C::Answer) => Ok(vec![E::Answered { dialog: None }]),
            (_, C::Connect(dialog)) => Ok(vec![E::Answered { dialog: Some(dialog) }]),
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
            E::Queued(queued) => {
                (self.phase, self.dialled) = (Phase::Queued, queued.direction == Direction::OutboundDial);
            }
            E::Claimed { node } => (self.phase, self.claimed_by) = (Phase::Claimed, Some(node)),
            // A report that comes late takes nothing back.
            E::Initiated { .. } | E::Rerouted { .. } | E::Ringing { .. } => {
                self.phase = self.phase.max(Phase::Ringing);
            }
            E::Answered { .. } => (self.phase, self.answered) = (Phase::Answered, true),
            E::Ended(ending) => (self.phase, self.ended) = (Phase::Ended, Some(ending)),
            E::Deleted {} => self.deleted = true,
            E::Exchanged(_)
            | E::AttemptFailed { .. }
            | E::Moved { .. }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Kind,
        call::{Direction, Program, Queued, Received, SipDialog},
        testing::{given, sid},
    };
    use {CallCommand as C, CallEvent as E};

    fn received() -> Received {
        Received {
            node: "a".into(),
            account: Some(sid(Kind::Account, 1)),
            trunk: sid(Kind::Trunk, 1),
            phone_number: None,
            from: "+85512345678".into(),
            to: "1234".into(),
            dialled: "1234".into(),
            sip_call_id: "x@y".into(),
            source: "127.0.0.1:5061".into(),
            program: Some(Program::Inline("<Response/>".into())),
            callback: None,
        }
    }

    fn queued() -> Queued {
        Queued {
            account: sid(Kind::Account, 1),
            direction: Direction::OutboundApi,
            parent: None,
            from: "1234".into(),
            to: "+85512345678".into(),
            caller_id: None,
            phone_number: None,
            program: None,
            callback: None,
            timeout: 60,
            time_limit: 14_400,
            send_digits: None,
        }
    }

    fn claimed(node: &str) -> Vec<E> {
        vec![E::Queued(queued()), E::Claimed { node: node.into() }]
    }

    fn ended(reason: EndReason, answered: bool) -> E {
        E::Ended(Ending { status: reason.status(answered), ..Ending::because(reason) })
    }

    #[test]
    fn one_engine_claims_a_queued_call() {
        let claim = |node: &str| C::Claim { node: node.into() };
        given::<Call>(vec![E::Queued(queued())], claim("a"))
            .then_expect_events(vec![E::Claimed { node: "a".into() }]);
        given::<Call>(claimed("a"), claim("a")).then_expect_events(vec![]);
        given::<Call>(claimed("a"), claim("b")).then_expect_error(CallError::AlreadyClaimed("a".into()));
    }

    #[test]
    fn a_call_that_was_placed_is_not_claimed_again() {
        let initiated = E::Initiated {
            trunk: sid(Kind::Trunk, 1),
            request_uri: "sip:+85512345678@192.0.2.1".into(),
            sip_call_id: "x@y".into(),
        };
        let again = || C::Claim { node: "a".into() };
        let placed: Vec<E> = claimed("a").into_iter().chain([initiated.clone()]).collect();
        given::<Call>(placed.clone(), again()).then_expect_error(CallError::AlreadyClaimed("a".into()));
        let over: Vec<E> = placed.into_iter().chain([ended(EndReason::NoAnswer, false)]).collect();
        given::<Call>(over, again()).then_expect_error(CallError::NotInProgress);
        let answered = vec![E::Received(received()), E::Answered { dialog: None }, initiated];
        given::<Call>(answered, C::RequestEnd { status: Status::Canceled })
            .then_expect_error(CallError::AlreadyAnswered);
    }

    #[test]
    fn a_call_that_fails_one_way_goes_another_and_stays_one_call() {
        let trunk = sid(Kind::Trunk, 1);
        let address = "192.0.2.1:5060".to_owned();
        let failed = |trunk: &crate::Sid| C::FailAttempt {
            trunk: trunk.clone(),
            address: Some(address.clone()),
            sip_code: Some(503),
            reason: "Service Unavailable".into(),
        };
        given::<Call>(claimed("a"), failed(&trunk)).then_expect_events(vec![E::AttemptFailed {
            trunk: trunk.clone(),
            address: Some(address.clone()),
            sip_code: Some(503),
            reason: "Service Unavailable".into(),
        }]);
        let rerouted = E::Rerouted {
            trunk: trunk.clone(),
            address: address.clone(),
            request_uri: "sip:1@192.0.2.1".into(),
            sip_call_id: "x@y".into(),
        };
        let again = claimed("a").into_iter().chain([rerouted]).collect();
        given::<Call>(again, C::Claim { node: "a".into() })
            .then_expect_error(CallError::AlreadyClaimed("a".into()));
        given::<Call>(vec![E::Received(received()), E::Answered { dialog: None }], failed(&trunk))
            .then_expect_events(vec![]);
    }

    #[test]
    fn an_answered_call_ends_completed() {
        given::<Call>(
            vec![E::Received(received()), E::Answered { dialog: None }],
            C::End(Ending::because(EndReason::HungUp)),
        )
        .then_expect_events(vec![ended(EndReason::HungUp, true)]);
    }

    #[test]
    fn the_dialog_of_an_answered_call_is_kept_once() {
        let dialog = SipDialog {
            call_id: "a84b4c76e66710@192.0.2.1".into(),
            local: "<sip:1234@198.51.100.1>;tag=ours".into(),
            remote: "<sip:+85512345678@192.0.2.1>;tag=theirs".into(),
            target: "sip:+85512345678@192.0.2.1:5060".into(),
            routes: vec![],
            cseq: 0,
            peer: "192.0.2.1:5060".parse().unwrap(),
            transport: crate::trunk::Transport::Udp,
            realm: None,
            via: None,
        };
        let connect = || C::Connect(Box::new(dialog.clone()));
        let answered = E::Answered { dialog: Some(Box::new(dialog.clone())) };
        given::<Call>(vec![E::Received(received())], connect()).then_expect_events(vec![answered.clone()]);
        given::<Call>(vec![E::Received(received()), answered.clone()], connect()).then_expect_events(vec![]);
        let moves = || C::Move(Box::new(dialog.clone()));
        let moved = E::Moved { dialog: Box::new(dialog.clone()) };
        given::<Call>(vec![E::Received(received())], moves()).then_expect_events(vec![]);
        given::<Call>(vec![E::Received(received()), answered.clone()], moves())
            .then_expect_events(vec![moved]);
        given::<Call>(
            vec![E::Received(received()), answered],
            C::End(Ending::because(EndReason::Interrupted)),
        )
        .then_expect_events(vec![ended(EndReason::Interrupted, true)]);
    }

    #[test]
    fn a_cancel_that_crossed_our_answer_ends_it_unanswered() {
        given::<Call>(
            vec![E::Received(received()), E::Answered { dialog: None }],
            C::End(Ending::because(EndReason::CanceledByCaller)),
        )
        .then_expect_events(vec![E::Ended(Ending::because(EndReason::CanceledByCaller))]);
    }

    #[test]
    fn a_second_end_changes_nothing() {
        let over = vec![E::Received(received()), ended(EndReason::HungUp, false)];
        given::<Call>(over, C::End(Ending::because(EndReason::Interrupted))).then_expect_events(vec![]);
    }

    #[test]
    fn late_ringing_changes_nothing() {
        given::<Call>(
            vec![E::Received(received()), E::Answered { dialog: None }],
            C::Ring { sip_code: 180, invite: None },
        )
        .then_expect_events(vec![]);
    }

    #[test]
    fn a_waiting_call_is_cancelled_at_once() {
        given::<Call>(vec![E::Queued(queued())], C::RequestEnd { status: Status::Canceled })
            .then_expect_events(vec![
                E::EndRequested { status: Status::Canceled },
                ended(EndReason::CanceledByApi, false),
            ]);
    }

    #[test]
    fn an_answered_call_cannot_be_cancelled() {
        let live = vec![E::Received(received()), E::Answered { dialog: None }];
        given::<Call>(live.clone(), C::RequestEnd { status: Status::Canceled })
            .then_expect_error(CallError::AlreadyAnswered);
        given::<Call>(live.clone(), C::RequestEnd { status: Status::Completed })
            .then_expect_events(vec![E::EndRequested { status: Status::Completed }]);
        given::<Call>(live, C::RequestEnd { status: Status::Busy }).then_expect_error(CallError::NotAnEnd);
    }

    #[test]
    fn a_finished_call_is_neither_redirected_nor_claimed() {
        let over = vec![E::Queued(queued()), ended(EndReason::Expired, false)];
        given::<Call>(over.clone(), C::Redirect(Program::Inline("<Response/>".into())))
            .then_expect_error(CallError::NotInProgress);
        given::<Call>(over, C::Claim { node: "a".into() }).then_expect_error(CallError::NotInProgress);
    }

    #[test]
    fn a_finished_call_has_nothing_to_end() {
        let answered =
            vec![E::Received(received()), E::Answered { dialog: None }, ended(EndReason::HungUp, true)];
        let never_placed = vec![E::Queued(queued()), ended(EndReason::Expired, false)];
        for over in [answered, never_placed] {
            for status in [Status::Completed, Status::Canceled] {
                given::<Call>(over.clone(), C::RequestEnd { status }).then_expect_error(CallError::Over);
            }
            given::<Call>(over, C::RequestEnd { status: Status::Busy })
                .then_expect_error(CallError::NotAnEnd);
        }
    }

    #[test]
    fn a_dialled_call_is_redirected_once_it_is_answered() {
        let queued = Queued { direction: Direction::OutboundDial, ..queued() };
        let (program, claim) = (Program::Inline("<Response/>".into()), E::Claimed { node: "a".into() });
        let mut so_far = vec![E::Queued(queued), claim, E::Ringing { sip_code: 180, invite: None }];
        given::<Call>(so_far.clone(), C::Redirect(program.clone()))
            .then_expect_error(CallError::RunsNoProgram);
        so_far.push(E::Answered { dialog: None });
        given::<Call>(so_far, C::Redirect(program.clone())).then_expect_events(vec![E::Redirected(program)]);
    }

    #[test]
    fn only_a_finished_call_is_deleted() {
        given::<Call>(vec![E::Received(received())], C::Delete).then_expect_error(CallError::StillInProgress);
        let over = vec![E::Received(received()), ended(EndReason::HungUp, false)];
        given::<Call>(over.clone(), C::Delete).then_expect_events(vec![E::Deleted {}]);
        let gone: Vec<E> = over.into_iter().chain([E::Deleted {}]).collect();
        given::<Call>(gone, C::Delete).then_expect_error(CallError::NotFound);
    }

    #[test]
    fn what_comes_after_the_end_is_kept() {
        let over = vec![E::Received(received()), ended(EndReason::HungUp, false)];
        given::<Call>(over, C::Warn { code: 15003, message: "callback answered 500".into() })
            .then_expect_events(vec![E::Warned { code: 15003, message: "callback answered 500".into() }]);
    }

    #[test]
    fn nothing_is_reported_about_a_call_that_is_not_there() {
        given::<Call>(vec![], C::Answer).then_expect_error(CallError::NotFound);
        given::<Call>(vec![E::Queued(queued())], C::Receive(received()))
            .then_expect_error(CallError::AlreadyExists);
    }
}
