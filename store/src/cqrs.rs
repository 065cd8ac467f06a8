//! cqrs-es over our append path: `Events` is its `EventStore`, so its framework and test kit work unchanged.
//!
//! `Store::execute` goes through the same two steps, load and commit, and says more about the result.

use crate::{
    DecodeError, Fact, Store, StoreError,
    append::{Submission, Verdict, net_claims},
    chain,
    known::At,
    read,
};
use cqrs_es::{AggregateContext, AggregateError, DomainEvent, EventEnvelope, EventStore};
use domain::{Claim, Meta, Sid, Stream};
use std::{collections::HashMap, marker::PhantomData, sync::Arc};

/// The events of the aggregates of one type, as cqrs-es sees them.
pub struct Events<A> {
    store: Store,
    meta: Meta,
    of: PhantomData<fn() -> A>,
}

impl<A: Stream> Events<A> {
    /// Commits are made with `meta`; a `command_id`, `correlation` or `causation` in cqrs-es's own metadata wins.
    #[must_use]
    pub fn new(store: Store, meta: Meta) -> Events<A> {
        Events { store, meta, of: PhantomData }
    }
}

/// An aggregate to be decided on: what cqrs-es hands back at commit.
pub struct Loading<A> {
    pub(crate) stream: Sid,
    /// Handles commands; changed by its own new events.
    pub(crate) decider: A,
    /// The stream as it is; its state and hash go on with each new event, for claims are asked of the state before it.
    pub(crate) at: At<A>,
    /// New events, with the `Meta` each came by.
    events: Vec<Fact>,
    claims: Vec<Claim>,
}

impl<A: Stream> AggregateContext<A> for Loading<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.decider
    }
}

impl<A: Stream> Loading<A> {
    /// Loads a stream for a command of `meta`'s carrier.
    pub(crate) async fn load(
        store: &Store,
        stream: &Sid,
        meta: Option<&Meta>,
    ) -> Result<Loading<A>, StoreError> {
        let history = store.engine().history(stream).await?;
        let mut at = At::<A>::start();
        if let Some(first) = history.first() {
            at.carrier = Some(read::sid(&first.carrier, first.sequence, "carrier")?);
        }
        if meta.is_some_and(|meta| at.is_of_another(&meta.tenant.carrier)) {
            return Err(StoreError::OtherCarrier { stream: stream.clone() });
        }
        for recorded in history {
            at.state.apply(recorded.decode::<A>(stream)?);
            (at.version, at.position, at.hash) = (recorded.sequence, recorded.position, recorded.hash);
        }
        Ok(Loading::from(stream, at))
    }

    /// To decide on a stream that came to this.
    pub(crate) fn from(stream: &Sid, at: At<A>) -> Loading<A> {
        let (stream, decider) = (stream.clone(), at.state.clone());
        Loading { stream, decider, at, events: Vec::new(), claims: Vec::new() }
    }

    /// Lines `events` up behind the stream, each chained to the one before.
    pub(crate) fn add(
        &mut self,
        store: &Store,
        events: Vec<A::Event>,
        meta: &Meta,
    ) -> Result<(), DecodeError> {
        for event in events {
            self.claims.extend(self.at.state.claims(&event));
            let fact = self.fact(store, &event, meta)?;
            self.at.hash = fact.hash;
            self.events.push(fact);
            self.at.state.apply(event);
        }
        Ok(())
    }

    fn fact(&self, store: &Store, event: &A::Event, meta: &Meta) -> Result<Fact, DecodeError> {
        let sequence = self.at.version + 1 + i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        let event_type = event.event_type();
        let payload = serde_json::to_string(event).map_err(|error| {
            let (stream, what) = (self.stream.to_string(), event_type.clone());
            DecodeError { stream, sequence, what, reason: error.to_string() }
        })?;
        let mut fact = Fact {
            log: A::LOG,
            position: 0,
            stream: self.stream.clone(),
            sequence,
            stream_type: A::TYPE.to_owned(),
            tenant: meta.tenant.clone(),
            event_id: store.ids().uuid(),
            event_type,
            schema_version: A::schema_version(event),
            command_id: meta.command_id.clone(),
            correlation: meta.correlation.clone(),
            causation: meta.causation.clone(),
            actor: meta.actor.clone(),
            ip: meta.ip,
            user_agent: meta.user_agent.as_deref().map(|agent| agent.chars().take(USER_AGENT).collect()),
            at: meta.at,
            recorded_at: store.clock().now(),
            payload: Arc::from(payload),
            prev_hash: self.at.hash,
            hash: chain::GENESIS,
        };
        fact.hash = chain::hash(&fact);
        Ok(fact)
    }

    /// What the log is asked to take.
    pub(crate) fn submission(&mut self, carrier: &Sid) -> Submission {
        Submission {
            stream: self.stream.clone(),
            stream_type: A::TYPE,
            carrier: carrier.clone(),
            expected: self.at.version,
            hash: self.at.hash,
            events: std::mem::take(&mut self.events),
            commands: Vec::new(),
            claims: net_claims(std::mem::take(&mut self.claims)),
        }
    }
}

/// Characters of a user agent that are kept.
const USER_AGENT: usize = 256;

impl<A: Stream> EventStore<A> for Events<A> {
    type AC = Loading<A>;

    async fn load_events(&self, id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let stream = parse(id)?;
        let facts = self.store.stream(&stream).await.map_err(unavailable)?;
        facts
            .iter()
            .map(|fact| envelope(fact).map_err(|error| AggregateError::DeserializationError(error.into())))
            .collect()
    }

    async fn load_aggregate(&self, id: &str) -> Result<Loading<A>, AggregateError<A::Error>> {
        Loading::load(&self.store, &parse(id)?, Some(&self.meta)).await.map_err(unavailable)
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        mut context: Loading<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let mut meta = self.meta.clone();
        let given = |name: &str, ours: &Option<String>| metadata.get(name).cloned().or_else(|| ours.clone());
        meta.command_id = given("command_id", &meta.command_id);
        meta.correlation = given("correlation", &meta.correlation);
        meta.causation = given("causation", &meta.causation);
        context.add(&self.store, events, &meta).map_err(|error| unavailable(error.into()))?;
        let submission = context.submission(&meta.tenant.carrier);
        let committed = submission.events.clone();
        if committed.is_empty() {
            return Ok(Vec::new());
        }
        match self.store.submit(A::LOG, submission).await.map_err(unavailable)? {
            Verdict::Appended { .. } => {
                let envelopes = committed.iter().map(envelope).collect::<Result<_, _>>();
                envelopes.map_err(|error: DecodeError| AggregateError::DeserializationError(error.into()))
            }
            _ => Err(AggregateError::AggregateConflict),
        }
    }
}

fn envelope<A: Stream>(fact: &Fact) -> Result<EventEnvelope<A>, DecodeError> {
    let pairs = [
        ("command_id", fact.command_id.clone()),
        ("correlation", fact.correlation.clone()),
        ("actor", Some(format!("{}:{}", fact.actor.kind(), fact.actor.id()))),
        ("at", Some(fact.at.to_string())),
    ];
    let metadata = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let sequence = usize::try_from(fact.sequence).unwrap_or_default();
    Ok(EventEnvelope {
        aggregate_id: fact.stream.to_string(),
        sequence,
        payload: fact.decode::<A>()?,
        metadata,
    })
}

fn parse<E: std::error::Error>(id: &str) -> Result<Sid, AggregateError<E>> {
    id.parse().map_err(|error: domain::sid::InvalidSid| AggregateError::UnexpectedError(error.into()))
}

fn unavailable<E: std::error::Error>(error: StoreError) -> AggregateError<E> {
    match error {
        StoreError::Decode(error) => AggregateError::DeserializationError(error.into()),
        error => AggregateError::DatabaseConnectionError(error.into()),
    }
}

impl<A: Stream> Loading<A> {
    /// The stream with its new events, appended by `carrier` up to this version and position.
    pub(crate) fn appended(self, carrier: &Sid, version: i64, position: i64) -> At<A> {
        let carrier = self.at.carrier.or_else(|| Some(carrier.clone()));
        At { carrier, version, position, ..self.at }
    }
}
