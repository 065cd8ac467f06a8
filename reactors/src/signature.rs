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
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

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

    type Case = (&'static str, Vec<(String, String)>, String);

    /// What the official validator says about each (URL, form, signature).
    fn official(cases: &[Case]) -> Vec<bool> {
        let workspace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let python = std::env::var_os("PYTHON").map_or(workspace.join(".venv/bin/python"), Into::into);
        let lines: String = cases.iter().map(|case| serde_json::to_string(case).unwrap() + "\n").collect();
        let mut child = Command::new(&python)
            .args(["-c", VALIDATE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} with the twilio package is needed (bin/setup): {error}", python.display())
            });
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}: the twilio package is needed (bin/setup)", python.display());
        String::from_utf8(output.stdout).unwrap().lines().map(|line| line == "True").collect()
    }

    /// Reads one case per line; forms become the multi-dictionaries web frameworks hand to the validator.
    const VALIDATE: &str = r"
import json, sys
from twilio.request_validator import RequestValidator
class Form(dict):
    def getlist(self, name): return self[name]
for line in sys.stdin:
    url, pairs, signature = json.loads(line)
    form = Form()
    for name, value in pairs: form.setdefault(name, []).append(value)
    print(RequestValidator('0123456789abcdef0123456789abcdef').validate(url, form, signature))
";

    #[test]
    fn the_official_validator_accepts_every_shape_of_request() {
        let token = "0123456789abcdef0123456789abcdef";
        let forms = [
            form(&[]),
            form(&[("CallSid", "CA1"), ("From", "+85512345678"), ("To", "1234")]),
            form(&[("b", "2"), ("B", "1"), ("a", ""), ("_", "z")]),
            form(&[("StatusCallbackEvent", "ringing"), ("StatusCallbackEvent", "answered"), ("A", "1")]),
            form(&[
                ("Same", "1"),
                ("Same", "1"),
                ("SpeechResult", "s\u{e9}l\u{e0}m \u{1780}\u{1798}\u{1796}\u{17bb}\u{1787}\u{17b6} & more"),
            ]),
        ];
        let urls = [
            "http://example.com/",
            "https://example.com/voice?a=b&c=%20d+e",
            "http://example.com:8080/voice",
            "https://example.com:8443/voice?To=%2B855",
            "http://127.0.0.1:5000/a/b.php?x=1&x=2&CallSid=CA1&From=%2B855+1",
            "http://example.com:80/",
            "https://example.com:443/x?q=%E1%9E%80",
        ];
        let mut cases = Vec::new();
        for url in urls {
            for form in &forms {
                cases.push((url, form.clone(), sign(token, url, form)));
            }
        }
        let verdicts = official(&cases);
        assert_eq!(verdicts.len(), cases.len());
        for (case, accepted) in cases.iter().zip(verdicts) {
            assert!(accepted, "{case:?}");
        }
    }

    #[test]
    fn the_official_validator_refuses_what_was_changed() {
        let sent = form(&[("To", "1234")]);
        let signature = sign("0123456789abcdef0123456789abcdef", "http://example.com/", &sent);
        let changed = ("http://example.com/", form(&[("To", "1235")]), signature);
        assert_eq!(official(&[changed]), [false]);
    }
}
