//! E-mail and password, tried only so often.

use super::answer::{parsed, view, with_cookie};
use crate::{
    App,
    auth::{Failed, Level, Limits, SignedIn, device, signed_in},
    problem::Refusal,
    secrets::PASSWORD,
};
use domain::{
    Sid,
    user::{Email, User},
};
use poem::{Request, Response, handler, http::StatusCode, web::Data};
use poem_openapi::Object;

#[derive(Object)]
#[oai(deny_unknown_fields)]
struct SignIn {
    email: String,
    password: String,
}

#[handler]
pub(super) async fn sign_in(
    request: &Request,
    bytes: Vec<u8>,
    Data(app): Data<&App>,
    Data(limits): Data<&Limits>,
) -> poem::Result<Response> {
    let given: SignIn = parsed(request, &bytes)?;
    let (user, carrier) = try_password(app, request, limits, &given).await?;
    // A session that was there before is not carried on: a new sign-in, a new id.
    if let Ok(before) = signed_in(app, request).await {
        app.sessions.end(app, &before.session.user, &before.session.id).await.map_err(Refusal::from)?;
    }
    let (session, cookie) =
        app.sessions.open(app, request, (&carrier, &user), Level::Password).await.map_err(Refusal::from)?;
    let state = app.store.load::<User>(&user).await.map_err(Refusal::from)?.aggregate;
    let who = SignedIn { session, role: state.role(), two_factor: state.has_two_factor() };
    Ok(with_cookie(app, StatusCode::OK, view(app, &who).await?, &cookie)?)
}

/// Whose password it is. A device that the same person has signed in from keeps its own count of tries, and waits for nobody.
async fn try_password(
    app: &App,
    request: &Request,
    limits: &Limits,
    given: &SignIn,
) -> Result<(Sid, Sid), Refusal> {
    let email = given.email.trim().to_lowercase();
    let device = device(app, request).await?;
    let named = match device {
        Some(_) => person(app, given).await?,
        None => None,
    };
    let known = device.filter(|device| named.as_ref().is_some_and(|(user, _)| *user == device.user));
    match &known {
        Some(device) => limits.device.take(&device.id).map_err(Refusal::rate_limited)?,
        None => {
            limits.sign_in(app, request, &given.email)?;
            tokio::time::sleep(limits.passwords.queue(&email).map_err(Refusal::rate_limited)?).await;
        }
    }
    let (whose, right) = recognize(app, given).await?;
    let Some((user, carrier)) = whose else { return Err(wrong()) };
    if !right {
        let meta = app.user_meta(request, &carrier, &user);
        limits.failures.note(app, meta, &user, Failed::Password);
        return Err(wrong());
    }
    limits.passwords.succeeded(&email);
    limits.failures.settle(app, &user, Failed::Password);
    Ok((user, carrier))
}

/// One answer for a wrong password and for an address nobody has, taking as long.
fn wrong() -> Refusal {
    let detail = "E-mail or password is wrong.";
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_credentials", detail)
}

/// The user and carrier of the address that was given.
async fn person(app: &App, given: &SignIn) -> Result<Option<(Sid, Sid)>, Refusal> {
    let user = match given.email.parse::<Email>() {
        Ok(email) => app.projections.system().user_by_email(&email).await?,
        Err(_) => None,
    };
    Ok(user.map(|user| (user.sid, user.carrier)))
}

/// The user and carrier of the address, and whether the password is theirs.
async fn recognize(app: &App, given: &SignIn) -> Result<(Option<(Sid, Sid)>, bool), Refusal> {
    let user = person(app, given).await?;
    let hash = match &user {
        Some((user, _)) => app.secrets.get(user, PASSWORD).await?,
        None => None,
    };
    let hash = hash.and_then(|hash| hash.text().map(str::to_owned));
    let bounded: String = given.password.chars().take(crate::auth::LONGEST_PASSWORD).collect();
    let right = app.passwords.verify(&bounded, hash).await?;
    Ok((user, right))
}
