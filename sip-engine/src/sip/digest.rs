//! Answers to digest challenges (RFC 3261 section 22, RFC 7616, RFC 8760): SHA-256 before MD5, qop auth or none.
//!
//! A challenge is read and written anew before ezk-sip-auth computes the answer, because that prefers auth-int, knows
//! only one spelling of names and gets the -sess algorithms wrong. Every request has an authenticator of its own.

use ezk_sip_auth::{
    ClientAuthenticator, DigestAuthenticator, DigestCredentials, DigestUser, RequestParts, ResponseParts,
};
use ezk_sip_types::msg::{RequestLine, StatusLine};
use ezk_sip_types::print::{AppendCtx, PrintCtx, UriContext};
use ezk_sip_types::uri::SipUri;
use ezk_sip_types::{Headers, Method, Name, StatusCode};

use super::command::Credentials;
use super::message::Message;
use super::text;

/// Algorithms we answer, best first.
const ALGORITHMS: [&str; 2] = ["SHA-256", "MD5"];

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

/// True if the challenge, of this realm or any, says the nonce was merely too old.
pub(crate) fn is_stale(response: &Message, realm: Option<&str>) -> bool {
    choose(response, realm).is_some_and(|challenge| challenge.stale)
}

/// What a challenged request must carry the next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `Authorization` or `Proxy-Authorization`.
    pub name: &'static str,
    pub value: String,
    /// The Request-URI as it was signed: equivalent to the old one, but escapes may be written another way.
    pub uri: String,
    /// Who now has the answer.
    pub realm: String,
}

/// The answer to a 401 or 407 to `request`, where it is of this realm or of any; `None` if there is nothing we may or can
/// answer.
pub(crate) fn answer(
    response: &Message,
    request: &Message,
    credentials: &Credentials,
    realm: Option<&str>,
) -> Option<Answer> {
    let challenge = choose(response, realm)?;
    let uri: SipUri = request.uri().parse().ok()?;
    let mut challenges = Headers::new();
    let (asks, answers, header) = if challenge.proxy {
        (Name::PROXY_AUTHENTICATE, Name::PROXY_AUTHORIZATION, "Proxy-Authorization")
    } else {
        (Name::WWW_AUTHENTICATE, Name::AUTHORIZATION, "Authorization")
    };
    challenges.insert(asks, challenge.print());
    let mut users = DigestCredentials::new();
    users.set_default(DigestUser::new(credentials.username.as_str(), credentials.password.as_bytes()));
    let mut authenticator = DigestAuthenticator::new(users);
    let line = RequestLine { method: Method::from(request.method()?), uri };
    let status = StatusLine { code: StatusCode::from(response.code()?), reason: None };
    let mut headers = Headers::new();
    let rejected = RequestParts { line: &line, headers: &Headers::new(), body: b"" };
    let rejection = ResponseParts { line: &status, headers: &challenges, body: b"" };
    authenticator.handle_rejection(rejected, rejection).ok()?;
    authenticator.authorize_request(&mut headers);
    let value: String = headers.iter().find(|(name, _)| **name == answers)?.1.to_string();
    let uri = line.uri.print_ctx(PrintCtx { method: None, uri: Some(UriContext::ReqUri) }).to_string();
    Some(Answer { name: header, value, uri, realm: challenge.realm })
}

/// The best challenge of a response: by algorithm, then in order.
fn choose(response: &Message, realm: Option<&str>) -> Option<Challenge> {
    let mut all = challenges(response, "www-authenticate", false);
    all.extend(challenges(response, "proxy-authenticate", true));
    all.retain(|challenge| realm.is_none_or(|realm| challenge.realm == realm));
    let mut best = None;
    for algorithm in ALGORITHMS {
        best = best.or_else(|| all.iter().find(|challenge| challenge.algorithm == algorithm).cloned());
    }
    best
}

fn challenges(response: &Message, name: &str, proxy: bool) -> Vec<Challenge> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    for piece in response.headers.list(name).into_iter().take(64) {
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
