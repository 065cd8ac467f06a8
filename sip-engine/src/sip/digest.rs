//! Answers to digest challenges (RFC 3261 section 22, RFC 7616, RFC 8760): SHA-256 before MD5, qop auth or none.
//!
//! A challenge is read and written anew before ezk-sip-auth computes the answer, because that prefers auth-int, knows
//! only one spelling of names and gets the -sess algorithms wrong. Every request has an authenticator of its own.

use super::command::Credentials;
use super::message::Message;
use super::text;
use ezk_sip_auth::{
    ClientAuthenticator, DigestAuthenticator, DigestCredentials, DigestUser, RequestParts, ResponseParts,
};
use ezk_sip_types::msg::{RequestLine, StatusLine};
use ezk_sip_types::print::{AppendCtx, PrintCtx, UriContext};
use ezk_sip_types::uri::SipUri;
use ezk_sip_types::{Headers, Method, Name, StatusCode};

/// Algorithms we answer, best first.
const ALGORITHMS: [&str; 2] = ["SHA-256", "MD5"];

/// Most realms one request is answered for: the proxies on its way, and the far end.
const MAX_REALMS: usize = 4;

/// Most uses of one nonce that are counted on: more than the refreshes of a session of four hours, one a minute.
const MAX_USES: u32 = 256;

/// Most nonces of one call whose uses are known.
const MAX_NONCES: usize = 8;

/// The headers that carry answers.
pub(crate) const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];

/// One digest challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Challenge {
    proxy: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: &'static str,
    qop: bool,
    stale: bool,
}

/// How often each nonce was answered in a call: the next answer counts on, as a server may take a count it has seen for a
/// replay (RFC 7616 section 3.4).
#[derive(Debug, Default)]
pub(crate) struct Uses(Vec<(String, u32)>);

impl Uses {
    /// How often this one was used before now; with now it is once more.
    fn before(&mut self, nonce: &str) -> u32 {
        if let Some((_, uses)) = self.0.iter_mut().find(|(known, _)| known == nonce) {
            *uses = uses.saturating_add(1);
            return *uses - 1;
        }
        if self.0.len() == MAX_NONCES {
            self.0.remove(0);
        }
        self.0.push((nonce.to_owned(), 1));
        0
    }
}

/// What a challenged request must carry the next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answers {
    /// `Authorization` and `Proxy-Authorization`, one for each realm that has asked.
    pub headers: Vec<(&'static str, String)>,
    /// The Request-URI as it was signed: equivalent to the old one, but escapes may be written another way.
    pub uri: String,
    /// A realm had its answer, and says that the nonce was merely too old.
    pub stale: bool,
    /// The realms that asked.
    pub realms: Vec<String>,
}

/// The answers to a 401 or 407 to `request`: to every realm that asks and may, and again to those that `request` answers already
/// (RFC 3261 section 22.3); `None` if there is nothing we may or can answer, or a realm refuses what it was answered.
pub(crate) fn answers(
    response: &Message,
    request: &Message,
    credentials: &Credentials,
    uses: &mut Uses,
    may_ask: impl Fn(&str) -> bool,
) -> Option<Answers> {
    let (mut asked, carried) = (best(asked(response)), carried(request));
    asked.retain(|challenge| may_ask(&challenge.realm));
    let is_repeated = |challenge: &Challenge| carried.iter().any(|had| had.is_of(challenge));
    if asked.is_empty() || asked.iter().any(|challenge| is_repeated(challenge) && !challenge.stale) {
        return None;
    }
    let stale = asked.iter().any(is_repeated);
    let mut all: Vec<&Challenge> =
        carried.iter().filter(|had| !asked.iter().any(|challenge| challenge.is_of(had))).collect();
    all.extend(&asked);
    if all.len() > MAX_REALMS {
        return None;
    }
    let realms = asked.iter().map(|challenge| challenge.realm.clone()).collect();
    let mut answers = Answers { headers: Vec::new(), uri: String::new(), stale, realms };
    for challenge in all {
        let (name, value, uri) = challenge.answer(request, credentials, uses)?;
        answers.headers.push((name, value));
        answers.uri = uri;
    }
    Some(answers)
}

/// The challenges of a response.
fn asked(response: &Message) -> Vec<Challenge> {
    let mut all = challenges(response, "www-authenticate", false);
    all.extend(challenges(response, "proxy-authenticate", true));
    all
}

/// The challenges that a request of ours answers: an answer repeats what it was asked.
fn carried(request: &Message) -> Vec<Challenge> {
    let mut all = challenges(request, "authorization", false);
    all.extend(challenges(request, "proxy-authorization", true));
    all
}

/// The best challenge of each realm: by algorithm, then in order.
fn best(mut all: Vec<Challenge>) -> Vec<Challenge> {
    all.sort_by_key(|challenge| ALGORITHMS.iter().position(|known| *known == challenge.algorithm));
    let mut best: Vec<Challenge> = Vec::new();
    for challenge in all {
        if !best.iter().any(|known| known.is_of(&challenge)) {
            best.push(challenge);
        }
    }
    best
}

fn challenges(message: &Message, name: &str, proxy: bool) -> Vec<Challenge> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    for piece in message.headers.list(name).into_iter().take(64) {
        // "Digest realm=x" opens a challenge, the pieces behind it are its parameters.
        match piece.split_once(' ') {
            Some((scheme, first)) if !scheme.contains('=') => {
                groups.push(vec![scheme.to_owned(), first.to_owned()]);
            }
            _ => groups.last_mut().into_iter().for_each(|group| group.push(piece.clone())),
        }
    }
    groups.iter().filter_map(|group| Challenge::read(group, proxy)).collect()
}

impl Challenge {
    fn read(group: &[String], proxy: bool) -> Option<Challenge> {
        let (scheme, parameters) = group.split_first()?;
        let value = |wanted: &str| {
            let pairs = parameters.iter().filter_map(|piece| piece.split_once('='));
            pairs
                .map(|(name, value)| (name.trim(), value.trim()))
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| text::unquote(value))
        };
        let algorithm = value("algorithm").unwrap_or_else(|| "MD5".to_owned());
        let algorithm = ALGORITHMS.into_iter().find(|known| known.eq_ignore_ascii_case(&algorithm))?;
        let qop = value("qop");
        let auth =
            qop.as_ref().is_some_and(|qop| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
        if !scheme.eq_ignore_ascii_case("digest") || (qop.is_some() && !auth) {
            return None;
        }
        Some(Challenge {
            proxy,
            realm: value("realm")?,
            nonce: value("nonce").filter(|nonce| !nonce.is_empty())?,
            opaque: value("opaque"),
            algorithm,
            qop: auth,
            stale: value("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// Whether it is of the same realm, and wanted in the same header.
    fn is_of(&self, other: &Challenge) -> bool {
        (self.proxy, &self.realm) == (other.proxy, &other.realm)
    }

    /// The header that answers it, and the Request-URI as it is signed there.
    fn answer(
        &self,
        request: &Message,
        credentials: &Credentials,
        uses: &mut Uses,
    ) -> Option<(&'static str, String, String)> {
        let uri: SipUri = request.uri().parse().ok()?;
        let mut challenges = Headers::new();
        let (asks, answers, header) = if self.proxy {
            (Name::PROXY_AUTHENTICATE, Name::PROXY_AUTHORIZATION, "Proxy-Authorization")
        } else {
            (Name::WWW_AUTHENTICATE, Name::AUTHORIZATION, "Authorization")
        };
        challenges.insert(asks, self.print());
        let mut users = DigestCredentials::new();
        users.set_default(DigestUser::new(credentials.username.as_str(), credentials.password.as_bytes()));
        let mut authenticator = DigestAuthenticator::new(users);
        let line = RequestLine { method: Method::from(request.method()?), uri };
        let status =
            StatusLine { code: StatusCode::from(if self.proxy { 407_u16 } else { 401 }), reason: None };
        let rejected = RequestParts { line: &line, headers: &Headers::new(), body: b"" };
        let rejection = ResponseParts { line: &status, headers: &challenges, body: b"" };
        authenticator.handle_rejection(rejected, rejection).ok()?;
        for _ in 0..uses.before(&self.nonce).min(MAX_USES) {
            authenticator.authorize_request(&mut Headers::new());
        }
        let mut headers = Headers::new();
        authenticator.authorize_request(&mut headers);
        let value: String = headers.iter().find(|(name, _)| **name == answers)?.1.to_string();
        let uri = line.uri.print_ctx(PrintCtx { method: None, uri: Some(UriContext::ReqUri) }).to_string();
        Some((header, value, uri))
    }

    fn print(&self) -> String {
        let quote = |text: &str| text.replace(['"', '\\'], "");
        let mut out = format!(
            "Digest realm=\"{}\", nonce=\"{}\", algorithm={}",
            quote(&self.realm),
            quote(&self.nonce),
            self.algorithm
        );
        if let Some(opaque) = &self.opaque {
            out.push_str(&format!(", opaque=\"{}\"", quote(opaque)));
        }
        if self.qop {
            out.push_str(", qop=\"auth\"");
        }
        out
    }
}
