//! What phones are told when Trunkline itself ends.

use super::{STORES, dialling::bridged, phone::Phone, web::Web};
use crate::support::Server;
use std::time::{Duration, Instant};

/// Within this phones know.
const WITHIN: Duration = Duration::from_secs(5);
/// What a machine that is busy with other tests may add.
const BUSY: Duration = Duration::from_secs(3);

/// Two phones that talk.
fn talking(server: &Server, web: &Web) -> (Phone, Phone) {
    let (mut caller, callee) = bridged(server, web, "");
    let invite = callee.is_called();
    callee.answers(&invite, 200);
    assert_eq!(caller.is_answered(), "200");
    (caller, callee)
}

#[test]
fn both_phones_of_a_call_are_hung_up_on_by_the_start_after_a_crash() {
    for on in STORES {
        let (mut server, web) = (Server::start(on), Web::start());
        let (caller, callee) = talking(&server, &web);
        server.kill_and_restart();
        let started = Instant::now();
        caller.is_hung_up_on();
        callee.is_hung_up_on();
        println!("kill: both phones knew {:?} after the start, on {on:?}", started.elapsed());
        assert!(started.elapsed() < WITHIN + BUSY, "{:?}", started.elapsed());
        for direction in ["inbound", "outbound-dial"] {
            let over =
                |call: &serde_json::Value| call["direction"] == direction && call["status"] == "completed";
            assert_eq!(server.wait_for_call("closed call", over)["reason"], "interrupted");
        }
    }
}

#[test]
fn a_second_sigterm_hangs_up_on_everybody_at_once() {
    for on in STORES {
        let (mut server, web) = (Server::start(on), Web::start());
        let (caller, callee) = talking(&server, &web);
        server.signal("-TERM");
        server.wait_until_ready(false);
        server.signal("-TERM");
        let told = Instant::now();
        caller.is_hung_up_on();
        callee.is_hung_up_on();
        assert_eq!(server.process.wait_for_end().code(), Some(1));
        println!("second SIGTERM: over after {:?}, on {on:?}", told.elapsed());
        assert!(told.elapsed() < WITHIN, "the 10 s of a drain are not waited for: {:?}", told.elapsed());
    }
}
