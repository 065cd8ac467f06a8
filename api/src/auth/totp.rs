//! One-time codes (RFC 6238: SHA-1, six digits, 30 s, one step either way) and recovery codes.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Ids, Timestamp};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;
use totp_rs::{Builder, Totp};

/// Bytes of a seed (RFC 4226 section 4, R6 recommends 160 bits).
pub const SEED_BYTES: usize = 20;
/// How many recovery codes are given.
pub const RECOVERY_CODES: usize = 10;
/// Letters of recovery codes: five bits each, none that look alike.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What an authenticator app needs.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The QR code: an SVG as data URI.
    pub qr: String,
    /// The seed in Base32, to be typed.
    pub key: String,
    /// The `otpauth://` address inside the QR code.
    pub uri: String,
}

fn totp(seed: &[u8], issuer: &str, account: &str) -> Option<Totp> {
    // A colon separates issuer and account in the address.
    let (issuer, account) = (issuer.replace(':', " "), account.replace(':', " "));
    let builder = Builder::new().with_secret(seed.to_vec());
    builder.with_issuer(Some(issuer)).with_account_name(account).build().ok()
}

/// What to show so that an app learns the seed.
#[must_use]
pub fn setup(seed: &[u8], issuer: &str, account: &str) -> Option<Setup> {
    let totp = totp(seed, issuer, account)?;
    let (key, uri) = (totp.secret().to_base32(), totp.to_url().ok()?);
    let picture = STANDARD.encode(picture(&QrCode::encode_text(&uri, QrCodeEcc::Medium).ok()?));
    Some(Setup { qr: format!("data:image/svg+xml;base64,{picture}"), key, uri })
}

/// Modules of white around a QR code (ISO/IEC 18004).
const QUIET: i32 = 4;

/// Black on white in both themes: apps read nothing else reliably.
fn picture(code: &QrCode) -> String {
    let (size, mut path) = (code.size(), String::new());
    for (x, y) in
        (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y))
    {
        // Writing to a string cannot fail.
        let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
    }
    let side = size + 2 * QUIET;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>"
    )
}

/// The step whose code this is, when it is one of now or the step before or after. The caller refuses steps that are
/// not later than the last one used.
#[must_use]
pub fn step_of(seed: &[u8], code: &str, now: Timestamp) -> Option<u64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let plausible = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = u64::try_from(now.micros() / 1_000_000).ok()?;
    totp(seed, "", "")?.check(&code, seconds).filter(|_| plausible)
}

/// The code of this moment, for tests and the demo.
#[must_use]
pub fn code_at(seed: &[u8], now: Timestamp) -> Option<String> {
    let seconds = u64::try_from(now.micros() / 1_000_000).ok()?;
    Some(totp(seed, "", "")?.generate(seconds).to_string())
}

/// A new seed.
#[must_use]
pub fn new_seed(ids: &dyn Ids) -> [u8; SEED_BYTES] {
    let mut seed = [0; SEED_BYTES];
    ids.fill(&mut seed);
    seed
}

/// Ten recovery codes of 80 bits, like `abcd-efgh-ijkm-npqr`.
#[must_use]
pub fn recovery_codes(ids: &dyn Ids) -> Vec<String> {
    (0..RECOVERY_CODES).map(|_| recovery_code(ids)).collect()
}

fn recovery_code(ids: &dyn Ids) -> String {
    let mut bytes = [0; 16];
    ids.fill(&mut bytes);
    let letters: String = bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)))
        .map(|b| char::from(*b))
        .collect();
    letters.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// The same code however it was typed.
#[must_use]
pub fn normal(recovery_code: &str) -> String {
    recovery_code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// RFC 6238 appendix B, its SHA-1 rows cut to six digits.
    #[test]
    fn the_rfcs_codes_are_ours() {
        let seed = b"12345678901234567890";
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code_at(seed, at(seconds)).as_deref(), Some(code));
            assert_eq!(step_of(seed, code, at(seconds)), u64::try_from(seconds / 30).ok());
        }
    }

    #[test]
    fn a_code_is_good_for_one_step_either_way() {
        let seed = b"12345678901234567890";
        let code = code_at(seed, at(3_000)).unwrap();
        assert_eq!(step_of(seed, &format!("{} {}", &code[..3], &code[3..]), at(3_030)), Some(100));
        assert_eq!(step_of(seed, &code, at(2_970)), Some(100));
        assert_eq!(step_of(seed, &code, at(3_060)), None);
        for odd in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
            assert_eq!(step_of(seed, odd, at(3_000)), None, "{odd}");
        }
    }

    #[test]
    fn an_app_can_learn_the_seed_from_the_picture_or_by_typing() {
        let setup = setup(&[7; SEED_BYTES], "Demo: Telecom", "owner@demo.example").unwrap();
        let picture = STANDARD.decode(setup.qr.strip_prefix("data:image/svg+xml;base64,").unwrap()).unwrap();
        let picture = String::from_utf8(picture).unwrap();
        let code = QrCode::encode_text(&setup.uri, QrCodeEcc::Medium).unwrap();
        let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let dark = dark.filter(|(x, y)| code.get_module(*x, *y));
        assert!(dark.clone().all(|(x, y)| picture.contains(&format!(
            "M{} {}h1v1h-1z",
            x + QUIET,
            y + QUIET
        ))));
        assert_eq!(picture.matches("h1v1h-1z").count(), dark.count());
        assert!(setup.uri.starts_with("otpauth://totp/Demo%20%20Telecom:owner"), "{}", setup.uri);
        assert_eq!(setup.key.len(), 32);
    }

    #[test]
    fn recovery_codes_differ_and_survive_typing() {
        let codes = recovery_codes(&store::RandomIds::default());
        let distinct: std::collections::HashSet<_> = codes.iter().map(|code| normal(code)).collect();
        assert_eq!((codes.len(), distinct.len()), (10, 10));
        assert!(distinct.iter().all(|code| code.len() == 16));
        assert_eq!(normal(" ABCD efgh-IJKM npqr"), "abcdefghijkmnpqr");
    }
}
