//! Appending: versions, batches, command ids, claims.

use cqrs_es::Aggregate;
use domain::{Kind, Log};
use futures_util::FutureExt;
use store::{
    Appended, ExecuteError, Store,
    testing::{self, Tally, TallyCommand as C, TestStore, meta, sid},
};
use tokio::task::JoinSet;

async fn add(store: &TestStore, number: i64) -> Appended {
    store.execute::<Tally>(&sid(Kind::Call), C::Add(number), &meta()).await.unwrap()
}

#[tokio::test]
async fn a_command_becomes_events_with_contiguous_positions() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        let first = store.execute::<Tally>(&stream, C::Count(3), &meta()).await.unwrap();
        assert_eq!((first.version, first.position, first.replayed), (3, 3, false), "{}", store.name);
        let second = store.execute::<Tally>(&stream, C::Add(10), &meta()).await.unwrap();
        assert_eq!((second.version, second.position), (4, 4), "{}", store.name);
        let loaded = store.load::<Tally>(&stream).await.unwrap();
        assert_eq!((loaded.aggregate.sum, loaded.version, loaded.position), (13, 4, 4), "{}", store.name);
        let facts = store.read(Log::Core, 0, 10).await.unwrap();
        assert_eq!(
            facts.iter().map(|fact| fact.position).collect::<Vec<_>>(),
            [1, 2, 3, 4],
            "{}",
            store.name
        );
        assert_eq!(facts, store.stream(&stream).await.unwrap(), "{}", store.name);
        assert_eq!(store.head(Log::Core).await.unwrap(), 4, "{}", store.name);
        assert_eq!(store.head(Log::Calls).await.unwrap(), 0, "{}", store.name);
    }
}

#[tokio::test]
async fn a_command_without_events_changes_nothing() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        let nothing = store.execute::<Tally>(&stream, C::Nothing, &meta()).await.unwrap();
        assert_eq!((nothing.version, nothing.position), (0, 0));
        add(&store, 1).await;
        let once = store.execute::<Tally>(&stream, C::Nothing, &meta().once("idle")).await.unwrap();
        assert_eq!((once.version, once.position, once.replayed), (0, 0, false), "{}", store.name);
        let again = store.execute::<Tally>(&stream, C::Nothing, &meta().once("idle")).await.unwrap();
        assert!(again.replayed, "{}", store.name);
        assert_eq!(store.head(Log::Core).await.unwrap(), 1, "{}", store.name);
    }
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_and_appends_nothing() {
    for store in testing::stores().await {
        let refused =
            store.execute::<Tally>(&sid(Kind::Call), C::AddUpTo { add: 5, limit: 4 }, &meta()).await;
        assert!(matches!(refused, Err(ExecuteError::Refused(_))), "{}", store.name);
        assert_eq!(store.head(Log::Core).await.unwrap(), 0, "{}", store.name);
    }
}

#[tokio::test]
async fn rivals_on_one_stream_are_decided_again_until_the_rule_refuses_them() {
    for store in testing::stores().await {
        let (stream, mut rivals) = (sid(Kind::Call), JoinSet::new());
        for _ in 0..4 {
            let (store, stream) = (store.store.clone(), stream.clone());
            rivals.spawn(async move {
                store.execute::<Tally>(&stream, C::AddUpTo { add: 1, limit: 2 }, &meta()).await
            });
        }
        let answers = rivals.join_all().await;
        let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
        let refused = answers.iter().filter(|answer| matches!(answer, Err(ExecuteError::Refused(_)))).count();
        assert_eq!((accepted, refused), (2, 2), "{}: {answers:?}", store.name);
        assert_eq!(store.load::<Tally>(&stream).await.unwrap().aggregate.sum, 2, "{}", store.name);
    }
}

#[tokio::test]
async fn a_repeated_command_acts_once_and_gets_the_first_answer() {
    for store in testing::stores().await {
        let (stream, once) = (sid(Kind::Call), meta().once("key-1"));
        let first = store.execute::<Tally>(&stream, C::Add(1), &once).await.unwrap();
        store.execute::<Tally>(&stream, C::Add(1), &meta()).await.unwrap();
        let again = store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &once).await.unwrap();
        assert_eq!(again, Appended { replayed: true, ..first }, "{}", store.name);
        let reused = store.execute::<Tally>(&stream, C::Add(2), &once).await;
        assert!(matches!(reused, Err(ExecuteError::Reused)), "{}", store.name);
        assert_eq!(store.load::<Tally>(&stream).await.unwrap().aggregate.sum, 2, "{}", store.name);
    }
}

#[tokio::test]
async fn twins_of_one_command_act_once_even_when_they_race() {
    for store in testing::stores().await {
        let mut twins = JoinSet::new();
        for _ in 0..8 {
            let store = store.store.clone();
            twins.spawn(async move {
                store
                    .execute::<Tally>(&sid(Kind::Call), C::AddUpTo { add: 1, limit: 1 }, &meta().once("twin"))
                    .await
            });
        }
        let answers: Vec<Appended> = twins.join_all().await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1, "{}", store.name);
        assert!(answers.iter().all(|answer| answer.stream == answers[0].stream), "{}", store.name);
        assert_eq!(store.head(Log::Core).await.unwrap(), 1, "{}", store.name);
    }
}

#[tokio::test]
async fn several_commands_are_one_append_and_those_done_before_are_left_out() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        store.execute::<Tally>(&stream, C::Add(1), &meta().once("a")).await.unwrap();
        let commands =
            vec![(C::Add(1), meta().once("a")), (C::Add(2), meta().once("b")), (C::Add(4), meta().once("c"))];
        let appended = store.execute_all::<Tally>(&stream, commands.clone()).await.unwrap();
        assert_eq!((appended.version, appended.replayed), (3, false), "{}", store.name);
        let again = store.execute_all::<Tally>(&stream, commands).await.unwrap();
        assert_eq!((again.version, again.replayed), (3, true), "{}", store.name);
        let facts = store.stream(&stream).await.unwrap();
        let ids: Vec<_> = facts.iter().map(|fact| fact.command_id.as_deref().unwrap()).collect();
        assert_eq!(ids, ["a", "b", "c"], "{}", store.name);
    }
}

#[tokio::test]
async fn a_repeated_batch_is_answered_as_of_its_last_command() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        let mut commands = Vec::new();
        // In the order of their ids, as a database may return them, the first command is the last.
        for id in (0..10).rev() {
            commands.push((C::Add(1), meta().once(id.to_string())));
            store.execute_all::<Tally>(&stream, commands.clone()).await.unwrap();
        }
        let again = store.execute_all::<Tally>(&stream, commands).await.unwrap();
        assert_eq!((again.version, again.position, again.replayed), (10, 10, true), "{}", store.name);
    }
}

#[tokio::test]
async fn a_command_that_stands_in_a_batch_twice_acts_once() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        let twice = vec![(C::Add(1), meta().once("a")), (C::Add(1), meta().once("a")), (C::Add(1), meta())];
        let appended = store.execute_all::<Tally>(&stream, twice).await.unwrap();
        assert_eq!(appended.version, 2, "{}", store.name);
        let other = vec![(C::Add(1), meta().once("b")), (C::Add(2), meta().once("b"))];
        let refused = store.execute_all::<Tally>(&stream, other).await;
        assert!(matches!(refused, Err(ExecuteError::Reused)), "{}: {refused:?}", store.name);
    }
}

#[tokio::test]
async fn no_commands_at_all_change_nothing() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        store.execute::<Tally>(&stream, C::Count(2), &meta()).await.unwrap();
        let nothing = store.execute_all::<Tally>(&stream, vec![]).await.unwrap();
        assert_eq!((nothing.version, nothing.position, nothing.replayed), (2, 2, false), "{}", store.name);
    }
}

#[tokio::test]
async fn when_one_of_several_commands_is_refused_none_is_appended() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        let commands = vec![(C::Add(9), meta()), (C::AddUpTo { add: 1, limit: 9 }, meta())];
        let refused = store.execute_all::<Tally>(&stream, commands).await;
        assert!(matches!(refused, Err(ExecuteError::Refused(_))), "{}", store.name);
        assert_eq!(store.head(Log::Core).await.unwrap(), 0, "{}", store.name);
    }
}

#[tokio::test]
async fn of_two_streams_that_want_one_key_one_gets_it() {
    for store in testing::stores().await {
        for round in 0..20 {
            let mut rivals = JoinSet::new();
            for _ in 0..2 {
                let store = store.store.clone();
                let key = format!("85512{round}");
                rivals.spawn(
                    async move { store.execute::<Tally>(&sid(Kind::Call), C::Hold(key), &meta()).await },
                );
            }
            let answers = rivals.join_all().await;
            let taken =
                answers.iter().filter(|answer| matches!(answer, Err(ExecuteError::Taken { .. }))).count();
            assert_eq!(
                (answers.iter().filter(|answer| answer.is_ok()).count(), taken),
                (1, 1),
                "{}",
                store.name
            );
        }
        assert_eq!(store.head(Log::Core).await.unwrap(), 20, "{}", store.name);
    }
}

#[tokio::test]
async fn a_key_is_free_again_once_it_is_given_up() {
    for store in testing::stores().await {
        let (holder, other) = (sid(Kind::Call), sid(Kind::Call));
        let hold = |key: &str| C::Hold(key.to_owned());
        store.execute::<Tally>(&holder, hold("one"), &meta()).await.unwrap();
        store.execute::<Tally>(&holder, hold("one"), &meta()).await.unwrap();
        let taken = store.execute::<Tally>(&other, hold("one"), &meta()).await;
        let Err(ExecuteError::Taken { scope, key }) = taken else { panic!("{}: {taken:?}", store.name) };
        assert_eq!((scope.as_str(), key.as_str()), ("tally", "one"));
        store.execute::<Tally>(&holder, hold("two"), &meta()).await.unwrap();
        store.execute::<Tally>(&other, hold("one"), &meta()).await.unwrap();
        store.execute::<Tally>(&holder, C::LetGo, &meta()).await.unwrap();
        store.execute::<Tally>(&sid(Kind::Call), hold("two"), &meta()).await.unwrap();
        let both = vec![(hold("three"), meta()), (C::LetGo, meta())];
        store.execute_all::<Tally>(&sid(Kind::Call), both).await.unwrap();
        store.execute::<Tally>(&sid(Kind::Call), hold("three"), &meta()).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_command_does_not_take_its_batch_down() {
    for store in testing::stores().await {
        store.execute::<Tally>(&sid(Kind::Call), C::Hold("gold".into()), &meta()).await.unwrap();
        let mut crowd = JoinSet::new();
        for number in 0..40 {
            let store = store.store.clone();
            let command = if number % 4 == 0 { C::Hold("gold".into()) } else { C::Count(2) };
            crowd.spawn(
                async move { store.execute::<Tally>(&sid(Kind::Call), command, &meta()).await.is_ok() },
            );
        }
        let accepted = crowd.join_all().await.into_iter().filter(|accepted| *accepted).count();
        assert_eq!(accepted, 30, "{}", store.name);
        let facts = store.read(Log::Core, 0, 1000).await.unwrap();
        assert_eq!(facts.len(), 61, "{}", store.name);
        assert!((1..).zip(&facts).all(|(position, fact)| fact.position == position), "{}", store.name);
    }
}

#[tokio::test]
async fn a_stream_of_another_carrier_is_out_of_reach() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        store.execute::<Tally>(&stream, C::Add(1), &meta()).await.unwrap();
        let mut stranger = meta();
        stranger.tenant.carrier = sid(Kind::Carrier);
        let refused = store.execute::<Tally>(&stream, C::Add(1), &stranger).await;
        assert!(
            matches!(refused, Err(ExecuteError::Unavailable(store::StoreError::OtherCarrier { .. }))),
            "{}",
            store.name
        );
    }
}

#[tokio::test]
async fn facts_keep_everything_they_were_told() {
    for store in testing::stores().await {
        let mut told = meta().once("told");
        told.tenant.account = Some(sid(Kind::Account));
        told.actor = domain::Actor::ApiKey(sid(Kind::ApiKey));
        told.ip = Some("2001:db8::1".parse().unwrap());
        told.user_agent = Some("x".repeat(300));
        (told.correlation, told.causation) = (Some("request".into()), Some("event".into()));
        let stream = sid(Kind::Call);
        store.execute::<Tally>(&stream, C::Add(7), &told).await.unwrap();
        let fact = store.stream(&stream).await.unwrap().remove(0);
        assert_eq!((fact.tenant, fact.actor, fact.ip, fact.at), (told.tenant, told.actor, told.ip, told.at));
        assert_eq!((fact.command_id, fact.correlation), (told.command_id, told.correlation));
        assert_eq!((fact.causation, fact.user_agent.map(|agent| agent.len())), (told.causation, Some(256)));
        assert_eq!(
            (&*fact.payload, fact.stream_type.as_str()),
            (r#"{"Added":7}"#, Tally::TYPE),
            "{}",
            store.name
        );
        assert_eq!((fact.event_type.as_str(), fact.schema_version), ("Added", 1));
    }
}

#[tokio::test]
async fn a_stream_can_be_seen_as_it_was() {
    for store in testing::stores().await {
        let (stream, early) = (sid(Kind::Call), meta());
        store.execute::<Tally>(&stream, C::Add(1), &early).await.unwrap();
        let mut late = meta();
        late.at = early.at.plus(std::time::Duration::from_secs(60));
        store.execute::<Tally>(&stream, C::Add(1), &late).await.unwrap();
        let then = store.load_at::<Tally>(&stream, early.at).await.unwrap();
        assert_eq!((then.aggregate.sum, then.version), (1, 1), "{}", store.name);
    }
}

#[tokio::test]
async fn what_a_database_cannot_take_fails_alone() {
    for store in testing::stores().await {
        let mut crowd = JoinSet::new();
        for number in 0..30 {
            let (store, mut meta) = (store.store.clone(), meta());
            if number == 7 {
                meta.user_agent = Some("PostgreSQL has no \0 in its texts".into());
            }
            crowd.spawn(
                async move { (number, store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta).await) },
            );
        }
        let failed = crowd
            .join_all()
            .await
            .into_iter()
            .filter(|(_, answer)| answer.is_err())
            .map(|(number, _)| number);
        let expected = if store.name.starts_with("postgres") { vec![7] } else { vec![] };
        assert_eq!(failed.collect::<Vec<_>>(), expected, "{}", store.name);
        assert_eq!(store.head(Log::Core).await.unwrap(), 30 - expected.len() as i64, "{}", store.name);
    }
}

#[tokio::test]
async fn two_carriers_may_use_the_same_command_id() {
    for store in testing::stores().await {
        let mut other = meta().once("key-1");
        other.tenant.carrier = sid(Kind::Carrier);
        for meta in [meta().once("key-1"), other] {
            let appended = store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta).await.unwrap();
            assert!(!appended.replayed, "{}", store.name);
        }
    }
}

#[tokio::test]
async fn many_commands_to_one_stream_at_once_all_take_effect() {
    const COMMANDS: i64 = 60;
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        let mut at_once = JoinSet::new();
        for _ in 0..COMMANDS {
            let (handle, stream) = (store.store.clone(), stream.clone());
            at_once
                .spawn(async move { handle.execute::<Tally>(&stream, C::Add(1), &meta()).await.map(drop) });
        }
        while let Some(done) = at_once.join_next().await {
            assert!(done.unwrap().is_ok(), "{}", store.name);
        }
        assert_eq!(store.load::<Tally>(&stream).await.unwrap().aggregate.sum, COMMANDS, "{}", store.name);
    }
}

#[tokio::test]
async fn two_processes_that_change_one_stream_both_get_through() {
    let one = testing::on_postgres().await;
    let other = Store::open(one.options.clone()).await.unwrap();
    let stream = sid(Kind::Call);
    let changes = |store: Store| {
        let stream = stream.clone();
        async move {
            for _ in 0..40 {
                store.execute::<Tally>(&stream, C::Add(1), &meta()).await.unwrap();
            }
        }
    };
    tokio::join!(changes(one.store.clone()), changes(other.clone()), changes(other));
    assert_eq!(one.load::<Tally>(&stream).await.unwrap().aggregate.sum, 120);
}

#[tokio::test]
async fn who_holds_a_streams_turn_reads_and_appends_with_nobody_between() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        store.execute::<Tally>(&stream, C::Add(1), &meta()).await.unwrap();
        let turn = store.turn(&stream).await;
        let (add, meta) = (vec![(C::Add(2), meta())], meta());
        let other = store.execute::<Tally>(&stream, C::Add(4), &meta);
        tokio::pin!(other);
        let version = store.load::<Tally>(&stream).await.unwrap().version;
        assert!(other.as_mut().now_or_never().is_none(), "{}", store.name);
        store.execute_at::<Tally>(&stream, version, add).await.unwrap();
        drop(turn);
        assert_eq!(other.await.unwrap().version, 3, "{}", store.name);
    }
}

#[tokio::test]
async fn an_append_at_a_version_takes_place_there_or_not_at_all() {
    for store in testing::stores().await {
        let stream = sid(Kind::Call);
        let add = |number| vec![(C::Add(number), meta())];
        let first = store.execute_at::<Tally>(&stream, 0, add(1)).await.unwrap();
        assert_eq!((first.version, first.replayed), (1, false), "{}", store.name);
        for version in [0, 2] {
            let elsewhere = store.execute_at::<Tally>(&stream, version, add(9)).await;
            assert!(matches!(elsewhere, Err(ExecuteError::Conflict)), "{}", store.name);
        }
        let refused = vec![(C::AddUpTo { add: 5, limit: 4 }, meta())];
        let refused = store.execute_at::<Tally>(&stream, 1, refused).await;
        assert!(matches!(refused, Err(ExecuteError::Refused(_))), "{}", store.name);
        store.execute_at::<Tally>(&stream, 1, add(2)).await.unwrap();
        assert_eq!(store.load::<Tally>(&stream).await.unwrap().aggregate.sum, 3, "{}", store.name);
    }
}
