//! What the next call sees of a change that was answered.

use super::{STORES, phone::Phone, sdks, web::Web};
use crate::support::{Sdk, Server};
use serde_json::json;

/// How often each way is tried: before, nearly every time was wrong.
const TIMES: usize = 10;

/// Calls 1234 and waits until this path was asked for it, and no other path that `others` counts.
fn the_next_call_asks(server: &Server, web: &Web, path: &str, what: &str) {
    let mut phone = Phone::of(server.sip());
    phone.calls("+85512000001", "1234");
    assert_eq!(phone.is_answered(), "200");
    phone.is_hung_up_on();
    assert_eq!(web.times(path), 1, "{what}: the call after the update asks {path}");
}

#[test]
fn an_update_is_seen_by_the_next_call() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        for turn in 0..TIMES {
            let path = format!("/carrier-{turn}");
            web.says(&path, "<Hangup/>");
            server.configure("1234", json!({ "voice_url": format!("{}{path}", web.url) }));
            the_next_call_asks(&server, &web, &path, "Carrier API");
        }
        for (name, mut sdk) in sdks(&server) {
            for turn in 0..TIMES {
                let path = format!("/{name}-{turn}");
                web.says(&path, "<Hangup/>");
                configure(&mut sdk, &format!("{}{path}", web.url));
                the_next_call_asks(&server, &web, &path, name);
            }
        }
    }
}

fn configure(sdk: &mut Sdk, url: &str) {
    assert_eq!(sdk.does("configure", json!({ "number": "1234", "voice_url": url })), url);
}

#[test]
fn a_disabled_account_gets_no_further_call() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        web.says("/voice", "<Hangup/>");
        server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
        let account = format!("/accounts/{}", server.text("account_sid"));
        let turns = [("disabled", "403"), ("enabled", "200"), ("disabled", "403"), ("enabled", "200")];
        for (status, answer) in turns {
            let patch = Some(json!({ "status": status }));
            assert_eq!(server.carrier_api("PATCH", &account, patch).0, 200);
            let mut phone = Phone::of(server.sip());
            phone.calls("+85512000001", "1234");
            assert_eq!(phone.is_answered(), answer, "{status}");
            if answer == "200" {
                phone.is_hung_up_on();
            }
        }
    }
}
