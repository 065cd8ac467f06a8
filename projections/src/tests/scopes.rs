//! No read returns another tenant's row.

use super::support::{World, on_each, received};
use crate::{
    AccountFilter, ApiKeyFilter, AuditFilter, CallFilter, Page, PageOf, PhoneNumberFilter, Scope,
    TrunkFilter, UserFilter,
};
use domain::{
    Ids, Kind, Sid, Tenant,
    call::{Call, CallCommand},
    carrier::{Carrier, CarrierCommand},
    trunk::{Outbound, Trunk, TrunkCommand},
    user::{Role, User, UserCommand},
};
use store::{RandomIds, testing::sid};

/// Two carriers, two accounts each, and things of theirs made in a random order.
async fn tangle(world: &World) -> Vec<(Sid, Vec<Sid>)> {
    let other = sid(Kind::Carrier);
    world.sign_up(&other).await;
    let mut owners = Vec::new();
    for carrier in [world.carrier.clone(), other] {
        let accounts = vec![world.account(&carrier, "A").await, world.account(&carrier, "B").await];
        owners.push((carrier, accounts));
    }
    let ids = RandomIds::default();
    for serial in 0..60_u32 {
        let mut dice = [0; 3];
        ids.fill(&mut dice);
        let (carrier, accounts) = &owners[usize::from(dice[0] % 2)];
        let account = &accounts[usize::from(dice[1] % 2)];
        thing(world, (carrier, account), dice[2] % 5, serial).await;
    }
    world.caught_up().await;
    owners
}

async fn thing(world: &World, (carrier, account): (&Sid, &Sid), kind: u8, serial: u32) {
    let tenant = Tenant::carrier(carrier.clone());
    let name = || format!("thing {serial}").parse().unwrap();
    match kind {
        0 => drop(world.number(carrier, &format!("+8551{serial:07}"), Some(account)).await),
        1 => drop(world.queue(carrier, account, "1234", 5).await),
        2 => {
            let (call, trunk) = (sid(Kind::Call), sid(Kind::Trunk));
            let tenant = Tenant::account(carrier.clone(), account.clone());
            world
                .tell_as::<Call>(tenant, &call, 5, CallCommand::Receive(received(Some(account), &trunk)))
                .await;
        }
        3 => {
            let create = TrunkCommand::Create {
                carrier: carrier.clone(),
                name: name(),
                inbound: None,
                outbound: Some(Outbound::to("sip.example.com".parse().unwrap())),
            };
            world.tell_as::<Trunk>(tenant.clone(), &sid(Kind::Trunk), 5, create).await;
            let key = sid(Kind::ApiKey);
            let create = CarrierCommand::CreateApiKey { key, name: name(), last_four: "abcd".into() };
            world.tell_as::<Carrier>(tenant, carrier, 5, create).await;
        }
        _ => {
            let email = format!("u{serial}@{carrier}.test").parse().unwrap();
            let register =
                UserCommand::Register { carrier: carrier.clone(), name: name(), email, role: Role::Member };
            world.tell_as::<User>(tenant, &sid(Kind::User), 5, register).await;
        }
    }
}

/// Carrier, account and own identifier of every row a scope can list, from every table.
async fn visible(world: &World, scope: &Scope) -> Vec<(Sid, Option<Sid>, Sid)> {
    let (p, all) = (world.projections(), Page::first(1_000));
    let mut seen = Vec::new();
    macro_rules! list {
        ($reads:ident, $filter:expr, $id:ident) => {
            let PageOf { items, .. } = p.$reads(scope.clone()).list(&$filter, &all).await.unwrap();
            seen.extend(items.into_iter().map(|row| (row.carrier, row.account, row.$id)));
        };
    }
    list!(accounts, AccountFilter::default(), sid);
    list!(trunks, TrunkFilter::default(), sid);
    list!(phone_numbers, PhoneNumberFilter::default(), sid);
    list!(users, UserFilter::default(), sid);
    list!(calls, CallFilter::default(), sid);
    list!(api_keys, ApiKeyFilter::default(), sid);
    list!(audit, AuditFilter::default(), stream);
    seen
}

#[tokio::test]
async fn no_list_has_a_foreign_row() {
    on_each(async |world: &World| {
        for (carrier, accounts) in tangle(world).await {
            let rows = visible(world, &Scope::Carrier(carrier.clone())).await;
            assert!(rows.len() > 20, "{}", rows.len());
            assert!(rows.iter().all(|(of, ..)| *of == carrier));
            for account in accounts {
                let rows =
                    visible(world, &Scope::Account { carrier: carrier.clone(), account: account.clone() })
                        .await;
                assert!(!rows.is_empty());
                assert!(rows.iter().all(|(of, by, _)| *of == carrier && by.as_ref() == Some(&account)));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_foreign_row_is_not_there_by_its_identifier_either() {
    on_each(async |world: &World| {
        let owners = tangle(world).await;
        let [(ours, our_accounts), (theirs, their_accounts)] = &owners[..] else { panic!("two owners") };
        let neighbour = Scope::Account { carrier: ours.clone(), account: our_accounts[1].clone() };
        let mixed = Scope::Account { carrier: ours.clone(), account: their_accounts[0].clone() };
        let foreign = visible(world, &Scope::Carrier(theirs.clone())).await;
        let of_first = Scope::Account { carrier: ours.clone(), account: our_accounts[0].clone() };
        let next_door = visible(world, &of_first).await;
        for (scope, rows) in
            [(Scope::Carrier(ours.clone()), &foreign), (neighbour, &next_door), (mixed, &foreign)]
        {
            for (_, _, id) in rows {
                let p = world.projections();
                assert!(p.accounts(scope.clone()).get(id).await.unwrap().is_none(), "{id}");
                assert!(p.trunks(scope.clone()).get(id).await.unwrap().is_none(), "{id}");
                assert!(p.phone_numbers(scope.clone()).get(id).await.unwrap().is_none(), "{id}");
                assert!(p.users(scope.clone()).get(id).await.unwrap().is_none(), "{id}");
                assert!(p.calls(scope.clone()).get(id).await.unwrap().is_none(), "{id}");
                assert!(p.api_keys(scope.clone()).get(id).await.unwrap().is_none(), "{id}");
                let timeline = p.call_timeline(scope.clone()).list(id, &Page::default()).await.unwrap();
                assert!(timeline.items.is_empty(), "{id}");
            }
        }
    })
    .await;
}
