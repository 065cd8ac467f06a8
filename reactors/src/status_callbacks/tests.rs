use super::{story::due, *};
use crate::{
    signature,
    testing::{Application, Bench, TOKEN, life},
};
use domain::{
    Sid,
    call::{
        Call, CallCommand, CallEvent, CallEventKind, CallbackEvent, CallbackEvent as E, EndReason, Ending,
        Purpose, WebhookExchange,
    },
};
use store::Fact;

const ALL: [CallbackEvent; 4] = [E::Initiated, E::Ringing, E::Answered, E::Completed];

fn start(bench: &Bench) {
    bench.common.tasks.spawn(StatusCallbacks::new(bench.common.clone()).run());
}

fn made(stream: &[Fact]) -> usize {
    stream.iter().filter(|fact| fact.kind::<Call>() == Some(CallEventKind::Exchanged)).count()
}

#[tokio::test]
async fn every_moment_asked_for_is_told_once_in_order_and_signed() {
    let bench = Bench::new().await;
    let mut application = Application::locked().await;
    start(&bench);
    let call = bench.queue(application.callback(&ALL)).await;
    bench.tell(&call, life()).await;
    for (number, status) in ["initiated", "ringing", "in-progress", "completed"].into_iter().enumerate() {
        let heard = application.next().await;
        assert_eq!(heard.parameter("CallStatus"), status);
        assert_eq!(heard.parameter("SequenceNumber"), number.to_string());
        assert_eq!(heard.parameter("CallSid"), call.as_str());
        assert_eq!(heard.parameter("AccountSid"), bench.account.as_str());
        assert_eq!(heard.parameter("CallbackSource"), "call-progress-events");
        assert_eq!(heard.parameter("FromCountry"), "KH");
        assert!(heard.parameter("Timestamp").ends_with(" +0000"));
        assert_eq!(heard.header("authorization"), "Basic Ym9iOnNlY3JldA==");
        let url = format!("http://{}/status?x=1", application.address);
        assert_eq!(heard.header("x-twilio-signature"), signature::sign(TOKEN, &url, &heard.form));
        let stream = bench.store.stream(&call).await.unwrap();
        let told_of = |fact: &&Fact| fact.event_id.to_string() == heard.header("i-twilio-idempotency-token");
        let position = stream.iter().find(told_of).unwrap().position;
        assert!(bench.common.projections.position(Log::Calls) >= position, "a fetch would not see {status}");
        let last = number == 3;
        assert_eq!(heard.parameter("CallDuration"), if last { "1" } else { "" });
        assert_eq!(heard.parameter("SipResponseCode"), if last { "200" } else { "" });
    }
    let stream = bench.until(&call, |stream| made(stream) == 4).await;
    let Some(Ok(CallEvent::Exchanged(exchange))) = stream.last().unwrap().of::<Call>() else { panic!() };
    assert_eq!((exchange.purpose, exchange.status), (Purpose::StatusCallback, Some(200)));
    assert!(application.heard.try_recv().is_err(), "nothing is told twice");
}

#[tokio::test]
async fn only_what_was_asked_for_is_told_and_numbered_from_zero() {
    let bench = Bench::new().await;
    let mut application = Application::start().await;
    start(&bench);
    let call = bench.queue(application.callback(&[E::Completed])).await;
    let busy = CallCommand::End(Ending::because(EndReason::Busy).with_code(486));
    bench.tell(&call, vec![CallCommand::Claim { node: "here".into() }, busy]).await;
    let heard = application.next().await;
    let of = |name| heard.parameter(name);
    assert_eq!((of("CallStatus"), of("SequenceNumber"), of("SipResponseCode")), ("busy", "0", "486"));
    assert_eq!((of("CallDuration"), of("Duration")), ("0", "0"));
}

#[tokio::test]
async fn a_slow_application_delays_nobody_else() {
    let bench = Bench::new().await;
    let (mut slow, mut quick) = (Application::start().await, Application::start().await);
    slow.open.send_replace(false);
    start(&bench);
    let hanging = bench.queue(slow.callback(&ALL)).await;
    bench.tell(&hanging, life()).await;
    assert_eq!(slow.next().await.parameter("CallStatus"), "initiated");
    let other = bench.queue(quick.callback(&[E::Completed])).await;
    bench.tell(&other, life()).await;
    assert_eq!(quick.next().await.parameter("CallStatus"), "completed");
    assert!(slow.heard.try_recv().is_err(), "the second waits for the first");
    slow.open.send_replace(true);
    for status in ["ringing", "in-progress", "completed"] {
        assert_eq!(slow.next().await.parameter("CallStatus"), status);
    }
}

#[tokio::test]
async fn a_restart_goes_on_where_the_facts_say() {
    let bench = Bench::new().await;
    let mut application = Application::start().await;
    let call = bench.queue(application.callback(&ALL)).await;
    let mut facts = life();
    let ended = facts.pop().unwrap();
    bench.tell(&call, facts).await;
    start(&bench);
    for status in ["initiated", "ringing", "in-progress"] {
        assert_eq!(application.next().await.parameter("CallStatus"), status);
    }
    bench.until(&call, |stream| made(stream) == 3).await;
    // Nothing but the facts tells what was made: the checkpoint is lost.
    let forgotten = bench.common.ledger.lease(NAME, "here", bench.common.clock.now()).await.unwrap();
    assert!(forgotten && bench.common.ledger.advance(NAME, "here", 0).await.unwrap());
    let bench = bench.restarted().await;
    bench.common.ledger.advance(NAME, "here", 0).await.unwrap();
    bench.tell(&call, vec![ended]).await;
    start(&bench);
    let heard = application.next().await;
    assert_eq!((heard.parameter("CallStatus"), heard.parameter("SequenceNumber")), ("completed", "3"));
    bench.until(&call, |stream| made(stream) == 4).await;
    assert!(application.heard.try_recv().is_err());
}

#[tokio::test]
async fn the_last_callbacks_are_made_before_the_process_ends() {
    let bench = Bench::new().await;
    let mut application = Application::start().await;
    let call = bench.queue(application.callback(&ALL)).await;
    bench.tell(&call, life()).await;
    bench.common.stop.cancel();
    start(&bench);
    bench.common.tasks.close();
    bench.common.tasks.wait().await;
    for status in ["initiated", "ringing", "in-progress", "completed"] {
        assert_eq!(application.next().await.parameter("CallStatus"), status);
    }
    assert_eq!(made(&bench.store.stream(&call).await.unwrap()), 4);
}

/// Stops the process while the application holds its first answer; what is under way is seen through, nothing is begun.
async fn stopped_in_the_middle(bench: Bench, application: &mut Application) -> (Bench, Sid) {
    application.open.send_replace(false);
    let reactor =
        StatusCallbacks { last_words: Duration::ZERO, ..StatusCallbacks::new(bench.common.clone()) };
    let closed = reactor.lanes.closed();
    bench.common.tasks.spawn(reactor.run());
    let call = bench.queue(application.callback(&ALL)).await;
    bench.tell(&call, life()).await;
    let heard = application.next().await;
    assert_eq!(heard.parameter("CallStatus"), "initiated");
    let stream = bench.store.stream(&call).await.unwrap();
    let initiated = stream.iter().find(|fact| fact.kind::<Call>() == Some(CallEventKind::Initiated)).unwrap();
    assert_eq!(heard.header("i-twilio-idempotency-token"), initiated.event_id.to_string());
    bench.common.stop.cancel();
    closed.cancelled().await;
    application.open.send_replace(true);
    let bench = bench.restarted().await;
    assert_eq!(made(&bench.store.stream(&call).await.unwrap()), 1, "it is on the timeline");
    assert!(application.heard.try_recv().is_err(), "nothing was begun after the stop");
    (bench, call)
}

#[tokio::test]
async fn a_callback_under_way_at_the_stop_is_made_once_across_the_restart() {
    let mut application = Application::start().await;
    let (bench, call) = stopped_in_the_middle(Bench::new().await, &mut application).await;
    start(&bench);
    for status in ["ringing", "in-progress", "completed"] {
        assert_eq!(application.next().await.parameter("CallStatus"), status);
    }
    bench.until(&call, |stream| made(stream) == 4).await;
    assert!(application.heard.try_recv().is_err());
}

fn exchange(parameters: Vec<(String, String)>, status: u16) -> WebhookExchange {
    WebhookExchange {
        purpose: Purpose::StatusCallback,
        method: domain::webhook_url::Method::Post,
        url: "http://a.test/".into(),
        parameters,
        status: Some(status),
        duration_ms: 1,
        response_headers: vec![],
        body: String::new(),
        truncated: false,
        error: None,
    }
}

#[tokio::test]
async fn one_fact_leaves_one_callback_on_the_timeline() {
    let bench = Bench::new().await;
    let application = Application::start().await;
    let call = bench.queue(application.callback(&ALL)).await;
    bench.tell(&call, life()).await;
    let stream = bench.store.stream(&call).await.unwrap();
    let fact = stream.iter().find(|fact| fact.kind::<Call>() == Some(CallEventKind::Initiated)).unwrap();
    let due = due(&stream, fact.sequence).unwrap().unwrap();
    let lanes = Lanes::new(bench.common.clone());
    // The second is what another node was told.
    for status in [200, 503, 200] {
        lanes.record(fact, &due, exchange(due.parameters.clone(), status)).await;
    }
    assert_eq!(made(&bench.store.stream(&call).await.unwrap()), 1);
}

#[tokio::test]
async fn nothing_is_begun_without_the_lease() {
    let bench = Bench::new().await;
    let mut application = Application::start().await;
    let call = bench.queue(application.callback(&ALL)).await;
    bench.tell(&call, life()).await;
    let lanes = Lanes::new(bench.common.clone());
    lanes.take(&bench.store.stream(&call).await.unwrap()).await.unwrap();
    assert_eq!(lanes.flight().len(), 5, "initiated, ringing twice, answered, ended");
    lanes.close();
    lanes.seen_through().await;
    assert!(application.heard.try_recv().is_err());
    let before_initiated = Some(bench.store.stream(&call).await.unwrap()[1].position);
    assert_eq!(lanes.unsaved(), before_initiated, "and the checkpoint stays before it");
}

#[tokio::test]
async fn an_application_that_is_gone_is_on_the_timeline() {
    let bench = Bench::new().await;
    let gone = {
        let application = Application::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        domain::call::Callback { url, ..application.callback(&[E::Completed]).unwrap() }
    };
    start(&bench);
    let call = bench.queue(Some(gone)).await;
    bench.tell(&call, life()).await;
    let stream = bench.until(&call, |stream| made(stream) == 1).await;
    let Some(Ok(CallEvent::Exchanged(exchange))) = stream.last().unwrap().of::<Call>() else { panic!() };
    assert_eq!(exchange.error.map(|error| error.code), Some(11205));
}

#[tokio::test]
async fn a_call_that_wants_no_callback_is_passed_over() {
    let bench = Bench::new().await;
    let lanes = Lanes::new(bench.common.clone());
    let call = bench.queue(None).await;
    bench.tell(&call, life()).await;
    let stream = bench.store.stream(&call).await.unwrap();
    lanes.take(&stream).await.unwrap();
    assert_eq!(lanes.flight().len(), 0);
    assert_eq!(lanes.asked().remembered(), 0, "it is forgotten with its last fact");
}

#[tokio::test]
async fn a_call_whose_beginning_was_not_seen_is_looked_up() {
    let bench = Bench::new().await;
    let (lanes, application) = (Lanes::new(bench.common.clone()), Application::start().await);
    let call = bench.queue(application.callback(&ALL)).await;
    bench.tell(&call, life()).await;
    let last = bench.store.stream(&call).await.unwrap().pop().unwrap();
    let whose = lanes.asked().whose(&last, &bench.store).await.unwrap().unwrap();
    assert_eq!(whose.payer, bench.account);
    assert_eq!(*whose.application, *format!("http://{}/status", application.address));
}

/// Both of one account.
#[tokio::test]
async fn an_application_that_hangs_delays_no_other_of_its_account() {
    let bench = Bench::new().await;
    let (mut hung, mut well) = (Application::start().await, Application::start().await);
    hung.open.send_replace(false);
    start(&bench);
    for _ in 0..60 {
        let call = bench.queue(hung.callback(&[E::Completed])).await;
        bench.tell(&call, life()).await;
    }
    hung.next().await;
    let told = std::time::Duration::from_secs(1);
    for _ in 0..3 {
        let call = bench.queue(well.callback(&[E::Completed])).await;
        bench.tell(&call, life()).await;
        let heard = tokio::time::timeout(told, well.next()).await.expect("it does not wait for the other");
        assert_eq!(heard.parameter("CallSid"), call.as_str());
    }
}

#[tokio::test]
async fn an_application_with_too_many_waiting_is_read_again_later() {
    let bench = Bench::new().await;
    let mut application = Application::start().await;
    let lanes = Lanes::new(bench.common.clone());
    lanes.hold(bench.common.clock.elapsed() + Duration::from_secs(3600));
    let call = bench.queue(application.callback(&[E::Completed])).await;
    bench.tell(&call, life()).await;
    let stream = bench.store.stream(&call).await.unwrap();
    let whose = lanes.asked().whose(&stream[2], &bench.store).await.unwrap().unwrap();
    for _ in 0..accounts::MAX_WAITING {
        assert!(lanes.accounts().admit(&whose, 1, 0));
    }
    lanes.take(&stream).await.unwrap();
    let (initiated, last) = (stream[2].position, stream.last().unwrap().position);
    lanes.flight().read(last);
    assert_eq!(lanes.flight().len(), 0, "its facts are left aside");
    assert_eq!(lanes.unsaved(), Some(initiated - 1), "and read again after a restart");
    let other = accounts::Whose { application: "http://other.test/".into(), ..whose.clone() };
    assert!(lanes.accounts().admit(&other, last, 0), "the others go on");
    for _ in 0..accounts::MAX_WAITING {
        lanes.accounts().done(&whose);
    }
    lanes.catch_up().await.unwrap();
    assert_eq!(application.next().await.parameter("CallStatus"), "completed");
    lanes.flight().landed().await;
    assert_eq!((made(&bench.store.stream(&call).await.unwrap()), lanes.unsaved()), (1, Some(last)));
}
