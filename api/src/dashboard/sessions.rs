//! Looking at one's sessions and ending them.

use super::answer::{complete, view};
use crate::{
    App,
    auth::{Session, set_cookie, signed_in},
    problem::Refusal,
};
use poem::{
    IntoResponse, Request, Response, handler,
    http::StatusCode,
    web::{Data, Json, Path},
};
use serde_json::{Value, json};

#[handler]
pub(super) async fn current(request: &Request, Data(app): Data<&App>) -> poem::Result<Response> {
    let who = signed_in(app, request).await?;
    Ok(Json(view(app, &who).await?).into_response())
}

/// Ends this session, if there is one, and drops the cookie.
#[handler]
pub(super) async fn sign_out(request: &Request, Data(app): Data<&App>) -> poem::Result<Response> {
    if let Some(session) = app.sessions.of(app, request).await.map_err(Refusal::from)? {
        app.sessions.end(app, &session.user, &session.id).await.map_err(Refusal::from)?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert("set-cookie", set_cookie(app, None)?);
    Ok(response)
}

#[handler]
pub(super) async fn list(request: &Request, Data(app): Data<&App>) -> poem::Result<Json<Value>> {
    let who = complete(app, request).await?;
    let sessions = app.sessions.list(app, &who.session.user).await.map_err(Refusal::from)?;
    let data: Vec<Value> =
        sessions.iter().map(|session| row(session, session.id == who.session.id)).collect();
    Ok(Json(json!({ "data": data })))
}

fn row(session: &Session, this: bool) -> Value {
    let mut row = json!({
        "id": session.id,
        "level": session.level,
        "created_at": session.created_at,
        "last_seen_at": session.seen_at,
        "expires_at": session.expires_at(),
        "current": this,
    });
    let optional = [("ip", &session.ip), ("user_agent", &session.user_agent)];
    for (name, value) in
        optional.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value)))
    {
        row[name] = json!(value);
    }
    row
}

#[handler]
pub(super) async fn end(
    request: &Request,
    Path(id): Path<String>,
    Data(app): Data<&App>,
) -> poem::Result<StatusCode> {
    let who = complete(app, request).await?;
    let ended = app.sessions.end(app, &who.session.user, &id).await.map_err(Refusal::from)?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::not_found("session").into()) }
}
