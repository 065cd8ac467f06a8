//! Numbers as trunks write them, out and in.

use super::{STORES, phone::Phone, web::Web};
use crate::support::Server;
use serde_json::json;

/// The demo's numbers are of Cambodia.
const OURS: &str = "+85512345678";

/// The user parts of a message's Request-URI and of its From.
fn users(invite: &super::phone::Message) -> (String, String) {
    let user = |text: &str| {
        let behind = text.split_once("sip:").map_or(text, |(_, rest)| rest);
        behind.split('@').next().unwrap_or_default().to_owned()
    };
    (user(&invite.0), user(invite.header("From")))
}

#[test]
fn a_number_is_dialled_in_the_form_the_trunk_asks_for() {
    let (prefix, plus, national) = ("dial_string_prefix", "plus_prefix", "trunk_prefix");
    let cases = [
        (json!({}), "+85598000002", "85598000002", "85512000001"),
        (json!({ plus: true }), "+85598000002", "+85598000002", "+85512000001"),
        (json!({ prefix: "99", plus: true }), "+85598000002", "+9985598000002", "+85512000001"),
        (json!({ prefix: "99" }), "+85598000002", "9985598000002", "85512000001"),
        (json!({ national: true }), "+85598000002", "098000002", "012000001"),
        (json!({ national: true, prefix: "7" }), "+85598000002", "7098000002", "012000001"),
        (json!({ national: true, plus: true }), "+85598000002", "+098000002", "012000001"),
        // Another country's stays international.
        (json!({ national: true }), "+493012345678", "493012345678", "012000001"),
        (json!({ national: true, plus: true }), "+493012345678", "+493012345678", "012000001"),
        (json!({ national: true, "country": "DE" }), "+493012345678", "03012345678", "85512000001"),
        (json!({ plus: true }), "1234", "1234", "+85512000001"),
    ];
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let account = format!("/accounts/{}", server.text("account_sid"));
        // A quick machine places them all in less than a second.
        let limits = json!({ "countries": ["DE"], "calls_per_second": 100 });
        let (status, body) = server.carrier_api("PATCH", &account, Some(json!({ "limits": limits })));
        assert_eq!(status, 200, "{body}");
        server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
        let callee = Phone::of(server.sip());
        for (form, number, dialled, caller_as) in &cases {
            let mut outbound = json!({ "host": format!("127.0.0.1:{}", callee.port()) });
            outbound.as_object_mut().unwrap().extend(form.as_object().unwrap().clone());
            server.change_trunk(json!({ "outbound": outbound }));
            web.says("/voice", &format!(r#"<Dial answerOnBridge="true">{number}</Dial>"#));
            let mut caller = Phone::of(server.sip());
            caller.calls("+85512000001", "1234");
            let invite = callee.is_called();
            callee.answers(&invite, 486);
            assert_eq!(caller.is_answered(), "486", "{form}");
            assert_eq!(
                users(&invite),
                ((*dialled).to_owned(), (*caller_as).to_owned()),
                "{number} by {form}"
            );
        }
    }
}

#[test]
fn a_number_is_known_in_every_form_the_trunks_country_dials() {
    let countries: [(&str, &[&str]); 2] = [
        ("KH", &["+85512345678", "85512345678", "012345678", "0085512345678", "00185512345678"]),
        ("US", &["+85512345678", "85512345678", "01185512345678", "+855-12-345-678"]),
    ];
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        web.says("/voice", "<Hangup/>");
        server.configure(OURS, json!({ "voice_url": format!("{}/voice", web.url) }));
        let mut asked = 0;
        for (country, forms) in countries {
            server.change_trunk(json!({ "inbound": { "sources": ["127.0.0.1"], "country": country } }));
            for number in forms {
                let mut caller = Phone::of(server.sip());
                caller.calls(&format!("+8551200{asked:04}"), number);
                assert_eq!(caller.is_answered(), "200", "{number} in {country}");
                caller.is_hung_up_on();
                let from = format!("+8551200{asked:04}");
                let told = web.asked("/voice", |told| told.parameters["From"] == from);
                assert_eq!(told.parameters["To"], OURS, "{number} in {country}");
                asked += 1;
            }
        }
        let mut caller = Phone::of(server.sip());
        caller.calls("+85512000001", "012345678");
        assert_eq!(caller.is_answered(), "404", "no number of the United States");
    }
}
