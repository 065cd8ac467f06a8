//! Upcasters: what makes an event written by an older release readable by this one. Each aggregate has its own.
//!
//! They work on JSON, before typed decoding, one version at a time; every version ever written has a frozen sample in
//! schema/events. One event in, one event out.

use crate::EventKind;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Lifts the events of one name and version to the next version. The table of an aggregate's upcasters also says which
/// version it writes: none is raised without a way to read the one before.
pub struct Upcaster<K> {
    /// The name such an event was stored under; that may be no kind's any more.
    pub was: &'static str,
    /// Its version, from 1.
    pub from: i32,
    /// What kind it is from then on; its version is one more.
    pub becomes: K,
    /// Changes what the event says: what is inside `{"<name>": …}`. What has another shape than that version had stays as it
    /// is: typed decoding will say so.
    pub lift: fn(&mut Value),
}

/// An event as stored.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// The event's name.
    pub event_type: &'a str,
    /// Its version.
    pub schema_version: i32,
    /// Its JSON.
    pub payload: &'a str,
}

/// The version in which events of this kind are written.
#[must_use]
pub fn version<K: EventKind>(table: &[Upcaster<K>], kind: K) -> i32 {
    table.iter().filter(|upcaster| upcaster.becomes == kind).map(|last| last.from + 1).max().unwrap_or(1)
}

/// What kind of event one is that was stored under this name and version; `None` of a name no release knew.
#[must_use]
pub fn kind<K: EventKind>(table: &[Upcaster<K>], event_type: &str, schema_version: i32) -> Option<K> {
    match steps(table, event_type, schema_version).last() {
        Some(last) => Some(last.becomes),
        None => event_type.parse().ok(),
    }
}

/// What kind of event bears this name, or bore it in whatever version.
#[must_use]
pub fn named<K: EventKind>(table: &[Upcaster<K>], event_type: &str) -> Option<K> {
    let before = || table.iter().find(|upcaster| upcaster.was == event_type).map(|upcaster| upcaster.becomes);
    event_type.parse().ok().or_else(before)
}

/// The typed event, lifted by `table` as far as it goes. A version newer than this release knows is read as it is.
///
/// # Errors
/// What the JSON or its shape lacks.
pub fn decode<E: DeserializeOwned, K: EventKind>(
    table: &[Upcaster<K>],
    stored: &Stored<'_>,
) -> Result<E, String> {
    let mut steps = steps(table, stored.event_type, stored.schema_version).peekable();
    if steps.peek().is_none() {
        return serde_json::from_str(stored.payload).map_err(|error| error.to_string());
    }
    let mut event: Map<String, Value> =
        serde_json::from_str(stored.payload).map_err(|error| error.to_string())?;
    let mut name = stored.event_type;
    let mut said = event.remove(name).ok_or_else(|| format!("it says nothing under the name {name}"))?;
    for step in steps {
        (step.lift)(&mut said);
        name = step.becomes.name();
    }
    serde_json::from_value(json!({ name: said })).map_err(|error| error.to_string())
}

/// The upcasters such an event goes through, in order.
fn steps<'t, K: EventKind>(
    table: &'t [Upcaster<K>],
    event_type: &str,
    schema_version: i32,
) -> impl Iterator<Item = &'t Upcaster<K>> {
    let find = move |name: &str, from: i32| table.iter().find(|u| u.was == name && u.from == from);
    std::iter::successors(find(event_type, schema_version), move |step| {
        find(step.becomes.name(), step.from + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, PartialEq, Debug, strum::EnumDiscriminants)]
    #[strum_discriminants(
        name(EventKindOfTest),
        derive(Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)
    )]
    enum Event {
        Ended { reason: String, at: i64 },
        Begun {},
    }

    impl EventKind for EventKindOfTest {
        const ALL: &'static [EventKindOfTest] = <EventKindOfTest as strum::VariantArray>::VARIANTS;
    }

    use EventKindOfTest as K;

    const TABLE: &[Upcaster<K>] = &[
        Upcaster { was: "HungUp", from: 1, becomes: K::Ended, lift: |_| {} },
        Upcaster { was: "Ended", from: 2, becomes: K::Ended, lift: |event| event["at"] = json!(0) },
    ];

    const OLDEST: Stored<'_> = stored("HungUp", 1, r#"{"HungUp":{"reason":"busy"}}"#);
    const MIDDLE: Stored<'_> = stored("Ended", 2, r#"{"Ended":{"reason":"busy"}}"#);
    const NEWEST: Stored<'_> = stored("Ended", 3, r#"{"Ended":{"reason":"busy","at":0}}"#);

    const fn stored(event_type: &'static str, schema_version: i32, payload: &'static str) -> Stored<'static> {
        Stored { event_type, schema_version, payload }
    }

    #[test]
    fn an_old_event_is_lifted_version_by_version() {
        let ended = Event::Ended { reason: "busy".into(), at: 0 };
        for event in [OLDEST, MIDDLE, NEWEST] {
            assert_eq!(decode::<Event, K>(TABLE, &event).as_ref(), Ok(&ended));
            assert_eq!(kind(TABLE, event.event_type, event.schema_version), Some(K::Ended));
        }
    }

    #[test]
    fn what_is_written_has_the_version_that_the_last_upcaster_makes() {
        assert_eq!((version(TABLE, K::Ended), version(TABLE, K::Begun)), (3, 1));
    }

    #[test]
    fn a_version_from_the_future_is_read_as_it_is() {
        let later = stored("Ended", 4, r#"{"Ended":{"reason":"busy","at":7,"by":"whom"}}"#);
        assert_eq!(decode(TABLE, &later), Ok(Event::Ended { reason: "busy".into(), at: 7 }));
    }

    #[test]
    fn a_name_is_known_by_whatever_version_bore_it() {
        assert_eq!(named(TABLE, "HungUp"), Some(K::Ended));
        assert_eq!(named(TABLE, "Begun"), Some(K::Begun));
        assert_eq!(named(TABLE, "Paused"), None);
        assert_eq!(kind(TABLE, "HungUp", 2), None, "no release wrote that");
    }

    #[test]
    fn a_shape_nobody_knows_is_an_error() {
        let read = |event| decode::<Event, K>(TABLE, &event).unwrap_err();
        assert!(read(stored("Ended", 3, r#"{"Ended":{}}"#)).contains("reason"));
        assert!(read(stored("HungUp", 1, "not json")).contains("expected"));
        assert!(read(stored("HungUp", 1, r#"{"Ended":{}}"#)).contains("HungUp"));
    }
}
