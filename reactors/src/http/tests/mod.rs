//! The client against servers that behave badly, on loopback.
#![expect(clippy::disallowed_methods, reason = "tests start their own servers")]

mod apart;
mod tls;
mod visit;

use super::{
    failure::{BAD_HOST, BAD_URL, CONNECTION, PROTOCOL, REDIRECTS, RETRIEVAL, TOO_LARGE},
    target::Target,
    *,
};
use crate::testing::read_request;
use async_trait::async_trait;
use domain::Kind;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpSocket},
};

/// Counts, instead of chance.
#[derive(Default)]
struct Counted(std::sync::atomic::AtomicU64);

impl Ids for Counted {
    fn uuid(&self) -> uuid::Uuid {
        uuid::Uuid::from_u64_pair(0, self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// Answers every name with these addresses, and counts how often it is asked.
struct Answers(Vec<IpAddr>, Arc<AtomicUsize>);

#[async_trait]
impl Resolver for Answers {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        if name == "unknown.test" { Err(io::Error::other("no such name")) } else { Ok(self.0.clone()) }
    }
}

fn client(allow_loopback: bool, answers: &[&str]) -> Http {
    counted(allow_loopback, answers).0
}

/// A client, and how often it has looked a name up.
fn counted(allow_loopback: bool, answers: &[&str]) -> (Http, Arc<AtomicUsize>) {
    let answers = answers.iter().map(|text| text.parse().unwrap()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let http = Http::new(HttpOptions {
        guard: Guard {
            allowed: vec![if allow_loopback { "127.0.0.0/8" } else { "127.0.0.2/32" }.parse().unwrap()],
            own_host: "us.test".into(),
            ..Guard::default()
        },
        resolver: Arc::new(Answers(answers, Arc::clone(&asked))),
        extra_roots: vec![],
        connections: MAX_CONNECTIONS,
        ids: Arc::new(Counted::default()),
    });
    (http, asked)
}

fn request(method: Method, url: impl Into<String>) -> Request {
    Request {
        method,
        url: url.into(),
        parameters: vec![("CallSid".into(), "CA1".into()), ("To".into(), "+855 12".into())],
        auth_token: Some("token".into()),
        headers: vec![],
        limit: MAX_DOCUMENT,
        sounds: false,
        token: None,
        cookies: None,
        logins: None,
        account: None,
    }
}

/// A server that gives each request the next answer, one connection after another, and remembers what it heard.
async fn server(answers: Vec<String>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    server_at(Ipv4Addr::LOCALHOST, answers).await
}

async fn server_at(ip: Ipv4Addr, answers: Vec<String>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((ip, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let heard_by_it = Arc::clone(&log);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let text = read_request(&mut stream).await;
            heard_by_it.lock().unwrap().push(text);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, log)
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn redirect(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} See\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn code(outcome: &Outcome) -> u32 {
    outcome.result.as_ref().map_or_else(|failure| failure.code, |response| u32::from(response.status))
}

#[tokio::test]
async fn a_post_carries_form_and_signature() {
    let (address, log) = server(vec![ok("<Response/>")]).await;
    let url = format!("http://bob:secret@{address}/voice?x=1#rc=0");
    let outcome = client(true, &[]).send(&request(Method::Post, url)).await;
    let response = outcome.result.unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"<Response/>"[..]));
    assert_eq!(outcome.url, format!("http://{address}/voice?x=1"));
    let heard = log.lock().unwrap().remove(0);
    let form = [("CallSid".to_owned(), "CA1".to_owned()), ("To".to_owned(), "+855 12".to_owned())];
    let signature = signature_of(&outcome.url, &form);
    for expected in [
        "POST /voice?x=1 HTTP/1.1\r\n",
        &format!("Host: {address}\r\n"),
        "User-Agent: TwilioProxy/1.1\r\n",
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n",
        &format!("X-Twilio-Signature: {signature}\r\n"),
        "\r\n\r\nCallSid=CA1&To=%2B855+12",
    ] {
        assert!(heard.contains(expected), "{expected:?} in {heard}");
    }
    assert!(!heard.contains("Authorization"), "nobody asked for it: {heard}");
}

#[tokio::test]
async fn waiting_for_a_place_is_not_on_the_applications_time() {
    let (address, _) = server(vec![ok("one")]).await;
    let (http, account) = (client(true, &[]), Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(1)));
    // It has 1.5 s, and a place is free after more than that.
    let url = format!("http://{address}/#rc=0&tt=1500");
    let request = Request { account: Some(account.clone()), ..request(Method::Post, url) };
    let target = Target::parse(&request.url).unwrap();
    let mut held = Vec::new();
    for _ in 0..32 {
        held.push(http.0.place(Some(&account), &target).await.unwrap());
    }
    let (outcome, ()) = tokio::join!(http.send(&request), async {
        tokio::time::sleep(Duration::from_millis(1_700)).await;
        held.clear();
    });
    assert_eq!(code(&outcome), 200);
}

/// Answers nobody before it is told to.
struct Hanging(Arc<tokio::sync::Notify>);

#[async_trait]
impl Resolver for Hanging {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.0.notified().await;
        Err(io::Error::other("too late"))
    }
}

#[tokio::test]
async fn a_look_up_nobody_waits_for_any_more_still_counts() {
    let answer = Arc::new(tokio::sync::Notify::new());
    let http = Http::new(HttpOptions {
        guard: Guard::default(),
        resolver: Arc::new(Hanging(Arc::clone(&answer))),
        extra_roots: vec![],
        connections: MAX_CONNECTIONS,
        ids: Arc::new(Counted::default()),
    });
    let account = Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(1));
    let ask = |number: usize| {
        let request = request(Method::Get, format!("http://name{number}.test/#rc=0&ct=100"));
        let (http, account) = (&http, Some(account.clone()));
        async move { http.send(&Request { account, ..request }).await.result.is_err() }
    };
    let share = places::MAX_LOOK_UPS_PER_ACCOUNT;
    assert!(futures_util::future::join_all((0..share).map(ask)).await.iter().all(|failed| *failed));
    let look_ups = &http.0.places.look_ups;
    assert!(look_ups.try_take(Some(&account)).is_none(), "they are all given up, and go on");
    answer.notify_waiters();
    drop(tokio::time::timeout(Duration::from_secs(10), look_ups.take(Some(&account))).await.unwrap());
}

#[tokio::test]
async fn a_sound_may_be_larger_than_a_document_where_sounds_are_taken() {
    let large = "x".repeat(MAX_DOCUMENT + 1);
    let sound = ok(&large).replace("text/xml", "audio/mpeg");
    let (address, _) = server(vec![sound.clone(), sound, ok(&large)]).await;
    let http = client(true, &[]);
    for (sounds, expected) in [(true, 200), (false, 11750), (true, 11750)] {
        let request = Request { sounds, ..request(Method::Post, format!("http://{address}/#rc=0")) };
        assert_eq!(code(&http.send(&request).await), expected);
    }
}

fn signature_of(url: &str, form: &[(String, String)]) -> String {
    crate::signature::sign("token", url, form)
}

#[tokio::test]
async fn a_get_has_its_parameters_in_the_signed_query() {
    let (address, log) = server(vec![ok("")]).await;
    client(true, &[]).send(&request(Method::Get, format!("http://{address}/v?a=b"))).await.result.unwrap();
    let heard = log.lock().unwrap().remove(0);
    let path = "/v?a=b&CallSid=CA1&To=%2B855+12";
    let signature = signature_of(&format!("http://{address}{path}"), &[]);
    assert!(heard.starts_with(&format!("GET {path} HTTP/1.1")), "{heard}");
    assert!(heard.contains(&signature), "{heard}");
}

#[tokio::test]
async fn private_addresses_are_refused_however_they_are_spelt() {
    let (address, log) = server(vec![ok("")]).await;
    let port = address.port();
    let hosts = [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "inside.test",
        "mixed.test.",
    ];
    for host in hosts {
        let outcome = client(false, &["1.1.1.1", "127.0.0.1"])
            .send(&request(Method::Post, format!("http://{host}:{port}/#rc=0")))
            .await;
        assert_eq!(code(&outcome), BAD_HOST, "{host}");
    }
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn open_closed_and_unknown_are_refused_in_the_same_words_and_time() {
    let (open, _) = server(vec![ok("")]).await;
    let urls = [format!("http://{open}/"), "http://127.0.0.1:1/".into(), "http://unknown.test/".into()];
    for url in urls {
        let outcome = client(false, &["1.1.1.1"]).send(&request(Method::Get, format!("{url}#rc=0"))).await;
        let failure = outcome.result.unwrap_err();
        let host = host(&url);
        assert_eq!((failure.code, failure.message), (BAD_HOST, domain::outbound::refusal(&host)));
        let late = outcome.duration.saturating_sub(domain::outbound::REFUSAL_TIME);
        assert!(outcome.duration >= domain::outbound::REFUSAL_TIME && late < Duration::from_millis(250));
    }
}

#[tokio::test]
async fn mail_servers_are_not_asked() {
    for port in [25, 465, 587] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://127.0.0.1:{port}/");
            assert_eq!(code(&client(true, &[]).send(&request(Method::Post, url)).await), BAD_URL);
        }
    }
}

#[tokio::test]
async fn our_own_name_is_not_even_looked_up() {
    let (http, asked) = counted(false, &["1.1.1.1"]);
    for url in ["http://us.test/", "https://US.test./2010-04-01"] {
        assert_eq!(code(&http.send(&request(Method::Get, url)).await), BAD_HOST, "{url}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    let (inside, log) = server(vec![ok("secret")]).await;
    let (allowed, _) =
        server_at(Ipv4Addr::new(127, 0, 0, 2), vec![redirect(302, &format!("http://{inside}/"))]).await;
    let outcome = client(false, &[]).send(&request(Method::Get, format!("http://{allowed}/"))).await;
    assert_eq!(code(&outcome), BAD_HOST);
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_redirect_loses_no_parameter_whatever_the_method_becomes() {
    let form = "CallSid=CA1&To=%2B855+12";
    for (status, line, body) in [
        (301, "GET /next?a=b&CallSid=CA1&To=%2B855+12 HTTP/1.1", ""),
        (302, "GET /next?a=b&CallSid=CA1&To=%2B855+12 HTTP/1.1", ""),
        (303, "GET /next?a=b&CallSid=CA1&To=%2B855+12 HTTP/1.1", ""),
        (307, "POST /next?a=b HTTP/1.1", form),
        (308, "POST /next?a=b HTTP/1.1", form),
    ] {
        let (address, log) = server(vec![redirect(status, "/next?a=b"), ok("done")]).await;
        let outcome = client(true, &[]).send(&request(Method::Post, format!("http://{address}/first"))).await;
        assert_eq!(code(&outcome), 200);
        let heard = log.lock().unwrap().remove(1);
        assert!(heard.starts_with(line) && heard.ends_with(&format!("\r\n\r\n{body}")), "{heard}");
        let (path, sent) = (line.split(' ').nth(1).unwrap(), request(Method::Post, "").parameters);
        let signed = if body.is_empty() { &[][..] } else { &sent };
        let signature = signature_of(&format!("http://{address}{path}"), signed);
        assert!(heard.contains(&format!("X-Twilio-Signature: {signature}\r\n")), "{heard}");
    }
}

#[tokio::test]
async fn a_redirect_that_carried_the_parameters_on_gets_them_once() {
    let carried = "/next?CallSid=CA1&To=%2B855%2012";
    let (address, log) = server(vec![redirect(301, carried), ok("done")]).await;
    let outcome = client(true, &[]).send(&request(Method::Get, format!("http://{address}/first"))).await;
    assert_eq!(code(&outcome), 200);
    let heard = log.lock().unwrap().remove(1);
    assert!(heard.starts_with(&format!("GET {carried} HTTP/1.1")), "{heard}");
}

#[tokio::test]
async fn a_response_says_where_redirects_led_without_our_parameters() {
    let (elsewhere, _) = server_at(Ipv4Addr::new(127, 0, 0, 2), vec![ok("done")]).await;
    let (last, expected) = (format!("http://{elsewhere}/x/doc"), format!("http://{elsewhere}/x/doc#rc=0"));
    let (address, _) = server(vec![redirect(302, "/e/f/doc?a=b"), redirect(307, &last)]).await;
    let url = format!("http://bob:secret@{address}/d/r#rc=0");
    let response = client(true, &[]).send(&request(Method::Post, url)).await.result.unwrap();
    assert_eq!(response.at.unwrap().as_str(), expected);
    let (address, _) = server(vec![redirect(302, "/e/f/doc?a=b"), ok("done"), ok("done")]).await;
    let url = format!("http://bob:secret@{address}/d/r");
    let http = client(true, &[]);
    let response = http.send(&request(Method::Post, url.clone())).await.result.unwrap();
    assert_eq!(response.at.unwrap().as_str(), format!("http://bob:secret@{address}/e/f/doc?a=b"));
    let response = http.send(&request(Method::Post, url)).await.result.unwrap();
    assert_eq!(response.at, None, "nothing led elsewhere");
}

#[tokio::test]
async fn endless_redirects_end() {
    let (address, log) = server(vec![redirect(302, "/again"); 20]).await;
    let outcome = client(true, &[]).send(&request(Method::Get, format!("http://{address}/"))).await;
    assert_eq!(code(&outcome), REDIRECTS);
    assert_eq!(log.lock().unwrap().len(), 11);
}

#[tokio::test]
async fn a_response_larger_than_allowed_is_dropped() {
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n".to_owned() + &"x".repeat(100_000);
    let endless = "HTTP/1.1 200 OK\r\n\r\n".to_owned() + &"x".repeat(100_000);
    for answer in [announced, endless] {
        let (address, _) = server(vec![answer]).await;
        let outcome = client(true, &[]).send(&request(Method::Get, format!("http://{address}/#rc=0"))).await;
        assert_eq!(code(&outcome), TOO_LARGE);
    }
}

#[tokio::test]
async fn what_is_no_http_is_a_protocol_violation() {
    let heads = [
        "SSH-2.0-OpenSSH\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(500_000)),
    ];
    for answer in heads {
        let (address, _) = server(vec![answer]).await;
        let outcome = client(true, &[]).send(&request(Method::Get, format!("http://{address}/"))).await;
        assert_eq!(code(&outcome), PROTOCOL);
    }
}

#[tokio::test]
async fn a_closed_port_is_tried_twice_and_named() {
    // Bound and not listening: it refuses, and nobody else gets it meanwhile.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = closed.local_addr().unwrap();
    let (http, asked) = counted(true, &["127.0.0.1"]);
    for (fragment, tries) in [("", 2), ("#rc=0", 1), ("#rc=3", 4)] {
        asked.store(0, Ordering::SeqCst);
        let url = format!("http://closed.test:{}/{fragment}", address.port());
        let outcome = http.send(&request(Method::Get, url)).await;
        assert_eq!(code(&outcome), CONNECTION);
        assert_eq!(asked.load(Ordering::SeqCst), tries, "{fragment}");
    }
    let unknown = http.send(&request(Method::Get, "http://unknown.test/")).await;
    assert_eq!(code(&unknown), BAD_HOST);
}

#[tokio::test]
async fn a_reset_connection_is_a_failed_retrieval() {
    let (address, _) = server(vec!["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_owned()]).await;
    let outcome = client(true, &[]).send(&request(Method::Get, format!("http://{address}/"))).await;
    assert_eq!(code(&outcome), RETRIEVAL);
}

/// A server that accepts and then says `text` once a second for ever, or nothing.
async fn slow(text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut every = tokio::time::interval(Duration::from_millis(20));
        while stream.write_all(text.as_bytes()).await.is_ok() {
            every.tick().await;
        }
    });
    address
}

#[tokio::test]
async fn silence_and_drips_end_with_their_time() {
    for (text, fragment) in [("", "rt=200"), ("x", "tt=300")] {
        let address = slow(text).await;
        let outcome =
            client(true, &[]).send(&request(Method::Get, format!("http://{address}/#{fragment}"))).await;
        assert_eq!(code(&outcome), RETRIEVAL, "{fragment}");
        assert!(outcome.duration < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_kept_connection_is_used_again_and_replaced_when_closed() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            // Two answers on each connection, then it is closed without a word.
            for _ in 0..2 {
                read_request(&mut stream).await;
                stream.write_all(b"HTTP/1.1 204 No\r\n\r\n").await.unwrap();
            }
        }
    });
    let http = client(true, &[]);
    for _ in 0..6 {
        let outcome = http.send(&request(Method::Post, format!("http://{address}/#rc=0"))).await;
        assert_eq!(code(&outcome), 204);
    }
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 3);
}
