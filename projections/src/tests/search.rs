//! What is typed finds what has it, in every order, on each store; and how much there is.

use super::support::{World, built, on_each, parsed, second, set_up};
use crate::{
    AccountFilter, AccountRow, AuditFilter, By, Order, Page, PhoneNumberFilter, PhoneNumberRow, Scope, Total,
    machine::{
        biography::Biography,
        pieces::{self, Piece},
        reads::Noun,
        record::{self, Record},
    },
    replay,
};
use domain::{
    Kind, Sid,
    account::{Account, AccountCommand},
    name::folded,
    phone_number::{PhoneNumber, PhoneNumberCommand},
};
use sea_query::{Expr, ExprTrait, Query};
use std::{collections::BTreeSet, time::Duration};
use store::testing::{self, plan, sid};
use tokio::time::timeout;

/// Numbers in the tables without a log behind them, `from` to `until`, of one account, each eighth with a name.
async fn stocked(world: &World, account: &Sid, from: usize, until: usize) -> Vec<PhoneNumberRow> {
    let rows: Vec<PhoneNumberRow> = (from..until)
        .map(|serial| {
            let number = parsed(&format!("+8551{:07}", serial * 7_919 % 10_000_000));
            let (stream, carrier) = (sid(Kind::PhoneNumber), world.carrier.clone());
            let row = PhoneNumberRow::created(
                stream,
                carrier,
                number,
                (true, Some(account.clone())),
                second(serial.try_into().unwrap()),
            );
            if serial % 8 == 0 { row.called(Some(parsed(&format!("Straße {serial}")))) } else { row }
        })
        .collect();
    let (db, table) = (world.store.db(), built::<PhoneNumberRow>(1));
    for some in rows.chunks(1_000) {
        db.execute(&record::insert(&table, some.iter())).await.unwrap();
        let all: BTreeSet<Piece> = some.iter().flat_map(|row| Piece::all(row.texts(), row.sid())).collect();
        for some in all.into_iter().collect::<Vec<_>>().chunks(4_000) {
            db.execute(&record::insert(&pieces::beside(&table), some.iter())).await.unwrap();
        }
    }
    rows
}

/// Every page of a list, one after the other.
async fn listed(
    world: &World,
    scope: &Scope,
    filter: &PhoneNumberFilter,
    order: Order,
    limit: u32,
) -> Vec<Sid> {
    let reads = world.projections().phone_numbers(scope.clone());
    let (mut page, mut found) = (Page::first(limit).by(order), Vec::new());
    loop {
        let rows = reads.list(filter, &page).await.unwrap();
        assert!(rows.items.len() <= limit as usize);
        found.extend(rows.items.into_iter().map(|row| row.sid));
        let Some(next) = rows.next else { return found };
        page = Page::after(next, limit).by(order);
    }
}

fn in_order(mut rows: Vec<&PhoneNumberRow>, order: Order) -> Vec<Sid> {
    rows.sort_by_key(|row| (row.place(order.by), row.sid.clone()));
    if order.descending {
        rows.reverse();
    }
    rows.into_iter().map(|row| row.sid.clone()).collect()
}

const ORDERS: [(By, bool); 4] =
    [(By::Created, true), (By::Created, false), (By::Number, false), (By::Name, true)];

#[tokio::test]
async fn what_is_typed_finds_the_numbers_that_have_it_in_every_order() {
    let world = World::of(testing::sqlite().await).await;
    let account = sid(Kind::Account);
    let rows = stocked(&world, &account, 0, 3_000).await;
    let some = &rows[1_234].number.digits().to_owned();
    let needles: Vec<String> = (0..some.len())
        .flat_map(|from| (from + 1..=some.len()).map(move |to| (from, to)))
        .map(|(from, to)| some[from..to].to_owned())
        .chain(["99999", "01", "0123", "012"].map(str::to_owned))
        .collect();
    for needle in needles {
        let found = |row: &&PhoneNumberRow| {
            let spelled = |spelling: &str| match needle.len() {
                1 | 2 => spelling.starts_with(&needle),
                _ => spelling.contains(&needle),
            };
            row.digits.split(' ').any(spelled)
        };
        let wanted: Vec<&PhoneNumberRow> = rows.iter().filter(found).collect();
        for (by, descending) in ORDERS {
            let order = Order { by, descending };
            let filter = PhoneNumberFilter { contains: Some(needle.clone()), ..Default::default() };
            let limit = if wanted.len() > 300 { 999 } else { 20 };
            let found = listed(&world, &world.own(), &filter, order, limit).await;
            assert!(found == in_order(wanted.clone(), order), "{needle} in {order:?}");
        }
    }
    world.following.end().await;
}

#[tokio::test]
async fn what_is_typed_finds_among_what_other_filters_leave() {
    let world = World::of(testing::sqlite().await).await;
    let (many, few) = (sid(Kind::Account), sid(Kind::Account));
    let mut rows = stocked(&world, &many, 0, 3_000).await;
    rows.extend(stocked(&world, &few, 3_000, 3_100).await);
    for account in [many, few] {
        let scope = Scope::Account { carrier: world.carrier.clone(), account: account.clone() };
        for (needle, name) in [("123", None), ("5512", Some("STRASSE 1")), ("85", Some("str")), ("79", None)]
        {
            let has = |row: &&PhoneNumberRow| {
                let digits = row.number.digits();
                let digits =
                    if needle.len() < 3 { digits.starts_with(needle) } else { digits.contains(needle) };
                let text = row.name.as_ref().map(|name| folded(name.as_str())).unwrap_or_default();
                let name = name.is_none_or(|name| text.contains(&folded(name)));
                row.account.as_ref() == Some(&account) && digits && name
            };
            let wanted: Vec<&PhoneNumberRow> = rows.iter().filter(has).collect();
            let filter = PhoneNumberFilter {
                contains: Some(needle.into()),
                name: name.map(str::to_owned),
                ..Default::default()
            };
            let order = Order::default();
            assert_eq!(
                listed(&world, &scope, &filter, order, 40).await,
                in_order(wanted.clone(), order),
                "{needle}"
            );
            let total = world.projections().phone_numbers(scope.clone()).total(&filter).await.unwrap();
            assert_eq!(total, Total { count: wanted.len().try_into().unwrap(), exact: true }, "{needle}");
        }
    }
    world.following.end().await;
}

#[tokio::test]
async fn names_match_by_unicode_case_folding_and_signs_mean_themselves() {
    on_each(async |world: &World| {
        let names =
            ["Straße", "ÉCOLE Supérieure", "100% sure", "a_b", "back\\slash", "ΟΔΥΣΣΕΥΣ", "Ilgaz ISIK"];
        for name in names {
            world.account(&world.carrier, name).await;
        }
        world.caught_up().await;
        let found = async |text: &str| -> Vec<String> {
            let filter = AccountFilter { name: Some(text.into()), enabled: None };
            let reads = world.projections().accounts(world.own());
            let rows = reads.list(&filter, &Page::first(50)).await.unwrap();
            rows.items.into_iter().map(|row| row.name.to_string()).collect()
        };
        for (text, name) in [
            ("STRASSE", "Straße"),
            ("e\u{301}cole", "ÉCOLE Supérieure"),
            ("SUPÉRIEURE", "ÉCOLE Supérieure"),
            ("ecole superieure", "ÉCOLE Supérieure"),
            ("éc", "ÉCOLE Supérieure"),
            ("su", "100% sure"),
            ("0% s", "100% sure"),
            ("a_b", "a_b"),
            ("k\\s", "back\\slash"),
            ("σσευς", "ΟΔΥΣΣΕΥΣ"),
            ("isik", "Ilgaz ISIK"),
        ] {
            assert!(found(text).await.contains(&name.to_owned()), "{text} finds {name}");
        }
        for text in ["ekole", "%%%", "___", "a%b", "ısık", "ole s%", "cole supx"] {
            assert!(found(text).await.is_empty(), "{text}: {:?}", found(text).await);
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_renamed_or_released_is_not_found_by_what_it_was() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "Before").await;
        let number = world.number(&world.carrier, "+85512345678", Some(&account)).await;
        let name = |text: &str| PhoneNumberCommand::Rename { name: parsed(text) };
        world.tell::<PhoneNumber>(&number, 5, name("Reception")).await;
        world.tell::<PhoneNumber>(&number, 6, name("Deception")).await;
        world.tell::<Account>(&account, 7, AccountCommand::Rename { name: parsed("After") }).await;
        world.caught_up().await;
        let reads = world.projections().phone_numbers(world.own());
        let by = |name: &str| PhoneNumberFilter { name: Some(name.into()), ..Default::default() };
        let count = async |filter| reads.total(&filter).await.unwrap().count;
        assert_eq!(
            (count(by("recep")).await, count(by("decep")).await, count(by("ception")).await),
            (0, 1, 1)
        );
        let national = PhoneNumberFilter { contains: Some("012 345 678".into()), ..Default::default() };
        assert_eq!(count(national.clone()).await, 1);
        assert_eq!(replay::verify(&world.store, |_| ()).await.unwrap(), []);
        world.tell::<PhoneNumber>(&number, 8, PhoneNumberCommand::Release).await;
        world.caught_up().await;
        assert_eq!((count(by("ception")).await, count(national).await), (0, 0));
        let pieces = pieces::beside(&built::<PhoneNumberRow>(1));
        let left = Query::select().expr(Expr::col("sid").count()).from(pieces).to_owned();
        let left: i64 = world.store.db().fetch_optional(&left).await.unwrap().unwrap().at(0).unwrap();
        assert_eq!(left, 0);
    })
    .await;
}

#[tokio::test]
async fn verifying_finds_pieces_that_another_hand_has_taken_and_a_rebuild_puts_them_back() {
    on_each(async |world: &World| {
        world.account(&world.carrier, "Honest").await;
        world.caught_up().await;
        let table = pieces::beside(&built::<AccountRow>(1));
        let delete = Query::delete().from_table(table).and_where(Expr::col("piece").eq("@hone")).to_owned();
        assert_eq!(world.store.db().execute(&delete).await.unwrap(), 1);
        let found = replay::verify(&world.store, |_| ()).await.unwrap();
        assert!(found.len() == 1 && found[0].key.contains("@hone"), "{found:?}");
        replay::rebuild(&world.store, "accounts", |_| ()).await.unwrap();
        assert_eq!(replay::verify(&world.store, |_| ()).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn totals_are_exact_to_ten_thousand_and_then_say_that_there_are_more() {
    for store in [testing::sqlite().await, testing::on_postgres().await] {
        let world = World::of(store).await;
        counts_to_ten_thousand(&world).await;
        world.following.end().await;
    }
}

async fn counts_to_ten_thousand(world: &World) {
    let account = sid(Kind::Account);
    stocked(world, &account, 0, 10_000).await;
    let reads = world.projections().phone_numbers(world.own());
    let all = PhoneNumberFilter::default;
    let digits = PhoneNumberFilter { contains: Some("855".into()), ..all() };
    let both = PhoneNumberFilter { contains: Some("8551".into()), enabled: Some(true), ..all() };
    let assigned = PhoneNumberFilter { assigned: Some(true), ..all() };
    for filter in [all(), digits.clone(), both.clone(), assigned.clone()] {
        let (page, total) = reads.counted(&filter, &Page::first(10)).await.unwrap();
        assert_eq!(total, Some(Total { count: 10_000, exact: true }), "{filter:?}");
        let (_, again) = reads.counted(&filter, &Page::after(page.next.unwrap(), 10)).await.unwrap();
        assert_eq!(again, None);
    }
    stocked(world, &account, 10_000, 10_001).await;
    for filter in [all(), digits, both, assigned] {
        assert_eq!(reads.total(&filter).await.unwrap(), Total { count: 10_000, exact: false }, "{filter:?}");
    }
    let none = PhoneNumberFilter { assigned: Some(false), ..all() };
    assert_eq!(reads.total(&none).await.unwrap(), Total { count: 0, exact: true });
    let changes = world.projections().audit(world.own());
    let (_, total) = changes.counted(&AuditFilter::default(), &Page::first(1)).await.unwrap();
    assert_eq!(total, Some(Total { count: 1, exact: true }));
}

#[tokio::test]
async fn pages_go_on_behind_their_last_row_whatever_comes_between() {
    on_each(async |world: &World| {
        for number in ["+85512000001", "+85512000003", "+85512000005", "1234"] {
            world.number(&world.carrier, number, None).await;
        }
        world.caught_up().await;
        let reads = world.projections().phone_numbers(world.own());
        let order = Order { by: By::Number, descending: false };
        let all = PhoneNumberFilter::default();
        let page = reads.list(&all, &Page::first(2).by(order)).await.unwrap();
        for number in ["+85512000000", "+85512000004"] {
            world.number(&world.carrier, number, None).await;
        }
        world.caught_up().await;
        let rest = reads.list(&all, &Page::after(page.next.clone().unwrap(), 50).by(order)).await.unwrap();
        let numbers =
            |rows: &[PhoneNumberRow]| rows.iter().map(|row| row.number.to_string()).collect::<BTreeSet<_>>();
        assert!(numbers(&page.items).is_disjoint(&numbers(&rest.items)));
        assert!(
            numbers(&rest.items).contains("+85512000004") && !numbers(&rest.items).contains("+85512000000")
        );
        let other = Page::after(page.next.unwrap(), 50).by(Order { by: By::Name, descending: false });
        assert!(reads.list(&all, &other).await.is_err(), "a cursor is of one order");
    })
    .await;
}

#[tokio::test]
async fn numbers_are_found_and_ordered_by_index() {
    let store = testing::sqlite().await;
    set_up(&store).await;
    let carrier = sid(Kind::Carrier);
    let own = Scope::Carrier(carrier.clone());
    let account = Scope::Account { carrier, account: sid(Kind::Account) };
    let all = PhoneNumberFilter::default;
    let order = |by, descending| Order { by, descending };
    let called = PhoneNumberFilter { called: Some(("Main".into(), "Main".into())), ..all() };
    for (scope, filter, order, index) in [
        (&own, all(), Order::default(), "carrier_sid"),
        (&own, all(), order(By::Number, false), "carrier_number_sid"),
        (&own, all(), order(By::Number, true), "carrier_number_sid"),
        (&own, all(), order(By::Name, false), "carrier_called_sid"),
        (&own, PhoneNumberFilter { enabled: Some(false), ..all() }, Order::default(), "carrier_enabled_sid"),
        (&own, PhoneNumberFilter { assigned: Some(false), ..all() }, Order::default(), "carrier_account_sid"),
        (&account, all(), Order::default(), "carrier_account_sid"),
        (&account, called, Order::default(), "carrier_called_sid"),
    ] {
        let reads = crate::Reads::<PhoneNumberRow>::new(store.db(), scope.clone());
        let steps = plan(&store, &reads.wanted(&filter, &Page::first(50).by(order)).unwrap()).await;
        assert_eq!(steps.len(), 1, "already in order: {steps:?}");
        assert!(
            steps[0].contains(&format!("{}_{index} ", built::<PhoneNumberRow>(1))),
            "{filter:?}: {steps:?}"
        );
    }
    assert_eq!(Piece::KEY, ["carrier", "piece", "sid"]);
}

#[tokio::test]
async fn other_reads_go_on_while_searches_wait_for_their_turns() {
    on_each(async |world| {
        world.number(&world.carrier, "+85512000001", None).await;
        world.caught_up().await;
        let reads = world.projections().phone_numbers(world.own());
        let mut held = Vec::new();
        while let Ok(turn) = timeout(Duration::ZERO, world.store.db().turn_to_search()).await {
            held.push(turn.unwrap());
        }
        let (all, first) = (PhoneNumberFilter::default(), Page::first(50));
        let some = PhoneNumberFilter { contains: Some("12000".into()), ..all.clone() };
        let mut search = std::pin::pin!(reads.counted(&some, &first));
        let others = async {
            for _ in 0..20 {
                let (page, total) = reads.counted(&all, &first).await.unwrap();
                assert_eq!((page.items.len(), total.unwrap().count), (1, 1));
                assert!(reads.get(&page.items[0].sid).await.unwrap().is_some());
            }
        };
        tokio::select! {
            biased;
            _ = &mut search => panic!("a search without a turn"),
            () = others => {}
        }
        drop(held);
        assert_eq!(search.await.unwrap().1.unwrap().count, 1);
    })
    .await;
}
