//! Triggers that refuse to change or remove events and seals, for whoever comes past the grants.

use crate::Step;

pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step::Text { sqlite: "", postgres: REFUSE },
        guard(EVENTS_SQLITE_UPDATE, EVENTS_POSTGRES),
        guard(EVENTS_SQLITE_DELETE, EVENTS_POSTGRES_TRUNCATE),
        guard(SEALS_SQLITE_UPDATE, SEALS_POSTGRES),
        guard(SEALS_SQLITE_DELETE, SEALS_POSTGRES_TRUNCATE),
    ]
}

fn guard(sqlite: &'static str, postgres: &'static str) -> Step {
    Step::Text { sqlite, postgres }
}

const REFUSE: &str = "CREATE FUNCTION es_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$";

const EVENTS_SQLITE_UPDATE: &str = "CREATE TRIGGER es_events_no_update BEFORE UPDATE ON es_events
BEGIN SELECT RAISE(ABORT, 'es_events is append-only'); END";
const EVENTS_SQLITE_DELETE: &str = "CREATE TRIGGER es_events_no_delete BEFORE DELETE ON es_events
BEGIN SELECT RAISE(ABORT, 'es_events is append-only'); END";
const SEALS_SQLITE_UPDATE: &str = "CREATE TRIGGER es_seals_no_update BEFORE UPDATE ON es_seals
BEGIN SELECT RAISE(ABORT, 'es_seals is append-only'); END";
const SEALS_SQLITE_DELETE: &str = "CREATE TRIGGER es_seals_no_delete BEFORE DELETE ON es_seals
BEGIN SELECT RAISE(ABORT, 'es_seals is append-only'); END";

const EVENTS_POSTGRES: &str = "CREATE TRIGGER es_events_no_change BEFORE UPDATE OR DELETE ON es_events
FOR EACH ROW EXECUTE FUNCTION es_refuse()";
const EVENTS_POSTGRES_TRUNCATE: &str = "CREATE TRIGGER es_events_no_truncate BEFORE TRUNCATE ON es_events
FOR EACH STATEMENT EXECUTE FUNCTION es_refuse()";
const SEALS_POSTGRES: &str = "CREATE TRIGGER es_seals_no_change BEFORE UPDATE OR DELETE ON es_seals
FOR EACH ROW EXECUTE FUNCTION es_refuse()";
const SEALS_POSTGRES_TRUNCATE: &str = "CREATE TRIGGER es_seals_no_truncate BEFORE TRUNCATE ON es_seals
FOR EACH STATEMENT EXECUTE FUNCTION es_refuse()";
