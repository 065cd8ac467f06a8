//! The second factor: set up, switched on by its first code, asked for at each sign-in. A code works once.

use super::answer::{SessionView, complete, parsed, view, with_cookie};
use crate::{
    App,
    auth::{Level, Limits, Session, SignedIn, remember, signed_in, totp},
    problem::Refusal,
    secrets::{RECOVERY, TOTP_PENDING, TOTP_SEED, TOTP_STEP, digest},
};
use domain::{
    Log, Meta, Sid,
    user::{User, UserCommand},
};
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

/// Who asks, proved anew.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct FreshCode {
    /// What the caller's own authenticator app shows now, or one of their recovery codes.
    pub(crate) code: String,
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

/// Has the caller prove by a code, made for this request, that it is them: a session left open must not be enough. It is
/// the app's code, or a recovery code.
///
/// # Errors
/// 401 without a session; 422 for a wrong or used code; 429.
pub(crate) async fn prove(app: &App, request: &Request, code: &str) -> Result<SignedIn, Refusal> {
    let who = signed_in(app, request).await?;
    match code.chars().any(char::is_alphabetic) {
        false => try_code(app, request, &who, code).await?,
        true => {
            let named = |refusal: Refusal| match refusal.status {
                StatusCode::UNPROCESSABLE_ENTITY => wrong_code(),
                _ => refusal,
            };
            try_recovery_code(app, request, &who, code).await.map_err(named)?;
        }
    }
    Ok(who)
}

/// Takes a user's second factor away and ends their sessions, but one.
///
/// # Errors
/// When the log or the vault cannot be asked.
pub(crate) async fn take_second_factor(
    app: &App,
    meta: Meta,
    user: &Sid,
    but: Option<&str>,
) -> Result<(), Refusal> {
    app.sessions.end_others(app, user, but).await?;
    let done = app.store.execute::<User>(user, UserCommand::ResetTwoFactor, &meta).await?;
    app.settled(Log::Core, &done).await?;
    for secret in [TOTP_SEED, TOTP_PENDING, TOTP_STEP] {
        app.secrets.delete(user, secret).await?;
    }
    forget_recovery_codes(app, user).await?;
    // Those that were opened meanwhile.
    Ok(app.sessions.end_others(app, user, but).await?)
}

/// The caller, whose second factor is not on yet.
async fn before_set_up(app: &App, request: &Request) -> Result<SignedIn, Refusal> {
    let who = signed_in(app, request).await?;
    if who.two_factor {
        return Err(Refusal::conflict("Two-factor authentication is set up already."));
    }
    Ok(who)
}

/// Tries a code of the app, as often as that is allowed.
async fn try_code(app: &App, request: &Request, who: &SignedIn, code: &str) -> Result<(), Refusal> {
    let (limits, user) = (&app.limits, &who.session.user);
    let place = limits.code(app, request, &who.session).await?;
    limits.guess(&place, user)?;
    limits.tried(app, request, who, &place, use_code(app, user, code).await)
}

/// Tries a recovery code, which is used up by it.
async fn try_recovery_code(app: &App, request: &Request, who: &SignedIn, code: &str) -> Result<(), Refusal> {
    let (limits, user) = (&app.limits, &who.session.user);
    let place = limits.code(app, request, &who.session).await?;
    limits.tried(app, request, who, &place, use_recovery_code(app, user, code).await)?;
    act(app, request, who, UserCommand::UseRecoveryCode).await
}

fn wrong_code() -> Refusal {
    Refusal::field("code", "This code is wrong or was used before; wait for the next one.")
}

/// Checks a code and uses its step up, so that of two callers with the same code one gets in.
async fn use_code(app: &App, user: &Sid, code: &str) -> Result<(), Refusal> {
    let seed = app.secrets.get(user, TOTP_SEED).await?.ok_or_else(wrong_code)?;
    let step = totp::step_of(seed.bytes(), code, app.clock.now()).ok_or_else(wrong_code)?;
    let last = app.secrets.get(user, TOTP_STEP).await?.ok_or_else(wrong_code)?;
    let used = <[u8; 8]>::try_from(last.bytes()).map_or(u64::MAX, u64::from_be_bytes);
    let (kind, name) = TOTP_STEP;
    let fresh = step > used
        && app.store.vault().replace_if(user, kind, name, last.bytes(), &step.to_be_bytes()).await?;
    if fresh { Ok(()) } else { Err(wrong_code()) }
}

async fn use_recovery_code(app: &App, user: &Sid, code: &str) -> Result<(), Refusal> {
    let name = digest(totp::normal(code).as_bytes());
    let wrong = || Refusal::field("recovery_code", "This recovery code is wrong or was used before.");
    if app.store.vault().delete(user, RECOVERY, &name).await? { Ok(()) } else { Err(wrong()) }
}

async fn replace_recovery_codes(app: &App, carrier: &Sid, user: &Sid) -> Result<Vec<String>, Refusal> {
    forget_recovery_codes(app, user).await?;
    let codes = totp::recovery_codes(&*app.ids);
    for code in &codes {
        let name = digest(totp::normal(code).as_bytes());
        app.store.vault().put(carrier, user, RECOVERY, &name, b"", None).await?;
    }
    Ok(codes)
}

async fn forget_recovery_codes(app: &App, user: &Sid) -> Result<(), store::StoreError> {
    app.store.vault().delete_all(user, RECOVERY, None).await.map(drop)
}

async fn act(app: &App, request: &Request, who: &SignedIn, command: UserCommand) -> Result<(), Refusal> {
    let meta = app.user_meta(request, &who.session.carrier, &who.session.user);
    let appended = app.store.execute::<User>(&who.session.user, command, &meta).await?;
    app.settled(Log::Core, &appended).await
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
