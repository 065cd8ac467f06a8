//! A whole request: signed, sent, redirected, tried again, within its total time.

use super::{
    CallLogins, Http, Inner, MAX_TIME, Outcome, Request, Response, USER_AGENT,
    exchange::Limit,
    failure::{BAD_URL, Failure, REDIRECTS, RETRIEVAL, Stage, TOO_LARGE},
    overrides::{Overrides, Policy},
    places::{self, Place},
    target::{Target, encode},
};
use crate::signature;
use bytes::Bytes;
use domain::{Sid, webhook_url::Method};
use http_body_util::Full;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, USER_AGENT as USER_AGENT_HEADER};
use std::time::Duration;
use tokio::time::{Instant, timeout};

type Headers<'a> = &'a [(&'static str, String)];
/// A request as it goes on the wire.
pub(super) type Wire = hyper::Request<Full<Bytes>>;

/// Most redirects followed.
const MAX_REDIRECTS: usize = 10;
/// As Twilio spells it.
const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

impl Http {
    /// Sends a request and returns what came of it. Waits for a place for at most 15 s; then it takes at most 15 s, less
    /// where the fragment says so.
    pub async fn send(&self, request: &Request) -> Outcome {
        self.send_with(request, None).await
    }

    /// Waits until the application at this URL may be asked: it has not too many requests under way, and is not left alone
    /// because it hangs. For what can wait; `None` when it had better not wait for longer than `patience`.
    pub async fn leave(&self, account: Option<&Sid>, url: &str, patience: Duration) -> Option<Leave> {
        let (target, deadline) = (Target::parse(url).ok()?, Instant::now() + patience);
        self.0.places.patient_leave(account, &target, deadline).await.ok().map(Leave)
    }

    /// Waits for a place to ask it from; `None` when there is none within `patience`.
    pub async fn ready(&self, account: Option<&Sid>, leave: Leave, patience: Duration) -> Option<Ready> {
        timeout(patience, self.0.places.place(account, leave.0)).await.ok().map(Ready)
    }

    /// As [`Http::send`], from the place that was waited for.
    pub async fn send_with(&self, request: &Request, ready: Option<Ready>) -> Outcome {
        let started = Instant::now();
        let first = Target::parse(&request.url);
        let mut outcome = Outcome {
            url: first.as_ref().map_or_else(|_| "invalid".to_owned(), Target::shown),
            duration: started.elapsed(),
            result: Err(Failure::refused(BAD_URL, "the URL cannot be requested")),
        };
        outcome.result = match first {
            Err(failure) => Err(failure),
            Ok(target) => self.0.in_time(&target, request, ready).await,
        };
        outcome.duration = started.elapsed();
        outcome
    }
}

/// Leave to ask one application.
pub struct Leave(places::Leave);

/// A place to ask it from, now.
pub struct Ready(Place);

/// What a URL's requests are counted with: it without its query.
#[must_use]
pub fn application(url: &str) -> String {
    let of =
        |target: &Target| format!("{}://{}{}", target.url.scheme(), target.authority, target.bare_path());
    Target::parse(url).map_or_else(|_| String::new(), |target| of(&target))
}

/// A URL as it may be shown: without user, password and fragment.
#[must_use]
pub fn shown(url: &str) -> String {
    Target::parse(url).map_or_else(|_| "invalid".to_owned(), |target| target.shown())
}

/// A URL's host, in lower case; empty when it is none.
#[must_use]
pub fn host(url: &str) -> String {
    Target::parse(url).map_or_else(|_| String::new(), |target| target.host_text().into_owned())
}

impl Inner {
    /// Waiting for a place is not on the application's time.
    async fn in_time(
        &self,
        target: &Target,
        request: &Request,
        ready: Option<Ready>,
    ) -> Result<Response, Failure> {
        let crowded = || Failure::refused(RETRIEVAL, format!("too many requests under way for {MAX_TIME:?}"));
        let place = match ready {
            Some(Ready(place)) => place,
            None => {
                let place = timeout(MAX_TIME, self.place(request.account.as_ref(), target)).await;
                place.map_err(|_| crowded())??
            }
        };
        let overrides = Overrides::of(target.url.fragment());
        let sent = self.try_repeatedly(target, request, &overrides, place);
        let late = || Failure::read(RETRIEVAL, format!("no whole response within {:?}", overrides.total));
        timeout(overrides.total, sent).await.unwrap_or_else(|_| Err(late()))
    }

    pub(super) async fn place(&self, account: Option<&Sid>, target: &Target) -> Result<Place, Failure> {
        let leave = self.places.leave(account, target).await?;
        Ok(self.places.place(account, leave).await)
    }

    async fn try_repeatedly(
        &self,
        target: &Target,
        request: &Request,
        overrides: &Overrides,
        place: Place,
    ) -> Result<Response, Failure> {
        let mut place = Some(place);
        let token = request.token.unwrap_or_else(|| self.ids.uuid()).to_string();
        let mut left = overrides.retries;
        loop {
            let result = self.follow(target.clone(), request, overrides, (&token, &mut place)).await;
            if left == 0 || !overrides.policy.repeats(&result) {
                return result;
            }
            left -= 1;
        }
    }

    /// Sends and follows redirects with the methods a browser uses. The parameters go along, as Twilio's do: into the query
    /// where a POST becomes a GET, and signed over that address.
    async fn follow(
        &self,
        mut target: Target,
        request: &Request,
        overrides: &Overrides,
        (token, place): (&str, &mut Option<Place>),
    ) -> Result<Response, Failure> {
        let account = request.account.as_ref();
        let logins = request.logins.clone().unwrap_or_default();
        let mut method = request.method;
        let mut headers = request.headers.as_slice();
        for hop in 0..=MAX_REDIRECTS {
            let led_to = (hop > 0).then(|| target.url.clone());
            let (addressed, wire) = prepare(target, method, headers, request, token)?;
            let place = match place.take() {
                Some(place) => place,
                None => self.place(account, &addressed).await?,
            };
            let sent = self.ask(&addressed, wire, overrides, (request, &logins));
            let response = place
                .through(sent)
                .await
                .map_err(|failure| if hop == 0 { failure } else { failure.elsewhere() })?;
            let Some(location) = location(&response) else { return Ok(Response { at: led_to, ..response }) };
            let (next, next_method) = addressed.redirected(response.status, location, method)?;
            // What was meant for one host is not told to another.
            if next.host_text() != addressed.host_text() {
                headers = &[];
            }
            (target, method) = (next, next_method);
        }
        Err(Failure::read(REDIRECTS, format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// One request and its answer, with the call's cookies and logins; where a login is demanded, once more with that.
    async fn ask(
        &self,
        target: &Target,
        mut wire: Wire,
        overrides: &Overrides,
        (request, logins): (&Request, &CallLogins),
    ) -> Result<Response, Failure> {
        let limit = Limit { bytes: request.limit, sounds: request.sounds, code: TOO_LARGE };
        let target = &logins.signed_in(target);
        let mut answer = logins.known(target, &wire);
        let mut challenged = false;
        loop {
            if let Some(answer) = answer.take() {
                wire.headers_mut().insert(AUTHORIZATION, answer);
            }
            // A challenge may have taken them away.
            wire.headers_mut().remove(COOKIE);
            if let Some(cookies) = request.cookies.as_ref().and_then(|own| own.header(&target.url)) {
                wire.headers_mut().insert(COOKIE, cookies);
            }
            let asked = (limit, request.account.as_ref());
            let response = self.exchange(target, wire.clone(), overrides, asked).await?;
            if let Some(own) = &request.cookies {
                own.keep(&target.url, response.all("set-cookie"));
            }
            if response.status != 401 {
                return Ok(response);
            }
            if !std::mem::replace(&mut challenged, true) {
                answer = logins.challenged(target, &wire, &response);
            }
            if answer.is_none() {
                logins.refused(target);
                return Ok(response);
            }
        }
    }
}

/// The request as it goes on the wire, and the target it goes to.
fn prepare(
    target: Target,
    method: Method,
    headers: Headers<'_>,
    request: &Request,
    token: &str,
) -> Result<(Target, Wire), Failure> {
    let (target, form) = match method {
        Method::Get => (target.with_query(&request.parameters)?, &[][..]),
        Method::Post => (target, request.parameters.as_slice()),
    };
    let mut builder = hyper::Request::builder()
        .method(method.as_str())
        .uri(&target.path)
        .header(HOST, &target.authority)
        .header(USER_AGENT_HEADER, USER_AGENT)
        .header(ACCEPT, "*/*")
        .header("I-Twilio-Idempotency-Token", token);
    if method == Method::Post {
        builder = builder.header(CONTENT_TYPE, FORM);
    }
    if let Some(auth_token) = &request.auth_token {
        builder = builder.header(signature::HEADER, signature::sign(auth_token, &target.shown(), form));
    }
    for (name, value) in headers {
        builder = builder.header(*name, value);
    }
    let body = if method == Method::Post { Bytes::from(encode(form)) } else { Bytes::new() };
    let wire = builder.body(Full::new(body));
    let wire =
        wire.map_err(|error| Failure::refused(BAD_URL, format!("the URL cannot be requested: {error}")))?;
    Ok((target, wire))
}

fn location(response: &Response) -> Option<&str> {
    matches!(response.status, 301 | 302 | 303 | 307 | 308).then(|| response.header("location")).flatten()
}

impl Policy {
    /// Whether this result is one to try again after.
    fn repeats(self, result: &Result<Response, Failure>) -> bool {
        match result {
            Ok(Response { status: 400..=499, .. }) => self.client_error,
            Ok(Response { status: 500..=599, .. }) => self.server_error,
            Ok(_) => false,
            Err(failure) => match failure.stage {
                Stage::Refused => false,
                Stage::Connect => self.connect,
                Stage::Read => self.read,
            },
        }
    }
}
