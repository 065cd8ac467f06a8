//! HEAD is GET whose body stays here (RFC 9110 section 9.3.2).

use poem::{
    Body, Endpoint, EndpointExt, Error, IntoResponse, Response, Result,
    error::InternalServerError,
    http::{Method, header::CONTENT_LENGTH},
};

/// `endpoint`, whose answers to HEAD say how long the body is and leave it out: HTTP/2 would send it.
pub(crate) fn bodiless<E: Endpoint + 'static>(endpoint: E) -> impl Endpoint<Output = Response> {
    endpoint.around(|endpoint, request| async move {
        let is_head = *request.method() == Method::HEAD;
        let response = endpoint.call(request).await?.into_response();
        if is_head { without_body(response).await } else { Ok(response) }
    })
}

async fn without_body(response: Response) -> Result<Response> {
    let (mut parts, body) = response.into_parts();
    let length = body.into_bytes().await.map_err(|error| -> Error { InternalServerError(error) })?.len();
    if length > 0 {
        parts.headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    Ok(Response::from_parts(parts, Body::empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::{Request, endpoint::make_sync};

    #[tokio::test]
    async fn the_answer_to_head_tells_the_length_of_what_it_leaves_out() {
        for (method, length, body) in [(Method::GET, None, "hello"), (Method::HEAD, Some("5"), "")] {
            let endpoint = bodiless(make_sync(|_| "hello"));
            let response = endpoint.call(Request::builder().method(method).finish()).await.unwrap();
            assert_eq!(response.header("content-length"), length);
            assert_eq!(response.into_body().into_string().await.unwrap(), body);
        }
    }

    #[tokio::test]
    async fn an_answer_without_a_body_has_no_length_either_way() {
        let endpoint = bodiless(make_sync(|_| poem::http::StatusCode::NOT_MODIFIED));
        let response = endpoint.call(Request::builder().method(Method::HEAD).finish()).await.unwrap();
        assert_eq!(response.header("content-length"), None);
    }
}
