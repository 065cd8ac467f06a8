//! `/healthz` (we run), `/readyz` (we can serve) and `/metrics` (figures for Prometheus).
//!
//! Anyone may ask: an answer serves for a second, and what is wrong inside is for the log.

use crate::{App, Check, Figure, Figures, middleware::Traffic};
use domain::Log;
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Json},
};
use projections::LogHealth;
use serde_json::{Value, json};
use std::{fmt::Write, sync::Arc, time::Duration};
use store::StoreError;
use tokio::sync::Mutex;

#[handler]
pub(crate) fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// How long an answer serves.
const FRESH: Duration = Duration::from_secs(1);

/// The last answer: when it was made (as the clock's `elapsed` says), its status and text. Who asks meanwhile waits for the one that is being made.
#[derive(Default)]
pub(crate) struct Last(Mutex<Option<(Duration, StatusCode, String)>>);

impl Last {
    async fn or(
        &self,
        now: Duration,
        answer: impl Future<Output = (StatusCode, String)>,
    ) -> (StatusCode, String) {
        let mut last = self.0.lock().await;
        if let Some((since, status, text)) = &*last
            && now.saturating_sub(*since) < FRESH
        {
            return (*status, text.clone());
        }
        let (status, text) = answer.await;
        *last = Some((now, status, text.clone()));
        (status, text)
    }
}

#[handler]
pub(crate) async fn readyz(Data(app): Data<&App>, Data(last): Data<&Arc<Last>>) -> Response {
    let (status, text) = last.or(app.clock.elapsed(), readiness(app)).await;
    Response::builder().status(status).content_type("application/json").body(text)
}

async fn readiness(app: &App) -> (StatusCode, String) {
    let mut checks = vec![database(app).await];
    checks.extend(tables(app).await);
    checks.extend(app.health.checks());
    let ready = checks.iter().all(|check| check.trouble.is_none());
    let word = |check: &Check| check.trouble.clone().unwrap_or_else(|| "ok".to_owned());
    let checks: serde_json::Map<String, Value> =
        checks.iter().map(|check| (check.name.to_owned(), json!(word(check)))).collect();
    let (status, text) =
        if ready { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    (status, json!({ "status": text, "checks": checks }).to_string())
}

async fn database(app: &App) -> Check {
    for log in Log::ALL {
        match app.store.sound(log).await {
            Ok(()) => {}
            Err(error @ StoreError::HeadMoved { .. }) => {
                tracing::error!(%error, "a log takes nothing");
                let trouble = "a log takes nothing; the program's own log says which and why".to_owned();
                return Check { name: "database", trouble: Some(trouble) };
            }
            Err(_) => {
                return Check { name: "database", trouble: Some("the database does not answer".to_owned()) };
            }
        }
    }
    Check { name: "database", trouble: None }
}

async fn tables(app: &App) -> Vec<Check> {
    let Ok(health) = app.projections.health().await else {
        return vec![Check { name: "projections", trouble: Some("their state is unknown".into()) }];
    };
    let stopped = health.into_iter().find_map(|log| log.stopped);
    let trouble = stopped.map(|reason| {
        tracing::warn!(reason, "a table has stopped");
        "a table has stopped; the log says which and why".to_owned()
    });
    vec![Check { name: "projections", trouble }]
}

#[handler]
pub(crate) async fn metrics(
    Data(app): Data<&App>,
    Data(traffic): Data<&Arc<Traffic>>,
    Data(last): Data<&Arc<Last>>,
) -> Response {
    let (status, text) = last.or(app.clock.elapsed(), figures(app, traffic)).await;
    Response::builder().status(status).content_type("text/plain; version=0.0.4; charset=utf-8").body(text)
}

async fn figures(app: &App, traffic: &Traffic) -> (StatusCode, String) {
    let mut text = String::new();
    let _ = writeln!(text, "# HELP trunkline_http_requests_total Requests answered, by class of status.");
    let _ = writeln!(text, "# TYPE trunkline_http_requests_total counter");
    for (class, count) in traffic.classes() {
        let _ = writeln!(text, "trunkline_http_requests_total{{class=\"{class}\"}} {count}");
    }
    let mut figures = positions(app).await;
    figures.extend(app.health.figures());
    for Figure { kind, name, help, value } in figures {
        let kind = if kind == Figures::Counter { "counter" } else { "gauge" };
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    (StatusCode::OK, text)
}

/// How far the logs and their tables are, and how much the tables leave out.
async fn positions(app: &App) -> Vec<Figure> {
    let health = app.projections.health().await.unwrap_or_default();
    health.iter().flat_map(gauges).collect()
}

fn gauges(health: &LogHealth) -> [Figure; 3] {
    let [position, lag, parked] = match health.log {
        Log::Core => [
            "trunkline_core_log_position",
            "trunkline_core_projection_lag",
            "trunkline_core_projection_parked",
        ],
        Log::Calls => [
            "trunkline_calls_log_position",
            "trunkline_calls_projection_lag",
            "trunkline_calls_projection_parked",
        ],
    };
    let gauge = |name, help, value: i64| Figure { kind: Figures::Gauge, name, help, value: value as f64 };
    [
        gauge(position, "Position of the log's last event.", health.head),
        gauge(lag, "Events the tables have not seen yet.", health.head - health.position),
        gauge(parked, "Streams a table leaves out, because an event of theirs can't be told.", health.parked),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_serves_for_a_second_of_what_has_passed() {
        let last = Last::default();
        let answer = |text: &str| {
            let answer = (StatusCode::OK, text.to_owned());
            async move { answer }
        };
        for (millis, made, served) in
            [(5_000, "first", "first"), (5_999, "second", "first"), (6_000, "third", "third")]
        {
            let now = Duration::from_millis(millis);
            assert_eq!(last.or(now, answer(made)).await.1, served, "{millis} ms");
        }
    }
}
