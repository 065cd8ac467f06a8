//! Answers to an application's digest challenge (RFC 7616, RFC 2617), computed by `http-auth`: MD5 and SHA-256, qop auth or
//! none. The user is the one in the address that is asked, so no other host ever gets an answer.

use super::{Response, target::Target};
use bytes::Bytes;
use http_auth::{PasswordClient, PasswordClientBuilder, PasswordParams};
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, HeaderValue};

/// Longest challenge that is read, in bytes.
const MAX_CHALLENGE: usize = 4_096;

/// The Authorization header that `response` demands of `request`; `None` where it demands none, we have no user for it, or
/// an answer was refused.
pub(super) fn answer(
    target: &Target,
    request: &hyper::Request<Full<Bytes>>,
    response: &Response,
) -> Option<HeaderValue> {
    if response.status != 401 || is_answer(request.headers().get(AUTHORIZATION)) {
        return None;
    }
    let (username, password) = target.credentials()?;
    let challenges = response.all("www-authenticate").filter(|text| text.len() <= MAX_CHALLENGE);
    let client = challenges.fold(PasswordClient::builder(), PasswordClientBuilder::challenges).build();
    let (username, password) = (String::from_utf8_lossy(&username), String::from_utf8_lossy(&password));
    let parameters = PasswordParams {
        username: &username,
        password: &password,
        uri: &target.path,
        method: request.method().as_str(),
        body: None,
    };
    let mut header = HeaderValue::from_str(&client.ok()?.respond(&parameters).ok()?).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn is_answer(authorization: Option<&HeaderValue>) -> bool {
    authorization.is_some_and(|value| value.as_bytes().starts_with(b"Digest "))
}
