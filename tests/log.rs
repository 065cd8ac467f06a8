//! What the log proves, after calls, kills and restarts, on both stores.

use crate::support::{On, Phone, Server};
use serde_json::json;
use std::time::{Duration, Instant};

/// What a crash left open is closed so long after the next start.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn a_killed_servers_live_call_is_closed_and_the_log_holds() {
    for on in [On::Sqlite, On::Postgres] {
        let mut server = Server::start(on);
        let phone = Phone::calls(server.sip(), "85512000001", "1234");
        phone.ear.wait_for_tone(440.0);
        server.kill_and_restart();
        let started = Instant::now();
        let call = server.wait_for_call("closed call", |call| call["status"] == "completed");
        assert!(started.elapsed() < CLOSED_WITHIN, "{:?}", started.elapsed());
        assert_eq!(call["reason"], json!("interrupted"));
        drop(phone);
        let second = Phone::calls(server.sip(), "85512000001", "1234");
        second.ear.wait_for_tone(440.0);
        assert!(server.stop().success(), "SIGTERM ends it well");
        let (verified, text) = server.run(&["audit", "verify"]);
        assert!(verified, "{text}");
        let noted = std::fs::read_to_string(server.data.join("seals.log")).unwrap();
        let seal = noted.lines().last().and_then(|line| line.split(' ').nth(2)).unwrap();
        let (verified, text) = server.run(&["audit", "verify", "--seal", seal]);
        assert!(verified, "{text}");
        let (verified, text) = server.run(&["audit", "verify", "--seal", &"0".repeat(64)]);
        assert!(!verified && text.contains("no log has the seal 0000"), "{text}");
        let (replayed, text) = server.run(&["replay", "--verify"]);
        assert!(replayed, "{text}");
    }
}

/// One byte of the first event, the name of the demo's carrier, behind the trigger that keeps events as they are.
const RENAMED: &str = "DROP TRIGGER IF EXISTS es_events_no_update; \
    UPDATE es_events SET payload = replace(payload, 'Demo Telecom', 'Demo Telecon') WHERE log = 'core' AND position = 1;";

/// Has the database of a server that is stopped do this; what it says.
fn behind_its_back(server: &Server, statements: &str) -> String {
    let mut sqlite = std::process::Command::new("sqlite3");
    let output = sqlite.arg(server.data.join("trunkline.db")).arg(statements).output().unwrap();
    assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn one_changed_byte_is_found_and_named() {
    let mut server = Server::start(On::Sqlite);
    assert!(server.stop().success());
    behind_its_back(&server, RENAMED);
    let (verified, text) = server.run(&["audit", "verify"]);
    assert!(!verified && text.contains("log core, position 1: the event was edited"), "{text}");
    assert!(text.contains("restore the last backup"), "what to do is said: {text}");
}

#[test]
fn what_follows_from_the_events_is_repaired_and_nothing_is_once_the_chain_fails() {
    let mut server = Server::start(On::Sqlite);
    let (repaired, text) = server.run(&["repair"]);
    assert!(!repaired && text.contains("is open in another process"), "{text}");
    assert!(server.stop().success());
    let moved = "UPDATE es_heads SET position = position + 5 WHERE log = 'core';";
    behind_its_back(&server, moved);
    let (verified, text) = server.run(&["audit", "verify"]);
    assert!(!verified && text.contains("head row") && text.contains("`trunkline repair`"), "{text}");
    let (repaired, text) = server.run(&["repair"]);
    assert!(repaired && text.contains("log core: ") && text.contains("head row"), "it says what: {text}");
    assert!(text.contains("1 row was set right"), "{text}");
    let (verified, text) = server.run(&["audit", "verify"]);
    assert!(verified, "{text}");
    let (repaired, text) = server.run(&["repair"]);
    assert!(repaired && text.contains("nothing was changed"), "{text}");

    behind_its_back(&server, &format!("{moved}{RENAMED}"));
    let heads = "SELECT log, position FROM es_heads ORDER BY log;";
    let before = behind_its_back(&server, heads);
    for command in [&["repair"][..], &["replay", "--verify"]] {
        let (done, text) = server.run(command);
        assert!(!done && text.contains("core") && text.contains("position 1"), "{command:?}: {text}");
    }
    assert_eq!(behind_its_back(&server, heads), before, "nothing was repaired");
}

/// The one table of accounts that there is.
fn accounts_table(server: &Server) -> String {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'accounts%' \
        AND name NOT LIKE '%pieces%';";
    let tables = behind_its_back(server, tables);
    let [table] = tables.lines().collect::<Vec<_>>()[..] else { panic!("one table: {tables}") };
    table.to_owned()
}

#[test]
fn a_row_that_was_changed_is_found_by_a_comparison_with_the_log_and_mended_by_a_rebuild() {
    let mut server = Server::start(On::Sqlite);
    assert!(server.stop().success());
    let table = accounts_table(&server);
    behind_its_back(&server, &format!("UPDATE {table} SET enabled = NOT enabled;"));
    let (holds, text) = server.run(&["replay", "--verify"]);
    assert!(!holds && text.contains("from a rebuild; `trunkline replay accounts` sets it right"), "{text}");
    assert!(
        text.contains(&format!("accounts {} enabled: the table has", server.text("account_sid"))),
        "{text}"
    );
    let (rebuilt, text) = server.run(&["replay", "accounts"]);
    assert!(rebuilt, "{text}");
    let (holds, text) = server.run(&["replay", "--verify"]);
    assert!(holds, "{text}");
}

#[test]
fn a_table_that_was_dropped_is_named_with_what_makes_it_again() {
    let mut server = Server::start(On::Sqlite);
    assert!(server.stop().success());
    let table = accounts_table(&server);
    behind_its_back(&server, &format!("DROP TABLE {table};"));
    let (holds, text) = server.run(&["replay", "--verify"]);
    assert!(!holds && text.contains("accounts as a whole: the table has been dropped"), "{text}");
    assert!(text.contains("1 difference from a rebuild; `trunkline replay accounts`"), "{text}");
}

#[test]
fn seals_that_were_removed_are_missed() {
    let mut server = Server::start(On::Sqlite);
    assert!(server.stop().success());
    behind_its_back(&server, "DROP TRIGGER IF EXISTS es_seals_no_delete; DELETE FROM es_seals;");
    let (verified, text) = server.run(&["audit", "verify"]);
    assert!(!verified && text.contains("no log has the seal"), "{text}");
}

#[test]
fn where_no_store_is_there_is_nothing_to_prove() {
    let mut server = Server::start(On::Sqlite);
    assert!(server.stop().success());
    std::fs::remove_file(server.data.join("trunkline.db")).unwrap();
    for command in [&["audit", "verify"][..], &["replay", "--verify"], &["replay", "calls"]] {
        let (proved, text) = server.run(command);
        assert!(!proved && text.contains("there is no store at") && text.contains("trunkline.db"), "{text}");
    }
    assert!(!server.data.join("trunkline.db").exists(), "nor was one made");
}

#[test]
fn a_file_that_is_no_database_is_named_by_every_command_that_meets_it() {
    let mut server = Server::start(On::Sqlite);
    assert!(server.stop().success());
    for beside in ["trunkline.db-wal", "trunkline.db-shm"] {
        let _ = std::fs::remove_file(server.data.join(beside));
    }
    std::fs::write(server.data.join("trunkline.db"), [b'x'; 8_192]).unwrap();
    for command in [
        &["audit", "verify"][..],
        &["replay", "--verify"],
        &["replay", "calls"],
        &["route", "127.0.0.1", "1234"],
        &["demo", "code"],
    ] {
        let (done, text) = server.run(command);
        assert!(!done && text.contains("trunkline.db is no SQLite database"), "{command:?}: {text}");
    }
}

#[test]
fn a_table_is_rebuilt_beside_the_server_while_a_call_goes_on() {
    for on in [On::Sqlite, On::Postgres] {
        let server = Server::start(on);
        let phone = Phone::calls(server.sip(), "85512000001", "1234");
        phone.ear.wait_for_tone(440.0);
        let (rebuilt, text) = server.run(&["replay", "calls"]);
        assert!(rebuilt && text.contains("calls is rebuilt and live"), "{text}");
        let (refused, text) = server.run(&["replay", "colours"]);
        assert!(!refused && text.contains("colours"), "{text}");
        drop(phone);
        server.wait_for_call("ended call", |call| call["status"] == "completed");
    }
}

#[test]
fn a_start_with_thirty_two_other_bytes_for_a_key_is_refused_and_changes_nothing() {
    for on in [On::Sqlite, On::Postgres] {
        let mut server = Server::start(on);
        assert!(server.stop().success());
        let file = server.data.join("vault.key");
        let key = std::fs::read(&file).unwrap();
        std::fs::write(&file, key.iter().map(|byte| byte ^ 0x5a).collect::<Vec<u8>>()).unwrap();
        let text = server.refused_start();
        assert!(text.contains("vault.key is not the key this database was sealed with"), "{text}");
        assert!(text.contains("restore it from the backup"), "{text}");
        std::fs::write(&file, key).unwrap();
        server.start_again();
        let (_, account) = server.carrier_api("GET", "/accounts", None);
        assert!(account["data"][0]["sid"].is_string(), "the right key opens it as before: {account}");
        assert!(server.stop().success());
        let (verified, text) = server.run(&["audit", "verify"]);
        assert!(verified, "{text}");
    }
}

#[test]
fn a_database_that_is_gone_beside_its_key_and_seals_is_not_made_anew() {
    for on in [On::Sqlite, On::Postgres] {
        let mut server = Server::start(on);
        assert!(server.stop().success());
        assert!(!std::fs::read_to_string(server.data.join("seals.log")).unwrap().is_empty());
        let file = server.data.join("trunkline.db");
        match on {
            On::Sqlite => ["trunkline.db", "trunkline.db-wal", "trunkline.db-shm"].iter().for_each(|name| {
                let _ = std::fs::remove_file(server.data.join(name));
            }),
            On::Postgres => server.moves_to(crate::support::server::fresh_database()),
        }
        let text = server.refused_start();
        assert!(text.contains("is empty or gone") && text.contains("restore the database"), "{text}");
        assert!(text.contains("move vault.key and seals.log away"), "{text}");
        assert!(!file.exists(), "nothing was started empty");
    }
}
