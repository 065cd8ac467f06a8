//! What an application sees of one visit: cookies, across redirects.

use super::*;

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
    let call = Cookies::default().of(&Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(1)));
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
