//! An HTTP outcome as the webhook inspector shows it.

use crate::http::{Outcome, Response, failure::RETRIEVAL};
use domain::{
    call::{ExchangeError, Purpose, WebhookExchange},
    url_password,
    webhook_url::{Method, shown},
};

/// Most of a body that becomes part of the fact, in bytes.
const MAX_BODY: usize = 16 * 1024;
/// Most headers.
const MAX_HEADERS: usize = 64;
/// Most of one header's value, in characters.
const MAX_HEADER: usize = 1024;

/// What stands for a header's value that is not told.
const HIDDEN: &str = "[hidden]";

/// The exchange as a fact. A status other than 2xx is a failed retrieval.
pub(crate) fn exchange_of(
    purpose: Purpose,
    method: Method,
    parameters: Vec<(String, String)>,
    outcome: &Outcome,
) -> WebhookExchange {
    let response = outcome.result.as_ref().ok();
    // A sound is told by its headers.
    let text = response.filter(|response| !response.is_audio());
    WebhookExchange {
        purpose,
        method,
        url: outcome.url.clone(),
        parameters,
        status: response.map(|response| response.status),
        duration_ms: u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX),
        response_headers: response.map(headers).unwrap_or_default(),
        body: text.map(|response| told(&response.body)).unwrap_or_default(),
        truncated: text.is_some_and(|response| response.body.len() > MAX_BODY),
        error: error_of(outcome),
    }
}

/// A body as it is told: as text, without the passwords of the addresses in it.
fn told(body: &[u8]) -> String {
    let mut text = url_password::hidden(&String::from_utf8_lossy(body)).replace('\0', "\u{fffd}");
    text.truncate(text.floor_char_boundary(MAX_BODY));
    text
}

fn headers(response: &Response) -> Vec<(String, String)> {
    response
        .headers
        .iter()
        .take(MAX_HEADERS)
        .map(|(name, value)| {
            let value = if TOLD.contains(&name.as_str()) { shown(value) } else { HIDDEN.to_owned() };
            (name.clone(), value.chars().filter(|c| *c != '\0').take(MAX_HEADER).collect())
        })
        .collect()
}

/// Headers whose values say how a response was made and stored. The value of any other may be somebody's key; that it was
/// there is told by its name.
const TOLD: [&str; 24] = [
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "location",
    "retry-after",
    "server",
    "transfer-encoding",
    "vary",
    "via",
];

fn error_of(outcome: &Outcome) -> Option<ExchangeError> {
    match &outcome.result {
        Ok(Response { status: 200..=299, .. }) => None,
        Ok(Response { status, .. }) => Some(ExchangeError {
            code: RETRIEVAL,
            message: format!("the application answered with {status}"),
        }),
        Err(failure) => Some(ExchangeError { code: failure.code, message: failure.message.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::time::Duration;

    #[test]
    fn sessions_and_credentials_stay_out_of_the_log() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            pair("set-cookie", "session=secret; HttpOnly"),
            pair("x-amz-security-token", "secret"),
            pair("content-location", "http://bob:secret@a.test/x#y"),
            pair("date", "Mon, 23 Nov 2026 10:00:00 GMT"),
        ];
        let body = Bytes::from(r#"<Redirect>http://bob:secret@a.test/</Redirect>"#);
        let response = Response { status: 200, headers, body, at: None };
        let outcome =
            Outcome { url: "http://a.test/".into(), duration: Duration::ZERO, result: Ok(response) };
        let exchange = exchange_of(Purpose::Document, Method::Get, vec![], &outcome);
        assert_eq!(exchange.body, "<Redirect>http://bob:***@a.test/</Redirect>");
        assert_eq!(
            exchange.response_headers,
            [
                pair("set-cookie", HIDDEN),
                pair("x-amz-security-token", HIDDEN),
                pair("content-location", "http://a.test/x"),
                pair("date", "Mon, 23 Nov 2026 10:00:00 GMT"),
            ]
        );
    }
}
