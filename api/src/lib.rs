//! HTTP: the Carrier API (OpenAPI), Twilio's API, the dashboard's session and live WebSocket, health and metrics.
//!
//! Read `router.rs` first: it is the map. `app.rs` is what every endpoint is given, `problem.rs` how they say no.

pub mod app;
pub mod auth;
pub mod carrier;
pub mod problem;
pub mod secrets;
pub mod twilio;

mod dashboard;
mod docs;
mod fields;
mod health;
mod marks;
mod middleware;
mod once;
mod refusals;
mod router;

pub use app::{ApiConfig, App, Check, Figure, Figures, Health, Parts, Reachable, TurnedAway, Well};
pub use dashboard::{Needs, ROUTES as DASHBOARD_ROUTES};
pub use router::router;
pub use twilio::markdown as twilio_page;
