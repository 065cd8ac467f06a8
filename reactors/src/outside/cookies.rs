//! Cookies of applications, kept per call as a browser would for one visit (RFC 6265, without what outlives a call).

use domain::Sid;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Calls whose cookies are kept; the oldest are forgotten.
const MAX_CALLS: usize = 10_000;
/// Cookies of one call.
const MAX_COOKIES: usize = 20;
/// Longest name and value together, in bytes.
const MAX_COOKIE: usize = 4_096;

/// The jars; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Cookies(Arc<Mutex<Jars>>);

#[derive(Default)]
struct Jars {
    jars: HashMap<Sid, Vec<Cookie>>,
    order: VecDeque<Sid>,
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
        let own = jars.jars.get(call)?.iter().filter(|cookie| cookie.host == host);
        let pairs: Vec<String> = own.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps what an answer's Set-Cookie headers say; an empty value or `Max-Age=0` removes.
    pub fn keep<'a>(&self, call: &Sid, host: &str, set_cookies: impl Iterator<Item = &'a str>) {
        for text in set_cookies.filter(|text| text.len() <= MAX_COOKIE) {
            let Some((name, value, removed)) = parse(text) else { continue };
            let mut jars = self.lock();
            let jar = jars.of(call);
            jar.retain(|cookie| cookie.host != host || cookie.name != name);
            if !removed && jar.len() < MAX_COOKIES {
                jar.push(Cookie { host: host.to_owned(), name, value });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Jars> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jars {
    fn of(&mut self, call: &Sid) -> &mut Vec<Cookie> {
        if !self.jars.contains_key(call) {
            self.order.push_back(call.clone());
            if self.order.len() > MAX_CALLS
                && let Some(oldest) = self.order.pop_front()
            {
                self.jars.remove(&oldest);
            }
        }
        self.jars.entry(call.clone()).or_default()
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
        for number in 0..=MAX_CALLS as u128 {
            cookies.keep(&call(number), "a.test", ["step=1"].into_iter());
        }
        assert_eq!(cookies.of(&call(0), "a.test"), None);
        assert_eq!(cookies.0.lock().unwrap().jars.len(), MAX_CALLS);
    }
}
