//! Entity tags of single things, and who has what a tag names already (RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2).
//!
//! An endpoint tags its answer with the version of the thing (`"7"`). What is shown of a thing hangs on others as well, such
//! as the name of its account, so a digest of the answer is added on its way out (`"7-2c26b46b68ffc68f"`): `If-None-Match`
//! compares all of a tag, `If-Match` only the version in it. What is read and what is made anew is held to `If-Match` here;
//! what changes something, where its version is known ([`Write::expects`](super::write::Write::expects)).

use crate::{problem::Refusal, secrets::digest};
use poem::{
    Body, Endpoint, EndpointExt, IntoResponse, Request, Response, Result,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};

/// Hex digits of the digest in a tag.
const DIGITS: usize = 16;

/// What a reader has, and would have.
#[derive(Default)]
struct Conditions {
    /// `If-Match`
    wanted: Vec<String>,
    /// `If-None-Match`
    known: Vec<String>,
}

/// `endpoint`, with whole tags, 304 for those who have what they ask for, and 412 for those who would have something else.
pub(crate) fn conditional<E: Endpoint + 'static>(endpoint: E) -> impl Endpoint<Output = Response> + use<E> {
    endpoint.around(|endpoint, mut request: Request| async move {
        // A tag is of what is shown, which the server keeps to itself where only the head is asked for.
        if *request.method() == Method::HEAD {
            request.set_method(Method::GET);
        }
        let conditions = if request.method().is_safe() {
            Conditions::of(request.headers())
        } else {
            Conditions::default()
        };
        let response = endpoint.call(request).await?.into_response();
        answer(response, &conditions).await
    })
}

/// Holds what makes something new to `If-Match`: no tag is of what is not there yet.
///
/// # Errors
/// 412 when it names a version.
pub(super) fn of_what_is_new(headers: &HeaderMap) -> Result<(), Refusal> {
    if is_met(&tags(headers, header::IF_MATCH), None) {
        return Ok(());
    }
    Err(unmet("If-Match names a version, and what is made here has none yet. Leave it out."))
}

impl Conditions {
    fn of(headers: &HeaderMap) -> Conditions {
        let known = tags(headers, header::IF_NONE_MATCH).into_iter();
        // Weak ones as if they were strong.
        let known = known.map(|tag| tag.strip_prefix("W/").map_or(tag.clone(), str::to_owned)).collect();
        Conditions { wanted: tags(headers, header::IF_MATCH), known }
    }
}

/// Whether tags of `If-Match`, if there are any, name what is there, or whatever is.
fn is_met(wanted: &[String], version_now: Option<i64>) -> bool {
    let names = |tag: &String| tag == "*" || version_now.is_some() && version(tag) == version_now;
    wanted.is_empty() || wanted.iter().any(names)
}

fn unmet(detail: &str) -> Refusal {
    Refusal::new(StatusCode::PRECONDITION_FAILED, "changed", detail)
}

async fn answer(response: Response, Conditions { wanted, known }: &Conditions) -> Result<Response> {
    let version = response.headers().get(header::ETAG).and_then(|tag| version(tag.to_str().ok()?));
    if response.status().is_success() && !is_met(wanted, version) {
        return Err(unmet("If-Match names no version of this as it is now; read it without.").into());
    }
    let Some(version) = version else { return Ok(response) };
    let (mut parts, body) = response.into_parts();
    let bytes = body.into_bytes().await?;
    let shown: String = digest(&bytes).chars().take(DIGITS).collect();
    let tag = format!("\"{version}-{shown}\"");
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    if parts.status == StatusCode::OK && known.iter().any(|known| known == "*" || *known == tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// The tags a header lists.
fn tags(headers: &HeaderMap, name: HeaderName) -> Vec<String> {
    let lines =
        headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    lines.flat_map(|line| line.split(',').map(|tag| tag.trim().to_owned()).collect::<Vec<_>>()).collect()
}

/// The version a strong tag names, with or without its digest.
pub(super) fn version(tag: &str) -> Option<i64> {
    tag.trim_matches('"').split('-').next()?.parse().ok()
}
