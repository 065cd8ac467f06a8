//! Cookies of applications, kept per call as a browser would for one visit (RFC 6265, read by `cookie_store`): they
//! follow redirects, and go back where their Domain, Path and Secure let them. Nothing of them is stored, or
//! kept for long after the call.

use cookie_store::{Cookie, CookieDomain, CookieError, CookieResult, RawCookie};
use domain::Sid;
use hyper::header::HeaderValue;
use parking_lot::Mutex;
use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};
use url::Url;

/// Cookies of one call.
const MAX_COOKIES: usize = 20;
/// What those may take, in bytes.
const MAX_JAR: usize = 16 * 1024;
/// What all may take, in bytes; then the oldest calls of the account that holds most are forgotten.
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
    account: Option<Sid>,
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
    /// Of those that have any.
    accounts: HashMap<Option<Sid>, Holding>,
    /// The bytes each account holds, the most last.
    by_bytes: BTreeSet<(usize, Option<Sid>)>,
    next: u64,
    bytes: usize,
}

/// What the calls of one account hold.
#[derive(Default)]
struct Holding {
    bytes: usize,
    /// Its calls, oldest first.
    order: BTreeMap<u64, Sid>,
}

struct Jar {
    account: Option<Sid>,
    number: u64,
    /// In the order they first came.
    cookies: Vec<Cookie<'static>>,
}

impl Cookies {
    /// The jar of this account's call; it need not have any cookies yet.
    pub fn of(&self, account: Option<&Sid>, call: &Sid) -> CallCookies {
        CallCookies { cookies: self.clone(), account: account.cloned(), call: call.clone() }
    }

    /// The call is over.
    pub fn forget(&self, call: &Sid) {
        self.0.lock().remove(call);
    }
}

impl CallCookies {
    /// What a request to this address carries as its Cookie header; those of the longest path first.
    pub fn header(&self, url: &Url) -> Option<HeaderValue> {
        let jars = self.cookies.0.lock();
        let own = jars.jars.get(&self.call)?.cookies.iter();
        let mut own: Vec<_> = own.filter(|cookie| !cookie.is_expired() && cookie.matches(url)).collect();
        own.sort_by_key(|cookie| Reverse(cookie.path.len()));
        let pairs: Vec<String> = own.into_iter().map(pair).collect();
        HeaderValue::from_str(&pairs.join("; ")).ok().filter(|header| !header.is_empty())
    }

    /// Keeps what the Set-Cookie headers of an answer from this address say.
    pub fn keep<'a>(&self, url: &Url, set_cookies: impl Iterator<Item = &'a str>) {
        for text in set_cookies.filter(|text| text.len() <= MAX_COOKIE) {
            let said = Cookie::parse(text, url).and_then(|cookie| without_text(&cookie, url));
            // One that is not for this application to set is none.
            let Ok(cookie) = said else { continue };
            if HeaderValue::from_str(&pair(&cookie)).is_ok() {
                self.cookies.0.lock().set(self, cookie);
            }
        }
    }
}

fn pair(cookie: &Cookie<'_>) -> String {
    format!("{}={}", cookie.name(), cookie.value())
}

/// What a cookie says, without the header it was read from: that would be kept with it, and may be far longer.
fn without_text(cookie: &Cookie<'_>, url: &Url) -> CookieResult<'static> {
    let mut said = RawCookie::new(cookie.name().to_owned(), cookie.value().to_owned());
    said.set_secure(cookie.secure());
    said.set_http_only(cookie.http_only());
    let mut own = Cookie::try_from_raw_cookie(&said, url)?;
    if !is_everybodys(&cookie.domain) {
        own.domain = cookie.domain.clone();
    } else if !cookie.domain.host_is_identical(url) {
        return Err(CookieError::DomainMismatch);
    }
    own.path = cookie.path.clone();
    own.expires = cookie.expires.clone();
    Ok(own)
}

/// Whether a Domain of one label would have it sent to everybody below (RFC 6265 section 5.3, step 5): it is taken for the
/// host of that name alone.
fn is_everybodys(domain: &CookieDomain) -> bool {
    matches!(domain, CookieDomain::Suffix(suffix) if !suffix.trim_end_matches('.').contains('.'))
}

/// What a cookie is known by: domain, path, name.
fn place<'a>(cookie: &'a Cookie<'_>) -> (Cow<'a, str>, &'a str, &'a str) {
    (cookie.domain.as_cow().unwrap_or_default(), &cookie.path, cookie.name())
}

fn cost(cookie: &Cookie<'_>) -> usize {
    let (domain, path, name) = place(cookie);
    OVERHEAD + domain.len() + path.len() + name.len() + cookie.value().len()
}

impl Jars {
    fn set(&mut self, of: &CallCookies, cookie: Cookie<'static>) {
        let mut jar = self.remove(&of.call).unwrap_or_else(|| {
            self.next += 1;
            Jar { account: of.account.clone(), number: self.next, cookies: Vec::new() }
        });
        jar.set(cookie);
        if !jar.cookies.is_empty() {
            self.insert(of.call.clone(), jar);
        }
    }

    fn insert(&mut self, call: Sid, jar: Jar) {
        self.change(jar.account.clone(), |holding| {
            holding.bytes += jar.cost();
            holding.order.insert(jar.number, call.clone());
        });
        self.jars.insert(call, jar);
        while self.bytes > MAX_BYTES
            && let Some(call) = self.first_to_forget()
        {
            self.remove(&call);
        }
    }

    fn remove(&mut self, call: &Sid) -> Option<Jar> {
        let jar = self.jars.remove(call)?;
        self.change(jar.account.clone(), |holding| {
            holding.bytes -= jar.cost();
            holding.order.remove(&jar.number);
        });
        Some(jar)
    }

    /// Changes what an account holds, and with it the sum and its place among the others.
    fn change(&mut self, account: Option<Sid>, change: impl FnOnce(&mut Holding)) {
        let mut holding = self.accounts.remove(&account).unwrap_or_default();
        self.by_bytes.remove(&(holding.bytes, account.clone()));
        self.bytes -= holding.bytes;
        change(&mut holding);
        self.bytes += holding.bytes;
        if !holding.order.is_empty() {
            self.by_bytes.insert((holding.bytes, account.clone()));
            self.accounts.insert(account, holding);
        }
    }

    /// The oldest call of the account that holds most.
    fn first_to_forget(&self) -> Option<Sid> {
        let (_, account) = self.by_bytes.last()?;
        self.accounts.get(account)?.order.values().next().cloned()
    }
}

impl Jar {
    /// Keeps, replaces or removes a cookie, as it says. One there is no room for changes nothing.
    fn set(&mut self, cookie: Cookie<'static>) {
        self.cookies.retain(|own| !own.is_expired());
        let known = self.cookies.iter().position(|own| place(own) == place(&cookie));
        let freed = known.map_or(0, |at| cost(&self.cookies[at]));
        let fits = self.cost() - freed + cost(&cookie) <= MAX_JAR;
        match known {
            Some(at) if cookie.is_expired() => drop(self.cookies.remove(at)),
            Some(at) if fits => self.cookies[at] = cookie,
            None if fits && !cookie.is_expired() && self.cookies.len() < MAX_COOKIES => {
                self.cookies.push(cookie);
            }
            _ => {}
        }
    }

    fn cost(&self) -> usize {
        OVERHEAD + self.cookies.iter().map(cost).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    fn call(number: u128) -> Sid {
        Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(number))
    }

    fn account(number: u128) -> Sid {
        Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(number))
    }

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    /// What goes to `to` after `from` said this.
    fn sent(from: &str, set_cookies: &[&str], to: &str) -> String {
        let cookies = Cookies::default();
        of(&cookies, 1).keep(&url(from), set_cookies.iter().copied());
        carried(&cookies, 1, to)
    }

    /// Of one account's calls.
    fn of(cookies: &Cookies, number: u128) -> CallCookies {
        cookies.of(Some(&account(1)), &call(number))
    }

    fn carried(cookies: &Cookies, number: u128, to: &str) -> String {
        let header = of(cookies, number).header(&url(to));
        header.map(|header| header.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_within_its_call() {
        let cookies = Cookies::default();
        let set = ["session=abc; Path=/; HttpOnly", "step=1; Path=/"];
        of(&cookies, 1).keep(&url("http://a.test/voice"), set.into_iter());
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
            ("http://a.test/", "s=1; Domain=test", "http://b.test/", ""),
            ("http://a.test/", "s=1; Domain=.test", "http://a.test/", ""),
            ("http://a.test./", "s=1; Domain=test.", "http://b.test./", ""),
            ("http://test/", "s=1; Domain=test", "http://test/", "s=1"),
            ("http://test/", "s=1; Domain=test", "http://b.test/", ""),
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
        of(&cookies, 1).keep(&from, ["step=1", "step=2", "odd", "=x"].into_iter());
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "step=2");
        of(&cookies, 1).keep(&from, ["step=gone; Max-Age=0"].into_iter());
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "");
        assert_eq!(cookies.0.lock().bytes, 0, "nothing of it stays");
    }

    #[test]
    fn what_a_cookie_said_beside_itself_is_not_kept() {
        let (cookies, from) = (Cookies::default(), url("https://a.test/v/1"));
        let said = format!("step=1; Secure; HttpOnly; Path=/v; Max-Age=60; Comment={}", "long ".repeat(800));
        of(&cookies, 1).keep(&from, [said.as_str()].into_iter());
        assert!(!format!("{:?}", cookies.0.lock().jars[&call(1)].cookies).contains("long"));
        for (to, expected) in [
            ("https://a.test/v/2", "step=1"),
            ("http://a.test/v/2", ""),
            ("https://a.test/w", ""),
            ("https://b.test/v/2", ""),
        ] {
            assert_eq!(carried(&cookies, 1, to), expected, "{to}");
        }
        assert!(matches!(
            cookies.0.lock().jars[&call(1)].cookies[0].expires,
            cookie_store::CookieExpiration::AtUtc(_)
        ));
    }

    #[test]
    fn a_cookie_that_is_over_leaves_its_place_to_others() {
        let (cookies, from) = (Cookies::default(), url("http://a.test/"));
        for number in 0..MAX_COOKIES {
            of(&cookies, 1).keep(&from, [format!("{number}=1; Max-Age=60").as_str()].into_iter());
        }
        of(&cookies, 1).keep(&from, ["late=1"].into_iter());
        assert!(!carried(&cookies, 1, "http://a.test/").contains("late"), "all places are taken");
        cookies.0.lock().jars.get_mut(&call(1)).unwrap().cookies.iter_mut().for_each(Cookie::expire);
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "");
        of(&cookies, 1).keep(&from, ["late=1"].into_iter());
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "late=1");
    }

    #[test]
    fn a_cookie_there_is_no_room_for_leaves_the_one_it_should_replace() {
        let (cookies, from) = (Cookies::default(), url("http://a.test/"));
        let large = "x".repeat(4_000);
        for name in ["a", "b", "c"] {
            of(&cookies, 1).keep(&from, [format!("{name}={large}").as_str()].into_iter());
        }
        of(&cookies, 1).keep(&from, ["step=1"].into_iter());
        of(&cookies, 1).keep(&from, [format!("step={large}").as_str()].into_iter());
        assert!(carried(&cookies, 1, "http://a.test/").ends_with("; step=1"));
    }

    /// The bytes the jars hold, as they themselves tell: all that is kept of a cookie is in its Debug.
    fn held(cookies: &Cookies) -> usize {
        cookies.0.lock().jars.values().map(|jar| format!("{:?}", jar.cookies).len()).sum()
    }

    #[test]
    fn jars_do_not_grow_without_end() {
        let (cookies, from) = (Cookies::default(), url("http://a.test/"));
        let large = format!("step={}", "x".repeat(4_000));
        for number in 0..20 {
            of(&cookies, 1).keep(&from, [format!("{number}{large}").as_str()].into_iter());
        }
        assert!(held(&cookies) <= MAX_JAR, "one call's");
        for number in 0..100 {
            of(&cookies, 2).keep(&from, [format!("{number}=1").as_str()].into_iter());
        }
        assert_eq!(cookies.0.lock().jars[&call(2)].cookies.len(), MAX_COOKIES);
        let commented = format!("step=1; Comment={}", "x".repeat(4_000));
        for number in 3..5_000 {
            of(&cookies, number).keep(&from, [large.as_str(), commented.as_str()].into_iter());
            of(&cookies, number).keep(&from, [format!("a{commented}").as_str()].into_iter());
            of(&cookies, number).keep(&from, [large.as_str()].into_iter());
        }
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "", "the oldest is forgotten");
        assert_ne!(carried(&cookies, 4_999, "http://a.test/"), "");
        let held = held(&cookies);
        assert!((MAX_BYTES / 2..=MAX_BYTES).contains(&held), "{held} bytes");
    }

    #[test]
    fn an_account_that_fills_the_jars_empties_only_its_own() {
        let (cookies, from) = (Cookies::default(), url("http://a.test/"));
        let quiet = cookies.of(Some(&account(2)), &call(1));
        quiet.keep(&from, ["step=1"].into_iter());
        let large: Vec<String> = (0..3).map(|name| format!("{name}={}", "x".repeat(4_000))).collect();
        for number in 2..3_000 {
            of(&cookies, number).keep(&from, large.iter().map(String::as_str));
        }
        assert_eq!(carried(&cookies, 2, "http://a.test/"), "", "there is not room for all");
        assert_eq!(quiet.header(&from).unwrap(), "step=1");
        let late = cookies.of(Some(&account(3)), &call(3_000));
        late.keep(&from, ["step=2"].into_iter());
        assert_eq!(late.header(&from).unwrap(), "step=2");
    }

    #[test]
    fn a_calls_cookies_go_with_it() {
        let cookies = Cookies::default();
        of(&cookies, 1).keep(&url("http://a.test/"), ["step=1"].into_iter());
        cookies.forget(&call(1));
        assert_eq!(carried(&cookies, 1, "http://a.test/"), "");
        let jars = cookies.0.lock();
        assert_eq!((jars.bytes, jars.accounts.len(), jars.by_bytes.len()), (0, 0, 0));
    }
}
