//! Limits every request has: body size, time, and a panic's reach.

use crate::problem::Refusal;
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Result,
    error::ReadBodyError,
    http::{Method, StatusCode},
    middleware::CatchPanic,
};
use std::time::Duration;

/// Most bytes of a request's body.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;
/// Longest a request may take, body included.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// `endpoint`, given whole bodies of at most [`BODY_LIMIT`] and [`REQUEST_TIMEOUT`] to answer.
pub(crate) fn bounded<E: Endpoint + 'static>(endpoint: E) -> impl Endpoint<Output = Response> {
    endpoint.around(|endpoint, request| async move {
        match tokio::time::timeout(REQUEST_TIMEOUT, answer(&*endpoint, request)).await {
            Ok(answer) => answer,
            Err(_) => {
                let detail = "The request took too long.";
                Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, "timeout", detail).into())
            }
        }
    })
}

async fn answer<E: Endpoint>(endpoint: &E, mut request: Request) -> Result<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let body = request.take_body().into_bytes_limit(BODY_LIMIT).await.map_err(unread)?;
        request.set_body(body);
    }
    Ok(endpoint.call(request).await?.into_response())
}

fn unread(error: ReadBodyError) -> Refusal {
    match error {
        ReadBodyError::PayloadTooLarge => {
            let detail = format!("A body has at most {BODY_LIMIT} bytes.");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
        }
        error => Refusal::new(StatusCode::BAD_REQUEST, "bad_request", error.to_string()),
    }
}

/// `endpoint`, whose panics become 500 and a line in the log.
pub(crate) fn rescued<E: Endpoint + 'static>(endpoint: E) -> impl Endpoint<Output = Response> {
    endpoint.with(CatchPanic::new().with_handler(|_| {
        tracing::error!(request_id = crate::problem::request_id(), "a request handler panicked");
        Refusal::internal().into_response()
    }))
}
