//! The second factor of a user: codes that are tried, used up and taken away.

use super::{SignedIn, signed_in, totp};
use crate::{
    App,
    problem::Refusal,
    secrets::{RECOVERY, TOTP_PENDING, TOTP_SEED, TOTP_STEP, digest},
};
use domain::{
    Log, Meta, Sid,
    user::{User, UserCommand},
};
use poem::{Request, http::StatusCode};
use poem_openapi::Object;

/// Who asks, proved anew.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct FreshCode {
    /// What the caller's own authenticator app shows now, or one of their recovery codes.
    pub(crate) code: String,
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

/// Tries a code of the app, as often as that is allowed.
///
/// # Errors
/// 422 for a wrong or used code; 429.
pub(crate) async fn try_code(
    app: &App,
    request: &Request,
    who: &SignedIn,
    code: &str,
) -> Result<(), Refusal> {
    let (limits, user) = (&app.limits, &who.session.user);
    let place = limits.code(app, request, &who.session).await?;
    limits.guess(&place, user)?;
    limits.tried(app, request, who, &place, use_code(app, user, code).await)
}

/// Tries a recovery code, which is used up by it.
///
/// # Errors
/// 422 for a wrong or used code; 429.
pub(crate) async fn try_recovery_code(
    app: &App,
    request: &Request,
    who: &SignedIn,
    code: &str,
) -> Result<(), Refusal> {
    let (limits, user) = (&app.limits, &who.session.user);
    let place = limits.code(app, request, &who.session).await?;
    limits.tried(app, request, who, &place, use_recovery_code(app, user, code).await)?;
    act(app, request, who, UserCommand::UseRecoveryCode).await
}

/// One answer for a code that is wrong, and for one that was used.
pub(crate) fn wrong_code() -> Refusal {
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

/// New recovery codes in place of those that there were.
///
/// # Errors
/// When the vault cannot be asked.
pub(crate) async fn replace_recovery_codes(
    app: &App,
    carrier: &Sid,
    user: &Sid,
) -> Result<Vec<String>, Refusal> {
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

/// What a signed-in user does to themselves.
///
/// # Errors
/// When the log refuses it or cannot be asked.
pub(crate) async fn act(
    app: &App,
    request: &Request,
    who: &SignedIn,
    command: UserCommand,
) -> Result<(), Refusal> {
    let meta = app.user_meta(request, &who.session.carrier, &who.session.user);
    let appended = app.store.execute::<User>(&who.session.user, command, &meta).await?;
    app.settled(Log::Core, &appended).await
}
