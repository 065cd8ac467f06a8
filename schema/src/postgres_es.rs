//! The view `events` in the shape of postgres-es 0.5, so that any cqrs-es program can load our aggregates.
//!
//! Events are shown as they were written. A stock repository lifts none, so an event of an earlier version (`event_version`)
//! needs the upcaster that its aggregate has in `domain`.

use crate::Step;

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::Text { sqlite: "", postgres: VIEW }]
}

const VIEW: &str =
    "CREATE VIEW events AS SELECT stream_type AS aggregate_type, stream_id AS aggregate_id, sequence,
  event_type, schema_version::text AS event_version, payload::json AS payload,
  json_build_object('command_id', coalesce(command_id, ''), 'actor', actor_type || ':' || actor_id,
    'at', occurred_at::text, 'position', position::text) AS metadata
FROM es_events";
