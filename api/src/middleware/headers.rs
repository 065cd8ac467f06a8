//! Headers that keep browsers from doing what our pages never ask for.

use super::Dialect;
use poem::{Endpoint, IntoResponse, Request, Response, Result, http::HeaderValue};

/// For answers that are data: nothing in them may run or be framed.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// For the dashboard and the documentation: our own files only; style attributes as the component library needs them.
const PAGES: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self' data:; connect-src 'self'; manifest-src 'self'; media-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// On everything.
const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// `endpoint`, with security headers on every answer; `https` adds strict transport security.
pub(crate) fn secured<E: Endpoint + 'static>(
    endpoint: E,
    dialect: Dialect,
    https: bool,
) -> impl Endpoint<Output = Response> {
    poem::EndpointExt::around(endpoint, move |endpoint, request| async move {
        let data = is_data(request.uri().path(), dialect);
        answer(&*endpoint, request, data, https).await
    })
}

async fn answer<E: Endpoint>(endpoint: &E, request: Request, data: bool, https: bool) -> Result<Response> {
    let mut response = endpoint.call(request).await?.into_response();
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let policy = if data { DATA } else { PAGES };
    headers.entry("content-security-policy").or_insert(HeaderValue::from_static(policy));
    if data {
        headers.entry("cache-control").or_insert(HeaderValue::from_static("no-store"));
    }
    if https {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.entry("strict-transport-security").or_insert(year);
    }
    Ok(response)
}

fn is_data(path: &str, dialect: Dialect) -> bool {
    let data = ["/carrier/", "/dashboard/", "/healthz", "/readyz", "/metrics"];
    let is_data = data.iter().any(|prefix| path.starts_with(prefix)) || (dialect.is_spoken_on)(path);
    is_data && !path.starts_with("/carrier/v1/docs")
}
