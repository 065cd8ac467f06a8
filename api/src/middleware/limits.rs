//! Limits every request has: body size, time, and a panic's reach.

use super::bodies::{BODY_LIMIT, Bodies, Share};
use crate::problem::{REQUEST_ID, Refusal, request_id};
use futures_util::{FutureExt, StreamExt};
use poem::{
    Body, Endpoint, EndpointExt, IntoResponse, Request, Response, Result,
    http::{Method, StatusCode},
};
use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// Longest a request may take, body included.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// `endpoint`, given whole bodies of at most [`BODY_LIMIT`] and [`REQUEST_TIMEOUT`] to answer; `peer` says who sends one.
pub(crate) fn bounded<E: Endpoint + 'static>(
    endpoint: E,
    peer: impl Fn(&Request) -> Option<IpAddr> + Send + Sync + 'static,
) -> impl Endpoint<Output = Response> {
    let bodies = Bodies::default();
    endpoint.around(move |endpoint, request| {
        let share = bodies.share(peer(&request));
        async move {
            match tokio::time::timeout(REQUEST_TIMEOUT, answer(&*endpoint, request, share)).await {
                Ok(answer) => answer,
                Err(_) => {
                    let detail = "The request took too long.";
                    Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, "timeout", detail).into())
                }
            }
        }
    })
}

async fn answer<E: Endpoint>(endpoint: &E, mut request: Request, mut share: Share) -> Result<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let body = whole(request.take_body(), &mut share).await?;
        request.set_body(body);
    }
    // Whoever works on with the body when nobody waits for the answer any more holds the share as well.
    request.extensions_mut().insert(Arc::new(share));
    Ok(endpoint.call(request).await?.into_response())
}

/// The body, which is counted as it comes: whoever only announces one holds nothing.
async fn whole(body: Body, share: &mut Share) -> std::result::Result<Vec<u8>, Refusal> {
    let (mut parts, mut bytes) = (body.into_bytes_stream(), Vec::new());
    while let Some(part) = parts.next().await {
        let part =
            part.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, "bad_request", error.to_string()))?;
        if bytes.len() + part.len() > BODY_LIMIT {
            let detail = format!("A body has at most {BODY_LIMIT} bytes.");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail));
        }
        share.grow(part.len())?;
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
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
            let share = request.extensions().get::<Arc<Share>>().cloned();
            let work = async move {
                let answer = rescued(&*endpoint, request).await;
                drop(share);
                answer
            };
            let work = REQUEST_ID.scope(request_id(), work);
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Notify;

    #[tokio::test]
    async fn a_change_whose_client_has_left_holds_its_share_to_its_end() {
        let (bodies, tasks, goes) = (Bodies::default(), TaskTracker::new(), Arc::new(Notify::new()));
        let done = Arc::clone(&goes);
        let slow = poem::endpoint::make(move |_| {
            let done = Arc::clone(&done);
            async move { done.notified().await }
        });
        let work = completed(slow, tasks.clone());
        let mut share = bodies.share(None);
        share.grow(BODY_LIMIT).unwrap();
        let request = Request::builder().method(Method::POST).finish();
        let asked = REQUEST_ID.scope("a".into(), answer(&work, request, share));
        assert!(tokio::time::timeout(Duration::from_millis(1), asked).await.is_err(), "the client leaves");
        assert_eq!(bodies.held(), BODY_LIMIT);
        goes.notify_one();
        tasks.close();
        tasks.wait().await;
        assert_eq!(bodies.held(), 0);
    }
}
