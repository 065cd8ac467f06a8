use super::*;
use crate::{
    http::Http,
    signature,
    testing::{Application, Bench, TOKEN, http_options, new_sid, read_request},
};
use domain::{
    Kind,
    call::{Call, CallEvent, Document, Program, Purpose, Queued},
    webhook_url::Method,
};
use store::RandomIds;
use tokio::{io::AsyncWriteExt, net::TcpListener, sync::mpsc};

fn world(bench: &Bench, folder: &Path) -> World {
    let (ids, common) = (Arc::new(RandomIds::default()), &bench.common);
    World::open(&bench.store, common.callbacks.clone(), ids, folder, &common.tasks, &common.stop).unwrap()
}

fn asked(bench: &Bench, url: &str) -> DocumentRequest {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    DocumentRequest {
        tenant: bench.tenant.clone(),
        call: new_sid(Kind::Call),
        purpose: Purpose::Document,
        url: url.parse().unwrap(),
        method: Method::Post,
        params: vec![pair("From", "+85512345678"), pair("To", "1234")],
    }
}

#[tokio::test]
async fn a_document_request_is_signed_with_the_accounts_token() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let mut application = Application::start().await;
    let url = format!("http://user:secret@{}/voice", application.address);
    let fetched = world(&bench, folder.path()).fetch(asked(&bench, &url)).await;
    assert!(fetched.failure.is_none());
    let shown = format!("http://{}/voice", application.address);
    assert_eq!((fetched.exchange.url.as_str(), fetched.exchange.status), (shown.as_str(), Some(200)));
    let heard = application.next().await;
    assert_eq!(heard.parameter("CallerCountry"), "KH");
    assert_eq!(heard.form, fetched.exchange.parameters);
    assert_eq!(heard.header("x-twilio-signature"), signature::sign(TOKEN, &shown, &heard.form));
}

#[tokio::test]
async fn an_application_is_told_the_password_that_the_vault_keeps() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let mut application = Application::locked().await;
    let written: WebhookUrl = format!("http://bob:secret@{}/voice", application.address).parse().unwrap();
    let mut asked_for = bench.asked(None);
    asked_for.program = Some(Program::Fetched(Document {
        url: written.clone(),
        method: Method::Post,
        fallback_url: None,
        fallback_method: Method::Post,
    }));
    let call = new_sid(Kind::Call);
    bench.tell(&call, vec![CallCommand::Queue(asked_for)]).await;
    let stream = bench.store.stream(&call).await.unwrap();
    let Some(Ok(CallEvent::Queued(Queued { program: Some(Program::Fetched(document)), .. }))) =
        stream[0].of::<Call>()
    else {
        panic!("{stream:?}")
    };
    assert!(document.url.kept_password().is_some());
    let world = world(&bench, folder.path());
    for url in [&document.url, &written] {
        assert!(world.fetch(asked(&bench, url.as_str())).await.failure.is_none());
        assert_eq!(application.next().await.header("authorization"), "Basic Ym9iOnNlY3JldA==");
    }
    let elsewhere = document.url.as_str().replace("127.0.0.1", "localhost");
    assert_eq!(
        world.vault.with_password(&bench.tenant.carrier, &elsewhere.parse().unwrap()).await.unwrap().as_str(),
        elsewhere
    );
}

#[test]
fn where_redirects_led_is_told_without_the_password_that_the_vault_keeps() {
    let kept: WebhookUrl = format!("http://bob:kept-{}@a.test/", "0".repeat(32)).parse().unwrap();
    let told = |at: &str| {
        let mut at = at.parse().unwrap();
        hide_password(&mut at, "http://bob:se%20cret@a.test/d/r", &kept);
        at.to_string()
    };
    assert_eq!(told("http://bob:se%20cret@a.test/e/f"), kept.as_str().to_owned() + "e/f");
    for other in ["http://bob:other@a.test/", "http://bob:se%20cret@b.test/", "https://c.test/"] {
        assert_eq!(told(other), other);
    }
}

#[tokio::test]
async fn cookies_last_as_long_as_the_call() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let world = world(&bench, folder.path());
    let answer =
        "HTTP/1.1 200 OK\r\nSet-Cookie: step=1; Path=/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, mut heard) = sounds(vec![answer; 3]).await;
    let first = asked(&bench, &url);
    for request in [first.clone(), first, asked(&bench, &url)] {
        assert!(world.fetch(request).await.failure.is_none());
    }
    let carried = [heard.recv().await, heard.recv().await, heard.recv().await];
    let carried = carried.map(|request| request.unwrap().contains("\r\nCookie: step=1"));
    assert_eq!(carried, [false, true, false], "only the second request of the same call");
}

#[tokio::test]
async fn a_guarded_address_is_a_failure_without_a_body() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let application = Application::start().await;
    let guarded =
        Http::new(crate::http::HttpOptions { guard: crate::http::Guard::default(), ..http_options() });
    let mut world = world(&bench, folder.path());
    world.http = guarded;
    let fetched = world.fetch(asked(&bench, &format!("http://{}/voice", application.address))).await;
    assert_eq!(fetched.failure.unwrap().code, 11210);
    assert!(fetched.body.is_empty() && fetched.exchange.body.is_empty());
}

#[tokio::test]
async fn the_action_of_a_dial_has_the_calls_cookies_though_the_call_has_ended() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let world = world(&bench, folder.path());
    let answer =
        "HTTP/1.1 200 OK\r\nSet-Cookie: step=1; Path=/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, mut heard) = sounds(vec![answer; 3]).await;
    let request = asked(&bench, &url);
    for ended in [0, 1, LAST_WORDS] {
        let others = (1..ended).map(|_| new_sid(Kind::Call));
        let ended = (ended > 0).then(|| request.call.clone()).into_iter().chain(others);
        ended.for_each(|call| world.note_end(&call));
        assert!(world.fetch(request.clone()).await.failure.is_none());
    }
    let carried = [heard.recv().await, heard.recv().await, heard.recv().await];
    let carried = carried.map(|request| request.unwrap().contains("\r\nCookie: step=1"));
    assert_eq!(carried, [false, true, false], "kept after its end, and not for ever");
}

#[tokio::test]
async fn a_sound_at_the_host_where_the_call_has_signed_in_is_had_with_that_login() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let world = world(&bench, folder.path());
    let who = "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"door\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let kept =
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    let (url, mut heard) = sounds(vec![who, kept, kept, who]).await;
    let request = asked(&bench, &url.replace("://", "://bob:secret@"));
    assert!(world.fetch(request.clone()).await.failure.is_none());
    let call = |sid: Sid| CallRef { sid, tenant: bench.tenant.clone() };
    assert!(world.media(call(request.call), url.parse().unwrap()).await.is_ok());
    assert!(
        world.media(call(new_sid(Kind::Call)), url.parse().unwrap()).await.is_err(),
        "not even kept for it"
    );
    let signed_in = [heard.recv().await, heard.recv().await, heard.recv().await, heard.recv().await];
    let signed_in =
        signed_in.map(|request| request.unwrap().contains("Authorization: Basic Ym9iOnNlY3JldA=="));
    assert_eq!(signed_in, [false, true, true, false]);
}

/// A server that gives one answer per connection and tells what it heard.
async fn sounds(answers: Vec<&'static str>) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a.wav", listener.local_addr().unwrap());
    let (told, heard) = mpsc::unbounded_channel();
    #[expect(clippy::disallowed_methods, reason = "tests start their own servers")]
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            told.send(read_request(&mut stream).await).unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, heard)
}

#[tokio::test]
async fn a_sound_is_kept_while_fresh_and_asked_about_when_not() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let world = world(&bench, folder.path());
    let (fresh, mut fresh_heard) = sounds(vec![
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Type: audio/wav\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
    ])
    .await;
    let (stale, mut stale_heard) = sounds(vec![
        "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
    ])
    .await;
    for url in [&fresh, &stale] {
        for _ in 0..2 {
            let call = CallRef { sid: new_sid(Kind::Call), tenant: bench.tenant.clone() };
            let file = world.media(call, url.parse().unwrap()).await.unwrap();
            assert_eq!(&file.body[..], b"abc");
        }
    }
    assert!(fresh_heard.recv().await.unwrap().starts_with("GET /a.wav "));
    assert!(fresh_heard.try_recv().is_err(), "the second came from the cache");
    stale_heard.recv().await.unwrap();
    assert!(stale_heard.recv().await.unwrap().contains("If-None-Match: \"v1\""));
}

#[tokio::test]
async fn evidence_reaches_its_table() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let world = world(&bench, folder.path());
    let call = CallRef { sid: new_sid(Kind::Call), tenant: bench.tenant.clone() };
    world.evidence(vec![Evidence {
        call: call.clone(),
        at: Timestamp::from_micros(1),
        kind: "sip",
        inbound: true,
        peer: "127.0.0.1:5070".into(),
        summary: "INVITE".into(),
        raw: "INVITE sip:1234@host SIP/2.0".into(),
    }]);
    bench.common.stop.cancel();
    bench.common.tasks.close();
    bench.common.tasks.wait().await;
    let kept = bench.store.evidence().of(&call.sid, 0).await.unwrap();
    assert_eq!((kept.len(), kept[0].direction.as_str()), (1, "in"));
}
