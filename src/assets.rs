//! The dashboard, embedded: hashed assets for a year, and the one page at every address the dashboard has.

use poem::{
    Endpoint, Request, Response, Result,
    error::NotFoundError,
    http::{Method, StatusCode, header},
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/dashboard"]
struct Files;

/// Where the dashboard has something to show, as its router (`dashboard-spa/src/router.tsx`) names it; `$…` is any segment.
const PLACES: [&str; 19] = [
    "/sign-up",
    "/sign-in",
    "/two-factor/set-up",
    "/two-factor",
    "/",
    "/live",
    "/test-call",
    "/calls",
    "/calls/$sid",
    "/numbers",
    "/numbers/$sid",
    "/trunks",
    "/trunks/new",
    "/trunks/$sid",
    "/accounts",
    "/accounts/$sid",
    "/team",
    "/audit",
    "/settings",
];

/// What is at a path.
#[derive(Debug, PartialEq, Eq)]
enum Found<'p> {
    /// A file of the dashboard.
    File(&'p str),
    /// Its page.
    Page,
    /// Nothing, and a person who asked for it in a browser: the page tells them so.
    Lost,
    /// Nothing. A program that has the address of an API wrong must not take a page for its answer.
    Nothing,
}

impl<'p> Found<'p> {
    fn at(path: &'p str, accepted: Option<&str>) -> Found<'p> {
        let file = path.strip_prefix('/').unwrap_or(path);
        let in_browser = accepted.is_some_and(|accepted| accepted.contains("text/html"));
        match file {
            file if file != "index.html" && Files::get(file).is_some() => Found::File(file),
            _ if PLACES.iter().any(|place| is_at(place, path)) => Found::Page,
            "index.html" => Found::Page,
            _ if in_browser && !is_of_an_api(file) => Found::Lost,
            _ => Found::Nothing,
        }
    }
}

/// Whether the path is that place, with or without a slash behind it.
fn is_at(place: &str, path: &str) -> bool {
    let bare = path.strip_suffix('/').filter(|bare| !bare.is_empty() && !bare.ends_with('/'));
    let path = bare.unwrap_or(path);
    let is_same = |(one, other): (&str, &str)| one == other || one.starts_with('$') && !other.is_empty();
    place.split('/').count() == path.split('/').count() && place.split('/').zip(path.split('/')).all(is_same)
}

/// Whether whoever asks for it takes this for an API, ours or Twilio's, or for a file.
fn is_of_an_api(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let numbered = first.strip_prefix('v').unwrap_or(first).starts_with(|c: char| c.is_ascii_digit());
    numbered || ["", "carrier", "dashboard", "assets"].contains(&first) || last.contains('.')
}

/// Serves the embedded dashboard: a file where there is one, the page where the browser routes to something, and 404 for
/// all else.
pub struct Dashboard;

impl Endpoint for Dashboard {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let found = Found::at(request.uri().path(), request.header(header::ACCEPT));
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let (encodings, known) =
            (request.header(header::ACCEPT_ENCODING), request.header(header::IF_NONE_MATCH));
        match found {
            Found::Nothing => Err(NotFoundError.into()),
            Found::Lost if !reads => Err(NotFoundError.into()),
            _ if !reads => {
                let not_allowed = Response::builder().status(StatusCode::METHOD_NOT_ALLOWED);
                Ok(not_allowed.header(header::ALLOW, "GET, HEAD").finish())
            }
            Found::File(name) => Ok(file(name, encodings, known)),
            Found::Page => Ok(file("index.html", encodings, known)),
            Found::Lost => {
                let mut page = file("index.html", encodings, None);
                page.set_status(StatusCode::NOT_FOUND);
                Ok(page)
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_at_every_place_the_browser_routes_to() {
        let router = include_str!("../dashboard-spa/src/router.tsx");
        let lines = router.lines().filter_map(|line| line.trim().strip_prefix("path: \""));
        let mut routed: Vec<&str> = lines.filter_map(|rest| rest.split('"').next()).collect();
        // Whatever else there is, which is no place.
        routed.retain(|path| *path != "$");
        let mut places = PLACES.to_vec();
        routed.sort_unstable();
        places.sort_unstable();
        assert_eq!(places, routed);
        for path in ["/", "/calls", "/calls/", "/calls/CA1", "/index.html"] {
            assert_eq!(Found::at(path, None), Found::Page, "{path}");
        }
    }

    #[test]
    fn whoever_has_an_apis_address_wrong_is_told_so_and_gets_no_page() {
        for path in [
            "//2010-04-01/Accounts.json",
            "//",
            "/2010-04-01x",
            "/2010-04-02/Accounts.json",
            "/carrier/v2/calls",
            "//carrier/v1/calls",
            "/v4/Services",
            "/Accounts/AC1/Calls.json",
            "/assets/gone.js",
        ] {
            for accepted in [None, Some("*/*"), Some("application/json"), Some("text/html,*/*;q=0.8")] {
                assert_eq!(Found::at(path, accepted), Found::Nothing, "{path} {accepted:?}");
            }
        }
        assert_eq!(Found::at("/Accounts", Some("*/*")), Found::Nothing);
        assert_eq!(
            Found::at("/calls/CA1/more", Some("text/html")),
            Found::Lost,
            "a person reads that it is not here"
        );
    }

    #[tokio::test]
    async fn a_person_who_is_lost_gets_the_page_as_404() {
        let ask = |path: &str, method: Method| {
            Request::builder().uri_str(path).method(method).header("accept", "text/html").finish()
        };
        assert_eq!(
            Dashboard.get_response(ask("/nowhere", Method::GET)).await.status(),
            StatusCode::NOT_FOUND
        );
        assert_eq!(Dashboard.get_response(ask("/calls", Method::GET)).await.status(), StatusCode::OK);
        let posted = Dashboard.get_response(ask("/calls", Method::POST)).await;
        assert_eq!(
            (posted.status(), posted.header("allow")),
            (StatusCode::METHOD_NOT_ALLOWED, Some("GET, HEAD"))
        );
    }
}
