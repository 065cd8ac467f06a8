//! E-mail and password, tried only so often.

use super::answer::{parsed, view, with_cookie};
use crate::{
    App,
    auth::{Level, Rate, SignedIn, Throttle, by_address, signed_in},
    problem::Refusal,
    secrets::PASSWORD,
};
use domain::{
    Clock, Sid,
    user::{Email, User},
};
use poem::{Request, Response, handler, http::StatusCode, web::Data};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// Tries from one address, whoever they claim to be.
const BY_ADDRESS: Rate = Rate { burst: 30, refill: Duration::from_secs(6) };
/// Tries from one address for one e-mail. Nobody elsewhere can use these up, so nobody can be locked out by strangers.
const BY_ADDRESS_AND_EMAIL: Rate = Rate { burst: 8, refill: Duration::from_secs(15) };
/// Sign-ups from one address.
const SIGN_UPS: Rate = Rate { burst: 20, refill: Duration::from_secs(60) };
/// Codes of one user, over all sessions; whoever gets to try has given the password.
const CODES: Rate = Rate { burst: 5, refill: Duration::from_secs(12) };

/// How often things may be tried.
#[derive(Clone)]
pub(super) struct Limits {
    address: Throttle,
    address_and_email: Throttle,
    sign_ups: Throttle,
    codes: Throttle,
}

impl Limits {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Limits {
        let of = |rate| Throttle::new(rate, clock.clone());
        let (address, address_and_email) = (of(BY_ADDRESS), of(BY_ADDRESS_AND_EMAIL));
        Limits { address, address_and_email, sign_ups: of(SIGN_UPS), codes: of(CODES) }
    }

    /// # Errors
    /// 429.
    pub(super) fn sign_up(&self, app: &App, request: &Request) -> Result<(), Refusal> {
        self.sign_ups.take(&peer(app, request)).map_err(Refusal::rate_limited)
    }

    /// # Errors
    /// 429.
    pub(super) fn code(&self, user: &Sid) -> Result<(), Refusal> {
        self.codes.take(user.as_str()).map_err(Refusal::rate_limited)
    }

    fn sign_in(&self, app: &App, request: &Request, email: &str) -> Result<(), Refusal> {
        let peer = peer(app, request);
        self.address.take(&peer).map_err(Refusal::rate_limited)?;
        let both = format!("{peer} {}", email.trim().to_lowercase());
        self.address_and_email.take(&both).map_err(Refusal::rate_limited)
    }
}

fn peer(app: &App, request: &Request) -> String {
    by_address(app.peer(request))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
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
    limits.sign_in(app, request, &given.email)?;
    let (user, carrier) = recognize(app, &given).await?.ok_or_else(wrong)?;
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

/// One answer for a wrong password and for an address nobody has, taking as long.
fn wrong() -> Refusal {
    let detail = "E-mail or password is wrong.";
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_credentials", detail)
}

/// The user and carrier these words belong to.
async fn recognize(app: &App, given: &SignIn) -> Result<Option<(Sid, Sid)>, Refusal> {
    let user = match given.email.parse::<Email>() {
        Ok(email) => app.projections.system().user_by_email(&email).await?,
        Err(_) => None,
    };
    let hash = match &user {
        Some(user) => app.secrets.get(&user.sid, PASSWORD).await?,
        None => None,
    };
    let hash = hash.and_then(|hash| hash.text().map(str::to_owned));
    let bounded: String = given.password.chars().take(crate::auth::LONGEST_PASSWORD).collect();
    let right = app.passwords.verify(&bounded, hash).await?;
    Ok(user.filter(|_| right).map(|user| (user.sid, user.carrier)))
}
