//! Cookies of applications, kept per call as a browser would for one visit (RFC 6265, by `cookie_store`): they follow
//! redirects, and go back where their Domain, Path and Secure let them. Nothing of them outlives the call or is stored.

use cookie_store::{Cookie, CookieStore};
use domain::Sid;
use hyper::header::HeaderValue;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use url::Url;

/// Cookies of one call.
const MAX_COOKIES: usize = 20;
/// What those may take, in bytes.
const MAX_JAR: usize = 16 * 1024;
/// What all may take, in bytes; the oldest calls' are forgotten.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longest Set-Cookie header, in bytes.
const MAX_COOKIE: usize = 4_096;
/// What a cookie costs beside its texts, in bytes; likewise a jar.
const OVERHEAD: usize = 512;

/// The jars of all calls; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Cookies(Arc<Mutex<Jars>>);

/// The jar of one call.
#[derive(Clone)]
pub struct CallCookies {
    cookies: Cookies,
    call: Sid,
}

impl fmt::Debug for CallCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cookies of {}", self.call)
    }
}

#[derive(Default)]
struct Jars {
    jars: HashMap<Sid, Jar>,
    /// Oldest first.
    order: BTreeMap<u64, Sid>,
    next: u64,
    bytes: usize,
}

struct Jar {
    number: u64,
    store: CookieStore,
}

impl Cookies {
    /// The jar of this call; it need not have any cookies yet.
    pub fn of(&self, call: &Sid) -> CallCookies {
        CallCookies { cookies: self.clone(), call: call.clone() }
    }

    /// The call is over.
    pub fn forget(&self, call: &Sid) {
        self.lock().remove(call);
    }

    fn lock(&self) -> MutexGuard<'_, Jars> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallCookies {
    /// What a request to this address carries as its Cookie header; those of the longest path first.
    pub fn header(&self, url: &Url) -> Option<HeaderValue> {
        let jars = self.cookies.lock();
        let mut own = jars.jars.get(&self.call)?.store.matches(url);
        own.sort_by_key(|cookie| Reverse(cookie.path.len()));
        let pairs: Vec<String> = own.into_iter().map(pair).collect();
        HeaderValue::from_str(&pairs.join("; ")).ok().filter(|header| !header.is_empty())
    }

    /// Keeps what the Set-Cookie headers of an answer from this address say.
    pub fn keep<'a>(&self, url: &Url, set_cookies: impl Iterator<Item = &'a str>) {
        for text in set_cookies.filter(|text| text.len() <= MAX_COOKIE) {
            let Ok(cookie) = Cookie::parse(text, url) else { continue };
            if HeaderValue::from_str(&pair(&cookie)).is_ok() {
                self.cookies.lock().set(&self.call, cookie.into_owned(), url);
            }
        }
    }
}

fn pair(cookie: &Cookie<'_>) -> String {
    format!("{}={}", cookie.name(), cookie.value())
}

impl Jars {
    fn set(&mut self, call: &Sid, cookie: Cookie<'static>, url: &Url) {
        let mut jar = self.remove(call).unwrap_or_else(|| {
            self.next += 1;
            Jar { number: self.next, store: CookieStore::default() }
        });
        jar.set(cookie, url);
        if jar.len() > 0 {
            self.insert(call.clone(), jar);
        }
    }

    fn insert(&mut self, call: Sid, jar: Jar) {
        self.bytes += jar.cost();
        self.order.insert(jar.number, call.clone());
        self.jars.insert(call, jar);
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.order.values().next().cloned()
        {
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, call: &Sid) -> Option<Jar> {
        let jar = self.jars.remove(call)?;
        self.order.remove(&jar.number);
        self.bytes -= jar.cost();
        Some(jar)
    }
}

impl Jar {
    /// Keeps, replaces or removes a cookie, as it says. One there is no room for is left out.
    fn set(&mut self, cookie: Cookie<'static>, url: &Url) {
        let place = place(&cookie);
        // One that is not for the application to set, or was over before it came, is none.
        let kept = self.store.insert(cookie, url).is_ok();
        let over = self.store.get_any(&place.0, &place.1, &place.2).is_some_and(Cookie::is_expired);
        if over || (kept && (self.len() > MAX_COOKIES || self.cost() > MAX_JAR)) {
            self.store.remove(&place.0, &place.1, &place.2);
        }
    }

    fn len(&self) -> usize {
        self.store.iter_any().count()
    }

    fn cost(&self) -> usize {
        let cost = |cookie: &Cookie<'_>| {
            let (domain, path, name) = place(cookie);
            OVERHEAD + domain.len() + path.len() + name.len() + cookie.value().len()
        };
        OVERHEAD + self.store.iter_any().map(cost).sum::<usize>()
    }
}

/// What a cookie is known by: domain, path, name.
fn place(cookie: &Cookie<'_>) -> (String, String, String) {
    (String::from(&cookie.domain), String::from(&cookie.path), cookie.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    fn call(number: u128) -> Sid {
        Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(number))
    }

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    /// What goes to `to` after `from` said this.
    fn sent(from: &str, set_cookies: &[&str], to: &str) -> String {
        let cookies = Cookies::default();
        cookies.of(&call(1)).keep(&url(from), set_cookies.iter().copied());
        carried(&cookies, 1, to)
    }

    fn carried(cookies: &Cookies, number: u128, to: &str) -> String {
        let header = cookies.of(&call(number)).header(&url(to));
        header.map(|header| header.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_within_its_call() {
        let cookies = Cookies::default();
        let set = ["session=abc; Path=/; HttpOnly", "step=1; Path=/"];
        cookies.of(&call(1)).keep(&url("http://a.test/voice"), set.into_iter());
        assert_eq!(carried(&cookies, 1, "http://a.test/next"), "session=abc; step=1");
        assert_eq!(carried(&cookies, 1, "http://b.test/next"), "");
        assert_eq!(carried(&cookies, 2, "http://a.test/next"), "");
    }

    #[test]
    fn a_cookie_goes_where_its_path_its_domain_and_secure_let_it() {
        for (from, set, to, expected) in [
            ("http://a.test/v/1", "s=1", "http://a.test/v/2", "s=1"),
            ("http://a.test/v/1", "s=1", "http://a.test/w", ""),
            ("http://a.test/v/1", "s=1; Path=/w", "http://a.test/w/x", "s=1"),
            ("http://a.test/", "s=1; Path=/w", "http://a.test/wx", ""),
            ("https://a.test/", "s=1; Secure", "https://a.test/", "s=1"),
            ("https://a.test/", "s=1; Secure", "http://a.test/", ""),
            ("http://a.example.com/", "s=1; Domain=example.com", "http://b.example.com/", "s=1"),
            ("http://a.example.com/", "s=1", "http://b.example.com/", ""),
            ("http://a.example.com/", "s=1; Domain=b.example.com", "http://b.example.com/", ""),
            ("http://a.test/", "s=1; Max-Age=0", "http://a.test/", ""),
            ("http://a.test/", "s=1; Expires=Thu, 01 Jan 2015 00:00:00 GMT", "http://a.test/", ""),
            ("http://a.test/", "s=a\u{e9}\u{1}", "http://a.test/", ""),
        ] {
            assert_eq!(sent(from, &[set], to), expected, "{from} {set} {to}");
        }
        let both = ["all=1; Path=/", "near=2; Path=/v"];
        assert_eq!(sent("http://a.test/", &both, "http://a.test/v/1"), "near=2; all=1");
    }

    #[test]
    fn a_cookie_is_replaced_and_removed() {
        let (cookies, from) = (Cookies::default(), url("http://a.test/"));
        cookies.of(&call(1)).keep(&from, ["step=1", "step=2", "odd", "=x"].into_iter());
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "step=2");
        cookies.of(&call(1)).keep(&from, ["step=gone; Max-Age=0"].into_iter());
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "");
        assert_eq!(cookies.lock().bytes, 0, "nothing of it stays");
    }

    #[test]
    fn jars_do_not_grow_without_end() {
        let (cookies, from) = (Cookies::default(), url("http://a.test/"));
        let large = format!("step={}", "x".repeat(4_000));
        for number in 0..20 {
            cookies.of(&call(1)).keep(&from, [format!("{number}{large}").as_str()].into_iter());
        }
        assert!(cookies.lock().bytes <= MAX_JAR, "one call's");
        for number in 0..100 {
            cookies.of(&call(2)).keep(&from, [format!("{number}=1").as_str()].into_iter());
        }
        assert_eq!(cookies.lock().jars[&call(2)].len(), MAX_COOKIES);
        for number in 3..10_000 {
            cookies.of(&call(number)).keep(&from, [large.as_str()].into_iter());
        }
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "", "the oldest is forgotten");
        assert_ne!(carried(&cookies, 9_999, "http://a.test/"), "");
        assert!(cookies.lock().bytes <= MAX_BYTES);
    }

    #[test]
    fn a_calls_cookies_go_with_it() {
        let cookies = Cookies::default();
        cookies.of(&call(1)).keep(&url("http://a.test/"), ["step=1"].into_iter());
        cookies.forget(&call(1));
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "");
        let jars = cookies.lock();
        assert_eq!((jars.bytes, jars.order.len()), (0, 0));
    }
}
