//! Peers that demand more of SIP: provisional answers that arrive for certain (RFC 3262), session timers (RFC 4028).

use super::{STORES, dialling::bridged, phone::Phone, web::Web};
use crate::support::Server;

/// What a callee takes.
const ALLOW: &str = "Allow: INVITE, ACK, CANCEL, BYE, UPDATE\r\n";

#[test]
fn a_trunk_that_demands_reliable_answers_and_session_timers_calls_us() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let demands = "Require: 100rel, timer\r\nSession-Expires: 600;refresher=uac\r\n";
        let (mut caller, callee) = bridged(&server, &web, demands);
        let ringing = caller.hears_of("180");
        assert_eq!(ringing.header("Require"), "100rel");
        caller.acknowledges(&ringing);
        let invite = callee.is_called();
        callee.answers(&invite, 183);
        let progress = caller.hears_of("183");
        callee.answers(&invite, 200);
        caller.acknowledges(&progress);
        let answer = caller.is_answered_so();
        assert_eq!(answer.kind(), "200", "{}", answer.0);
        assert_eq!(answer.header("Session-Expires"), "600;refresher=uac");
        caller.hangs_up();
        callee.is_hung_up_on();
    }
}

#[test]
fn a_trunk_that_answers_reliably_is_acknowledged() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let (mut caller, callee) = bridged(&server, &web, "");
        let invite = callee.is_called();
        assert!(invite.header("Supported").contains("100rel"), "{}", invite.0);
        callee.answers_so(&invite, 183, "Require: 100rel\r\nRSeq: 4711\r\n");
        let prack = callee.is_told("PRACK");
        assert_eq!(prack.header("RAck"), format!("4711 {}", invite.header("CSeq")));
        callee.agrees(&prack, "");
        caller.hears_of("183");
        callee.answers(&invite, 200);
        assert_eq!(caller.is_answered(), "200");
        caller.hangs_up();
        callee.is_hung_up_on();
    }
}

#[test]
fn a_session_is_kept_by_us_where_that_was_agreed() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let (mut caller, callee) = bridged(&server, &web, "");
        let invite = callee.is_called();
        assert_eq!(invite.header("Session-Expires"), "1800");
        // Shorter than it may be, so that nobody waits.
        callee.answers_so(&invite, 200, &format!("{ALLOW}Session-Expires: 6;refresher=uac\r\n"));
        assert_eq!(caller.is_answered(), "200");
        for _ in 0..2 {
            let update = callee.is_told("UPDATE");
            assert_eq!(update.header("Session-Expires"), "6;refresher=uac");
            callee.agrees(&update, "Session-Expires: 6;refresher=uac\r\n");
        }
        caller.hangs_up();
        callee.is_hung_up_on();
    }
}

#[test]
fn a_peer_that_does_not_keep_its_session_is_hung_up_on_and_the_other_side_too() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let (mut caller, callee) = bridged(&server, &web, "");
        let invite = callee.is_called();
        callee.answers_so(&invite, 200, "Session-Expires: 6;refresher=uas\r\n");
        assert_eq!(caller.is_answered(), "200");
        callee.is_hung_up_on();
        caller.is_hung_up_on();
    }
}

#[test]
fn a_peer_that_wants_longer_sessions_is_called_again_with_one() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let (mut caller, callee) = bridged(&server, &web, "");
        let invite = callee.is_called();
        callee.answers_so(&invite, 422, "Min-SE: 7200\r\n");
        let longer = callee.is_called();
        assert_eq!(longer.header("Session-Expires"), "7200");
        callee.answers(&longer, 200);
        assert_eq!(caller.is_answered(), "200");
        caller.hangs_up();
        callee.is_hung_up_on();
    }
}

#[test]
fn a_session_too_short_and_an_extension_nobody_knows_are_refused_with_what_would_do() {
    for on in STORES {
        let server = Server::start(on);
        for (demands, code, header, would_do) in [
            ("Supported: timer\r\nSession-Expires: 60\r\n", "422", "Min-SE", "90"),
            ("Require: precondition, 100rel\r\n", "420", "Unsupported", "precondition"),
        ] {
            let mut caller = Phone::of(server.sip()).demanding(demands);
            caller.calls("+85512000001", "1234");
            let answer = caller.is_answered_so();
            assert_eq!((answer.kind(), answer.header(header)), (code, would_do), "{}", answer.0);
        }
    }
}
