//! Limits every request has: body size, time, and a panic's reach.

use crate::problem::{REQUEST_ID, Refusal, request_id};
use futures_util::FutureExt;
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Result,
    error::ReadBodyError,
    http::{Method, StatusCode},
};
use std::{panic::AssertUnwindSafe, time::Duration};
use tokio_util::task::TaskTracker;

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

/// `endpoint`, whose panics become 500 and a line in the log, and whose changes run to their end even when the client
/// leaves or the time is over: half a change is one that nobody asked for.
pub(crate) fn completed<E: Endpoint + 'static>(
    endpoint: E,
    tasks: TaskTracker,
) -> impl Endpoint<Output = Response> {
    endpoint.around(move |endpoint, request| {
        let tasks = tasks.clone();
        async move {
            let is_change = !request.method().is_safe();
            let work = REQUEST_ID.scope(request_id(), async move { rescued(&*endpoint, request).await });
            if !is_change {
                return work.await;
            }
            tasks.spawn(work).await.unwrap_or_else(|_| Err(Refusal::internal().into()))
        }
    })
}

async fn rescued<E: Endpoint>(endpoint: &E, request: Request) -> Result<Response> {
    match AssertUnwindSafe(endpoint.call(request)).catch_unwind().await {
        Ok(answer) => Ok(answer?.into_response()),
        Err(_) => {
            tracing::error!(request_id = request_id(), "a request handler panicked");
            Err(Refusal::internal().into())
        }
    }
}
