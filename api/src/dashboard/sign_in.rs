//! E-mail and password, tried only so often.

use super::answer::{parsed, view, with_cookie};
use super::failures::{Failed, Failures};
use crate::{
    App,
    auth::{
        Device, Growing, Growth, Level, Rate, Session, SignedIn, Throttle, by_address, device, signed_in,
    },
    problem::Refusal,
    secrets::PASSWORD,
};
use domain::{
    Clock, Sid,
    user::{Email, User},
};
use poem::{Request, Response, handler, http::StatusCode, web::Data};
use poem_openapi::Object;
use std::{sync::Arc, time::Duration};

/// Tries from one address, whoever they claim to be.
const BY_ADDRESS: Rate = Rate { burst: 30, refill: Duration::from_secs(6) };
/// Tries from one address for one e-mail. Nobody elsewhere can use these up, so nobody can be locked out by strangers.
const BY_ADDRESS_AND_EMAIL: Rate = Rate { burst: 8, refill: Duration::from_secs(15) };
/// Sign-ups from one address.
const SIGN_UPS: Rate = Rate { burst: 20, refill: Duration::from_secs(60) };
/// Tries from a device its user has signed in from before, which nobody else can use up.
const BY_DEVICE: Rate = Rate { burst: 8, refill: Duration::from_secs(15) };
/// Codes of one user from one device that is known, from one session, or from one address: whoever guesses elsewhere does
/// not use them up.
const CODES: Rate = Rate { burst: 5, refill: Duration::from_secs(12) };
/// How long a try for one person takes from devices that are not known, wherever they are.
const PASSWORDS: Growth =
    Growth { free: 10, first: Duration::from_millis(500), most: Duration::from_secs(8) };
/// How long after a wrong code the next may be tried from such devices. Whoever guesses has the password already; known
/// devices and recovery codes, which nobody guesses, stay open.
const GUESSES: Growth =
    Growth { free: 10, first: Duration::from_secs(15), most: Duration::from_secs(15 * 60) };

/// How often things may be tried.
#[derive(Clone)]
pub(crate) struct Limits {
    address: Throttle,
    address_and_email: Throttle,
    device: Throttle,
    sign_ups: Throttle,
    codes: Throttle,
    passwords: Growing,
    guesses: Growing,
    failures: Failures,
}

/// From where a code is tried.
pub(super) struct Place {
    key: String,
    known: bool,
}

impl Limits {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Limits {
        let of = |rate| Throttle::new(rate, clock.clone());
        let (address, address_and_email) = (of(BY_ADDRESS), of(BY_ADDRESS_AND_EMAIL));
        Limits {
            address,
            address_and_email,
            device: of(BY_DEVICE),
            sign_ups: of(SIGN_UPS),
            codes: of(CODES),
            passwords: Growing::new(PASSWORDS, clock.clone()),
            guesses: Growing::new(GUESSES, clock.clone()),
            failures: Failures::default(),
        }
    }

    /// # Errors
    /// 429.
    pub(super) fn sign_up(&self, app: &App, request: &Request) -> Result<(), Refusal> {
        self.sign_ups.take(&peer(app, request)).map_err(Refusal::rate_limited)
    }

    /// Leave to try a code or the current password.
    ///
    /// # Errors
    /// 429; when the vault cannot be asked.
    pub(super) async fn code(
        &self,
        app: &App,
        request: &Request,
        session: &Session,
    ) -> Result<Place, Refusal> {
        let user = &session.user;
        let device = device(app, request).await?.filter(|device| device.user == *user);
        let place = match device {
            Some(Device { id, .. }) => Place { key: format!("{user} {id}"), known: true },
            None if session.level == Level::Full => {
                Place { key: format!("{user} {}", session.id), known: true }
            }
            None => Place { key: format!("{user} {}", peer(app, request)), known: false },
        };
        self.codes.take(&place.key).map_err(Refusal::rate_limited)?;
        Ok(place)
    }

    /// Leave to try a code that can be guessed; from a place that is not known it counts before anybody looks at it.
    ///
    /// # Errors
    /// 429.
    pub(super) fn guess(&self, place: &Place, user: &Sid) -> Result<(), Refusal> {
        if place.known {
            return Ok(());
        }
        self.guesses.begin(user.as_str()).map_err(Refusal::rate_limited)
    }

    /// What came of a code.
    pub(super) fn tried(
        &self,
        app: &App,
        request: &Request,
        who: &SignedIn,
        place: &Place,
        outcome: Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let user = &who.session.user;
        match &outcome {
            Ok(()) => {
                if !place.known {
                    self.guesses.succeeded(user.as_str());
                }
                self.failures.settle(app, user, Failed::SecondFactor);
            }
            Err(refusal) if refusal.status.is_server_error() => {}
            Err(_) => {
                let meta = super::answer::meta(app, request, &who.session.carrier, user);
                self.failures.note(app, meta, user, Failed::SecondFactor);
            }
        }
        outcome
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
        let meta = super::answer::meta(app, request, &carrier, &user);
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
