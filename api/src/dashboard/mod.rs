//! The dashboard's own endpoints: signing up and in, the second factor, sessions, and the live WebSocket.
//!
//! Everything else the dashboard does goes through the Carrier API with its session.

mod answer;
mod live;
mod people;
mod sessions;
mod sign_in;
mod sign_up;
mod two_factor;

use crate::{App, auth::same_origin, middleware::Routes};
use poem::{Endpoint, EndpointExt, IntoResponse, Response, Route, delete, get, post};
use std::sync::Arc;

/// Where it is mounted.
pub(crate) const PREFIX: &str = "/dashboard";

/// Every address and method, below the prefix, and the least a caller needs for it.
pub const ROUTES: [(&str, &str, Needs); 15] = [
    ("/sign-up", "POST", Needs::Nothing),
    ("/sign-in", "POST", Needs::Nothing),
    ("/countries", "GET", Needs::Nothing),
    ("/welcome", "GET", Needs::Nothing),
    ("/session", "GET", Needs::Password),
    ("/sign-out", "POST", Needs::Nothing),
    ("/two-factor/setup", "POST", Needs::Password),
    ("/two-factor/enable", "POST", Needs::Password),
    ("/two-factor/verify", "POST", Needs::Password),
    ("/sessions", "GET", Needs::BothFactors),
    ("/sessions/:id", "DELETE", Needs::BothFactors),
    ("/password", "POST", Needs::BothFactors),
    ("/two-factor/recovery-codes", "POST", Needs::BothFactors),
    ("/two-factor/replace", "POST", Needs::BothFactors),
    ("/live", "GET", Needs::BothFactors),
];

/// How far signed in a caller must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Anyone.
    Nothing,
    /// A session.
    Password,
    /// A session after the second factor.
    BothFactors,
}

/// The addresses and their methods, for `Allow`.
pub(crate) fn routes_table() -> Routes {
    Routes::new(ROUTES.iter().map(|(path, method, _)| ((*path).to_owned(), (*method).to_owned())))
}

/// Everything under the prefix.
pub(crate) fn routes(app: &App) -> impl Endpoint<Output = Response> + 'static {
    let routes = Route::new()
        .at("/sign-up", post(sign_up::sign_up))
        .at("/sign-in", post(sign_in::sign_in))
        .at("/sign-out", post(sessions::sign_out))
        .at("/countries", get(sign_up::countries))
        .at("/welcome", get(sign_up::welcome))
        .at("/session", get(sessions::current))
        .at("/sessions", get(sessions::list))
        .at("/sessions/:id", delete(sessions::end))
        .at("/password", post(people::change_password))
        .at("/two-factor/setup", post(two_factor::set_up))
        .at("/two-factor/enable", post(two_factor::enable))
        .at("/two-factor/verify", post(two_factor::verify))
        .at("/two-factor/recovery-codes", post(two_factor::new_recovery_codes))
        .at("/two-factor/replace", post(two_factor::replace))
        .at("/live", get(live::live));
    let public_url: Arc<str> = app.config.public_url.as_str().into();
    routes.data(app.clone()).data(app.limits.clone()).data(live::Pages::default()).around(
        move |endpoint, request| {
            let public_url = public_url.clone();
            async move {
                same_origin(&request, &public_url)?;
                Ok(endpoint.call(request).await?.into_response())
            }
        },
    )
}
