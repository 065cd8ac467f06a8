//! Upcasters: what makes an event written by an older release readable by this one.
//!
//! They work on JSON, before typed decoding, one version at a time; each has a frozen sample in schema/events. One event
//! in, one event out.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Lifts one event type of one aggregate from `from` to the next version.
pub struct Upcaster {
    /// The aggregate's type.
    pub stream_type: &'static str,
    /// The event's type as stored.
    pub event_type: &'static str,
    /// The schema version it lifts.
    pub from: i32,
    /// The event's type from then on.
    pub becomes: &'static str,
    /// Changes the payload.
    pub lift: fn(Value) -> Value,
}

/// Every upcaster there is. No event has changed its meaning yet.
pub const UPCASTERS: &[Upcaster] = &[];

/// An event as stored.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// The aggregate's type.
    pub stream_type: &'a str,
    /// The event's type.
    pub event_type: &'a str,
    /// Its schema version.
    pub schema_version: i32,
    /// Its JSON.
    pub payload: &'a str,
}

/// The typed event, lifted by `table` as far as it goes.
///
/// # Errors
/// What the JSON or its shape lacks.
pub fn decode<E: DeserializeOwned>(table: &[Upcaster], stored: &Stored<'_>) -> Result<E, String> {
    let mut next = find(table, stored.stream_type, stored.event_type, stored.schema_version);
    if next.is_none() {
        return serde_json::from_str(stored.payload).map_err(|error| error.to_string());
    }
    let mut value: Value = serde_json::from_str(stored.payload).map_err(|error| error.to_string())?;
    while let Some(upcaster) = next {
        value = (upcaster.lift)(value);
        next = find(table, stored.stream_type, upcaster.becomes, upcaster.from + 1);
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn find<'t>(table: &'t [Upcaster], stream_type: &str, event_type: &str, from: i32) -> Option<&'t Upcaster> {
    table.iter().find(|u| u.stream_type == stream_type && u.event_type == event_type && u.from == from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(serde::Deserialize, PartialEq, Debug)]
    enum Event {
        Ended { reason: String, at: i64 },
    }

    const TABLE: &[Upcaster] = &[
        Upcaster { stream_type: "call", event_type: "HungUp", from: 1, becomes: "Ended", lift: rename },
        Upcaster { stream_type: "call", event_type: "Ended", from: 2, becomes: "Ended", lift: add_time },
    ];

    fn rename(mut value: Value) -> Value {
        json!({ "Ended": value["HungUp"].take() })
    }

    fn add_time(mut value: Value) -> Value {
        value["Ended"]["at"] = json!(0);
        value
    }

    fn stored(event_type: &'static str, schema_version: i32, payload: &'static str) -> Stored<'static> {
        Stored { stream_type: "call", event_type, schema_version, payload }
    }

    #[test]
    fn an_old_event_is_lifted_version_by_version() {
        let ended = Event::Ended { reason: "busy".into(), at: 0 };
        let oldest = stored("HungUp", 1, r#"{"HungUp":{"reason":"busy"}}"#);
        let middle = stored("Ended", 2, r#"{"Ended":{"reason":"busy"}}"#);
        let newest = stored("Ended", 3, r#"{"Ended":{"reason":"busy","at":0}}"#);
        for event in [oldest, middle, newest] {
            assert_eq!(decode::<Event>(TABLE, &event).as_ref(), Ok(&ended));
        }
    }

    #[test]
    fn a_shape_nobody_knows_is_an_error() {
        assert!(
            decode::<Event>(TABLE, &stored("Ended", 3, r#"{"Ended":{}}"#)).unwrap_err().contains("reason")
        );
        assert!(decode::<Event>(TABLE, &stored("HungUp", 1, "not json")).is_err());
    }
}
