//! Each request gets an id, a line in the log, and is counted.

use crate::problem::REQUEST_ID;
use domain::{Clock, Ids};
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, http::HeaderValue};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// How many requests were answered, by class of status.
#[derive(Default)]
pub(crate) struct Traffic([AtomicU64; 5]);

impl Traffic {
    fn count(&self, status: u16) {
        let class = usize::from((status / 100).clamp(1, 5)) - 1;
        if let Some(counter) = self.0.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// (`1xx` … `5xx`, how many) of each class.
    pub(crate) fn classes(&self) -> Vec<(String, u64)> {
        let counted = self.0.iter().enumerate();
        counted
            .map(|(class, counter)| (format!("{}xx", class + 1), counter.load(Ordering::Relaxed)))
            .collect()
    }
}

/// `endpoint`, whose every request has an id in the log and in `X-Request-Id`.
pub(crate) fn observed<E: Endpoint + 'static>(
    endpoint: E,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
    traffic: Arc<Traffic>,
) -> impl Endpoint<Output = Response> {
    endpoint.around(move |endpoint, request| {
        let (id, clock, traffic) = (ids.uuid().simple().to_string(), clock.clone(), traffic.clone());
        REQUEST_ID.scope(id.clone(), async move {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            let began = clock.elapsed();
            let mut response = respond(&*endpoint, request).await;
            if let Ok(value) = HeaderValue::from_str(&id) {
                response.headers_mut().insert("x-request-id", value);
            }
            let status = response.status().as_u16();
            traffic.count(status);
            let took = clock.elapsed().saturating_sub(began);
            tracing::info!(%method, path, status, ms = took.as_secs_f64() * 1e3, request_id = id, "http");
            Ok(response)
        })
    })
}

async fn respond<E: Endpoint>(endpoint: &E, request: Request) -> Response {
    match endpoint.call(request).await {
        Ok(response) => response.into_response(),
        Err(error) => error.into_response(),
    }
}
