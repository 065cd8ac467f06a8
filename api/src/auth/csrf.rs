//! Cross-site requests: what a browser sends by cookie must come from our own pages.

use crate::problem::Refusal;
use poem::{
    Request,
    http::{Method, StatusCode},
};

/// Refuses a request that may change something unless a page of ours made it. Programs with a key need no check,
/// because browsers never send keys by themselves.
///
/// # Errors
/// 403 `cross_origin`.
pub fn same_origin(request: &Request, public_url: &str) -> Result<(), Refusal> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || ours(request, public_url) { Ok(()) } else { Err(refusal()) }
}

/// The same for a WebSocket's upgrade, which is a GET that browsers send across sites.
///
/// # Errors
/// 403 `cross_origin`.
pub fn same_origin_socket(request: &Request, public_url: &str) -> Result<(), Refusal> {
    if ours(request, public_url) { Ok(()) } else { Err(refusal()) }
}

fn refusal() -> Refusal {
    let detail = "This request did not come from the dashboard's own pages.";
    Refusal::new(StatusCode::FORBIDDEN, "cross_origin", detail)
}

fn ours(request: &Request, public_url: &str) -> bool {
    match (request.header("sec-fetch-site"), request.header("origin")) {
        (Some(site), _) if site != "same-origin" => false,
        (_, Some(origin)) => {
            origin_is_host(origin, request.header("host")) || origin_is_of(origin, public_url)
        }
        (site, None) => site.is_some(),
    }
}

/// Whether the origin's host and port are the ones the request was sent to.
fn origin_is_host(origin: &str, host: Option<&str>) -> bool {
    let origin = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

/// Whether it is the origin others know us by: a proxy in front of us may ask with a `Host` of its own.
fn origin_is_of(origin: &str, public_url: &str) -> bool {
    url::Url::parse(public_url).is_ok_and(|url| url.origin().ascii_serialization() == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(headers: &[(&str, &str)]) -> bool {
        let builder = Request::builder().method(Method::POST).header("host", "voice.example.com");
        let request = headers.iter().fold(builder, |request, (name, value)| request.header(*name, *value));
        same_origin(&request.finish(), "https://calls.example.com:8443/").is_ok()
    }

    #[test]
    fn only_our_own_pages_may_write() {
        assert!(post(&[("sec-fetch-site", "same-origin")]));
        assert!(post(&[("origin", "https://voice.example.com")]));
        assert!(post(&[("sec-fetch-site", "same-origin"), ("origin", "https://calls.example.com:8443")]));
        for strange in [
            &[][..],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "https://voice.example.com")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://calls.example.com")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        ] {
            assert!(!post(strange), "{strange:?}");
        }
    }
}
