//! cqrs-es over our log, and our log under the stock postgres-es.

use cqrs_es::{
    AggregateContext, AggregateError, CqrsFramework, EventStore,
    persist::{PersistedEventRepository, PersistedEventStore},
};
use domain::{Kind, Log};
use postgres_es::PostgresEventRepository;
use std::collections::HashMap;
use store::{
    Events,
    testing::{self, Tally, TallyCommand as C, TallyError, meta, sid},
};

#[tokio::test]
async fn the_framework_of_cqrs_es_runs_over_every_store() {
    for store in testing::stores().await {
        let framework = CqrsFramework::new(Events::<Tally>::new(store.store.clone(), meta()), vec![], ());
        let stream = sid(Kind::Call);
        framework.execute(stream.as_str(), C::Count(2)).await.unwrap();
        let metadata = HashMap::from([("correlation".to_owned(), "request-1".to_owned())]);
        framework.execute_with_metadata(stream.as_str(), C::Add(5), metadata).await.unwrap();
        let refused = framework.execute(stream.as_str(), C::AddUpTo { add: 1, limit: 7 }).await;
        assert!(matches!(refused, Err(AggregateError::UserError(TallyError::Limit))), "{}", store.name);
        let facts = store.read(Log::Core, 0, 10).await.unwrap();
        assert_eq!(facts.len(), 3, "{}", store.name);
        assert_eq!(facts[2].correlation.as_deref(), Some("request-1"));
        let envelopes =
            Events::<Tally>::new(store.store.clone(), meta()).load_events(stream.as_str()).await.unwrap();
        assert_eq!(envelopes.iter().map(|envelope| envelope.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    }
}

#[tokio::test]
async fn a_stale_context_is_an_aggregate_conflict() {
    for store in testing::stores().await {
        let (events, stream) = (Events::<Tally>::new(store.store.clone(), meta()), sid(Kind::Call));
        let stale = events.load_aggregate(stream.as_str()).await.unwrap();
        store.execute::<Tally>(&stream, C::Add(1), &meta()).await.unwrap();
        let conflict = events.commit(vec![testing::TallyEvent::Added(1)], stale, HashMap::new()).await;
        assert!(matches!(conflict, Err(AggregateError::AggregateConflict)), "{}", store.name);
    }
}

#[tokio::test]
async fn stock_postgres_es_loads_an_aggregate_we_wrote() {
    let store = testing::on_postgres().await;
    let stream = sid(Kind::Call);
    store.execute::<Tally>(&stream, C::Count(3), &meta()).await.unwrap();
    store.execute::<Tally>(&stream, C::Hold("one".into()), &meta().once("hold")).await.unwrap();
    let pool = sqlx::PgPool::connect(&store.options.url).await.unwrap();
    let repository = PostgresEventRepository::new(pool);
    let events = repository.get_events::<Tally>(stream.as_str()).await.unwrap();
    assert_eq!(events.len(), 4);
    assert_eq!((events[3].event_type.as_str(), events[3].event_version.as_str()), ("Held", "1"));
    assert_eq!(events[3].metadata["command_id"], "hold");
    let stock = PersistedEventStore::<_, Tally>::new_event_store(repository);
    let mut context = stock.load_aggregate(stream.as_str()).await.unwrap();
    assert_eq!(*context.aggregate(), store.load::<Tally>(&stream).await.unwrap().aggregate);
}
