//! Twilio's API, version 2010-04-01: what unmodified Twilio clients speak to.

use crate::App;
use poem::{Endpoint, Response, Route, endpoint::EndpointExt};

/// Everything under `/2010-04-01` (the prefix stays in the path). The endpoint sees whole paths.
pub fn routes(_app: &App) -> impl Endpoint<Output = Response> + 'static {
    Route::new().map_to_response()
}
