//! `calls`: one row per call, as both APIs and the dashboard show it.

use crate::machine::{
    biography::{Biography, Nonsense, Turn},
    reads::{Noun, present},
    record::{is, table},
};
use domain::{
    Number, Sid, Timestamp,
    call::{
        Call, CallEvent, Direction, EndReason, Ending, MediaSummary, Purpose, Queued, Received, Status,
        Trouble,
    },
    country::Country,
};
use sea_query::{Cond, Expr, ExprTrait};
use serde::{Deserialize, Serialize};
use store::Fact;

/// A call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallRow {
    /// Its identifier.
    pub sid: Sid,
    /// The carrier it is made under.
    pub carrier: Sid,
    /// The account that has it; empty for one that came to a number nobody has.
    pub account: Option<Sid>,
    /// The call whose `<Dial>` it is.
    pub parent: Option<Sid>,
    /// Which way it went.
    pub direction: Direction,
    /// Who calls: E.164 with plus, a short code, or what the network said.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// Our number in it, if it is in the inventory.
    pub phone_number: Option<Sid>,
    /// The trunk it came from or went through, once that is known.
    pub trunk: Option<Sid>,
    /// Twilio's word for how far it is.
    pub status: Status,
    /// Why it is over, once it is.
    pub reason: Option<EndReason>,
    /// The final SIP response's code, when there was one.
    pub sip_code: Option<i64>,
    /// More about its end, for a person.
    pub detail: Option<String>,
    /// When it was queued or received.
    pub created_at: Timestamp,
    /// When its INVITE left or came in (Twilio's `start_time`).
    pub started_at: Option<Timestamp>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// From answer to end in whole seconds, rounded up; empty while it lasts and when it was never answered.
    pub duration_s: Option<i64>,
    /// How long it waited in the queue, in milliseconds; 0 for calls that came in.
    pub queue_time_ms: i64,
    /// The node that has it.
    pub claimed_by: Option<String>,
    /// The SIP Call-ID, once there is one.
    pub sip_call_id: Option<String>,
    /// The call it is bridged with now.
    pub bridged_with: Option<Sid>,
    /// `PCMU` or `PCMA`.
    pub codec: Option<String>,
    /// Interarrival jitter of what we received, in milliseconds.
    pub jitter_ms: Option<f64>,
    /// Of the packets meant for us, those that never came, in per cent.
    pub loss_percent: Option<f64>,
    /// Round trip by RTCP, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Mean opinion score, 1.0 to 4.5.
    pub mos: Option<f64>,
    /// Warnings and failed webhooks on its timeline.
    pub warnings: i64,
    /// Whether something went wrong with it that Twilio's status may not say: its application could not be asked, or it
    /// ended otherwise than people or programs meant it to.
    pub troubled: bool,
    /// Whether it was deleted; such calls are in no list that does not ask for them.
    pub deleted: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How many events it has had: what it is changed at.
    pub version: i64,
}

table!(CallRow: "calls" v 6, key [sid],
    columns [sid, carrier, account, parent, direction, from, to, phone_number, trunk, status, reason, sip_code, detail,
        created_at, started_at, answered_at, ended_at, duration_s, queue_time_ms, claimed_by, sip_call_id, bridged_with,
        codec, jitter_ms, loss_percent, rtt_ms, mos, warnings, troubled, deleted, updated_at, version],
    indexes [["carrier", "sid"], ["carrier", "account", "sid"], ["ended_at", "sid"], ["carrier", "ended_at", "sid"],
        ["carrier", "created_at"], ["carrier", "started_at"], ["carrier", "from", "sid"], ["carrier", "to", "sid"],
        ["carrier", "phone_number", "sid"], ["carrier", "trunk", "sid"], ["carrier", "troubled", "sid"],
        ["carrier", "answered_at"], ["parent"]]);

impl Biography for CallRow {
    type Of = Call;

    fn sid(&self) -> &Sid {
        &self.sid
    }

    fn turn(row: Option<CallRow>, fact: &Fact, event: CallEvent) -> Turn<CallRow> {
        use CallEvent as E;
        let at = Some(fact.at);
        let row = match (row, event) {
            (None, E::Received(received)) => CallRow::received(fact, received),
            (None, E::Queued(queued)) => {
                CallRow::queued(fact.stream.clone(), fact.tenant.carrier.clone(), queued, fact.at)
            }
            (Some(row), E::Claimed { node }) => CallRow { claimed_by: Some(node), ..row },
            (Some(row), E::Initiated { trunk, sip_call_id, .. }) => {
                let queue_time_ms = millis(row.created_at, fact.at);
                let (trunk, sip_call_id) = (Some(trunk), Some(sip_call_id));
                CallRow { trunk, sip_call_id, started_at: at, queue_time_ms, ..row }
            }
            (Some(row), E::Rerouted { trunk, sip_call_id, .. }) => {
                let (trunk, sip_call_id) = (Some(trunk), Some(sip_call_id));
                CallRow { trunk, sip_call_id, started_at: row.started_at.or(at), ..row }
            }
            // Nothing left by it, and it is all the same the trunk it was to go by.
            (Some(row), E::AttemptFailed { trunk, .. }) => {
                CallRow { trunk: row.trunk.or(Some(trunk)), ..row }
            }
            (Some(row), E::Ringing { .. }) => CallRow { status: Status::Ringing, ..row },
            (Some(row), E::Answered { .. }) => CallRow { status: Status::InProgress, answered_at: at, ..row },
            (Some(row), E::Exchanged(exchange)) => {
                let failed = exchange.error.is_some();
                let troubled = row.troubled || failed && exchange.purpose != Purpose::StatusCallback;
                CallRow { warnings: row.warnings + i64::from(failed), troubled, ..row }
            }
            (Some(row), E::Warned { .. }) => CallRow { warnings: row.warnings + 1, ..row },
            (Some(row), E::Bridged { with }) => CallRow { bridged_with: Some(with), ..row },
            (Some(row), E::Unbridged { .. }) => CallRow { bridged_with: None, ..row },
            (Some(row), E::Summarized(summary)) => row.summarized(summary),
            (Some(row), E::Ended(ending)) => row.ended(fact.at, ending),
            (Some(row), E::Deleted {}) => CallRow { deleted: true, ..row },
            (
                Some(row),
                E::VerbStarted { .. }
                | E::VerbEnded { .. }
                | E::Pressed { .. }
                | E::Held { .. }
                | E::Moved { .. }
                | E::Redirected(_)
                | E::EndRequested { .. },
            ) => row,
            (None, _) | (Some(_), E::Received(_) | E::Queued(_)) => return Err(Nonsense::out_of_order(fact)),
        };
        Ok(Some(CallRow { updated_at: fact.at, version: fact.sequence, ..row }))
    }
}

impl CallRow {
    /// Whether it is not over yet.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.ended_at.is_none()
    }

    /// What went wrong with it: what ended it, or else an application that could not be asked.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        let ended_by = self.reason.and_then(EndReason::trouble);
        ended_by.or(self.troubled.then_some(Trouble::Application))
    }

    fn received(fact: &Fact, received: Received) -> CallRow {
        CallRow {
            account: received.account,
            phone_number: received.phone_number,
            trunk: Some(received.trunk),
            status: Status::Ringing,
            started_at: Some(fact.at),
            claimed_by: Some(received.node),
            sip_call_id: Some(received.sip_call_id),
            ..CallRow::new(
                (fact.stream.clone(), fact.tenant.carrier.clone()),
                fact.at,
                Direction::Inbound,
                (received.from, received.to),
            )
        }
    }

    /// A call that was just queued.
    #[must_use]
    pub fn queued(sid: Sid, carrier: Sid, queued: Queued, at: Timestamp) -> CallRow {
        CallRow {
            account: Some(queued.account),
            parent: queued.parent,
            phone_number: queued.phone_number,
            ..CallRow::new((sid, carrier), at, queued.direction, (queued.from, queued.to))
        }
    }

    /// A call of which nothing is known but who calls whom.
    fn new(
        (sid, carrier): (Sid, Sid),
        at: Timestamp,
        direction: Direction,
        (from, to): (String, String),
    ) -> CallRow {
        CallRow {
            sid,
            carrier,
            account: None,
            parent: None,
            direction,
            from,
            to,
            phone_number: None,
            trunk: None,
            status: Status::Queued,
            reason: None,
            sip_code: None,
            detail: None,
            created_at: at,
            started_at: None,
            answered_at: None,
            ended_at: None,
            duration_s: None,
            queue_time_ms: 0,
            claimed_by: None,
            sip_call_id: None,
            bridged_with: None,
            codec: None,
            jitter_ms: None,
            loss_percent: None,
            rtt_ms: None,
            mos: None,
            warnings: 0,
            troubled: false,
            deleted: false,
            updated_at: at,
            version: 1,
        }
    }

    fn ended(self, at: Timestamp, ending: Ending) -> CallRow {
        let duration_s = ending.seconds(self.answered_at, at).map(i64::from);
        CallRow {
            status: ending.status,
            reason: Some(ending.reason),
            troubled: self.troubled || ending.reason.trouble().is_some(),
            sip_code: ending.sip_code.map(i64::from),
            detail: ending.detail,
            ended_at: Some(at),
            duration_s,
            bridged_with: None,
            ..self
        }
    }

    fn summarized(self, summary: MediaSummary) -> CallRow {
        let MediaSummary { codec, packets_received, packets_lost, jitter_ms, rtt_ms, mos, .. } = summary;
        let meant_for_us = packets_received.saturating_add(packets_lost);
        let heard = packets_received > 0;
        CallRow {
            codec: Some(codec).filter(|codec| !codec.is_empty()),
            jitter_ms: heard.then_some(jitter_ms),
            loss_percent: (meant_for_us > 0).then(|| packets_lost as f64 * 100.0 / meant_for_us as f64),
            rtt_ms,
            mos: mos.filter(|_| heard),
            ..self
        }
    }
}

fn millis(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.since(from).as_millis()).unwrap_or(i64::MAX)
}

/// Which calls; an absent field asks for nothing. Spans are from (inclusive) until (exclusive).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Exactly this caller, however the number is written; up to ten digits without a plus may be a short code.
    pub from: Option<String>,
    /// Exactly this called party, likewise.
    pub to: Option<String>,
    /// As people of these countries write both, beside E.164.
    pub written_in: Vec<Country>,
    /// Twilio's word for how far it is.
    pub status: Option<Status>,
    /// Which way it went.
    pub direction: Option<Direction>,
    /// Of this account.
    pub account: Option<Sid>,
    /// Dialled by this call.
    pub parent: Option<Sid>,
    /// From or to this number of the inventory.
    pub phone_number: Option<Sid>,
    /// From or through this trunk.
    pub trunk: Option<Sid>,
    /// Not over yet (`true`), or over.
    pub live: Option<bool>,
    /// Something went wrong with it, or nothing.
    pub troubled: Option<bool>,
    /// It was answered, or not.
    pub answered: Option<bool>,
    /// Queued or received no earlier.
    pub created_from: Option<Timestamp>,
    /// Queued or received earlier.
    pub created_until: Option<Timestamp>,
    /// Started no earlier.
    pub started_from: Option<Timestamp>,
    /// Started earlier.
    pub started_until: Option<Timestamp>,
    /// Ended no earlier.
    pub ended_from: Option<Timestamp>,
    /// Ended earlier.
    pub ended_until: Option<Timestamp>,
    /// Deleted ones too.
    pub with_deleted: bool,
}

/// Whatever these digits may be, or the text as it is. One text is an exact place in the index.
fn party(column: &'static str, written: &str, countries: &[Country]) -> Expr {
    let home = countries.iter().map(|country| Number::written_in(written, Some(*country)));
    let read = [Number::short_code(written), written.parse()].into_iter().chain(home);
    let mut parties: Vec<String> = read.flatten().map(|number| number.to_string()).collect();
    parties.sort_unstable();
    parties.dedup();
    match parties.as_slice() {
        [] => is(column, written),
        [only] => is(column, only.as_str()),
        several => Expr::col(column).is_in(several),
    }
}

impl Noun for CallRow {
    type Filter = CallFilter;

    fn served(filter: &CallFilter) -> Cond {
        let sid = |column, value: &Option<Sid>| value.as_ref().map(|sid| is(column, sid.as_str()));
        let from = |column, at: Option<Timestamp>| at.map(|at| Expr::col(column).gte(at.micros()));
        let until = |column, at: Option<Timestamp>| at.map(|at| Expr::col(column).lt(at.micros()));
        Cond::all()
            .add_option(filter.from.as_deref().map(|from| party("from", from, &filter.written_in)))
            .add_option(filter.to.as_deref().map(|to| party("to", to, &filter.written_in)))
            .add_option(sid("account", &filter.account))
            .add_option(sid("parent", &filter.parent))
            .add_option(sid("phone_number", &filter.phone_number))
            .add_option(sid("trunk", &filter.trunk))
            .add_option(filter.live.filter(|live| *live).map(|live| present("ended_at", !live)))
            .add_option(filter.troubled.filter(|wanted| *wanted).map(|troubled| is("troubled", troubled)))
            .add_option(from("created_at", filter.created_from))
            .add_option(until("created_at", filter.created_until))
            .add_option(from("started_at", filter.started_from))
            .add_option(until("started_at", filter.started_until))
            .add_option(from("ended_at", filter.ended_from))
            .add_option(until("ended_at", filter.ended_until))
    }

    fn rest(filter: &CallFilter) -> Cond {
        Cond::all()
            .add_option(filter.status.map(|status| is("status", status.as_str())))
            .add_option(filter.direction.map(|direction| is("direction", direction.as_str())))
            .add_option(filter.live.filter(|live| !live).map(|live| present("ended_at", !live)))
            .add_option(filter.troubled.filter(|wanted| !wanted).map(|troubled| is("troubled", troubled)))
            .add_option(filter.answered.map(|answered| present("answered_at", answered)))
            .add_option((!filter.with_deleted).then(|| is("deleted", false)))
    }

    fn always() -> Cond {
        Cond::all().add(is("deleted", false))
    }
}
