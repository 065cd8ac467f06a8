//! `X-Twilio-Signature`: how a customer's application knows that a request is ours.
//!
//! Base64 of HMAC-SHA1, keyed by the auth token, over the URL as requested followed by every form parameter.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;
use std::collections::{BTreeMap, BTreeSet};

/// The header that carries the signature.
pub const HEADER: &str = "X-Twilio-Signature";

/// Signs a request. `url` is the one requested (scheme, host, port and query as sent, no fragment, no user);
/// `form` holds the parameters of a form body and is empty for GET, whose parameters are in the query already.
///
/// Names go in byte order; a repeated name contributes each distinct value once, sorted, as the official SDKs do.
#[must_use]
pub fn sign(auth_token: &str, url: &str, form: &[(String, String)]) -> String {
    let mut parameters: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in form {
        parameters.entry(name).or_default().insert(value);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.as_bytes());
    let mut signed = hmac::Context::with_key(&key);
    signed.update(url.as_bytes());
    for (name, values) in parameters {
        for value in values {
            signed.update(name.as_bytes());
            signed.update(value.as_bytes());
        }
    }
    STANDARD.encode(signed.sign())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The example of Twilio's security page.
    #[test]
    fn the_published_example_comes_out_as_published() {
        let parameters = form(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]);
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(sign("12345", url, &parameters), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn order_and_repetition_of_parameters_do_not_matter() {
        let once = form(&[("A", "1"), ("A", "2"), ("B", "é")]);
        let again = form(&[("B", "é"), ("A", "2"), ("A", "1"), ("A", "2")]);
        assert_eq!(sign("token", "http://a.test/", &once), sign("token", "http://a.test/", &again));
    }
}
