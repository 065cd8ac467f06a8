//! The map: which address goes where, and what stands in front of it.

use crate::{
    App,
    auth::{Rate, Throttle, authenticated},
    carrier, dashboard, docs, health,
    middleware::{Routes, Traffic, bodiless, bounded, completed, described, observed, secured, worded},
    problem::Refusal,
    twilio,
};
use poem::{Endpoint, EndpointExt, IntoEndpoint, Response, Route, endpoint::BoxEndpoint, get};
use std::{sync::Arc, time::Duration};

/// Requests of one key or user to the Carrier API.
const BY_CALLER: Rate = Rate { burst: 200, refill: Duration::from_millis(10) };

/// Everything we serve over HTTP; `pages` answers what is not ours: the browser app's files.
#[must_use]
pub fn router(app: &App, pages: BoxEndpoint<'static, Response>) -> BoxEndpoint<'static, Response> {
    let traffic = Arc::new(Traffic::default());
    let elsewhere = |routes: Route, prefix: &str| routes.nest_no_strip(prefix, twilio::elsewhere());
    let routes = twilio::ELSEWHERE.into_iter().fold(Route::new(), elsewhere);
    let routes = routes
        .nest(carrier::PREFIX, described(carrier_api(app), carrier_routes()))
        .nest("/carrier", described(nothing_here(), Routes::default()))
        .nest(dashboard::PREFIX, described(dashboard::routes(app), dashboard::routes_table()))
        .nest_no_strip("/2010-04-01", twilio::routes(app))
        .at("/healthz", get(health::healthz))
        .at("/readyz", get(health::readyz).data(Arc::new(health::Last::default())))
        .at("/metrics", get(health::metrics).data(traffic.clone()).data(Arc::new(health::Last::default())))
        .nest("/", pages)
        .data(app.clone());
    let asked = app.clone();
    let limited = bounded(completed(routes, app.tasks.clone()), move |request| asked.peer(request));
    let safe =
        secured(bodiless(worded(limited, twilio::DIALECT)), twilio::DIALECT, app.config.secure_cookies);
    observed(safe, app.ids.clone(), app.clock.clone(), traffic).boxed()
}

/// The document and its page for everyone, the rest for callers we know.
fn carrier_api(app: &App) -> impl Endpoint<Output = Response> + 'static {
    let often = Throttle::new(BY_CALLER, app.clock.clone());
    let service = carrier::strict(carrier::service(Some(app)).into_endpoint(), &carrier::document());
    let api = authenticated(carrier::conditional(service), app.clone(), often);
    let [document, page, script] = carrier::ALLOWED_WITHOUT_KEY;
    Route::new()
        .at(document, get(docs::document))
        .at(page, get(docs::page))
        .at(script, get(docs::script))
        .nest("/", api)
        .map_to_response()
}

fn carrier_routes() -> Routes {
    let public = carrier::ALLOWED_WITHOUT_KEY.map(|path| (path.to_owned(), "GET".to_owned()));
    Routes::new(carrier::routes_of(&carrier::document()).into_iter().chain(public))
}

fn nothing_here() -> impl Endpoint<Output = Response> + 'static {
    poem::endpoint::make_sync(|_| Err::<Response, poem::Error>(Refusal::not_found("resource").into()))
}
