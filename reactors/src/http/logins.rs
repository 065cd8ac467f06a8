//! Signing in to applications. Nobody is told a password unasked: the first request goes without, a challenge is answered,
//! by digest where that is offered (RFC 7616, RFC 2617, computed by `http-auth`: MD5 and SHA-256, qop auth or none), else
//! Basic (RFC 7617). Who has signed in at an origin is signed in there for the rest of the call, and nowhere else.

use super::{
    Response,
    send::Wire,
    target::{Origin, Target},
};
use domain::Sid;
use http_auth::{ChallengeParser, PasswordClient, PasswordClientBuilder, PasswordParams};
use hyper::header::{AUTHORIZATION, HeaderValue};
use parking_lot::Mutex;
use std::{collections::HashMap, fmt, sync::Arc};

/// Calls whose logins are remembered; more than one process carries.
const MAX_CALLS: usize = 16_384;
/// Logins of one call.
const MAX_LOGINS: usize = 4;
/// User and password of one that is remembered, in bytes.
const MAX_LOGIN: usize = 1_024;
/// Longest challenge that is read, in bytes.
const MAX_CHALLENGE: usize = 4_096;
/// What a challenge begins with that wants no digest.
const BASIC: &str = "basic";

/// The logins of all calls; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Logins(Arc<Mutex<Calls>>);

#[derive(Default)]
struct Calls {
    /// Numbered in the order they came.
    calls: HashMap<Sid, (u64, CallLogins)>,
    next: u64,
}

/// The logins of one call, or of a request that belongs to none; clones share them.
#[derive(Clone, Default)]
pub struct CallLogins(Arc<Mutex<Vec<Login>>>);

impl fmt::Debug for CallLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("logins of a call")
    }
}

struct Login {
    origin: Origin,
    /// User and password as they stand in a URL.
    user: String,
    password: Option<String>,
    /// What it let us in for last.
    way: Option<Way>,
}

/// How an application wants to be told who asks.
enum Way {
    Basic,
    /// With its nonce, and how often that was used.
    Digest(PasswordClient),
}

impl Logins {
    /// Those of this call; it need not have any yet.
    pub fn of(&self, call: &Sid) -> CallLogins {
        let mut known = self.0.lock();
        if let Some((_, own)) = known.calls.get(call) {
            return own.clone();
        }
        if known.calls.len() >= MAX_CALLS {
            let oldest = known.calls.iter().min_by_key(|(_, (number, _))| *number);
            if let Some(oldest) = oldest.map(|(call, _)| call.clone()) {
                known.calls.remove(&oldest);
            }
        }
        known.next += 1;
        let (number, own) = (known.next, CallLogins::default());
        known.calls.insert(call.clone(), (number, own.clone()));
        own
    }

    /// The call is over.
    pub fn forget(&self, call: &Sid) {
        self.0.lock().calls.remove(call);
    }
}

impl CallLogins {
    /// The target with the user and password that were given for its origin, where it has none; its own are remembered.
    pub(super) fn signed_in(&self, target: &Target) -> Target {
        let (mut target, mut logins) = (target.clone(), self.0.lock());
        let origin = target.origin();
        let known = logins.iter().position(|login| login.origin == origin);
        let Some(own) = Login::given_by(&target) else {
            if let Some(known) = known.and_then(|at| logins.get(at)) {
                // Neither can fail where there is a host.
                let _ = target.url.set_username(&known.user);
                let _ = target.url.set_password(known.password.as_deref());
            }
            return target;
        };
        match known {
            Some(at) if logins[at].is_as(&own) => {}
            // One that is too long is good for this request alone.
            Some(at) if own.length() > MAX_LOGIN => drop(logins.remove(at)),
            None if own.length() > MAX_LOGIN => {}
            Some(at) => logins[at] = own,
            None => {
                if logins.len() >= MAX_LOGINS {
                    logins.remove(0);
                }
                logins.push(own);
            }
        }
        target
    }

    /// The same for an address: what is had from it is for whoever signed in.
    pub(crate) fn signed_in_address(&self, url: &str) -> String {
        let Ok(target) = Target::parse(url) else { return url.to_owned() };
        let signed_in = self.signed_in(&target);
        if signed_in.url == target.url { url.to_owned() } else { signed_in.url.into() }
    }

    /// The Authorization header for a target that let us in before.
    pub(super) fn known(&self, target: &Target, request: &Wire) -> Option<HeaderValue> {
        let origin = target.origin();
        let mut logins = self.0.lock();
        let login = logins.iter_mut().find(|login| login.origin == origin);
        login?.way.as_mut()?.answer(target, request)
    }

    /// The Authorization header that a 401 demands; `None` where we have no user for it, or cannot give what it demands.
    pub(super) fn challenged(
        &self,
        target: &Target,
        request: &Wire,
        response: &Response,
    ) -> Option<HeaderValue> {
        let mut way = Way::demanded_by(response)?;
        let answer = way.answer(target, request)?;
        if request.headers().get(AUTHORIZATION) == Some(&answer) {
            return None;
        }
        self.learn(target, Some(way));
        Some(answer)
    }

    /// The target does not let us in.
    pub(super) fn refused(&self, target: &Target) {
        self.learn(target, None);
    }

    fn learn(&self, target: &Target, way: Option<Way>) {
        let origin = target.origin();
        if let Some(login) = self.0.lock().iter_mut().find(|login| login.origin == origin) {
            login.way = way;
        }
    }
}

impl Login {
    /// That of a target that has user or password.
    fn given_by(target: &Target) -> Option<Login> {
        target.credentials()?;
        let (user, password) = (target.url.username().to_owned(), target.url.password().map(str::to_owned));
        Some(Login { origin: target.origin(), user, password, way: None })
    }

    fn is_as(&self, other: &Login) -> bool {
        (&self.user, &self.password) == (&other.user, &other.password)
    }

    fn length(&self) -> usize {
        self.user.len() + self.password.as_ref().map_or(0, String::len)
    }
}

impl Way {
    /// What a 401 demands. One that does not say is most often given by who expects Basic.
    fn demanded_by(response: &Response) -> Option<Way> {
        let all = || response.all("www-authenticate").filter(|text| text.len() <= MAX_CHALLENGE);
        let digest = all().fold(PasswordClient::builder(), PasswordClientBuilder::challenges).build();
        if let Ok(client) = digest {
            return Some(Way::Digest(client));
        }
        let silent = response.header("www-authenticate").is_none();
        (silent || all().any(wants_basic)).then_some(Way::Basic)
    }

    /// The Authorization header for this request, with the target's user and password.
    fn answer(&mut self, target: &Target, request: &Wire) -> Option<HeaderValue> {
        let (username, password) = target.credentials()?;
        let text = match self {
            Way::Basic => target.basic()?,
            Way::Digest(client) => client
                .respond(&PasswordParams {
                    username: &String::from_utf8_lossy(&username),
                    password: &String::from_utf8_lossy(&password),
                    uri: &target.path,
                    method: request.method().as_str(),
                    body: None,
                })
                .ok()?,
        };
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// Whether a challenge offers Basic, also one that is written carelessly behind that word.
fn wants_basic(challenge: &str) -> bool {
    let begins =
        challenge.trim_start().get(..BASIC.len()).is_some_and(|word| word.eq_ignore_ascii_case(BASIC));
    let mut offered = ChallengeParser::new(challenge).map_while(Result::ok);
    begins || offered.any(|challenge| challenge.scheme.eq_ignore_ascii_case(BASIC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    fn call(number: u128) -> Sid {
        Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(number))
    }

    fn response(challenges: &[&str]) -> Response {
        let header = |text: &&str| ("www-authenticate".to_owned(), (*text).to_owned());
        let headers = challenges.iter().map(header).collect();
        Response { status: 401, headers, body: bytes::Bytes::new(), at: None }
    }

    #[test]
    fn what_an_application_demands_is_read_however_it_is_written() {
        for (challenges, expected) in [
            (vec![], Some("Basic")),
            (vec!["Basic realm=\"door\""], Some("Basic")),
            (vec!["basic"], Some("Basic")),
            (vec!["Basic realm=\"caf\u{e9}"], Some("Basic")),
            (vec!["Bearer", "Basic realm=door"], Some("Basic")),
            (vec!["Bearer realm=door, Basic realm=door"], Some("Basic")),
            (vec!["Basic realm=door", "Digest realm=\"door\", nonce=\"n\", qop=\"auth\""], Some("Digest")),
            (vec!["Digest realm=\"door\", nonce=\"n\", algorithm=X-1, qop=\"auth\""], None),
            (vec!["Bearer"], None),
        ] {
            let found = Way::demanded_by(&response(&challenges)).map(|way| match way {
                Way::Basic => "Basic",
                Way::Digest(_) => "Digest",
            });
            assert_eq!(found, expected, "{challenges:?}");
        }
    }

    #[test]
    fn a_login_is_for_its_origin_and_its_call() {
        let logins = Logins::default();
        let own = logins.of(&call(1));
        for login in ["http://bob:se%20cret@a.test/x", "http://new:login@a.test:8080/"] {
            own.signed_in(&Target::parse(login).unwrap());
        }
        for (url, signed_in) in [
            ("http://A.test:80/y?z=1", "http://bob:se%20cret@a.test/y?z=1"),
            ("http://a.test:8080/", "http://new:login@a.test:8080/"),
            ("http://other:user@a.test:8080/", "http://other:user@a.test:8080/"),
            ("https://a.test/", "https://a.test/"),
            ("http://b.a.test/", "http://b.a.test/"),
        ] {
            assert_eq!(logins.of(&call(1)).signed_in_address(url), signed_in);
        }
        assert_eq!(
            own.signed_in_address("http://a.test:8080/"),
            "http://other:user@a.test:8080/",
            "the latest"
        );
        assert_eq!(logins.of(&call(2)).signed_in_address("http://a.test/"), "http://a.test/");
        logins.forget(&call(1));
        assert_eq!(logins.of(&call(1)).signed_in_address("http://a.test/"), "http://a.test/");
    }

    #[test]
    fn a_login_that_is_too_long_is_good_for_its_request_and_takes_the_one_before_along() {
        let logins = CallLogins::default();
        let signed_in = |url: &str| logins.signed_in_address(url);
        signed_in("http://bob:secret@a.test/");
        let long = format!("http://{}:x@a.test/", "b".repeat(MAX_LOGIN));
        assert_eq!(signed_in(&long), long);
        assert_eq!(signed_in("http://a.test/"), "http://a.test/");
    }

    #[test]
    fn logins_do_not_grow_without_end() {
        let logins = Logins::default();
        for number in 0..MAX_LOGINS + 2 {
            let login = format!("http://bob:secret@{number}.test/");
            logins.of(&call(0)).signed_in(&Target::parse(&login).unwrap());
        }
        assert_eq!(logins.of(&call(0)).0.lock().len(), MAX_LOGINS);
        assert_eq!(
            logins.of(&call(0)).signed_in_address("http://0.test/"),
            "http://0.test/",
            "the oldest went"
        );
        (1..).take(MAX_CALLS + 2).for_each(|number| drop(logins.of(&call(number))));
        assert_eq!(logins.0.lock().calls.len(), MAX_CALLS);
        assert!(!logins.0.lock().calls.contains_key(&call(0)), "the oldest went");
    }
}
