//! `/healthz` (we run), `/readyz` (we can serve) and `/metrics` (figures for Prometheus).

use crate::{App, Check, Gauge, middleware::Traffic};
use domain::Log;
use poem::{
    IntoResponse, Response, handler,
    http::StatusCode,
    web::{Data, Json},
};
use projections::LogHealth;
use serde_json::{Value, json};
use std::{fmt::Write, sync::Arc};

#[handler]
pub(crate) fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

#[handler]
pub(crate) async fn readyz(Data(app): Data<&App>) -> Response {
    let mut checks = vec![database(app).await];
    checks.extend(tables(app).await);
    checks.extend(app.health.checks());
    let ready = checks.iter().all(|check| check.trouble.is_none());
    let word = |check: &Check| check.trouble.clone().unwrap_or_else(|| "ok".to_owned());
    let checks: serde_json::Map<String, Value> =
        checks.iter().map(|check| (check.name.to_owned(), json!(word(check)))).collect();
    let (status, text) =
        if ready { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    Json(json!({ "status": text, "checks": checks })).with_status(status).into_response()
}

async fn database(app: &App) -> Check {
    let trouble = app.store.head(Log::Core).await.err().map(|_| "the database does not answer".to_owned());
    Check { name: "database", trouble }
}

async fn tables(app: &App) -> Vec<Check> {
    let Ok(health) = app.projections.health().await else {
        return vec![Check { name: "projections", trouble: Some("their state is unknown".into()) }];
    };
    let stopped = health.into_iter().find_map(|log| log.stopped);
    vec![Check { name: "projections", trouble: stopped }]
}

#[handler]
pub(crate) async fn metrics(Data(app): Data<&App>, Data(traffic): Data<&Arc<Traffic>>) -> Response {
    let mut text = String::new();
    let _ = writeln!(text, "# HELP trunkline_http_requests_total Requests answered, by class of status.");
    let _ = writeln!(text, "# TYPE trunkline_http_requests_total counter");
    for (class, count) in traffic.classes() {
        let _ = writeln!(text, "trunkline_http_requests_total{{class=\"{class}\"}} {count}");
    }
    let mut gauges = positions(app).await;
    gauges.extend(app.health.gauges());
    for Gauge { name, help, value } in gauges {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
    Response::builder().content_type("text/plain; version=0.0.4; charset=utf-8").body(text)
}

/// How far the logs and their tables are, and how much the tables leave out.
async fn positions(app: &App) -> Vec<Gauge> {
    let health = app.projections.health().await.unwrap_or_default();
    health.iter().flat_map(gauges).collect()
}

fn gauges(health: &LogHealth) -> [Gauge; 3] {
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
    let gauge = |name, help, value: i64| Gauge { name, help, value: value as f64 };
    [
        gauge(position, "Position of the log's last event.", health.head),
        gauge(lag, "Events the tables have not seen yet.", health.head - health.position),
        gauge(parked, "Streams a table leaves out, because an event of theirs can't be told.", health.parked),
    ]
}
