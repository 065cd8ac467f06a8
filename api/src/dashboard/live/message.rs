//! The messages of the live WebSocket.

use crate::carrier::{Call, TimelineEntry};
use poem_openapi::types::ToJSON;
use projections::{Change, ChangeKind, Topic};
use serde::Deserialize;
use serde_json::{Value, json};

/// What a page asks for.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Ask {
    /// Tell everything that happens to this.
    Subscribe {
        /// `call`.
        subscribe: Noun,
        /// Its SID.
        id: String,
    },
    /// No more.
    Unsubscribe {
        /// `call`.
        unsubscribe: Noun,
        /// Its SID.
        id: String,
    },
}

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Noun {
    /// A call with its timeline.
    Call,
}

/// Said first, once every later change will be told.
pub(super) fn hello(position: &str) -> Value {
    json!({ "type": "hello", "position": position })
}

/// Says nothing of where it is in the log, which is everybody's.
pub(super) fn change(change: &Change) -> Value {
    let mut message = json!({
        "type": "change",
        "topic": change.topic,
        "id": change.id,
        "kind": change.kind,
        "event": change.event,
    });
    if let Some(account) = &change.account {
        message["account_sid"] = json!(account);
    }
    message
}

pub(super) fn call(call: &Call) -> Value {
    json!({ "type": "call", "call": call.to_json() })
}

pub(super) fn snapshot(id: &str, call: &Call, timeline: &[Value]) -> Value {
    json!({ "type": "snapshot", "id": id, "call": call.to_json(), "timeline": timeline })
}

pub(super) fn timeline(id: &str, rows: &[Value]) -> Value {
    json!({ "type": "timeline", "id": id, "rows": rows })
}

/// A row of a timeline, as it is in messages.
pub(super) fn row(entry: &TimelineEntry) -> Value {
    entry.to_json().unwrap_or_default()
}

pub(super) fn resync() -> Value {
    json!({ "type": "resync" })
}

pub(super) fn error(code: &str, detail: &str) -> Value {
    json!({ "type": "error", "code": code, "detail": detail })
}

/// Keeps the last change of each row; a row that was made and changed in between counts as made.
pub(super) fn latest(changes: Vec<Change>) -> Vec<Change> {
    let mut kept: Vec<Change> = Vec::new();
    for change in changes {
        match kept.iter_mut().find(|known| known.topic == change.topic && known.id == change.id) {
            Some(known) => {
                let made = known.kind == ChangeKind::Created && change.kind == ChangeKind::Changed;
                let kind = if made { ChangeKind::Created } else { change.kind };
                *known = Change { kind, ..change };
            }
            None => kept.push(change),
        }
    }
    kept
}

/// The calls among them.
pub(super) fn calls(changes: &[Change]) -> impl Iterator<Item = &Change> {
    changes.iter().filter(|change| change.topic == Topic::Calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Kind, Log, Sid};

    fn changed(id: u128, position: i64, kind: ChangeKind) -> Change {
        Change {
            topic: Topic::Calls,
            carrier: Sid::from_uuid(Kind::Carrier, uuid::Uuid::from_u128(1)),
            account: None,
            id: Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(id)),
            position,
            sequence: position,
            kind,
            event: "Answered".into(),
            log: Log::Calls,
        }
    }

    #[test]
    fn many_changes_of_a_row_are_told_as_one() {
        use ChangeKind::{Changed, Created, Removed};
        let changes = vec![
            changed(1, 1, Created),
            changed(2, 2, Changed),
            changed(1, 3, Changed),
            changed(2, 4, Removed),
        ];
        let told: Vec<_> = latest(changes).iter().map(|change| (change.position, change.kind)).collect();
        assert_eq!(told, [(3, Created), (4, Removed)]);
    }

    #[test]
    fn a_change_is_told_without_its_place_in_the_log() {
        let told = change(&changed(1, 7_764, ChangeKind::Created)).to_string();
        assert!(!told.contains("7764"), "{told}");
    }

    #[test]
    fn a_page_asks_for_calls_only() {
        let ask: Ask = serde_json::from_str(r#"{"subscribe":"call","id":"CA1"}"#).unwrap();
        assert_eq!(ask, Ask::Subscribe { subscribe: Noun::Call, id: "CA1".into() });
        assert!(serde_json::from_str::<Ask>(r#"{"subscribe":"carrier","id":"VC1"}"#).is_err());
    }
}
