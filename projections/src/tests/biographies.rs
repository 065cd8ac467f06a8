//! Given these events, these rows are.

use super::support::{World, on_each, parsed, second};
use crate::{AccountFilter, ApiKeyFilter, AuditFilter, Page, PhoneNumberFilter, TrunkFilter, UserFilter};
use domain::{
    Actor, Kind, Meta, Sid, Tenant,
    account::{Account, AccountCommand},
    carrier::{Carrier, CarrierCommand},
    limits::Limits,
    phone_number::{PhoneNumber, PhoneNumberCommand, VoiceConfiguration},
    trunk::{Inbound, Outbound, Trunk, TrunkCommand},
    user::{Role, User, UserCommand},
};
use std::collections::BTreeSet;
use store::testing::sid;

#[tokio::test]
async fn a_carrier_is_called_what_it_last_said() {
    on_each(async |world: &World| {
        let command = CarrierCommand::UpdateSettings { name: parsed("Mekong"), country: parsed("LA") };
        world.tell::<Carrier>(&world.carrier, 9, command).await;
        world.caught_up().await;
        let row = world.projections().carrier(&world.carrier).await.unwrap().unwrap();
        assert_eq!((row.name.as_str(), row.country.code()), ("Mekong", "LA"));
        assert_eq!((row.created_at, row.updated_at), (second(1), second(9)));
        let found = world.projections().system().carrier_by_subdomain(&row.subdomain).await.unwrap();
        assert_eq!(found, Some(row));
    })
    .await;
}

#[tokio::test]
async fn an_account_is_renamed_disabled_and_gets_a_new_token() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "Old").await;
        for (at, command) in [
            (5, AccountCommand::Rename { name: parsed("50%_off") }),
            (6, AccountCommand::Disable),
            (7, AccountCommand::ReplaceAuthToken { version: 2 }),
            (7, AccountCommand::Limit(Limits { high_risk: true, ..Limits::default() })),
        ] {
            world.tell::<Account>(&account, at, command).await;
        }
        world.account(&world.carrier, "Other").await;
        world.caught_up().await;
        let accounts = world.projections().accounts(world.own());
        let row = accounts.get(&account).await.unwrap().unwrap();
        assert_eq!((row.name.as_str(), row.enabled, row.auth_token_version), ("50%_off", false, 2));
        assert!(row.limits.high_risk && row.limits.countries.is_empty());
        assert_eq!((row.created_at, row.auth_token_at, row.updated_at), (second(2), second(7), second(7)));
        for (name, enabled, hits) in
            [(Some("0%_O"), None, 1), (Some("%"), None, 0), (None, Some(true), 1), (None, None, 2)]
        {
            let filter = AccountFilter { name: name.map(Into::into), enabled };
            assert_eq!(
                accounts.list(&filter, &Page::default()).await.unwrap().items.len(),
                hits,
                "{filter:?}"
            );
        }
        assert_eq!(world.projections().system().account(&account).await.unwrap(), Some(row));
    })
    .await;
}

#[tokio::test]
async fn a_trunk_has_two_sides_until_it_is_deleted() {
    on_each(async |world: &World| {
        let trunk = sid(Kind::Trunk);
        let sources = vec!["192.0.2.0/24".parse().unwrap()];
        let inbound = Inbound { sources, country: Some(parsed("KH")), ..Inbound::default() };
        let outbound = Outbound {
            dial_string_prefix: "77".into(),
            plus_prefix: true,
            username: Some("me".into()),
            emergency: true,
            media_networks: vec!["198.51.100.0/24".parse().unwrap()],
            ..Outbound::to(parsed("sip.example.com:5080"))
        };
        let (carrier, name) = (world.carrier.clone(), parsed("Main"));
        let create = TrunkCommand::Create { carrier, name, inbound: Some(inbound.clone()), outbound: None };
        world.tell::<Trunk>(&trunk, 4, create).await;
        world.tell::<Trunk>(&trunk, 5, TrunkCommand::ConfigureOutbound(Some(outbound.clone()))).await;
        world.tell::<Trunk>(&trunk, 6, TrunkCommand::ReplaceCredential).await;
        world.tell::<Trunk>(&trunk, 7, TrunkCommand::ConfigureInbound(None)).await;
        world.caught_up().await;
        let trunks = world.projections().trunks(world.own());
        let row = trunks.get(&trunk).await.unwrap().unwrap();
        assert_eq!((row.inbound, row.outbound, row.credential_version), (None, Some(outbound), 1));
        let inbound_only = TrunkFilter { inbound: Some(true), ..TrunkFilter::default() };
        assert!(trunks.list(&inbound_only, &Page::default()).await.unwrap().items.is_empty());
        world.tell::<Trunk>(&trunk, 8, TrunkCommand::Delete).await;
        world.caught_up().await;
        assert_eq!(trunks.get(&trunk).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_source_keeps_its_age_in_another_trunk_of_the_carrier() {
    on_each(async |world: &World| {
        let (old, new) = (sid(Kind::Trunk), sid(Kind::Trunk));
        let create = |source: &str| {
            let inbound = Inbound { sources: vec![source.parse().unwrap()], ..Inbound::default() };
            let (carrier, name) = (world.carrier.clone(), parsed("Main"));
            TrunkCommand::Create { carrier, name, inbound: Some(inbound), outbound: None }
        };
        world.tell::<Trunk>(&old, 4, create("192.0.2.7/32")).await;
        world.caught_up().await;
        let trunks = world.projections().trunks(world.own());
        let first = trunks.get(&old).await.unwrap().unwrap().claims;
        world.tell::<Trunk>(&new, 5, create("192.0.2.0/24")).await;
        world.tell::<Trunk>(&old, 6, TrunkCommand::Delete).await;
        world.caught_up().await;
        let claims = trunks.get(&new).await.unwrap().unwrap().claims;
        let since = |address: &str| claims.of(address.parse().unwrap());
        assert!(since("192.0.2.7").is_some());
        assert_eq!(since("192.0.2.7"), first.of("192.0.2.7".parse().unwrap()));
        assert!(since("192.0.2.8") > since("192.0.2.7"), "what is new is new");
        assert_eq!(claims.country, first.country);
    })
    .await;
}

#[tokio::test]
async fn trunks_are_found_by_where_their_sources_lie_whoever_has_them() {
    on_each(async |world: &World| {
        let other = sid(Kind::Carrier);
        world.sign_up(&other).await;
        let create = async |carrier: &Sid, sources: &[&str]| {
            let trunk = sid(Kind::Trunk);
            let sources = sources.iter().map(|source| source.parse().unwrap()).collect();
            let inbound = Some(Inbound { sources, ..Inbound::default() });
            let (carrier, name) = (carrier.clone(), parsed("Main"));
            let create = TrunkCommand::Create { carrier: carrier.clone(), name, inbound, outbound: None };
            world.tell_as::<Trunk>(Tenant::carrier(carrier), &trunk, 4, create).await;
            trunk
        };
        let own = create(&world.carrier, &["192.0.2.7/32", "2001:db8::7/128"]).await;
        let beside = create(&other, &["192.0.2.0/25"]).await;
        let wide = create(&other, &["192.0.0.0/16"]).await;
        let six = create(&other, &["2001:db8:0:9::/64"]).await;
        let far = create(&other, &["198.51.100.1/32", "2001:db8:1::/64"]).await;
        world.caught_up().await;
        let near = async |trunk: &Sid| {
            let system = world.projections().system();
            let every = system.trunks().await.unwrap();
            let claims = every.iter().find(|row| row.sid == *trunk).map(|row| row.claims.clone());
            let rows = system.trunks_near(&claims.unwrap_or_default()).await.unwrap();
            rows.into_iter().map(|row| row.sid).collect::<BTreeSet<_>>()
        };
        let these = |trunks: &[&Sid]| trunks.iter().map(|one| (*one).clone()).collect::<BTreeSet<Sid>>();
        assert_eq!(near(&own).await, these(&[&own, &beside, &wide, &six]));
        assert_eq!(near(&far).await, these(&[&far, &wide]));
        assert_eq!(near(&wide).await.len(), 5, "a wide one may be near any");
        let moved = Inbound { sources: vec!["203.0.113.1/32".parse().unwrap()], ..Inbound::default() };
        let tenant = Tenant::carrier(other.clone());
        world.tell_as::<Trunk>(tenant.clone(), &beside, 5, TrunkCommand::ConfigureInbound(Some(moved))).await;
        world.tell_as::<Trunk>(tenant, &six, 5, TrunkCommand::Delete).await;
        world.caught_up().await;
        assert_eq!(near(&own).await, these(&[&own, &wide]));
        assert_eq!(near(&sid(Kind::Trunk)).await, BTreeSet::new(), "without sources none is");
    })
    .await;
}

#[tokio::test]
async fn a_number_forgets_its_configuration_with_its_account() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        let number = world.number(&world.carrier, "+85512345678", Some(&account)).await;
        let short = world.number(&world.carrier, "1234", None).await;
        let voice = VoiceConfiguration {
            voice_url: Some(parsed("https://example.com/voice?a=1")),
            ..VoiceConfiguration::default()
        };
        let configure =
            PhoneNumberCommand::ConfigureVoice { account: Some(account.clone()), voice: voice.clone() };
        world.tell::<PhoneNumber>(&number, 4, configure).await;
        world.tell::<PhoneNumber>(&number, 5, PhoneNumberCommand::Rename { name: parsed("Desk") }).await;
        world.tell::<PhoneNumber>(&number, 6, PhoneNumberCommand::Disable).await;
        world.caught_up().await;
        let numbers = world.projections().phone_numbers(world.own());
        let row = numbers.get(&number).await.unwrap().unwrap();
        assert_eq!((&row.voice, row.enabled, &row.account), (&voice, false, &Some(account.clone())));
        for (filter, hit) in [
            (PhoneNumberFilter { contains: Some("345".into()), ..Default::default() }, &number),
            (PhoneNumberFilter { contains: Some("+855".into()), ..Default::default() }, &number),
            (PhoneNumberFilter { contains: Some("12".into()), ..Default::default() }, &short),
            (PhoneNumberFilter { number: Some(parsed("1234")), ..Default::default() }, &short),
            (PhoneNumberFilter { account: Some(account), ..Default::default() }, &number),
            (PhoneNumberFilter { assigned: Some(false), ..Default::default() }, &short),
            (PhoneNumberFilter { enabled: Some(false), ..Default::default() }, &number),
            (PhoneNumberFilter { name: Some("desk".into()), ..Default::default() }, &number),
        ] {
            let found = numbers.list(&filter, &Page::default()).await.unwrap().items;
            assert_eq!(found.iter().map(|row| &row.sid).collect::<Vec<&Sid>>(), [hit], "{filter:?}");
        }
        world.tell::<PhoneNumber>(&number, 7, PhoneNumberCommand::Unassign).await;
        world.tell::<PhoneNumber>(&short, 7, PhoneNumberCommand::Release).await;
        world.caught_up().await;
        let row = numbers.get(&number).await.unwrap().unwrap();
        assert_eq!((row.voice, row.name, row.account), (VoiceConfiguration::default(), None, None));
        assert_eq!(numbers.get(&short).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_second_factor_counts_however_many_users_came_after_it() {
    on_each(async |world: &World| {
        let enable = |number: usize| (number == 0).then_some(UserCommand::EnableTwoFactor);
        for number in 0..=100 {
            let register = UserCommand::Register {
                carrier: world.carrier.clone(),
                name: parsed("Ann"),
                email: parsed(&format!("ann{number}@example.com")),
                role: Role::Owner,
            };
            let user = sid(Kind::User);
            for command in [register].into_iter().chain(enable(number)) {
                world.tell::<User>(&user, 3, command).await;
            }
        }
        world.caught_up().await;
        let counts = world.projections().counts(&world.carrier, second(0)).await.unwrap();
        assert!(counts.two_factor);
    })
    .await;
}

#[tokio::test]
async fn a_user_signs_in_until_removed() {
    on_each(async |world: &World| {
        let user = sid(Kind::User);
        let register = UserCommand::Register {
            carrier: world.carrier.clone(),
            name: parsed("Ann"),
            email: parsed("Ann@Example.com"),
            role: Role::Owner,
        };
        for (at, command) in [(3, register), (4, UserCommand::EnableTwoFactor), (5, UserCommand::SignIn)] {
            world.tell::<User>(&user, at, command).await;
        }
        world.caught_up().await;
        let system = world.projections().system();
        let row = system.user_by_email(&parsed("ann@example.com")).await.unwrap().unwrap();
        assert_eq!((row.role, row.two_factor, row.signed_in_at), (Role::Owner, true, Some(second(5))));
        let users = world.projections().users(world.own());
        assert_eq!(users.list(&UserFilter::default(), &Page::default()).await.unwrap().items, [row]);
        world.tell::<User>(&user, 6, UserCommand::Remove).await;
        world.caught_up().await;
        assert_eq!(system.user(&user).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_api_key_stays_on_the_list_when_revoked() {
    on_each(async |world: &World| {
        let key = sid(Kind::ApiKey);
        let create =
            CarrierCommand::CreateApiKey { key: key.clone(), name: parsed("CI"), last_four: "beef".into() };
        world.tell::<Carrier>(&world.carrier, 4, create).await;
        world.caught_up().await;
        let keys = world.projections().api_keys(world.own());
        let open = ApiKeyFilter { revoked: Some(false) };
        let rows = keys.list(&open, &Page::default()).await.unwrap().items;
        assert_eq!((rows.len(), rows[0].last_four.as_str()), (1, "beef"));
        world.tell::<Carrier>(&world.carrier, 5, CarrierCommand::RevokeApiKey { key: key.clone() }).await;
        world.caught_up().await;
        assert!(keys.list(&open, &Page::default()).await.unwrap().items.is_empty());
        let row = world.projections().system().api_key(&key).await.unwrap().unwrap();
        assert_eq!((row.revoked_at, row.created_at), (Some(second(5)), second(4)));
    })
    .await;
}

#[tokio::test]
async fn the_audit_says_who_did_what_from_where() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        let (user, tenant) = (sid(Kind::User), Tenant::carrier(world.carrier.clone()));
        let mut meta = Meta::new(tenant, Actor::User(user.clone()), second(5));
        (meta.ip, meta.user_agent) = (Some("2001:db8::1".parse().unwrap()), Some("Firefox".into()));
        world.store.execute::<Account>(&account, AccountCommand::Disable, &meta).await.unwrap();
        world.caught_up().await;
        let audit = world.projections().audit(world.own());
        let by_user = AuditFilter { actor: Some(user.to_string()), ..AuditFilter::default() };
        let rows = audit.list(&by_user, &Page::default()).await.unwrap().items;
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].actor_kind.as_str(), rows[0].event_type.as_str()), ("user", "Disabled"));
        assert_eq!(
            (rows[0].ip.as_deref(), rows[0].user_agent.as_deref()),
            (Some("2001:db8::1"), Some("Firefox"))
        );
        for (filter, hits) in [
            (AuditFilter { stream: Some(account.clone()), ..AuditFilter::default() }, 2),
            (AuditFilter { stream_type: Some("carrier".into()), ..AuditFilter::default() }, 1),
            (AuditFilter { since: Some(second(2)), until: Some(second(5)), ..AuditFilter::default() }, 1),
        ] {
            assert_eq!(audit.list(&filter, &Page::default()).await.unwrap().items.len(), hits, "{filter:?}");
        }
        let first = audit.list(&AuditFilter::default(), &Page::first(2)).await.unwrap();
        let second = audit.list(&AuditFilter::default(), &Page::after(first.next.unwrap(), 2)).await.unwrap();
        assert_eq!((first.items.len(), second.items.len(), second.next), (2, 1, None));
    })
    .await;
}
