//! Finds out who is asking, before any endpoint does.

use super::{Level, Principal, Session, Throttle, same_origin};
use crate::{App, problem::Refusal};
use domain::{
    Actor,
    user::{Role, User},
};
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response};

/// Someone with a session, whatever its level.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    /// The session.
    pub session: Session,
    /// What they may do.
    pub role: Role,
    /// Whether their second factor is on.
    pub two_factor: bool,
}

impl SignedIn {
    /// Whether both factors were given. A session from before the second factor was reset does not count.
    pub(crate) fn complete(&self) -> bool {
        self.session.level == Level::Full && self.two_factor
    }
}

/// Who the request's session belongs to; 401 without one, or when the user has been removed.
pub(crate) async fn signed_in(app: &App, request: &Request) -> Result<SignedIn, Refusal> {
    let session = app.sessions.of(app, request).await?.ok_or_else(Refusal::unauthenticated)?;
    let user = app.store.load::<User>(&session.user).await?.aggregate;
    match user.carrier() {
        Some(carrier) if *carrier == session.carrier => {
            Ok(SignedIn { role: user.role(), two_factor: user.has_two_factor(), session })
        }
        _ => Err(Refusal::unauthenticated()),
    }
}

/// `endpoint`, reached only with a live key or a complete session, and only so often.
pub(crate) fn authenticated<E: Endpoint + 'static>(
    endpoint: E,
    app: App,
    often: Throttle,
) -> impl Endpoint<Output = Response> {
    endpoint.around(move |endpoint, mut request| {
        let (app, often) = (app.clone(), often.clone());
        async move {
            let principal = principal(&app, &request).await?;
            often.take(principal.actor.id()).map_err(Refusal::rate_limited)?;
            request.set_data(principal);
            Ok(endpoint.call(request).await?.into_response())
        }
    })
}

async fn principal(app: &App, request: &Request) -> Result<Principal, Refusal> {
    if let Some(given) = request.header("authorization") {
        return by_key(app, given).await;
    }
    let who = signed_in(app, request).await?;
    if !who.complete() {
        return Err(Refusal::two_factor_required());
    }
    same_origin(request, &app.config.public_url)?;
    let Session { carrier, user, .. } = who.session;
    Ok(Principal { carrier, actor: Actor::User(user), role: who.role })
}

async fn by_key(app: &App, given: &str) -> Result<Principal, Refusal> {
    let token = given.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, token) = token.ok_or_else(Refusal::unauthenticated)?;
    let (carrier, key) = app.keys.check(token.trim()).await?.ok_or_else(Refusal::unauthenticated)?;
    Ok(Principal { carrier, actor: Actor::ApiKey(key), role: Role::Admin })
}
