//! The customer's side: an application on the official SDK, and programs that use the SDKs as clients.

use super::{lines::Lines, server::Server};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The application of `tests/peers/customer.py`.
pub struct Application {
    lines: Lines,
    /// Its address.
    pub url: String,
}

impl Application {
    /// Starts it for the demo account; `other` is whom it dials.
    pub fn start(server: &Server, other: &str) -> Application {
        Application::run(server, &[("OTHER", other)])
    }

    /// One that demands a login, and tells only of the requests that came with one.
    pub fn locked(server: &Server) -> Application {
        Application::run(server, &[("LOCKED", "yes")])
    }

    fn run(server: &Server, settings: &[(&str, &str)]) -> Application {
        let mut command = Command::new(python());
        command.arg(peers().join("customer.py")).env("AUTH_TOKEN", server.text("auth_token"));
        command.envs(settings.iter().copied());
        command.env("TONE_URL", format!("{}/chime.wav", server.text("application_url")));
        let lines = Lines::start(command);
        let url =
            lines.wait("address", |line| line["address"].is_string())["address"].as_str().unwrap().to_owned();
        Application { lines, url }
    }

    /// Waits for a request to this path that is as wanted, and demands a valid signature.
    pub fn asked(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let request = self
            .lines
            .wait(&format!("request to {path}"), |line| line["path"] == path && wanted(&line["parameters"]));
        assert_eq!(request["valid"], true, "the SDK's validator refuses {request}");
        request["parameters"].clone()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Value> {
        self.lines.said().into_iter().filter(|line| line["path"].is_string()).collect()
    }
}

/// A program on one of the official SDKs.
pub struct Sdk(Lines);

impl Sdk {
    /// On the Python SDK.
    pub fn python(server: &Server) -> Sdk {
        let mut command = Command::new(python());
        command.arg(peers().join("client.py"));
        Sdk::start(server, command)
    }

    /// On the Node SDK.
    pub fn node(server: &Server) -> Sdk {
        let mut command = Command::new("node");
        command.arg(peers().join("client.mjs"));
        Sdk::start(server, command)
    }

    fn start(server: &Server, mut command: Command) -> Sdk {
        command.env("ACCOUNT_SID", server.text("account_sid")).env("AUTH_TOKEN", server.text("auth_token"));
        command.env("API_URL", server.text("http_url"));
        Sdk(Lines::start(command))
    }

    /// Does something that must succeed.
    pub fn does(&mut self, command: &str, arguments: Value) -> Value {
        let answer = self.0.ask(&json!([command, arguments]));
        assert!(answer["error"].is_null(), "{command} {arguments}: {answer}");
        answer["ok"].clone()
    }

    /// Does something that must fail; returns the SDK's own exception as `(code, status)`.
    pub fn fails(&mut self, command: &str, arguments: Value) -> (i64, i64) {
        let answer = self.0.ask(&json!([command, arguments]));
        let error = &answer["error"];
        assert!(
            error["message"].as_str().is_some_and(|text| !text.is_empty()),
            "{command} {arguments}: {answer}"
        );
        (error["code"].as_i64().unwrap_or(0), error["status"].as_i64().unwrap_or(0))
    }
}

/// The Python that `bin/setup test` made, with the official SDK.
pub fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    assert!(python.exists(), "the Python peers are not installed; run bin/setup test");
    python
}

/// Where the peers' programs are.
pub fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}
