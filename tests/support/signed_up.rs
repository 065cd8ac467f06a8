//! A carrier that signed up as people do: e-mail, password, authenticator app, API key.

use super::Server;
use serde_json::{Value, json};
use std::process::Command;

/// Letters of Base32 (RFC 4648 section 6).
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PASSWORD: &str = "plum-orbit-Kettle-92";

/// A carrier beside the demo's.
pub struct SignedUp {
    /// Its SID.
    pub carrier: String,
    key: String,
    url: String,
}

impl SignedUp {
    /// Signs up under this name.
    pub fn at(server: &Server, name: &str) -> SignedUp {
        let (jar, url) = (tempfile::NamedTempFile::new().unwrap(), server.text("http_url").to_owned());
        let asks = |path: &str, body: Value| {
            let mut curl = Command::new("curl");
            curl.args(["-s", "-H", "Content-Type: application/json", "-H", "Sec-Fetch-Site: same-origin"]);
            curl.arg("-b").arg(jar.path()).arg("-c").arg(jar.path());
            let output = curl.args(["-d", &body.to_string(), &format!("{url}{path}")]).output().unwrap();
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            assert!(answer["status"].is_null(), "{path}: {answer}");
            answer
        };
        let session = asks(
            "/dashboard/sign-up",
            json!({ "company": format!("{name} Telecom"), "country": "KH", "subdomain": name, "name": "Ann Owner",
                "email": format!("owner@{name}.example"), "password": PASSWORD }),
        );
        let setup = asks("/dashboard/two-factor/setup", json!({}));
        let seed = from_base32(setup["key"].as_str().unwrap());
        let now = domain::Clock::now(&store::SystemClock);
        let code = api::auth::totp::code_at(&seed, now).unwrap();
        asks("/dashboard/two-factor/enable", json!({ "code": code }));
        let key = asks("/carrier/v1/api-keys", json!({ "name": "tests" }));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        SignedUp { carrier: text(&session["carrier"]["sid"]), key: text(&key["secret"]), url }
    }

    /// Asks the Carrier API.
    pub fn carrier_api(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        super::server::carrier_api(&self.url, &self.key, method, path, body)
    }
}

fn from_base32(text: &str) -> Vec<u8> {
    let values = text.chars().filter_map(|letter| BASE32.find(letter));
    let bits: String = values.map(|value| format!("{value:05b}")).collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | (bit - b'0')))
        .collect()
}
