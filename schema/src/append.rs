//! The append as one PostgreSQL function: one round trip per batch, every check and every row in one transaction.
//!
//! The portable statements of the store do the same thing one by one; the contract suite holds this function to them.
//! Plans are pinned: plpgsql would keep those it made while the tables were empty, when scanning them whole looked cheap,
//! and would plan anew for every batch's arrays (a third of a small append's time).
//! `LATERAL … LIMIT 1` leaves no other way than by the key.

use crate::Step;
use std::sync::LazyLock;

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::Text { sqlite: "", postgres: APPEND_FUNCTION }]
}

pub(crate) fn one_by_its_keys() -> Vec<Step> {
    vec![Step::Text { sqlite: "", postgres: APPEND_ONE }]
}

/// The append with a proof beside each command id, and ids that stay taken until their row is gone: whoever sets an expiry
/// back does not free one. The functions before it stay for processes of the release before, whose rows prove nothing.
pub(crate) fn with_proofs() -> Vec<Step> {
    vec![
        Step::Text {
            sqlite: "ALTER TABLE es_commands ADD COLUMN proof blob",
            postgres: "ALTER TABLE es_commands ADD COLUMN proof bytea",
        },
        Step::Text { sqlite: "", postgres: BATCH_WITH_PROOFS.as_str() },
        Step::Text { sqlite: "", postgres: ONE_WITH_PROOFS.as_str() },
    ]
}

/// The same, where no event is appended behind a head that was moved on: the gap would stay. Refused as a value is (SQLSTATE
/// 23000), so that the store says what is wrong.
pub(crate) fn behind_the_last_event() -> Vec<Step> {
    vec![
        Step::Text { sqlite: "", postgres: BATCH_BEHIND_THE_LAST.as_str() },
        Step::Text { sqlite: "", postgres: ONE_BEHIND_THE_LAST.as_str() },
    ]
}

/// `es_append`: a batch in, one row per submission out (`verdict`: 0 appended, 1 version conflict, 2 command seen
/// before, 3 claim taken with `detail` the claim's index). `s_` arrays hold one element per submission, `e_` per event,
/// `c_` per command id, `k_` per claim; `_sub` names the submission, counted from 1. No stream, claim or command id
/// occurs twice in a batch. A log without a row in `es_heads` is an error.
pub const APPEND_FUNCTION: &str = r"CREATE FUNCTION es_append(p_log text, p_now bigint,
  s_stream text[], s_type text[], s_carrier text[], s_expected bigint[], s_count bigint[], s_hash bytea[],
  e_sub bigint[], e_sequence bigint[], e_account text[], e_id text[], e_type text[], e_version bigint[],
  e_command text[], e_correlation text[], e_causation text[], e_actor_type text[], e_actor_id text[],
  e_ip text[], e_agent text[], e_at bigint[], e_recorded bigint[], e_payload text[], e_prev bytea[], e_hash bytea[],
  c_sub bigint[], c_id text[], c_digest bytea[], c_expires bigint[],
  k_sub bigint[], k_scope text[], k_key text[], k_takes bool[], k_holds bool[])
RETURNS TABLE(sub bigint, verdict bigint, detail bigint, last_position bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_material = off SET jit = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  head bigint;
  total bigint;
  n int := cardinality(s_stream);
  verdicts bigint[] := array_fill(0::bigint, ARRAY[n]);
  details bigint[] := array_fill(0::bigint, ARRAY[n]);
  lasts bigint[];
  bases bigint[];
  r record;
BEGIN
  SELECT h.position INTO head FROM es_heads h WHERE h.log = p_log FOR UPDATE;
  IF head IS NULL THEN RAISE EXCEPTION 'no head row for log %', p_log; END IF;

  IF cardinality(k_sub) > 0 THEN
    FOR r IN SELECT k.k_sub AS i, min(k.n) AS n
        FROM unnest(k_sub, k_scope, k_key, k_takes) WITH ORDINALITY AS k(k_sub, scope, key, takes, n)
        CROSS JOIN LATERAL (SELECT c.stream_id FROM es_claims c
          WHERE c.key = k.key AND c.scope = k.scope AND c.log = p_log LIMIT 1) held
        WHERE k.takes AND held.stream_id <> s_stream[k.k_sub] GROUP BY k.k_sub LOOP
      verdicts[r.i] := 3; details[r.i] := r.n;
    END LOOP;
  END IF;
  FOR r IN SELECT s.i, coalesce(t.version, 0) AS version
      FROM unnest(s_stream, s_expected) WITH ORDINALITY AS s(stream, expected, i)
      LEFT JOIN LATERAL (SELECT t.version FROM es_streams t WHERE t.stream_id = s.stream LIMIT 1) t ON true
      WHERE coalesce(t.version, 0) <> s.expected LOOP
    verdicts[r.i] := 1; details[r.i] := r.version;
  END LOOP;
  IF cardinality(c_sub) > 0 THEN
    FOR r IN SELECT c.c_sub AS i, l.expires_at FROM unnest(c_sub, c_id) AS c(c_sub, id)
        CROSS JOIN LATERAL (SELECT l.expires_at FROM es_commands l
          WHERE l.command_id = c.id AND l.log = p_log LIMIT 1) l LOOP
      IF r.expires_at > p_now THEN verdicts[r.i] := 2; END IF;
    END LOOP;
  END IF;

  SELECT array_agg(head + b.upto - b.count ORDER BY b.i),
         array_agg(CASE WHEN b.total > 0 THEN head + b.upto ELSE coalesce(b.position, 0) END ORDER BY b.i),
         coalesce(max(b.upto), 0)
    INTO bases, lasts, total
    FROM (SELECT s.i, s.count AS total, t.position,
            CASE WHEN verdicts[s.i] = 0 THEN s.count ELSE 0 END AS count,
            sum(CASE WHEN verdicts[s.i] = 0 THEN s.count ELSE 0 END) OVER (ORDER BY s.i)::bigint AS upto
          FROM unnest(s_stream, s_count) WITH ORDINALITY AS s(stream, count, i)
          LEFT JOIN LATERAL (SELECT t.position FROM es_streams t
            WHERE s.count = 0 AND t.stream_id = s.stream LIMIT 1) t ON true) b;

  INSERT INTO es_events (log, position, stream_id, sequence, stream_type, carrier, account, event_id, event_type,
      schema_version, command_id, correlation_id, causation_id, actor_type, actor_id, ip, user_agent, occurred_at,
      recorded_at, payload, prev_hash, hash)
    SELECT p_log, bases[e.sub] + e.sequence - s_expected[e.sub], s_stream[e.sub], e.sequence, s_type[e.sub],
      s_carrier[e.sub], e.account, e.id, e.type, e.version, e.command, e.correlation, e.causation, e.actor_type,
      e.actor_id, e.ip, e.agent, e.at, e.recorded, e.payload, e.prev, e.hash
    FROM unnest(e_sub, e_sequence, e_account, e_id, e_type, e_version, e_command, e_correlation, e_causation,
      e_actor_type, e_actor_id, e_ip, e_agent, e_at, e_recorded, e_payload, e_prev, e_hash)
      AS e(sub, sequence, account, id, type, version, command, correlation, causation,
        actor_type, actor_id, ip, agent, at, recorded, payload, prev, hash)
    WHERE verdicts[e.sub] = 0;

  INSERT INTO es_streams AS t (stream_id, log, stream_type, carrier, version, position, hash)
    SELECT s.stream, p_log, s.type, s.carrier, s.expected + s.count, lasts[s.i], s.hash
    FROM unnest(s_stream, s_type, s_carrier, s_expected, s_count, s_hash) WITH ORDINALITY
      AS s(stream, type, carrier, expected, count, hash, i)
    WHERE verdicts[s.i] = 0 AND s.count > 0
    ON CONFLICT (stream_id) DO UPDATE
      SET version = excluded.version, position = excluded.position, hash = excluded.hash;

  IF cardinality(c_sub) > 0 THEN
    INSERT INTO es_commands AS l (log, command_id, carrier, stream_id, digest, version, position, expires_at)
      SELECT p_log, c.id, s_carrier[c.sub], s_stream[c.sub], c.digest, s_expected[c.sub] + s_count[c.sub],
        lasts[c.sub], c.expires
      FROM unnest(c_sub, c_id, c_digest, c_expires) AS c(sub, id, digest, expires) WHERE verdicts[c.sub] = 0
      ON CONFLICT (log, command_id) DO UPDATE SET carrier = excluded.carrier, stream_id = excluded.stream_id,
        digest = excluded.digest, version = excluded.version, position = excluded.position,
        expires_at = excluded.expires_at;
  END IF;

  IF cardinality(k_sub) > 0 THEN
    DELETE FROM es_claims c USING unnest(k_sub, k_scope, k_key, k_holds) AS k(sub, scope, key, holds)
      WHERE c.log = p_log AND c.scope = k.scope AND c.key = k.key AND c.stream_id = s_stream[k.sub]
        AND verdicts[k.sub] = 0 AND NOT k.holds;
    INSERT INTO es_claims (log, scope, key, stream_id)
      SELECT p_log, k.scope, k.key, s_stream[k.sub]
      FROM unnest(k_sub, k_scope, k_key, k_holds) AS k(sub, scope, key, holds)
      WHERE verdicts[k.sub] = 0 AND k.holds
      ON CONFLICT (log, scope, key) DO NOTHING;
  END IF;

  IF total > 0 THEN UPDATE es_heads h SET position = head + total WHERE h.log = p_log; END IF;
  RETURN QUERY SELECT i::bigint, verdicts[i], details[i], lasts[i] FROM generate_subscripts(verdicts, 1) AS i;
END $$";

/// The same for what is asked most: one submission of a few events, with one command id at most and no claims. Sets and their
/// arrays cost it half its time; here are rows by their keys. Anything else goes the way of sets, `es_append_batch`. The
/// head moves first and back again on a refusal: nobody sees it meanwhile, and an append touches it once.
const APPEND_ONE: &str = r"ALTER FUNCTION es_append RENAME TO es_append_batch;
CREATE FUNCTION es_append(p_log text, p_now bigint,
  s_stream text[], s_type text[], s_carrier text[], s_expected bigint[], s_count bigint[], s_hash bytea[],
  e_sub bigint[], e_sequence bigint[], e_account text[], e_id text[], e_type text[], e_version bigint[],
  e_command text[], e_correlation text[], e_causation text[], e_actor_type text[], e_actor_id text[],
  e_ip text[], e_agent text[], e_at bigint[], e_recorded bigint[], e_payload text[], e_prev bytea[], e_hash bytea[],
  c_sub bigint[], c_id text[], c_digest bytea[], c_expires bigint[],
  k_sub bigint[], k_scope text[], k_key text[], k_takes bool[], k_holds bool[])
RETURNS TABLE(sub bigint, verdict bigint, detail bigint, last_position bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  events bigint := s_count[1];
  head bigint;
  version bigint;
  is_known bool;
  expires bigint;
  refused bigint := 0;
BEGIN
  IF cardinality(s_stream) <> 1 OR events NOT BETWEEN 1 AND 8 OR cardinality(c_sub) > 1 OR cardinality(k_sub) > 0 THEN
    RETURN QUERY SELECT * FROM es_append_batch(p_log, p_now, s_stream, s_type, s_carrier, s_expected, s_count, s_hash,
      e_sub, e_sequence, e_account, e_id, e_type, e_version, e_command, e_correlation, e_causation, e_actor_type,
      e_actor_id, e_ip, e_agent, e_at, e_recorded, e_payload, e_prev, e_hash, c_sub, c_id, c_digest, c_expires,
      k_sub, k_scope, k_key, k_takes, k_holds);
    RETURN;
  END IF;

  UPDATE es_heads h SET position = h.position + events WHERE h.log = p_log RETURNING h.position - events INTO head;
  IF head IS NULL THEN RAISE EXCEPTION 'no head row for log %', p_log; END IF;
  SELECT t.version INTO version FROM es_streams t WHERE t.stream_id = s_stream[1];
  is_known := FOUND;
  IF coalesce(version, 0) <> s_expected[1] THEN refused := 1; END IF;
  IF cardinality(c_sub) = 1 THEN
    SELECT l.expires_at INTO expires FROM es_commands l WHERE l.log = p_log AND l.command_id = c_id[1];
    IF expires > p_now THEN refused := 2; END IF;
  END IF;
  IF refused <> 0 THEN
    UPDATE es_heads h SET position = head WHERE h.log = p_log;
    RETURN QUERY SELECT 1::bigint, refused, coalesce(version, 0), head;
    RETURN;
  END IF;

  FOR i IN 1..events LOOP
    INSERT INTO es_events (log, position, stream_id, sequence, stream_type, carrier, account, event_id, event_type,
        schema_version, command_id, correlation_id, causation_id, actor_type, actor_id, ip, user_agent, occurred_at,
        recorded_at, payload, prev_hash, hash)
      VALUES (p_log, head + e_sequence[i] - s_expected[1], s_stream[1], e_sequence[i], s_type[1], s_carrier[1],
        e_account[i], e_id[i], e_type[i], e_version[i], e_command[i], e_correlation[i], e_causation[i],
        e_actor_type[i], e_actor_id[i], e_ip[i], e_agent[i], e_at[i], e_recorded[i], e_payload[i], e_prev[i], e_hash[i]);
  END LOOP;
  IF is_known THEN
    UPDATE es_streams t SET version = s_expected[1] + events, position = head + events, hash = s_hash[1]
      WHERE t.stream_id = s_stream[1];
  ELSE
    INSERT INTO es_streams (stream_id, log, stream_type, carrier, version, position, hash)
      VALUES (s_stream[1], p_log, s_type[1], s_carrier[1], events, head + events, s_hash[1]);
  END IF;
  IF cardinality(c_sub) = 1 THEN
    INSERT INTO es_commands AS l (log, command_id, carrier, stream_id, digest, version, position, expires_at)
      VALUES (p_log, c_id[1], s_carrier[1], s_stream[1], c_digest[1], s_expected[1] + events, head + events, c_expires[1])
      ON CONFLICT (log, command_id) DO UPDATE SET carrier = excluded.carrier, stream_id = excluded.stream_id,
        digest = excluded.digest, version = excluded.version, position = excluded.position,
        expires_at = excluded.expires_at;
  END IF;
  RETURN QUERY SELECT 1::bigint, 0::bigint, 0::bigint, head + events;
END $$";

/// `APPEND_FUNCTION` under the name it has had since, with `c_proof`.
static BATCH_WITH_PROOFS: LazyLock<String> = LazyLock::new(|| {
    proving(APPEND_FUNCTION)
        .replace("CREATE FUNCTION es_append(", "CREATE FUNCTION es_append_batch(")
        .replace("SELECT c.c_sub AS i, l.expires_at FROM", "SELECT c.c_sub AS i FROM")
        .replace("SELECT l.expires_at FROM es_commands l", "SELECT 1 FROM es_commands l")
        .replace("IF r.expires_at > p_now THEN verdicts[r.i] := 2; END IF;", "verdicts[r.i] := 2;")
        .replace("c.digest, s_expected[c.sub]", "c.digest, c.proof, s_expected[c.sub]")
        .replace(
            "unnest(c_sub, c_id, c_digest, c_expires)",
            "unnest(c_sub, c_id, c_digest, c_expires, c_proof)",
        )
        .replace("AS c(sub, id, digest, expires)", "AS c(sub, id, digest, expires, proof)")
});

/// `APPEND_ONE`'s function, with `c_proof`.
static ONE_WITH_PROOFS: LazyLock<String> = LazyLock::new(|| {
    proving(APPEND_ONE)
        .replace("ALTER FUNCTION es_append RENAME TO es_append_batch;", "")
        .replace(
            "c_sub, c_id, c_digest, c_expires,\n      k_sub",
            "c_sub, c_id, c_digest, c_expires, c_proof,\n      k_sub",
        )
        .replace("IF expires > p_now THEN refused := 2; END IF;", "IF FOUND THEN refused := 2; END IF;")
        .replace("c_digest[1], s_expected[1] + events", "c_digest[1], c_proof[1], s_expected[1] + events")
});

fn proving(function: &str) -> String {
    function
        .replace("c_expires bigint[],\n", "c_expires bigint[], c_proof bytea[],\n")
        .replace("digest, version, position, expires_at)", "digest, proof, version, position, expires_at)")
        .replace("digest = excluded.digest,", "digest = excluded.digest, proof = excluded.proof,")
}

static BATCH_BEHIND_THE_LAST: LazyLock<String> = LazyLock::new(|| behind_the_last(&BATCH_WITH_PROOFS));
static ONE_BEHIND_THE_LAST: LazyLock<String> = LazyLock::new(|| behind_the_last(&ONE_WITH_PROOFS));

fn behind_the_last(function: &str) -> String {
    const HEAD: &str = "  IF head IS NULL THEN RAISE EXCEPTION 'no head row for log %', p_log; END IF;\n";
    const CHECK: &str = "  IF head > 0 AND NOT EXISTS (SELECT 1 FROM es_events e WHERE e.log = p_log AND e.position = head) THEN
    RAISE EXCEPTION 'no event at the head of log %', p_log USING ERRCODE = '23000';
  END IF;\n";
    function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(HEAD, &[HEAD, CHECK].concat())
}
