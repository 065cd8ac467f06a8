//! How documents and sounds may be written: every encoding XML declares, every file Twilio plays.

use super::{on_both, phone::Phone, web::Web};
use crate::support::{Server, tone};
use serde_json::json;
use std::path::Path;

/// What the test's files sound like.
const PITCH: f64 = 440.0;

/// A caller of 1234 whose application is at this path.
fn caller_of(server: &Server, web: &Web, path: &str, from: &str) -> Phone {
    let voice = json!({
        "voice_url": format!("{}{path}", web.url), "voice_fallback_url": format!("{}/fallback", web.url),
    });
    server.configure("1234", voice);
    let mut caller = Phone::of(server.sip()).hearing();
    caller.calls(from, "1234");
    assert_eq!(caller.is_answered(), "200", "{path}");
    caller
}

/// A document that goes on at an address with letters of these encodings.
fn document(prologue: &str) -> String {
    format!("{prologue}<Response><Redirect>/next?name=Zoë</Redirect></Response>")
}

fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}

#[test]
fn a_document_is_read_in_the_encoding_it_declares() {
    let (iso, wide) = (
        document(r#"<?xml version="1.0" encoding="ISO-8859-1"?>"#),
        document(r#"<?xml version="1.0" encoding="UTF-16"?>"#),
    );
    let words = || format!("\u{feff}{wide}").encode_utf16().collect::<Vec<u16>>();
    let little: Vec<u8> = words().into_iter().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = words().into_iter().flat_map(u16::to_be_bytes).collect();
    let cases = [
        ("/iso-8859-1", "application/xml", latin(&iso)),
        ("/iso-8859-1-by-header", "text/xml; charset=iso-8859-1", latin(&document(""))),
        ("/utf-16-little", "application/xml", little),
        ("/utf-16-big", "text/xml; charset=utf-16", big),
        ("/utf-8", "text/xml", document("").into_bytes()),
    ];
    on_both(|on| {
        let (server, web) = (Server::start(on), Web::start());
        web.says("/next", "<Hangup/>");
        for (at, (path, kind, body)) in cases.iter().enumerate() {
            web.serves(path, kind, body);
            let from = format!("+8551200000{at}");
            let caller = caller_of(&server, &web, path, &from);
            caller.is_hung_up_on();
            let next = web.asked("/next", |asked| asked.parameters["From"] == from);
            assert_eq!(next.parameters["name"], "Zoë", "{path}");
        }
    });
}

#[test]
fn a_doctype_is_stepped_over_and_one_with_entities_goes_to_the_fallback_address() {
    on_both(|on| {
        let (server, web) = (Server::start(on), Web::start());
        web.says("/next", "<Hangup/>");
        web.says("/fallback", "<Hangup/>");
        let named = format!("<!DOCTYPE Response SYSTEM \"{}/twiml.dtd\">", web.url);
        let entity = format!("<!DOCTYPE Response [<!ENTITY x SYSTEM \"{}/entity\">]>", web.url);
        for (path, doctype, then) in [("/doctype", named, "/next"), ("/entity-declared", entity, "/fallback")]
        {
            web.serves(path, "text/xml", document(&doctype).as_bytes());
            let caller = caller_of(&server, &web, path, "+85512000001");
            caller.is_hung_up_on();
            let told = web.asked(then, |_| true).parameters;
            assert_eq!(told.get("ErrorCode").map(String::as_str), (then == "/fallback").then_some("12100"));
        }
        assert_eq!((web.times("/twiml.dtd"), web.times("/entity")), (0, 0), "nothing is loaded");
    });
}

#[test]
fn sounds_are_played_in_every_format_twilio_plays() {
    let file = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sip-engine/src/media/audio/testdata");
        std::fs::read(folder.join(name)).unwrap()
    };
    let raw: Vec<u8> = tone::sine(PITCH, 0, 8_000).into_iter().map(tone::encode).collect();
    let cases = [
        ("raw.ulaw", "audio/basic", raw),
        ("tone.au", "audio/basic", file("tone-ulaw.au")),
        ("linear.au", "audio/x-au", file("tone-16.au")),
        ("tone.aiff", "audio/aiff", file("tone.aiff")),
        ("tone.aifc", "audio/x-aiff", file("tone.aifc")),
        ("tone.gsm", "audio/x-gsm", file("tone.gsm")),
        ("tone.mp3", "audio/mpeg", file("440hz.mp3")),
    ];
    on_both(|on| {
        let (server, web) = (Server::start(on), Web::start());
        let mut callers = Vec::new();
        for (at, (name, kind, body)) in cases.iter().enumerate() {
            web.serves(&format!("/sounds/{name}"), kind, body);
            web.says(&format!("/play/{name}"), &format!(r#"<Play loop="0">/sounds/{name}</Play>"#));
            callers.push(caller_of(&server, &web, &format!("/play/{name}"), &format!("+8551200000{at}")));
        }
        for caller in &callers {
            caller.ear().wait_for_tone(PITCH);
            caller.hangs_up();
        }
    });
}
