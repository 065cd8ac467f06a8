//! The Carrier API's document, and a page to read it (Scalar, served by us: nothing is loaded from elsewhere).

use crate::carrier;
use poem::{Response, handler, http::HeaderValue, web::Html, web::Json};
use serde_json::Value;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> = LazyLock::new(carrier::document);

/// Scalar's program, out of the page poem-openapi makes: our policy allows no script inside a page.
static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let html = carrier::service(None).scalar_html();
    let program = html.split_once("<script charset=\"UTF-8\">").map(|(_, rest)| rest).unwrap_or_default();
    program.rsplit_once("</script>").map(|(program, _)| program.to_owned()).unwrap_or_default()
});

#[handler]
pub(crate) fn document() -> Json<Value> {
    Json(DOCUMENT.clone())
}

#[handler]
pub(crate) fn page() -> Html<String> {
    // The document is data inside the page; a `<` in it must not end the element.
    let data = DOCUMENT.to_string().replace('<', "\\u003c");
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Trunkline Carrier API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head><body>\
         <script id=\"api-reference\" type=\"application/json\" \
         data-configuration='{{\"withDefaultFonts\":false}}'>{data}</script>\
         <script src=\"docs/scalar.js\"></script></body></html>"
    ))
}

#[handler]
pub(crate) fn script() -> Response {
    let mut response =
        Response::builder().content_type("text/javascript; charset=utf-8").body(SCRIPT.as_str());
    response.headers_mut().insert("cache-control", HeaderValue::from_static("public, max-age=3600"));
    response
}
