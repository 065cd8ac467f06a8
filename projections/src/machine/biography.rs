//! How a table's rows come from events: row by row (`Biography`) or one row per event (`Chronicle`).

use super::{pieces::Text, record::Record};
use domain::{Log, Sid, Stream};
use std::collections::HashMap;
use store::{DecodeError, Fact};

/// A table with one row per thing, told by the events of its stream.
pub trait Biography: Record {
    /// Whose events tell it.
    type Of: Stream;

    /// The row this event is about; `None` when it is about none of this table's.
    fn subject(fact: &Fact, event: &<Self::Of as cqrs_es::Aggregate>::Event) -> Option<Sid> {
        let _ = event;
        Some(fact.stream.clone())
    }

    /// Whether rows are found by pieces of their texts.
    const SEARCHED: bool = false;

    /// The texts a row is found by any piece of.
    fn texts(&self) -> Vec<Text> {
        Vec::new()
    }

    /// The row's own identifier.
    fn sid(&self) -> &Sid;

    /// The row after the event; `None` when there is none any more.
    fn turn(row: Option<Self>, fact: &Fact, event: <Self::Of as cqrs_es::Aggregate>::Event) -> Turn<Self>;

    /// Where the row after the event depends on other rows of the table: the column and the value they have in common.
    fn kin(fact: &Fact, event: &<Self::Of as cqrs_es::Aggregate>::Event) -> Option<(&'static str, String)> {
        let _ = (fact, event);
        None
    }

    /// The row after the event, beside `others`, among which are those it depends on.
    fn turn_among(
        row: Option<Self>,
        others: &HashMap<Sid, Self>,
        fact: &Fact,
        event: <Self::Of as cqrs_es::Aggregate>::Event,
    ) -> Turn<Self> {
        let _ = others;
        Self::turn(row, fact, event)
    }
}

/// A row after an event.
pub type Turn<R> = Result<Option<R>, Nonsense>;

/// A table with one row per event of a log.
pub(crate) trait Chronicle: Record {
    /// Whose events it lists.
    const LOG: Log;

    /// The event's row; `None` when it has none.
    fn entry(fact: &Fact) -> Result<Option<Self>, Nonsense>;
}

/// Why an event can't be told: it does not decode, or can't have happened to the row as it stands.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Nonsense {
    /// It does not decode.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// It says what can't have happened now, for example a second birth.
    #[error("{stream}#{sequence} ({event}) can't follow what was told before")]
    OutOfOrder {
        /// The stream.
        stream: Sid,
        /// The event's place in it.
        sequence: i64,
        /// Its type.
        event: String,
    },
    /// The database will not have the row.
    #[error("{stream}#{sequence} ({event}) makes a row the database refuses: {reason}")]
    Unstorable {
        /// The stream.
        stream: Sid,
        /// The event's place in it.
        sequence: i64,
        /// Its type.
        event: String,
        /// What the database says.
        reason: String,
    },
}

impl Nonsense {
    /// This fact can't follow what was told before.
    pub(crate) fn out_of_order(fact: &Fact) -> Nonsense {
        let (stream, event) = (fact.stream.clone(), fact.event_type.clone());
        Nonsense::OutOfOrder { stream, sequence: fact.sequence, event }
    }

    /// The row this fact makes is refused.
    pub(crate) fn unstorable(fact: &Fact, reason: &impl ToString) -> Nonsense {
        let (stream, event) = (fact.stream.clone(), fact.event_type.clone());
        Nonsense::Unstorable { stream, sequence: fact.sequence, event, reason: reason.to_string() }
    }
}
