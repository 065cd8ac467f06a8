//! What an application sees of one visit: cookies and sign-in, across redirects.

use super::*;
use ring::digest::{SHA256, digest};

/// An answer with these headers and no body.
fn says(status: u16, headers: &[&str]) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("HTTP/1.1 {status} Well\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n")
}

/// A header's value in what the server heard; empty when it is not there.
fn value<'a>(heard: &'a str, name: &str) -> &'a str {
    let line = heard.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_default()
}

#[tokio::test]
async fn cookies_set_on_the_way_follow_the_redirect_and_come_back_to_the_call() {
    let set = says(
        302,
        &["Location: /next", "Set-Cookie: session=abc; Path=/", "Set-Cookie: first=1; Path=/first"],
    );
    let more = says(200, &["Set-Cookie: step=2"]);
    let (address, log) = server(vec![set, more, ok("")]).await;
    let call = Cookies::default().of(None, &Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(1)));
    let of_call = |path: &str| Request {
        cookies: Some(call.clone()),
        ..request(Method::Post, format!("http://{address}{path}"))
    };
    let http = client(true, &[]);
    assert_eq!(code(&http.send(&of_call("/first")).await), 200);
    assert_eq!(code(&http.send(&of_call("/first")).await), 200);
    let heard = log.lock().unwrap();
    let carried: Vec<&str> = heard.iter().map(|heard| value(heard, "Cookie")).collect();
    assert_eq!(carried, ["", "session=abc", "first=1; session=abc; step=2"]);
}

const CHALLENGES: [&str; 2] = [
    "WWW-Authenticate: Basic realm=\"door\", Digest realm=\"door, left\", nonce=\"n1\", qop=\"auth,auth-int\", \
     opaque=\"o\", algorithm=SHA-256",
    "WWW-Authenticate: Digest realm=\"door\", nonce=\"n2\", qop=\"auth\"",
];

fn sha256(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A parameter of an Authorization header.
fn parameter<'a>(header: &'a str, name: &str) -> &'a str {
    let pairs = header.trim_start_matches("Digest ").split(", ").filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value.trim_matches('"'))
        .next()
        .unwrap_or_default()
}

#[tokio::test]
async fn an_application_that_demands_a_digest_gets_it_with_the_whole_request() {
    for method in [Method::Post, Method::Get] {
        let (address, log) = server(vec![says(401, &CHALLENGES), ok("<Response/>")]).await;
        let url = format!("http://bob:p%40ss@{address}/voice?x=1#rc=0");
        assert_eq!(code(&client(true, &[]).send(&request(method, url)).await), 200);
        let heard = log.lock().unwrap().clone();
        let header = value(&heard[1], "Authorization");
        let uri = heard[1].split(' ').nth(1).unwrap();
        let own = sha256("bob:door, left:p@ss");
        let asked = sha256(&format!("{}:{uri}", method.as_str()));
        let cnonce = parameter(header, "cnonce");
        assert_eq!(
            parameter(header, "response"),
            sha256(&format!("{own}:n1:00000001:{cnonce}:auth:{asked}"))
        );
        assert_eq!((parameter(header, "uri"), parameter(header, "opaque")), (uri, "o"));
        let without = |text: &str| {
            let lines = text.lines().filter(|line| !line.starts_with("Authorization: "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(without(&heard[1]), without(&heard[0]), "form, token and signature are the same");
    }
}

/// "Basic" and the password of bob, which is secret.
const BOB: &str = "Basic Ym9iOnNlY3JldA==";
const DOOR: &str = "WWW-Authenticate: Basic realm=\"door\"";

/// What the Authorization headers said that a server heard.
fn authorizations(log: &Mutex<Vec<String>>) -> Vec<String> {
    log.lock().unwrap().iter().map(|heard| value(heard, "Authorization").to_owned()).collect()
}

#[tokio::test]
async fn a_password_is_told_to_whom_demands_it_with_the_whole_request() {
    for (demands, told) in [(vec![DOOR], true), (vec![], true), (vec!["WWW-Authenticate: Bearer"], false)] {
        let (address, log) = server(vec![says(401, &demands), ok("<Response/>")]).await;
        let url = format!("http://bob:secret@{address}/voice#rc=0");
        let came = code(&client(true, &[]).send(&request(Method::Post, url)).await);
        let heard = log.lock().unwrap().clone();
        assert_eq!((value(&heard[0], "Authorization"), came), ("", if told { 200 } else { 401 }));
        assert_eq!(heard.len(), 1 + usize::from(told), "{demands:?}");
        for again in &heard[1..] {
            assert_eq!(value(again, "Authorization"), BOB);
            assert_eq!(again.replace(&format!("Authorization: {BOB}\r\n"), ""), heard[0]);
        }
    }
}

#[tokio::test]
async fn who_has_signed_in_is_so_for_the_call_at_that_origin_and_nowhere_else() {
    let (address, log) = server(vec![says(401, &[DOOR]), ok(""), ok(""), says(401, &[DOOR]), ok("")]).await;
    let (stranger, strange) = server_at(Ipv4Addr::new(127, 0, 0, 2), vec![says(401, &[DOOR])]).await;
    let logins = Logins::default();
    let of_call = |number: u128, url: String| Request {
        logins: Some(logins.of(&Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(number)))),
        ..request(Method::Post, url + "#rc=0")
    };
    let http = client(true, &[]);
    for (number, url, came) in [
        (1, format!("http://bob:secret@{address}/a"), 200),
        (1, format!("http://{address}/b"), 200),
        (1, format!("http://{stranger}/"), 401),
        (2, format!("http://{address}/b"), 401),
    ] {
        assert_eq!(code(&http.send(&of_call(number, url)).await), came);
    }
    assert_eq!(authorizations(&log), ["", BOB, BOB, ""]);
    assert_eq!(authorizations(&strange), [""]);
}

#[tokio::test]
async fn a_digest_goes_on_with_its_nonce_until_another_is_given() {
    let another = CHALLENGES[1].replace("n2", "n3");
    let answers = vec![says(401, &CHALLENGES[1..]), ok(""), ok(""), says(401, &[&another]), ok("")];
    let (address, log) = server(answers).await;
    let logins = Logins::default().of(&Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(1)));
    let url = format!("http://bob:secret@{address}/voice");
    let of_call = Request { logins: Some(logins), ..request(Method::Post, url) };
    let http = client(true, &[]);
    for _ in 0..3 {
        assert_eq!(code(&http.send(&of_call).await), 200);
    }
    let said = authorizations(&log);
    let used: Vec<_> = said.iter().map(|said| (parameter(said, "nonce"), parameter(said, "nc"))).collect();
    let (n2, n3) = ("n2", "n3");
    assert_eq!(used, [("", ""), (n2, "00000001"), (n2, "00000002"), (n2, "00000003"), (n3, "00000001")]);
}

#[tokio::test]
async fn a_digest_is_given_once_and_only_to_whom_its_user_is_for() {
    let refused = || says(401, &CHALLENGES[1..]);
    let (address, log) = server(vec![refused(), refused(), ok("")]).await;
    let url = format!("http://bob:secret@{address}/#rc=0");
    assert_eq!(code(&client(true, &[]).send(&request(Method::Post, url)).await), 401);
    assert!(value(&log.lock().unwrap()[1], "Authorization").contains("algorithm=MD5"));
    assert_eq!(log.lock().unwrap().len(), 2, "a wrong password is not tried again");

    let (stranger, log) = server_at(Ipv4Addr::new(127, 0, 0, 2), vec![refused(), ok("")]).await;
    let (address, _) = server(vec![redirect(302, &format!("http://{stranger}/"))]).await;
    let url = format!("http://bob:secret@{address}/#rc=0");
    assert_eq!(code(&client(true, &[]).send(&request(Method::Get, url)).await), 401);
    let heard = log.lock().unwrap();
    assert_eq!((heard.len(), value(&heard[0], "Authorization")), (1, ""));
}

#[tokio::test]
async fn a_cookie_that_a_challenge_takes_away_does_not_come_with_its_answer() {
    let set = says(200, &["Set-Cookie: session=abc"]);
    let taken = says(401, &[CHALLENGES[1], "Set-Cookie: session=; Max-Age=0"]);
    let (address, log) = server(vec![set, taken, ok("")]).await;
    let call = Cookies::default().of(None, &Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(1)));
    let of_call = Request {
        cookies: Some(call),
        ..request(Method::Post, format!("http://bob:secret@{address}/voice"))
    };
    let http = client(true, &[]);
    assert_eq!(code(&http.send(&of_call).await), 200);
    assert_eq!(code(&http.send(&of_call).await), 200);
    let heard = log.lock().unwrap();
    let carried: Vec<&str> = heard.iter().map(|heard| value(heard, "Cookie")).collect();
    assert_eq!(carried, ["", "session=abc", ""]);
}
