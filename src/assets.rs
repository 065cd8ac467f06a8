//! The dashboard, embedded: hashed assets for a year, everything else is the one page.

use poem::{
    Endpoint, Request, Response, Result,
    http::{Method, StatusCode, header},
};
use rust_embed::{EmbeddedFile, RustEmbed};

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
        Ok(file(name, request.header(header::ACCEPT_ENCODING), request.header(header::IF_NONE_MATCH)))
    }
}

/// What the build compressed files with: the name in HTTP, and the file's ending. The smallest first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The smallest form of the file that the browser takes.
fn smallest(name: &str, accepted: Option<&str>) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = accepted.unwrap_or_default();
    let takes = |encoding: &str| accepted.split([',', ';', ' ']).any(|word| word == encoding);
    let mut encodings = ENCODINGS.into_iter().filter(|(encoding, _)| takes(encoding));
    let compressed = encodings
        .find_map(|(encoding, ending)| Some((Files::get(&format!("{name}{ending}"))?, Some(encoding))));
    compressed.or_else(|| Some((Files::get(name)?, None)))
}

fn file(name: &str, accepted: Option<&str>, known: Option<&str>) -> Response {
    let Some((file, encoding)) = smallest(name, accepted) else { return StatusCode::NOT_FOUND.into() };
    let hash: String =
        file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    let lasting = name.starts_with("assets/");
    let caching = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Response::builder().header(header::ETAG, &tag).header(header::CACHE_CONTROL, caching);
    response = response.header(header::VARY, "accept-encoding");
    if let Some(encoding) = encoding {
        response = response.header(header::CONTENT_ENCODING, encoding);
    }
    if known == Some(tag.as_str()) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    response.content_type(mimetype(name)).body(file.data.into_owned())
}

/// The type of the file itself, however it is compressed.
fn mimetype(name: &str) -> String {
    Files::get(name).map_or_else(String::new, |file| file.metadata.mimetype().to_owned())
}
