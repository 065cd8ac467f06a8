//! How often passwords and codes may be tried, and from where.

use super::{
    Device, Failed, Failures, Growing, Growth, Level, Rate, Session, SignedIn, Throttle, by_address, device,
};
use crate::{App, problem::Refusal};
use domain::{Clock, Sid};
use poem::Request;
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
    pub(crate) device: Throttle,
    sign_ups: Throttle,
    codes: Throttle,
    pub(crate) passwords: Growing,
    guesses: Growing,
    pub(crate) failures: Failures,
}

/// From where a code is tried.
pub(crate) struct Place {
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
    pub(crate) fn sign_up(&self, app: &App, request: &Request) -> Result<(), Refusal> {
        self.sign_ups.take(&peer(app, request)).map_err(Refusal::rate_limited)
    }

    /// Leave to try a code or the current password.
    ///
    /// # Errors
    /// 429; when the vault cannot be asked.
    pub(crate) async fn code(
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
    pub(crate) fn guess(&self, place: &Place, user: &Sid) -> Result<(), Refusal> {
        if place.known {
            return Ok(());
        }
        self.guesses.begin(user.as_str()).map_err(Refusal::rate_limited)
    }

    /// What came of a code.
    pub(crate) fn tried(
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
                let meta = app.user_meta(request, &who.session.carrier, user);
                self.failures.note(app, meta, user, Failed::SecondFactor);
            }
        }
        outcome
    }

    /// Leave to try a password from a device that is not known.
    ///
    /// # Errors
    /// 429.
    pub(crate) fn sign_in(&self, app: &App, request: &Request, email: &str) -> Result<(), Refusal> {
        let peer = peer(app, request);
        self.address.take(&peer).map_err(Refusal::rate_limited)?;
        let both = format!("{peer} {}", email.trim().to_lowercase());
        self.address_and_email.take(&both).map_err(Refusal::rate_limited)
    }
}

fn peer(app: &App, request: &Request) -> String {
    by_address(app.peer(request))
}
