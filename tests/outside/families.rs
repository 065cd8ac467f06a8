//! IPv6 beside IPv4, and connections.

use super::{STORES, phone::Phone, web::Web};
use crate::support::Server;
use serde_json::{Value, json};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream},
    time::{Duration, Instant},
};

const FOUR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
/// What a busy machine may take for what needs no time, and much less than a transaction's 32 s.
const PATIENCE: Duration = Duration::from_secs(10);

/// A caller of 1234 who is heard at this address, whatever address it calls from.
fn heard_at(server: &Server, ip: IpAddr) -> Phone {
    let phone = Phone::of(server.sip());
    let offer = phone.described("0", ip);
    let mut caller = phone.offering(&offer);
    caller.calls("+85512000001", "1234");
    caller
}

#[test]
fn an_offer_is_answered_in_its_own_family() {
    for on in STORES {
        let (server, web) = (Server::start_set(on, &["--sip.listen", "[::1]:0,127.0.0.1:0"]), Web::start());
        assert!(server.sip().is_ipv6());
        web.says("/voice", r#"<Gather timeout="60"/>"#);
        server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
        for (ip, line) in [(SIX, "c=IN IP6 ::1"), (FOUR, "c=IN IP4 127.0.0.1")] {
            let mut caller = heard_at(&server, ip);
            let answer = caller.is_answered_so();
            assert_eq!(answer.kind(), "200", "{}", answer.0);
            assert!(answer.0.contains(line), "{}", answer.0);
            caller.hangs_up();
        }
    }
}

#[test]
fn a_family_we_do_not_have_is_refused_with_301_and_not_called() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let answer = heard_at(&server, SIX).is_answered_so();
        assert_eq!(answer.kind(), "488", "{}", answer.0);
        assert!(answer.header("Warning").starts_with("301 "), "{}", answer.0);

        server.change_trunk(json!({ "outbound": { "host": "[::1]:5999" } }));
        web.says("/voice", r#"<Dial answerOnBridge="true" action="/done">+85598000002</Dial>"#);
        web.says("/done", "<Hangup/>");
        server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
        let began = Instant::now();
        let mut caller = heard_at(&server, FOUR);
        let told = web.asked("/done", |_| true);
        assert_eq!(told.parameters["DialCallStatus"], "failed");
        assert!(began.elapsed() < PATIENCE, "at once: {:?}", began.elapsed());
        caller.is_answered();
        let dialled = |call: &Value| call["direction"] == "outbound-dial" && !call["ended_at"].is_null();
        let call = server.wait_for_call("dialled call", dialled);
        let rows = server.get(&format!("/calls/{}/timeline?limit=500", call["sid"].as_str().unwrap()));
        assert!(rows.to_string().contains("sip.listen"), "{rows:#}");
    }
}

#[test]
fn connections_beyond_the_limit_of_their_peer_are_closed_and_counted() {
    for on in STORES {
        let server = Server::start_set(on, &["--sip.connections_per_peer", "2"]);
        let connections: Vec<TcpStream> = (0..5).map(|_| TcpStream::connect(server.sip()).unwrap()).collect();
        let limit = Instant::now() + PATIENCE;
        while server.metric("trunkline_sip_connections_over_peer_total") < 3.0 {
            assert!(Instant::now() < limit, "{}", server.metrics());
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(server.metric("trunkline_sip_connections_over_peer_total"), 3.0);
        let told = server.get(&format!("{}/turned-away", server.trunk()));
        let row = told["data"].as_array().unwrap().iter().find(|row| row["method"] == "TCP");
        assert_eq!(row.map(|row| &row["count"]), Some(&json!(3)), "{told:#}");
        drop(connections);
    }
}
