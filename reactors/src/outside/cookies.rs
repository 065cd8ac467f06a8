//! Cookies of applications, kept per call as a browser would for one visit (RFC 6265, without what outlives a call).

use domain::Sid;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Cookies of one call.
const MAX_COOKIES: usize = 20;
/// What those may take, in bytes.
const MAX_JAR: usize = 8 * 1024;
/// What all may take, in bytes; the oldest calls' are forgotten.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longest Set-Cookie header, in bytes.
const MAX_COOKIE: usize = 4_096;
/// What a cookie costs beside its texts, in bytes; likewise a jar.
const OVERHEAD: usize = 128;

/// The jars; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Cookies(Arc<Mutex<Jars>>);

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
    cookies: Vec<Cookie>,
}

struct Cookie {
    host: String,
    name: String,
    value: String,
}

impl Cookies {
    /// What a request of this call to `host` carries as its Cookie header.
    pub fn of(&self, call: &Sid, host: &str) -> Option<String> {
        let jars = self.lock();
        let own = jars.jars.get(call)?.cookies.iter().filter(|cookie| cookie.host == host);
        let pairs: Vec<String> = own.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps what an answer's Set-Cookie headers say; an empty value or `Max-Age=0` removes.
    pub fn keep<'a>(&self, call: &Sid, host: &str, set_cookies: impl Iterator<Item = &'a str>) {
        for text in set_cookies.filter(|text| text.len() <= MAX_COOKIE) {
            let Some((name, value, removed)) = parse(text) else { continue };
            let cookie = Cookie { host: host.to_owned(), name, value };
            self.lock().set(call, cookie, removed);
        }
    }

    /// The call is over.
    pub fn forget(&self, call: &Sid) {
        self.lock().remove(call);
    }

    fn lock(&self) -> MutexGuard<'_, Jars> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jars {
    fn set(&mut self, call: &Sid, cookie: Cookie, removed: bool) {
        let mut jar = self.remove(call).unwrap_or_else(|| {
            self.next += 1;
            Jar { number: self.next, cookies: Vec::new() }
        });
        jar.cookies.retain(|kept| kept.host != cookie.host || kept.name != cookie.name);
        if !removed && jar.cookies.len() < MAX_COOKIES && jar.cost() + cookie.cost() <= MAX_JAR {
            jar.cookies.push(cookie);
        }
        if !jar.cookies.is_empty() {
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
    fn cost(&self) -> usize {
        OVERHEAD + self.cookies.iter().map(Cookie::cost).sum::<usize>()
    }
}

impl Cookie {
    fn cost(&self) -> usize {
        OVERHEAD + self.host.len() + self.name.len() + self.value.len()
    }
}

fn parse(text: &str) -> Option<(String, String, bool)> {
    let mut parts = text.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let removed = value.is_empty() || parts.any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
    let clean = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    (!name.is_empty() && clean(name) && clean(value)).then(|| (name.to_owned(), value.to_owned(), removed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    fn call(number: u128) -> Sid {
        Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_within_its_call() {
        let cookies = Cookies::default();
        cookies.keep(&call(1), "a.test", ["session=abc; Path=/; HttpOnly", "step=1"].into_iter());
        assert_eq!(cookies.of(&call(1), "a.test").as_deref(), Some("session=abc; step=1"));
        assert_eq!(cookies.of(&call(1), "b.test"), None);
        assert_eq!(cookies.of(&call(2), "a.test"), None);
    }

    #[test]
    fn a_cookie_is_replaced_and_removed() {
        let cookies = Cookies::default();
        cookies.keep(&call(1), "a.test", ["step=1", "step=2", "odd", "=x"].into_iter());
        assert_eq!(cookies.of(&call(1), "a.test").as_deref(), Some("step=2"));
        cookies.keep(&call(1), "a.test", ["step=gone; Max-Age=0"].into_iter());
        assert_eq!(cookies.of(&call(1), "a.test"), None);
    }

    #[test]
    fn jars_do_not_grow_without_end() {
        let cookies = Cookies::default();
        let large = format!("step={}", "x".repeat(4_000));
        for number in 0..20 {
            cookies.keep(&call(1), "a.test", [format!("{number}{large}").as_str()].into_iter());
        }
        assert!(cookies.0.lock().unwrap().bytes <= MAX_JAR, "one call's");
        for number in 2..10_000 {
            cookies.keep(&call(number), "a.test", [large.as_str()].into_iter());
        }
        assert_eq!(cookies.of(&call(1), "a.test"), None, "the oldest is forgotten");
        assert!(cookies.of(&call(9_999), "a.test").is_some());
        assert!(cookies.0.lock().unwrap().bytes <= MAX_BYTES);
    }

    #[test]
    fn a_calls_cookies_go_with_it() {
        let cookies = Cookies::default();
        cookies.keep(&call(1), "a.test", ["step=1"].into_iter());
        cookies.forget(&call(1));
        assert_eq!(cookies.of(&call(1), "a.test"), None);
        let jars = cookies.lock();
        assert_eq!((jars.bytes, jars.order.len()), (0, 0));
    }
}
