//! What makes a request act once: the key it gives, how the ledger of commands has it, and what a repeat finds gone.

use crate::{App, problem::Refusal};
use domain::{Stream, visible::unseen};
use poem::{Request, http::StatusCode};
use store::Appended;

/// Most characters of a key.
const LONGEST: usize = 255;

/// A key that can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// The key a request gives in one of these headers, if it gives one.
    ///
    /// # Errors
    /// 400 when there are several, or it is empty, too long, no UTF-8, or has characters that cannot be seen: a key that
    /// was overlooked would have the request act twice.
    pub(crate) fn of(request: &Request, headers: &[&str]) -> Result<Option<Key>, Refusal> {
        let mut given = headers.iter().flat_map(|name| request.headers().get_all(*name));
        let Some(first) = given.next() else { return Ok(None) };
        let text = std::str::from_utf8(first.as_bytes()).ok().map(str::trim);
        let sound = |text: &&str| (1..=LONGEST).contains(&text.chars().count()) && unseen(text).is_none();
        match text.filter(sound) {
            Some(key) if given.all(|other| other == first) => Ok(Some(Key(key.to_owned()))),
            _ => {
                let name = headers.last().unwrap_or(&"key");
                let detail = format!("Give one {name} of 1 to {LONGEST} visible characters (UTF-8).");
                Err(Refusal::new(StatusCode::BAD_REQUEST, "bad_request", detail))
            }
        }
    }

    /// The command it stands for within `scope`. Two keys are never one command, and none has a blank in it.
    pub(crate) fn command(&self, scope: &str) -> String {
        let Key(key) = self;
        let plain = key.bytes().all(|byte| byte.is_ascii_graphic()) && !key.starts_with('~');
        let hex = || key.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        if plain { format!("{scope}:{key}") } else { format!("{scope}:~{}", hex()) }
    }
}

/// The id of the nth of the commands that one id stands for.
pub(crate) fn nth(command: &str, nth: usize) -> String {
    if nth == 0 { command.to_owned() } else { format!("{command} {nth}") }
}

/// Lets pass what was made now, and a repeat of what is still there.
///
/// # Errors
/// 410 when this is a repeat, and what the first request made (`what`, for people) is not there any more, as `is_gone`
/// says; 503 when the log cannot be read.
pub(crate) async fn still_there<A: Stream>(
    app: &App,
    made: &Appended,
    what: &str,
    is_gone: impl FnOnce(&A) -> bool,
) -> Result<(), Refusal> {
    let is_gone = made.replayed && is_gone(&app.store.load::<A>(&made.stream).await?.aggregate);
    if is_gone { Err(gone(what)) } else { Ok(()) }
}

/// 410: what the first request of this key made is not there any more.
pub(crate) fn gone(what: &str) -> Refusal {
    let detail = format!(
        "The {what} this Idempotency-Key made has been removed since; use another key to make a new one."
    );
    Refusal::new(StatusCode::GONE, "gone", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(given: &[(&str, &[u8])]) -> Result<Option<String>, u16> {
        let request = given.iter().fold(Request::builder(), |request, (name, key)| {
            request.header(*name, poem::http::HeaderValue::from_bytes(key).unwrap())
        });
        let key = Key::of(&request.finish(), &["token", "idempotency-key"]);
        key.map(|key| key.map(|Key(text)| text)).map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn a_key_is_any_text_that_can_be_seen() {
        assert_eq!(key(&[]), Ok(None));
        for text in ["k-1", "order 7, second try", "Bestellung für Ümit", "注文7"] {
            assert_eq!(key(&[("idempotency-key", text.as_bytes())]), Ok(Some(text.to_owned())));
        }
        let long = "k".repeat(LONGEST + 1);
        for text in [&b""[..], b"   ", b"\xff\xfe", "a\u{200b}b".as_bytes(), long.as_bytes(), b"a\tb"] {
            assert_eq!(key(&[("token", text)]), Err(400), "{text:?}");
        }
        assert_eq!(key(&[("token", b"a"), ("token", b"b")]), Err(400));
        assert_eq!(key(&[("token", b"a"), ("idempotency-key", b"b")]), Err(400));
        assert_eq!(key(&[("token", b"a"), ("idempotency-key", b"a")]), Ok(Some("a".to_owned())));
    }

    #[test]
    fn two_keys_are_never_one_command_and_no_key_is_another_ones_second_command() {
        let keys = ["é", "~c3a9", "~7e63336139", "abc", "abc:1", "abc 1", "~"];
        let commands = keys.iter().flat_map(|key| {
            let first = Key((*key).to_owned()).command("made");
            [nth(&first, 1), first]
        });
        let distinct: std::collections::HashSet<String> = commands.collect();
        assert_eq!(distinct.len(), 2 * keys.len());
    }
}
