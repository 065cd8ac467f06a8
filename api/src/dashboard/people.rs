//! What people change about themselves.

use super::answer::{complete, parsed};
use crate::{
    App,
    auth::{Limits, weakness},
    problem::Refusal,
    secrets::PASSWORD,
};
use domain::{
    Log,
    user::{User, UserCommand},
};
use poem::{Request, handler, http::StatusCode, web::Data};
use poem_openapi::Object;

#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ChangePassword {
    current_password: String,
    new_password: String,
}

/// Ends every other session and replaces the password: in this order, so that a crash in between leaves nobody signed in
/// by a password that was to be worth nothing. The vault has the new one once the log does: what is refused changes nothing.
#[handler]
pub(super) async fn change_password(
    request: &Request,
    bytes: Vec<u8>,
    Data(app): Data<&App>,
    Data(limits): Data<&Limits>,
) -> poem::Result<StatusCode> {
    let who = complete(app, request).await?;
    let given: ChangePassword = parsed(request, &bytes)?;
    let (carrier, user) = (&who.session.carrier, &who.session.user);
    limits.code(app, request, &who.session).await?;
    let hash = app.secrets.get(user, PASSWORD).await.map_err(Refusal::from)?;
    let hash = hash.and_then(|hash| hash.text().map(str::to_owned));
    if !app.passwords.verify(&given.current_password, hash).await? {
        return Err(Refusal::field("current_password", "This is not your password.").into());
    }
    if let Some(message) = weakness(&given.new_password, &[]) {
        return Err(Refusal::field("new_password", message).into());
    }
    let hash = app.passwords.hash(&given.new_password, app.ids.clone()).await?;
    app.sessions.end_others(app, user, Some(&who.session.id)).await.map_err(Refusal::from)?;
    let meta = app.user_meta(request, carrier, user);
    let done =
        app.store.execute::<User>(user, UserCommand::ReplacePassword, &meta).await.map_err(Refusal::from)?;
    app.secrets.put(carrier, user, PASSWORD, hash.as_bytes()).await.map_err(Refusal::from)?;
    // Those that were opened by the old one meanwhile.
    app.sessions.end_others(app, user, Some(&who.session.id)).await.map_err(Refusal::from)?;
    app.settled(Log::Core, &done).await?;
    Ok(StatusCode::NO_CONTENT)
}
