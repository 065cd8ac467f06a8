//! The dashboard, embedded: hashed assets for a year, everything else is the one page.

use poem::{
    Endpoint, Request, Response, Result,
    http::{Method, StatusCode, header},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/dashboard"]
struct Files;

/// Serves the embedded dashboard: a file where there is one, the page for every other path (the browser routes it),
/// and 404 for what is missing under `/assets/`.
pub struct Dashboard;

impl Endpoint for Dashboard {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(StatusCode::METHOD_NOT_ALLOWED.into());
        }
        let path = request.uri().path().trim_start_matches('/');
        let name = if Files::get(path).is_some() { path } else { "index.html" };
        if name == "index.html" && path.starts_with("assets/") {
            return Ok(StatusCode::NOT_FOUND.into());
        }
        Ok(file(name, request.header(header::IF_NONE_MATCH)))
    }
}

fn file(name: &str, known: Option<&str>) -> Response {
    let Some(file) = Files::get(name) else { return StatusCode::NOT_FOUND.into() };
    let hash: String =
        file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    let lasting = name.starts_with("assets/");
    let caching = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    let response = Response::builder().header(header::ETAG, &tag).header(header::CACHE_CONTROL, caching);
    if known == Some(tag.as_str()) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    response.content_type(file.metadata.mimetype()).body(file.data.into_owned())
}
