//! The map: which address goes where, and what stands in front of it.

use crate::{App, twilio};
use poem::{Endpoint, EndpointExt, Response, Route, endpoint::BoxEndpoint};

/// Everything we serve over HTTP; `dashboard` answers what is not ours (the browser app's files).
#[must_use]
pub fn router(app: &App, dashboard: BoxEndpoint<'static, Response>) -> impl Endpoint<Output = Response> + 'static {
    Route::new().nest_no_strip("/2010-04-01", twilio::routes(app)).nest("/", dashboard).boxed()
}
