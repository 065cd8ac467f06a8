//! The second factor: set up, switched on by its first code, asked for at each sign-in. A code works once.

use super::answer::{SessionView, complete, parsed, view, with_cookie};
use crate::{
    App,
    auth::{
        FreshCode, Level, Limits, Session, SignedIn, prove, remember,
        second_factor::{act, replace_recovery_codes, try_code, try_recovery_code, wrong_code},
        signed_in, take_second_factor, totp,
    },
    problem::Refusal,
    secrets::{TOTP_PENDING, TOTP_SEED, TOTP_STEP},
};
use domain::user::UserCommand;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Data, Json},
};
use poem_openapi::Object;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Object)]
#[oai(deny_unknown_fields)]
struct Code {
    code: Option<String>,
    recovery_code: Option<String>,
}

#[derive(Serialize)]
struct Enabled {
    recovery_codes: Vec<String>,
    session: SessionView,
}

/// What the authenticator app needs; the same until it is switched on.
#[handler]
pub(super) async fn set_up(request: &Request, Data(app): Data<&App>) -> poem::Result<Json<Value>> {
    let who = before_set_up(app, request).await?;
    let (carrier, user) = (&who.session.carrier, &who.session.user);
    let seed = match app.secrets.get(user, TOTP_PENDING).await.map_err(Refusal::from)? {
        Some(seed) => seed.bytes().to_vec(),
        None => {
            let seed = totp::new_seed(&*app.ids);
            app.secrets.put(carrier, user, TOTP_PENDING, &seed).await.map_err(Refusal::from)?;
            seed.to_vec()
        }
    };
    let system = app.projections.system();
    let name = system.carrier(carrier).await.map_err(Refusal::from)?.map(|row| row.name.to_string());
    let email = system.user(user).await.map_err(Refusal::from)?.map(|row| String::from(row.email));
    let setup = totp::setup(&seed, &name.unwrap_or_default(), &email.unwrap_or_default());
    let setup = setup.ok_or_else(Refusal::internal)?;
    Ok(Json(json!({ "qr": setup.qr, "key": setup.key, "uri": setup.uri })))
}

/// Switches the second factor on with its first code, and gives recovery codes.
#[handler]
pub(super) async fn enable(
    request: &Request,
    bytes: Vec<u8>,
    Data(app): Data<&App>,
    Data(limits): Data<&Limits>,
) -> poem::Result<Response> {
    let who = before_set_up(app, request).await?;
    let code = parsed::<Code>(request, &bytes)?.code.unwrap_or_default();
    let (carrier, user) = (who.session.carrier.clone(), who.session.user.clone());
    limits.code(app, request, &who.session).await?;
    let pending = app.secrets.get(&user, TOTP_PENDING).await.map_err(Refusal::from)?;
    let pending = pending.ok_or_else(|| Refusal::conflict("Set two-factor authentication up first."))?;
    let step = totp::step_of(pending.bytes(), &code, app.clock.now()).ok_or_else(wrong_code)?;
    // Of two tabs that get here, one takes the pending seed.
    if !app.secrets.delete(&user, TOTP_PENDING).await.map_err(Refusal::from)? {
        return Err(Refusal::conflict("Two-factor authentication was set up a moment ago.").into());
    }
    app.secrets.put(&carrier, &user, TOTP_SEED, pending.bytes()).await.map_err(Refusal::from)?;
    app.secrets.put(&carrier, &user, TOTP_STEP, &step.to_be_bytes()).await.map_err(Refusal::from)?;
    let recovery_codes = replace_recovery_codes(app, &carrier, &user).await?;
    // One from before a reset would be whole again.
    app.sessions.end_others(app, &user, Some(&who.session.id)).await.map_err(Refusal::from)?;
    act(app, request, &who, UserCommand::EnableTwoFactor).await?;
    let (session, cookie) = step_up(app, request, &who).await?;
    let answer = with_cookie(app, StatusCode::OK, Enabled { recovery_codes, session }, &cookie)?;
    remembered(app, request, &who, answer).await
}

/// The answer, which makes the device one that is known.
async fn remembered(
    app: &App,
    request: &Request,
    who: &SignedIn,
    mut answer: Response,
) -> poem::Result<Response> {
    let cookie = remember(app, request, (&who.session.carrier, &who.session.user)).await?;
    if let Some(cookie) = cookie {
        answer.headers_mut().append("set-cookie", cookie);
    }
    Ok(answer)
}

/// The second step of signing in: a code of the app, or a recovery code.
#[handler]
pub(super) async fn verify(
    request: &Request,
    bytes: Vec<u8>,
    Data(app): Data<&App>,
) -> poem::Result<Response> {
    let who = signed_in(app, request).await?;
    if !who.two_factor {
        return Err(Refusal::conflict("Set two-factor authentication up first.").into());
    }
    let given: Code = parsed(request, &bytes)?;
    match (given.code, given.recovery_code) {
        (Some(code), None) => try_code(app, request, &who, &code).await?,
        (None, Some(code)) => try_recovery_code(app, request, &who, &code).await?,
        _ => return Err(Refusal::field("code", "Give a code of the app or a recovery code.").into()),
    }
    let (session, cookie) = step_up(app, request, &who).await?;
    remembered(app, request, &who, with_cookie(app, StatusCode::OK, session, &cookie)?).await
}

/// Ten new recovery codes in place of the old ones, for a code of the app.
#[handler]
pub(super) async fn new_recovery_codes(
    request: &Request,
    bytes: Vec<u8>,
    Data(app): Data<&App>,
) -> poem::Result<Json<Value>> {
    let who = complete(app, request).await?;
    let given = parsed::<FreshCode>(request, &bytes)?;
    try_code(app, request, &who, &given.code).await?;
    act(app, request, &who, UserCommand::ReplaceRecoveryCodes).await?;
    let codes = replace_recovery_codes(app, &who.session.carrier, &who.session.user).await?;
    Ok(Json(json!({ "recovery_codes": codes })))
}

/// Takes one's own second factor away so that another is set up, for a code of it: this session goes on as far as that.
#[handler]
pub(super) async fn replace(
    request: &Request,
    bytes: Vec<u8>,
    Data(app): Data<&App>,
) -> poem::Result<StatusCode> {
    complete(app, request).await?;
    let who = prove(app, request, &parsed::<FreshCode>(request, &bytes)?.code).await?;
    let Session { carrier, user, id, .. } = &who.session;
    let meta = app.user_meta(request, carrier, user);
    take_second_factor(app, meta, user, Some(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller, whose second factor is not on yet.
async fn before_set_up(app: &App, request: &Request) -> Result<SignedIn, Refusal> {
    let who = signed_in(app, request).await?;
    if who.two_factor {
        return Err(Refusal::conflict("Two-factor authentication is set up already."));
    }
    Ok(who)
}

/// Ends the session at level password and opens one at level full: a stolen old id is worth nothing.
async fn step_up(app: &App, request: &Request, who: &SignedIn) -> Result<(SessionView, String), Refusal> {
    let (carrier, user) = (&who.session.carrier, &who.session.user);
    act(app, request, who, UserCommand::SignIn).await?;
    app.sessions.end(app, user, &who.session.id).await?;
    let (session, cookie) = app.sessions.open(app, request, (carrier, user), Level::Full).await?;
    let who = SignedIn { session, role: who.role, two_factor: true };
    Ok((view(app, &who).await?, cookie))
}
