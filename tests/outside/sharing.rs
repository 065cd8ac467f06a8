//! Two carriers that share an address and a number, and the operator who says whose calls they are.

use super::{STORES, phone::Phone};
use crate::support::{Server, SignedUp};
use serde_json::{Value, json};

/// Rejects a call with 486, where the demo's own application answers it.
const BUSY: &str = "<Response><Reject reason=\"busy\"/></Response>";

/// A second customer of the demo's provider, with the same source and the same number.
fn second(server: &Server) -> SignedUp {
    let other = SignedUp::at(server, "second");
    let trunk = json!({ "name": "Shared provider", "inbound": { "sources": ["127.0.0.1"] } });
    let (status, trunk) = other.carrier_api("POST", "/trunks", Some(trunk));
    assert_eq!(status, 201, "{trunk}");
    let (status, account) = other.carrier_api("POST", "/accounts", Some(json!({ "name": "Two" })));
    assert_eq!(status, 201, "{account}");
    let number = json!({ "number": "1234", "account_sid": account["sid"] });
    let (status, number) = other.carrier_api("POST", "/phone-numbers", Some(number));
    assert_eq!(status, 201, "{number}");
    let path = format!("/phone-numbers/{}", number["sid"].as_str().unwrap());
    let (status, number) = other.carrier_api("PATCH", &path, Some(json!({ "voice": { "twiml": BUSY } })));
    assert_eq!(status, 200, "{number}");
    other
}

/// What a call from the shared address to the shared number is answered.
fn answer(server: &Server) -> String {
    let mut phone = Phone::of(server.sip());
    phone.calls("+85512000001", "1234");
    let answer = phone.is_answered();
    if answer == "200" {
        phone.hangs_up();
    }
    answer
}

fn events(audit: &Value) -> Vec<&str> {
    audit["data"].as_array().unwrap().iter().map(|row| row["event_type"].as_str().unwrap()).collect()
}

#[test]
fn an_operator_moves_a_shared_number_and_both_carriers_find_it_in_their_audit() {
    for on in STORES {
        let mut server = Server::start(on);
        let first = server.get("/carrier")["sid"].as_str().unwrap().to_owned();
        let other = second(&server);
        assert_eq!(answer(&server), "200", "a later claim changes no route that exists");

        let (shown, text) = server.run(&["route", "127.0.0.1", "1234"]);
        let words = text.lines().filter_map(|line| line.split(' ').next());
        let carriers: Vec<&str> = words.filter(|word| word.starts_with("VC")).collect();
        assert!(shown && carriers == [&*first, &*other.carrier], "{text}");

        let (moved, text) = server.run(&["route", "127.0.0.1", "1234", "--to", &other.carrier]);
        let line = text.lines().next().unwrap_or_default();
        assert!(
            moved && line.starts_with(&other.carrier) && line.ends_with("moved here by an operator"),
            "{text}"
        );
        assert_eq!(answer(&server), "486", "the very next call goes the new way");
        let (_, taken) = other.carrier_api("GET", "/audit?event_type=RouteGranted", None);
        assert_eq!((events(&taken), &taken["data"][0]["actor"]), (vec!["RouteGranted"], &json!("operator")));
        let given = server.get("/audit?event_type=RouteLost");
        assert_eq!(events(&given), ["RouteLost"]);
        assert_eq!(given["data"][0]["payload"]["source"], "127.0.0.1/32");
        assert!(!given.to_string().contains(&other.carrier), "not whose they are now: {given}");

        let (moved, text) = server.run(&["route", "127.0.0.1", "1234", "--to", &first]);
        assert!(moved && text.starts_with(&first), "{text}");
        assert_eq!(answer(&server), "200", "and back");
        assert_eq!(events(&other.carrier_api("GET", "/audit?event_type=RouteLost", None).1), ["RouteLost"]);

        let nobody = format!("VC{:032x}", 7);
        let (moved, text) = server.run(&["route", "127.0.0.1", "1234", "--to", &nobody]);
        assert!(!moved && text.contains("does not have 1234 and a trunk with 127.0.0.1"), "{text}");
        assert!(server.stop().success());
        let (shown, text) = server.run(&["route", "127.0.0.1", "1234"]);
        assert!(shown && text.starts_with(&first), "without a server as well: {text}");
        let (verified, text) = server.run(&["audit", "verify"]);
        assert!(verified, "{text}");
    }
}
