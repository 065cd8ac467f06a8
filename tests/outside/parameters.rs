//! Every parameter the official SDK can send is in the tables that say what becomes of it.

use crate::support::customer::peers;
use serde_json::Value;
use std::{collections::BTreeMap, process::Command};

/// What the Node SDK sends, by operation, when it is given everything its types have.
fn sent() -> BTreeMap<String, Vec<String>> {
    let output = Command::new("node").arg(peers().join("parameters.mjs")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_value(all).unwrap()
}

#[test]
fn every_parameter_the_sdk_can_send_has_a_fate() {
    let sent = sent();
    assert!(sent.len() > 15, "{sent:?}");
    for (name, parameters) in sent {
        let operation = api::twilio::operations().find(|operation| operation.name == name);
        let operation = operation.unwrap_or_else(|| panic!("{name} is in no table"));
        for parameter in parameters {
            assert!(operation.row(&parameter).is_some(), "{name}: {parameter} is in no row");
        }
    }
}
