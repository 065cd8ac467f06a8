//! What changed, told after it can be read: for the WebSocket and for caches.

use crate::{ApiKeyRow, machine::biography::Biography};
use domain::{
    Log, Sid, Stream,
    account::Account,
    call::Call,
    carrier::{Carrier, CarrierEvent},
    phone_number::PhoneNumber,
    trunk::Trunk,
    user::User,
};
use serde::{Deserialize, Serialize};
use store::Fact;

/// Changes a receiver may lag behind before it is told to read everything anew.
pub const MAX_UNSEEN_CHANGES: usize = 4_096;

/// Which table a change is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// `carriers`.
    Carriers,
    /// `api_keys`.
    ApiKeys,
    /// `accounts`.
    Accounts,
    /// `trunks`.
    Trunks,
    /// `phone_numbers`.
    PhoneNumbers,
    /// `users`.
    Users,
    /// `calls` and `call_timeline`.
    Calls,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Created,
    /// It is different.
    Changed,
    /// It is gone.
    Removed,
}

/// A change that can be read now: every table of its log has passed `position`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// In which table.
    pub topic: Topic,
    /// Whose.
    pub carrier: Sid,
    /// The account's, if it is one's.
    pub account: Option<Sid>,
    /// The row.
    pub id: Sid,
    /// The event's place in its log.
    pub position: i64,
    /// The event's place in its stream: for a call, the timeline row.
    pub sequence: i64,
    /// What became of the row.
    pub kind: ChangeKind,
    /// The event's type, for example `Answered`.
    pub event: String,
    /// The log `position` is of.
    pub log: Log,
}

/// What is told about the events of one kind of streams.
struct Told {
    stream_type: &'static str,
    topic: Topic,
    /// Whether the row is gone after this event.
    is_last: fn(&Fact) -> bool,
}

/// The one table of what is told about which events.
const TOLD: &[Told] = &[
    told::<Carrier>(Topic::Carriers),
    told::<Account>(Topic::Accounts),
    told::<Trunk>(Topic::Trunks),
    told::<PhoneNumber>(Topic::PhoneNumbers),
    told::<User>(Topic::Users),
    told::<Call>(Topic::Calls),
];

const fn told<A: Stream>(topic: Topic) -> Told {
    Told { stream_type: A::TYPE, topic, is_last: |fact| A::LAST.is_some() && fact.kind::<A>() == A::LAST }
}

impl Change {
    /// The change an event makes; `None` for kinds of streams without a table.
    pub(crate) fn of(fact: &Fact) -> Option<Change> {
        let told = TOLD.iter().find(|told| told.stream_type == fact.stream_type)?;
        if let Some(Ok(event)) = fact.of::<Carrier>()
            && let Some(key) = ApiKeyRow::subject(fact, &event)
        {
            return Some(Change::of_key(fact, key, &event));
        }
        let kind = match fact.sequence {
            _ if (told.is_last)(fact) => ChangeKind::Removed,
            1 => ChangeKind::Created,
            _ => ChangeKind::Changed,
        };
        Some(Change {
            topic: told.topic,
            carrier: fact.tenant.carrier.clone(),
            account: fact.tenant.account.clone(),
            id: fact.stream.clone(),
            position: fact.position,
            sequence: fact.sequence,
            kind,
            event: fact.event_type.clone(),
            log: fact.log,
        })
    }

    /// A carrier's event that is about one of its keys; a revoked key keeps its row.
    fn of_key(fact: &Fact, id: Sid, event: &CarrierEvent) -> Change {
        let created = matches!(event, CarrierEvent::ApiKeyCreated { .. });
        Change {
            topic: Topic::ApiKeys,
            carrier: fact.tenant.carrier.clone(),
            account: None,
            id,
            position: fact.position,
            sequence: fact.sequence,
            kind: if created { ChangeKind::Created } else { ChangeKind::Changed },
            event: fact.event_type.clone(),
            log: fact.log,
        }
    }
}
