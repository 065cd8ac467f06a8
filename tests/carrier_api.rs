//! The Carrier API as its document describes it: linted, and spoken by a client generated from it.

use crate::support::{On, Server, customer};
use std::{path::Path, process::Command};

fn document() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/openapi/carrier.json")
}

#[test]
fn the_linter_finds_no_error() {
    let peers = customer::peers();
    let mut command = Command::new(peers.join("node_modules/.bin/spectral"));
    command
        .args(["lint", "--fail-severity", "error", "--ruleset"])
        .arg(peers.join("spectral.yaml"))
        .arg(document());
    let output = command.output().expect("spectral is installed (bin/setup test)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_generated_python_client_makes_the_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let generator = customer::python().with_file_name("openapi-python-client");
    let mut generate = Command::new(generator);
    generate.args(["generate", "--meta", "none", "--path"]).arg(document());
    let generated = generate.arg("--output-path").arg(folder.path().join("carrier_client")).output().unwrap();
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));

    let server = Server::start(On::Sqlite);
    let mut trip = Command::new(customer::python());
    trip.arg(customer::peers().join("carrier_round_trip.py")).env("PYTHONPATH", folder.path());
    trip.env("BASE_URL", format!("{}/carrier/v1", server.text("http_url")));
    let output = trip.env("API_KEY", server.text("carrier_api_key")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
