//! Which indexes are used, and which are left alone.

use super::support::{World, built, set_up};
use crate::{AuditFilter, AuditRow, CallFilter, CallRow, Order, Page, Reads, Scope, machine::record, system};
use domain::{
    Actor, Kind, Meta, Tenant, Timestamp,
    call::{Call, CallCommand},
    route::SourceClaims,
};
use store::testing::{self, plan, sid};

#[tokio::test]
async fn lists_of_calls_are_found_by_index() {
    let store = testing::sqlite().await;
    set_up(&store).await;
    let (carrier, account) = (sid(Kind::Carrier), sid(Kind::Account));
    let own = Scope::Carrier(carrier.clone());
    let customers = Scope::Account { carrier, account };
    let none = CallFilter::default;
    let moment = Some(Timestamp::from_micros(1));
    let filters = [
        (&own, "carrier_sid", none()),
        (&customers, "carrier_account_sid", none()),
        (&own, "carrier_ended_at_sid", CallFilter { live: Some(true), ..none() }),
        (
            &own,
            "carrier_phone_number_sid",
            CallFilter { phone_number: Some(sid(Kind::PhoneNumber)), ..none() },
        ),
        (&own, "carrier_trunk_sid", CallFilter { trunk: Some(sid(Kind::Trunk)), ..none() }),
        (&own, "carrier_from_sid", CallFilter { from: Some("1234".into()), ..none() }),
        (&own, "carrier_to_sid", CallFilter { to: Some("1234".into()), ..none() }),
        (&own, "carrier_", CallFilter { started_from: moment, ..none() }),
    ];
    for (scope, index, filter) in filters {
        let reads: Reads<CallRow> = Reads::new(store.db(), scope.clone());
        for page in [Page::first(50), Page::after(sid(Kind::Call).to_string(), 50)] {
            let steps = plan(&store, &reads.wanted(&filter, &page).unwrap()).await;
            assert!(steps.iter().all(|step| !step.contains("SCAN")), "{filter:?}: {steps:?}");
            assert!(steps[0].contains(&format!("{}_{index}", built::<CallRow>(1))), "{filter:?}: {steps:?}");
        }
    }
}

/// Every way to ask for changes with the index that finds them: by any of the four, any two, or none of them; at any time,
/// since, until, or between two.
fn asked_of_changes() -> Vec<(&'static str, AuditFilter)> {
    let (stream, actor) = (Some(sid(Kind::Trunk)), Some(sid(Kind::User).to_string()));
    let (kind, event) = (Some("trunk".to_owned()), Some("Renamed".to_owned()));
    let none = AuditFilter::default;
    let asked = [
        ("", none()),
        ("stream_", AuditFilter { stream: stream.clone(), ..none() }),
        ("actor_id_", AuditFilter { actor: actor.clone(), ..none() }),
        ("stream_type_", AuditFilter { stream_type: kind.clone(), ..none() }),
        ("event_type_", AuditFilter { event_type: event.clone(), ..none() }),
        ("stream_", AuditFilter { stream: stream.clone(), actor: actor.clone(), ..none() }),
        ("stream_", AuditFilter { stream: stream.clone(), event_type: event.clone(), ..none() }),
        ("stream_", AuditFilter { stream, stream_type: kind.clone(), ..none() }),
        ("actor_id_", AuditFilter { actor: actor.clone(), event_type: event.clone(), ..none() }),
        ("actor_id_", AuditFilter { actor, stream_type: kind.clone(), ..none() }),
        ("event_type_", AuditFilter { stream_type: kind, event_type: event, ..none() }),
    ];
    let moment = |micros| Some(Timestamp::from_micros(micros));
    let times = [(None, None), (moment(1), None), (None, moment(9)), (moment(1), moment(9))];
    let at = |(index, filter): &(&'static str, AuditFilter)| {
        times.map(|(since, until)| (*index, AuditFilter { since, until, ..filter.clone() }))
    };
    asked.iter().flat_map(at).collect()
}

#[tokio::test]
async fn changes_are_found_by_thing_actor_kind_change_and_time_by_index_in_their_order() {
    let store = testing::sqlite().await;
    set_up(&store).await;
    let (carrier, account) = (sid(Kind::Carrier), sid(Kind::Account));
    let scopes = [Scope::Carrier(carrier.clone()), Scope::Account { carrier, account }];
    let orders = [true, false].map(|descending| Order { descending, ..Order::default() });
    let pages = orders
        .into_iter()
        .flat_map(|order| [Page::first(50).by(order), Page::after("5.5", 50).by(order)].into_iter());
    let pages: Vec<Page> = pages.collect();
    for (scope, (index, filter)) in
        scopes.iter().flat_map(|scope| asked_of_changes().into_iter().map(move |asked| (scope, asked)))
    {
        let reads: Reads<AuditRow> = Reads::new(store.db(), scope.clone());
        for page in &pages {
            let steps = plan(&store, &reads.wanted_changes(&filter, page).unwrap()).await;
            assert_eq!(steps.len(), 1, "already in order: {filter:?}: {steps:?}");
            let found = format!(" USING INDEX {}_carrier_{index}at_position ", built::<AuditRow>(1));
            assert!(steps[0].starts_with("SEARCH") && steps[0].contains(&found), "{filter:?}: {steps:?}");
            let first = page.cursor.is_none();
            for (bound, asked) in [("at>?", filter.since.is_some()), ("at<?", filter.until.is_some())] {
                assert!(!first || steps[0].contains(bound) == asked, "{filter:?}: {steps:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_look_at_one_trunk_reads_no_others_that_lie_elsewhere() {
    let store = testing::sqlite().await;
    set_up(&store).await;
    let sources = Vec::from(["192.0.2.7/32", "2001:db8::/48"].map(|source| (source.parse().unwrap(), 1)));
    let steps = plan(&store, &system::near(&SourceClaims { country: 1, sources })).await;
    assert!(steps.iter().all(|step| !step.contains("SCAN")), "{steps:?}");
    assert!(steps[0].contains("(sid=?)"), "{steps:?}");
}

#[tokio::test]
async fn unfinished_calls_are_found_without_a_look_at_the_finished_ones() {
    let store = testing::sqlite().await;
    set_up(&store).await;
    for after in [None, Some(sid(Kind::Call))] {
        let steps = plan(&store, &system::unfinished(after.as_ref())).await;
        assert_eq!(steps.len(), 1, "already in order: {steps:?}");
        assert!(steps[0].starts_with("SEARCH") && steps[0].contains("_ended_at_sid"), "{steps:?}");
    }
}

#[tokio::test]
async fn an_event_sets_the_columns_it_changes_and_no_others() {
    let world = World::of(testing::sqlite().await).await;
    let account = world.account(&world.carrier, "A").await;
    let call = world.queue(&world.carrier, &account, "1234", 5).await;
    world.caught_up().await;
    let calls = world.projections().calls(world.own());
    let before = calls.get(&call).await.unwrap().unwrap();
    let warn = CallCommand::Warn { code: 15_003, message: "late".into() };
    let meta =
        Meta::new(Tenant::carrier(world.carrier.clone()), Actor::system("test"), super::support::second(6));
    world.store.execute::<Call>(&call, warn, &meta).await.unwrap();
    world.caught_up().await;
    let after = calls.get(&call).await.unwrap().unwrap();
    assert_eq!(record::different([(&before, &after)].into_iter()), ["warnings", "updated_at", "version"]);
    let statement = record::upsert("calls", [&after].into_iter(), &["warnings"]);
    let text = statement.to_string(sea_query::SqliteQueryBuilder);
    assert!(
        text.ends_with(r#"ON CONFLICT ("sid") DO UPDATE SET "warnings" = "excluded"."warnings""#),
        "{text}"
    );
    world.following.end().await;
}
