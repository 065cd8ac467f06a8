//! Applications that are elsewhere: redirects in front of whatever is asked of them.

use super::{STORES, phone::Phone};
use crate::support::{Application, Server};
use serde_json::json;

const CALLEE: &str = "+85598000002";

/// The official SDK's own validator checks every one of these requests ([`Application::asked`]).
#[test]
fn an_application_behind_a_redirect_is_asked_by_get_with_everything_in_a_signed_query() {
    for on in STORES {
        let server = Server::start(on);
        let application = Application::start(&server, CALLEE);
        let callee = Phone::of(server.sip());
        server.call_out_to(callee.port());
        for code in ["301", "302", "303", "307"] {
            let moved = format!("{}/moved/{code}", application.url);
            let voice = json!({
                "voice_url": format!("{moved}/dial-behind-redirects"), "status_callback_url": format!("{moved}/status"),
            });
            server.configure("1234", voice);
            let mut caller = Phone::of(server.sip());
            caller.calls(&format!("+85512000{code}"), "1234");
            assert_eq!(caller.is_answered(), "200", "{code}");
            let invite = callee.is_called();
            callee.answers(&invite, 486);
            caller.is_hung_up_on();
            let method = if code == "307" { "POST" } else { "GET" };
            for (path, parameter, value) in [
                ("/dial-behind-redirects", "To", "1234"),
                ("/dialled", "DialCallStatus", "busy"),
                ("/status", "CallStatus", "completed"),
                ("/status", "CallStatus", "busy"),
            ] {
                let told = application.asked(path, |told| told["moved"] == code && told[parameter] == value);
                let line = |line: &&serde_json::Value| line["path"] == path && line["parameters"] == told;
                let requests = application.requests();
                assert_eq!(requests.iter().find(line).unwrap()["method"], method, "{code}: {path}");
            }
        }
    }
}
