//! Entity tags of single things, and who has what a tag names already (RFC 9110 sections 8.8.3 and 13.1.2).
//!
//! An endpoint tags its answer with the version of the thing (`"7"`). What is shown of a thing hangs on others as well, such
//! as the name of its account, so a digest of the answer is added on its way out (`"7-2c26b46b68ffc68f"`): `If-None-Match`
//! compares all of a tag, `If-Match` only the version in it.

use crate::secrets::digest;
use poem::{
    Body, Endpoint, EndpointExt, IntoResponse, Request, Response, Result,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};

/// Hex digits of the digest in a tag.
const DIGITS: usize = 16;

/// `endpoint`, with whole tags, and 304 for those who have what they ask for.
pub(crate) fn conditional<E: Endpoint + 'static>(endpoint: E) -> impl Endpoint<Output = Response> + use<E> {
    endpoint.around(|endpoint, request: Request| async move {
        let known = if request.method().is_safe() { tags(request.headers()) } else { Vec::new() };
        let response = endpoint.call(request).await?.into_response();
        answer(response, &known).await
    })
}

async fn answer(response: Response, known: &[String]) -> Result<Response> {
    let Some(version) = response.headers().get(header::ETAG).and_then(|tag| version(tag.to_str().ok()?))
    else {
        return Ok(response);
    };
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

/// The tags of `If-None-Match`, weak ones as if they were strong.
fn tags(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag).to_owned()).collect()
}

/// The version a strong tag names, with or without its digest.
pub(super) fn version(tag: &str) -> Option<i64> {
    tag.trim_matches('"').split('-').next()?.parse().ok()
}
