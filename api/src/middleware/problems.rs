//! Every error leaves as problem+json, whoever raised it; on a surface with words of its own in those.

use super::Dialect;
use crate::problem::{FieldError, Refusal};
use poem::{
    Endpoint, EndpointExt, Error, IntoResponse, Response,
    error::{MethodNotAllowedError, NotFoundError, ParseJsonError},
    http::{HeaderValue, StatusCode},
};
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError};
use std::sync::Arc;

/// Which methods each path has below where it is mounted, for `Allow` (RFC 9110 section 15.5.6). `{name}` or `:name` stands
/// for any segment.
#[derive(Clone, Default)]
pub(crate) struct Routes(Arc<Vec<(String, String)>>);

impl Routes {
    /// From pairs of path and method.
    pub(crate) fn new(routes: impl IntoIterator<Item = (String, String)>) -> Routes {
        Routes(Arc::new(routes.into_iter().map(|(path, method)| (path, method.to_uppercase())).collect()))
    }

    /// The methods of the paths that match, for example `GET, PATCH`.
    fn allowed(&self, path: &str) -> String {
        // As the router does: a path of its own comes before one with parameters.
        let own = self.0.iter().any(|(pattern, _)| pattern == path);
        let matching =
            self.0.iter().filter(|(pattern, _)| if own { pattern == path } else { matches(pattern, path) });
        let mut methods: Vec<&str> = matching.map(|(_, method)| method.as_str()).collect();
        methods.sort_unstable();
        methods.dedup();
        methods.join(", ")
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(segment), Some(given))
                if segment == given || segment.starts_with(['{', ':']) && !given.is_empty() => {}
            _ => return false,
        }
    }
}

/// `endpoint`, whose errors leave as problem+json.
pub(crate) fn described<E: Endpoint + 'static>(
    endpoint: E,
    routes: Routes,
) -> impl Endpoint<Output = Response> {
    endpoint.around(move |endpoint, request| {
        let routes = routes.clone();
        async move {
            let path = request.uri().path().to_owned();
            match endpoint.call(request).await {
                Ok(response) => Ok(response.into_response()),
                Err(error) => Ok(translate(error, &routes, &path)),
            }
        }
    })
}

/// The whole surface: what nobody described before is described in the words of whoever asks.
pub(crate) fn worded<E: Endpoint + 'static>(
    endpoint: E,
    dialect: Dialect,
) -> impl Endpoint<Output = Response> {
    endpoint.around(move |endpoint, request| async move {
        let path = request.uri().path().to_owned();
        match endpoint.call(request).await {
            Ok(response) => Ok(response.into_response()),
            Err(error) if (dialect.is_spoken_on)(&path) && !error.is_from_response() => {
                Ok((dialect.said)(&refusal_of(&error)))
            }
            Err(error) => Ok(translate(error, &Routes::default(), &path)),
        }
    })
}

fn translate(error: Error, routes: &Routes, path: &str) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    let refusal = refusal_of(&error);
    let not_allowed = refusal.status == StatusCode::METHOD_NOT_ALLOWED;
    let unauthenticated = refusal.status == StatusCode::UNAUTHORIZED;
    let mut response = refusal.into_response();
    if not_allowed && let Ok(allow) = HeaderValue::from_str(&routes.allowed(path)) {
        response.headers_mut().insert("allow", allow);
    }
    if unauthenticated {
        response
            .headers_mut()
            .insert("www-authenticate", HeaderValue::from_static("Bearer realm=\"trunkline\""));
    }
    response
}

/// What this error is in our words.
fn refusal_of(error: &Error) -> Refusal {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return refusal.clone();
    }
    if let Some(error) = error.downcast_ref::<ParseParamError>() {
        let (name, reason) = (error.name, untyped(&error.reason));
        return Refusal {
            errors: vec![field(name, &reason)],
            ..bad_request(format!("Parameter {name}: {reason}"))
        };
    }
    if error.is::<ParsePathError>() || error.is::<NotFoundError>() {
        return Refusal::not_found("resource");
    }
    if let Some(error) = error.downcast_ref::<ParseRequestPayloadError>() {
        return payload(&error.reason);
    }
    if let Some(error) = error.downcast_ref::<ParseJsonError>() {
        return payload(&error.to_string());
    }
    if let Some(error) = error.downcast_ref::<ContentTypeError>() {
        return Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", error.to_string());
    }
    if error.is::<MethodNotAllowedError>() {
        let detail = "This address does not take that method; see Allow.";
        return Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    }
    other(error)
}

fn other(error: &Error) -> Refusal {
    match error.status() {
        StatusCode::METHOD_NOT_ALLOWED => {
            let detail = "This address does not take that method; see Allow.";
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        }
        StatusCode::NOT_FOUND => Refusal::not_found("resource"),
        StatusCode::UNAUTHORIZED => Refusal::unauthenticated(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", error.to_string())
        }
        status if status.is_client_error() => Refusal { status, ..bad_request(error.to_string()) },
        _ => {
            tracing::error!(%error, request_id = crate::problem::request_id(), "a request failed");
            Refusal::internal()
        }
    }
}

fn bad_request(detail: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "bad_request", detail)
}

/// What a parser says of a parameter, without the names our types have.
fn untyped(reason: &str) -> String {
    let reason = reason.split(" (occurred while parsing \"").next().unwrap_or_default();
    let inner = reason.strip_prefix("failed to parse \"").and_then(|rest| rest.split_once("\": "));
    let reason = inner.map_or(reason, |(_, inner)| inner);
    match reason {
        "Expect a valid enumeration value." => {
            "none of the values it takes; see the API's document".to_owned()
        }
        other => other.replace("verification failed. ", "not within its limits: "),
    }
}

fn field(name: &str, reason: &str) -> FieldError {
    FieldError { field: name.to_owned(), message: reason.to_owned() }
}

/// A body that is no JSON, or not of the right shape. Parsers name the field in their text where there is one.
fn payload(reason: &str) -> Refusal {
    bad_request(format!("The body is not what this address takes: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_refused_without_the_names_of_our_types() {
        let number = "failed to parse \"integer_int32\": invalid digit (occurred while parsing \"optional_integer_int32\")";
        assert_eq!(untyped(number), "invalid digit");
        let order =
            "failed to parse \"NameOrder\": Expect a valid enumeration value. (occurred while parsing \"x\")";
        assert_eq!(untyped(order), "none of the values it takes; see the API's document");
        let limit = "verification failed. minimum(1, exclusive: false)";
        assert_eq!(untyped(limit), "not within its limits: minimum(1, exclusive: false)");
        assert_eq!(untyped("It is no SID."), "It is no SID.");
    }

    #[test]
    fn allow_lists_the_methods_of_the_path() {
        let routes = [("/a/{sid}", "get"), ("/a/{sid}", "patch"), ("/a/fixed", "post"), ("/a", "post")];
        let routes = Routes::new(routes.map(|(path, method)| (path.to_owned(), method.to_owned())));
        assert_eq!(routes.allowed("/a/TK1"), "GET, PATCH");
        assert_eq!(routes.allowed("/a/fixed"), "POST");
        assert_eq!(routes.allowed("/a"), "POST");
        assert_eq!(routes.allowed("/b"), "");
    }

    #[tokio::test]
    async fn what_breaks_is_said_in_the_callers_words() {
        let broken = poem::endpoint::make_sync(|request| -> poem::Result<Response> {
            match request.uri().path().ends_with("/slow") {
                true => Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, "timeout", "Too slow.").into()),
                false => panic!("on purpose"),
            }
        });
        let completed = crate::middleware::completed(broken, tokio_util::task::TaskTracker::new());
        let endpoint = worded(completed, crate::twilio::DIALECT);
        for (path, status, code) in [
            ("/2010-04-01/slow", 504, "20504"),
            ("/2010-04-01/Accounts.json", 500, "20500"),
            ("//2010-04-01/Accounts.json", 500, "20500"),
            ("/2010-04-01x", 500, "20500"),
            ("/2008-08-01/Accounts", 500, "20500"),
            ("/carrier/v1/accounts", 500, "\"internal\""),
        ] {
            for method in [poem::http::Method::GET, poem::http::Method::POST] {
                let request = poem::Request::builder().method(method).uri_str(path).finish();
                let response = endpoint.get_response(request).await;
                assert_eq!(response.status().as_u16(), status, "{path}");
                let body = response.into_body().into_string().await.unwrap();
                assert!(body.contains(&format!("\"code\":{code}")), "{path}: {body}");
            }
        }
    }
}
