//! What the dashboard's endpoints are given and give back.

use crate::{
    App,
    auth::{Level, SignedIn, signed_in},
    carrier::shaped,
    problem::Refusal,
};
use domain::{Log, Sid, user::Role};
use poem::{IntoResponse, Request, Response, http::StatusCode, web::Json};
use poem_openapi::types::{ParseFromJSON, Type};
use serde::{Deserialize, Serialize};

/// Who is signed in, how far, and what comes next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SessionView {
    user: UserView,
    carrier: CarrierView,
    level: Level,
    next: Next,
    expires_at: domain::Timestamp,
    /// A mark of how far the tables were before anything else was read: a page that hears another one from the live
    /// WebSocket has missed something.
    position: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct UserView {
    sid: Sid,
    name: String,
    email: String,
    role: Role,
    two_factor: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct CarrierView {
    sid: Sid,
    name: String,
    country: String,
    subdomain: String,
}

/// What the person does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Next {
    /// Set up the second factor.
    SetUpTwoFactor,
    /// Enter a code.
    EnterCode,
    /// Go ahead.
    Ready,
}

/// The view of a session.
///
/// # Errors
/// 401 when the user is gone; 503 when the store is.
pub(super) async fn view(app: &App, who: &SignedIn) -> Result<SessionView, Refusal> {
    let position = position(app, &who.session.carrier);
    let system = app.projections.system();
    let user = system.user(&who.session.user).await?.ok_or_else(Refusal::unauthenticated)?;
    let carrier = system.carrier(&who.session.carrier).await?.ok_or_else(Refusal::unauthenticated)?;
    let next = match who.two_factor {
        false => Next::SetUpTwoFactor,
        true if who.complete() => Next::Ready,
        true => Next::EnterCode,
    };
    let level = if who.complete() { Level::Full } else { Level::Password };
    Ok(SessionView {
        user: UserView {
            sid: user.sid,
            name: user.name.to_string(),
            email: user.email.into(),
            role: who.role,
            two_factor: who.two_factor,
        },
        carrier: CarrierView {
            sid: carrier.sid,
            name: carrier.name.to_string(),
            country: carrier.country.code().to_owned(),
            subdomain: carrier.subdomain,
        },
        level,
        next,
        expires_at: who.session.expires_at(),
        position,
    })
}

/// A carrier's mark of how far the tables of each log are.
pub(super) fn position(app: &App, carrier: &Sid) -> String {
    app.marks.of(carrier, Log::ALL.map(|log| app.projections.position(log)))
}

/// A JSON body; other content types are refused, because browsers send those across sites without asking.
///
/// # Errors
/// 415; 400 for what is no JSON; 422 with everything that is missing, mistyped or unknown.
pub(super) fn parsed<T: Type + ParseFromJSON>(request: &Request, bytes: &[u8]) -> Result<T, Refusal> {
    let kind = request.content_type().unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let detail = "Send application/json.";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    let body = serde_json::from_slice(bytes);
    shaped(body.map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, "bad_request", format!("The body is no JSON: {error}."))
    })?)
}

/// The signed-in caller after both factors.
///
/// # Errors
/// 401 and 403.
pub(super) async fn complete(app: &App, request: &Request) -> Result<SignedIn, Refusal> {
    let who = signed_in(app, request).await?;
    if who.complete() { Ok(who) } else { Err(Refusal::two_factor_required()) }
}

/// JSON with a session cookie.
///
/// # Errors
/// Never.
pub(super) fn with_cookie(
    app: &App,
    status: StatusCode,
    body: impl Serialize + Send,
    cookie: &str,
) -> Result<Response, Refusal> {
    let mut response = Json(body).with_status(status).into_response();
    response.headers_mut().insert("set-cookie", crate::auth::set_cookie(app, Some(cookie))?);
    Ok(response)
}
