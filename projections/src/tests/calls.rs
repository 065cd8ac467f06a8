//! What calls and their timelines look like.

use super::support::{World, on_each, queued, received, second};
use crate::{CallFilter, Lane, Page, Scope};
use domain::{
    Kind, Sid, Tenant,
    call::{
        Call, CallCommand as C, Direction, EndReason, Ending, ExchangeError, MediaSummary, Purpose, Status,
        Trouble, WebhookExchange,
    },
};
use std::time::Duration;
use store::testing::sid;

fn summary() -> MediaSummary {
    MediaSummary {
        codec: "PCMU".into(),
        packets_received: 75,
        packets_lost: 25,
        jitter_ms: 1.5,
        mos: Some(4.25),
        ..MediaSummary::default()
    }
}

fn failed_exchange() -> C {
    C::Exchange(Box::new(WebhookExchange {
        purpose: Purpose::Document,
        method: Default::default(),
        url: "https://example.com/voice".into(),
        parameters: vec![("From".into(), "nul \0 inside".into())],
        status: Some(500),
        duration_ms: 12,
        response_headers: vec![],
        body: "\0".into(),
        truncated: false,
        error: Some(ExchangeError { code: 11200, message: "HTTP 500 \0".into() }),
    }))
}

#[tokio::test]
async fn a_call_that_came_in_has_its_whole_life_on_one_row() {
    on_each(async |world: &World| {
        let (call, trunk, other) = (sid(Kind::Call), sid(Kind::Trunk), sid(Kind::Call));
        let account = world.account(&world.carrier, "A").await;
        let life = [
            (10, C::Receive(received(Some(&account), &trunk))),
            (11, C::Answer),
            (12, failed_exchange()),
            (12, C::StartVerb { index: 0, verb: "Gather".into(), attributes: vec![] }),
            (13, C::Press { digits: "5".into() }),
            (14, C::Warn { code: 12200, message: "unknown attribute".into() }),
            (15, C::Bridge { with: other.clone() }),
        ];
        for (at, command) in life {
            world.tell::<Call>(&call, at, command).await;
        }
        world.caught_up().await;
        let calls = world.projections().calls(world.own());
        let row = calls.get(&call).await.unwrap().unwrap();
        assert_eq!((row.status, row.is_live(), row.warnings), (Status::InProgress, true, 2));
        assert_eq!((row.bridged_with, row.account, row.trunk), (Some(other), Some(account), Some(trunk)));
        let ending = Ending::because(EndReason::HungUp).with_detail("BYE \0");
        world.tell::<Call>(&call, 70, C::End(ending)).await;
        world.tell::<Call>(&call, 71, C::Summarize(summary())).await;
        world.caught_up().await;
        let row = calls.get(&call).await.unwrap().unwrap();
        assert_eq!(
            (row.status, row.reason, row.duration_s),
            (Status::Completed, Some(EndReason::HungUp), Some(59))
        );
        assert_eq!((row.codec.as_deref(), row.loss_percent, row.mos), (Some("PCMU"), Some(25.0), Some(4.25)));
        assert_eq!(
            (row.created_at, row.started_at, row.answered_at),
            (second(10), Some(second(10)), Some(second(11)))
        );
        assert_eq!((row.bridged_with, row.detail.as_deref()), (None, Some("BYE \u{fffd}")));
    })
    .await;
}

#[tokio::test]
async fn a_call_in_which_nothing_was_heard_is_not_judged() {
    on_each(async |world: &World| {
        // The second is how it was written down once.
        for mos in [None, Some(1.0)] {
            let (call, trunk) = (sid(Kind::Call), sid(Kind::Trunk));
            world.tell::<Call>(&call, 1, C::Receive(received(None, &trunk))).await;
            let silence = MediaSummary { codec: "PCMU".into(), mos, ..MediaSummary::default() };
            world.tell::<Call>(&call, 2, C::Summarize(silence)).await;
            world.caught_up().await;
            let row = world.projections().calls(world.own()).get(&call).await.unwrap().unwrap();
            assert_eq!((row.codec.as_deref(), row.mos, row.jitter_ms), (Some("PCMU"), None, None));
            let told = world.projections().call_timeline(world.own()).list(&call, &Page::first(9)).await;
            assert_eq!(told.unwrap().items[1].title, "PCMU, nothing was heard");
        }
    })
    .await;
}

#[tokio::test]
async fn an_unanswered_call_has_no_duration_but_a_time_in_the_queue() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        let call = world.queue(&world.carrier, &account, "+85512345678", 10).await;
        let trunk = sid(Kind::Trunk);
        let initiate = C::Initiate { trunk, request_uri: "sip:1@h".into(), sip_call_id: "z".into() };
        for (at, command) in [
            (12, C::Claim { node: "a".into() }),
            (12, initiate),
            (13, C::Ring { sip_code: 180, invite: None }),
        ] {
            world.tell::<Call>(&call, at, command).await;
        }
        world.tell::<Call>(&call, 40, C::End(Ending::because(EndReason::Busy).with_code(486))).await;
        world.caught_up().await;
        let row = world.projections().calls(world.own()).get(&call).await.unwrap().unwrap();
        assert_eq!((row.status, row.sip_code, row.duration_s), (Status::Busy, Some(486), None));
        assert_eq!(
            (row.queue_time_ms, row.started_at, row.claimed_by),
            (2_000, Some(second(12)), Some("a".into()))
        );
    })
    .await;
}

#[tokio::test]
async fn a_call_whose_trunk_could_not_even_be_asked_is_that_trunks() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        let call = world.queue(&world.carrier, &account, "+85512345678", 10).await;
        let trunk = sid(Kind::Trunk);
        let blocked = C::FailAttempt {
            trunk: trunk.clone(),
            address: None,
            sip_code: None,
            reason: "no address".into(),
        };
        for (at, command) in [(12, C::Claim { node: "a".into() }), (13, blocked)] {
            world.tell::<Call>(&call, at, command).await;
        }
        world.caught_up().await;
        let row = world.projections().calls(world.own()).get(&call).await.unwrap().unwrap();
        assert_eq!((row.trunk, row.started_at), (Some(trunk), None));
    })
    .await;
}

#[tokio::test]
async fn a_call_that_went_another_way_is_one_row_with_each_attempt_on_its_timeline() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        let call = world.queue(&world.carrier, &account, "+85512345678", 10).await;
        let (first, second_trunk) = (sid(Kind::Trunk), sid(Kind::Trunk));
        let commands = [
            C::Claim { node: "a".into() },
            C::Initiate { trunk: first.clone(), request_uri: "sip:1@h".into(), sip_call_id: "one".into() },
            C::FailAttempt {
                trunk: first,
                address: Some("192.0.2.1:5060".into()),
                sip_code: Some(503),
                reason: "Service Unavailable".into(),
            },
            C::Reroute {
                trunk: second_trunk.clone(),
                address: "192.0.2.2:5060".into(),
                request_uri: "sip:1@other".into(),
                sip_call_id: "two".into(),
            },
        ];
        for (at, command) in (12..).zip(commands) {
            world.tell::<Call>(&call, at, command).await;
        }
        world.caught_up().await;
        let row = world.projections().calls(world.own()).get(&call).await.unwrap().unwrap();
        assert_eq!((row.trunk, row.sip_call_id), (Some(second_trunk), Some("two".into())));
        assert_eq!(
            (row.started_at, row.queue_time_ms),
            (Some(second(13)), 3_000),
            "as its first INVITE left"
        );
        let timeline = world.projections().call_timeline(world.own());
        let rows = timeline.list(&call, &Page::first(10)).await.unwrap().items;
        let titles: Vec<&str> = rows.iter().map(|row| row.title.as_str()).collect();
        assert_eq!(
            titles[2..],
            [
                "INVITE to sip:1@h",
                "192.0.2.1:5060 failed: 503 Service Unavailable",
                "INVITE to sip:1@other, next at 192.0.2.2:5060",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_begun_second_counts() {
    on_each(async |world: &World| {
        let (call, trunk) = (sid(Kind::Call), sid(Kind::Trunk));
        world.tell::<Call>(&call, 1, C::Receive(received(None, &trunk))).await;
        world.tell::<Call>(&call, 2, C::Answer).await;
        let mut meta = domain::Meta::new(
            Tenant::carrier(world.carrier.clone()),
            domain::Actor::system("test"),
            second(3).plus(Duration::from_micros(1)),
        );
        meta.correlation = Some("x".into());
        world.store.execute::<Call>(&call, C::End(Ending::because(EndReason::HungUp)), &meta).await.unwrap();
        world.caught_up().await;
        let row = world.projections().calls(world.own()).get(&call).await.unwrap().unwrap();
        assert_eq!(row.duration_s, Some(2));
    })
    .await;
}

#[tokio::test]
async fn the_timeline_has_a_row_for_every_event_and_goes_on_from_a_cursor() {
    on_each(async |world: &World| {
        let (call, trunk) = (sid(Kind::Call), sid(Kind::Trunk));
        for command in [C::Receive(received(None, &trunk)), C::Answer, failed_exchange()] {
            world.tell::<Call>(&call, 1, command).await;
        }
        world.tell::<Call>(&call, 2, C::Press { digits: "5#".into() }).await;
        world.caught_up().await;
        let timeline = world.projections().call_timeline(world.own());
        let first = timeline.list(&call, &Page::first(3)).await.unwrap();
        let lanes: Vec<Lane> = first.items.iter().map(|row| row.lane).collect();
        assert_eq!(lanes, [Lane::Sip, Lane::Sip, Lane::Webhook]);
        assert_eq!(first.items[0].title, "INVITE from +85598765432 for 1234");
        assert_eq!(first.items[2].detail["status"], 500);
        assert_eq!(first.items[2].detail["body"], "\0");
        let rest = timeline.list(&call, &Page::after(first.next.unwrap(), 10)).await.unwrap();
        assert_eq!((rest.items.len(), rest.items[0].title.as_str(), rest.next), (1, "Pressed 5#", None));
    })
    .await;
}

#[tokio::test]
async fn a_call_whose_application_could_not_be_asked_is_troubled_however_it_ends() {
    on_each(async |world: &World| {
        let (call, trunk) = (sid(Kind::Call), sid(Kind::Trunk));
        let ended = C::End(Ending::because(EndReason::HungUp));
        let told = [C::Receive(received(None, &trunk)), C::Answer, failed_exchange(), ended];
        for (at, command) in (1..).zip(told) {
            world.tell::<Call>(&call, at, command).await;
        }
        let fine = sid(Kind::Call);
        world.tell::<Call>(&fine, 9, C::Receive(received(None, &trunk))).await;
        world.caught_up().await;
        let calls = world.projections().calls(world.own());
        let row = calls.get(&call).await.unwrap().unwrap();
        assert_eq!((row.status, row.trouble()), (Status::Completed, Some(Trouble::Application)));
        for (filter, hit) in [
            (CallFilter { troubled: Some(true), ..CallFilter::default() }, &call),
            (CallFilter { troubled: Some(false), ..CallFilter::default() }, &fine),
            (CallFilter { answered: Some(true), ..CallFilter::default() }, &call),
        ] {
            let found = calls.list(&filter, &Page::default()).await.unwrap().items;
            assert_eq!(found.iter().map(|row| &row.sid).collect::<Vec<_>>(), [hit], "{filter:?}");
        }
        let counts = world.projections().counts(&world.carrier, second(0)).await.unwrap();
        assert_eq!((counts.calls_since, counts.troubled_since, counts.was_answered), (2, 1, true));
        let among = calls.among(&[call.clone(), sid(Kind::Call)]).await.unwrap();
        assert_eq!(among.iter().map(|row| &row.sid).collect::<Vec<_>>(), [&call]);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_call_is_in_no_list() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        let call = world.queue(&world.carrier, &account, "1234", 10).await;
        world.tell::<Call>(&call, 11, C::RequestEnd { status: Status::Canceled }).await;
        world.tell::<Call>(&call, 12, C::Delete).await;
        world.caught_up().await;
        let calls = world.projections().calls(world.own());
        assert_eq!(calls.get(&call).await.unwrap(), None);
        assert!(calls.list(&CallFilter::default(), &Page::default()).await.unwrap().items.is_empty());
        let all = CallFilter { with_deleted: true, ..CallFilter::default() };
        assert_eq!(calls.list(&all, &Page::default()).await.unwrap().items.len(), 1);
        let timeline = world.projections().call_timeline(world.own());
        assert!(timeline.list(&call, &Page::default()).await.unwrap().items.is_empty());
        assert!(world.projections().system().call(&call).await.unwrap().is_some_and(|row| row.deleted));
    })
    .await;
}

#[tokio::test]
async fn calls_of_a_longer_short_code_are_found_by_its_digits() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        let (code, number) = (sid(Kind::Call), sid(Kind::Call));
        for (call, at, to) in [(&code, 10, "7654321"), (&number, 20, "+85511111111")] {
            world.tell::<Call>(call, at, C::Queue(queued(&account, to))).await;
        }
        world.caught_up().await;
        let calls = world.projections().calls(world.own());
        for (to, hits) in [
            ("7654321", vec![&code]),
            ("+7654321", vec![]),
            ("855 11 111 111", vec![&number]),
            ("+855 (0)11 111 111", vec![&number]),
        ] {
            let filter = CallFilter { to: Some(to.into()), ..CallFilter::default() };
            let found = calls.list(&filter, &Page::first(9)).await.unwrap();
            assert_eq!(found.items.iter().map(|row| &row.sid).collect::<Vec<_>>(), hits, "{to}");
        }
    })
    .await;
}

#[tokio::test]
async fn calls_are_found_by_each_filter() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        let (parent, child, trunk) = (sid(Kind::Call), sid(Kind::Call), sid(Kind::Trunk));
        world.tell::<Call>(&parent, 10, C::Receive(received(Some(&account), &trunk))).await;
        let mut dialled = queued(&account, "+85511111111");
        (dialled.parent, dialled.direction) = (Some(parent.clone()), Direction::OutboundDial);
        world.tell::<Call>(&child, 20, C::Queue(dialled)).await;
        world.tell::<Call>(&parent, 30, C::End(Ending::because(EndReason::CanceledByCaller))).await;
        world.caught_up().await;
        let calls = world.projections().calls(world.own());
        let none = CallFilter::default;
        for (filter, hits) in [
            (none(), vec![&child, &parent]),
            (CallFilter { from: Some("1234".into()), ..none() }, vec![&child]),
            (CallFilter { to: Some("1234".into()), ..none() }, vec![&parent]),
            (CallFilter { status: Some(Status::Queued), ..none() }, vec![&child]),
            (CallFilter { direction: Some(Direction::Inbound), ..none() }, vec![&parent]),
            (CallFilter { account: Some(account.clone()), ..none() }, vec![&child, &parent]),
            (CallFilter { parent: Some(parent.clone()), ..none() }, vec![&child]),
            (CallFilter { trunk: Some(trunk), ..none() }, vec![&parent]),
            (CallFilter { live: Some(true), ..none() }, vec![&child]),
            (CallFilter { live: Some(false), ..none() }, vec![&parent]),
            (CallFilter { created_from: Some(second(20)), ..none() }, vec![&child]),
            (CallFilter { created_until: Some(second(20)), ..none() }, vec![&parent]),
            (CallFilter { started_from: Some(second(5)), ..none() }, vec![&parent]),
            (CallFilter { started_until: Some(second(10)), ..none() }, vec![]),
            (CallFilter { ended_from: Some(second(30)), ..none() }, vec![&parent]),
            (CallFilter { ended_until: Some(second(30)), ..none() }, vec![]),
        ] {
            let found = calls.list(&filter, &Page::default()).await.unwrap().items;
            assert_eq!(found.iter().map(|row| &row.sid).collect::<Vec<&Sid>>(), hits, "{filter:?}");
        }
        let unfinished = world.projections().system().unfinished_calls(None).await.unwrap();
        assert_eq!(unfinished.iter().map(|row| &row.sid).collect::<Vec<_>>(), [&child]);
        let counts = world.projections().counts(&world.carrier, second(15)).await.unwrap();
        assert_eq!((counts.accounts, counts.live_calls, counts.calls_since), (1, 1, 1));
    })
    .await;
}

#[tokio::test]
async fn an_odd_cursor_is_refused() {
    on_each(async |world: &World| {
        let page = Page::after("'; DROP TABLE calls", 10);
        let projections = world.projections();
        assert!(projections.calls(world.own()).list(&CallFilter::default(), &page).await.is_err());
        assert!(
            projections
                .call_timeline(Scope::Carrier(world.carrier.clone()))
                .list(&sid(Kind::Call), &page)
                .await
                .is_err()
        );
    })
    .await;
}
