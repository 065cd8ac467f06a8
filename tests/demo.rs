//! What the demo gives away, and what it does not.

use crate::support::{On, Server};
use std::process::Command;

#[test]
fn the_demos_code_is_printed_while_it_runs_and_no_other_store_gives_one() {
    let mut server = Server::start(On::Sqlite);
    let (printed, code) = server.run(&["demo", "code"]);
    let code = code.trim();
    assert!(printed && code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    assert!(server.stop().success());
    // The same store as if people had made it: the file beside it opens nothing.
    let made_by_people = "DROP TRIGGER IF EXISTS es_events_no_update; \
        UPDATE es_events SET actor_id = 'somebody' WHERE log = 'core' AND position = 1;";
    let changed = Command::new("sqlite3").arg(server.data.join("trunkline.db")).arg(made_by_people).status();
    assert!(changed.unwrap().success());
    let (printed, text) = server.run(&["demo", "code"]);
    assert!(!printed && text.contains("not made by"), "{text}");
    std::fs::remove_file(server.data.join("demo.json")).unwrap();
    let (printed, text) = server.run(&["demo", "code"]);
    assert!(!printed && text.contains("demo.json"), "{text}");
}
