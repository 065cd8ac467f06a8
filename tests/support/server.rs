//! A whole Trunkline: the real binary with the demo carrier, on free ports, in a folder of its own, on either store.

use super::lines::Lines;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// Which database it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// A file in its folder.
    Sqlite,
    /// A fresh database of the cluster `bin/test` started.
    Postgres,
}

/// A running server.
pub struct Server {
    /// The process.
    pub process: Lines,
    /// Its data directory.
    pub data: PathBuf,
    /// What opens it.
    pub demo: Value,
    database_url: String,
    settings: Vec<String>,
    under: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts one with the demo carrier.
    pub fn start(on: On) -> Server {
        Server::start_set(on, &[])
    }

    /// Starts one with the demo carrier and these settings: flags and their values.
    pub fn start_set(on: On, settings: &[&str]) -> Server {
        let database_url = match on {
            On::Sqlite => String::new(),
            On::Postgres => fresh_database(),
        };
        Server::start_with(tempfile::tempdir().unwrap(), &database_url, settings)
    }

    /// Starts one in this folder, on the database at this address (empty for SQLite), with these settings besides.
    pub fn start_with(folder: tempfile::TempDir, database_url: &str, settings: &[&str]) -> Server {
        Server::start_in(folder, &[], database_url, settings)
    }

    /// Starts one as the last argument of this command, which becomes it: `env A=b`, `prlimit --nofile=1024:1024`.
    pub fn start_under(under: &[String], database_url: &str, settings: &[&str]) -> Server {
        Server::start_in(tempfile::tempdir().unwrap(), under, database_url, settings)
    }

    fn start_in(
        folder: tempfile::TempDir,
        under: &[String],
        database_url: &str,
        settings: &[&str],
    ) -> Server {
        let (data, database_url) = (folder.path().join("data"), database_url.to_owned());
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let process = serve(under, &data, &database_url, &settings);
        let demo = ready(&process, &data);
        Server { process, data, demo, database_url, settings, under: under.to_vec(), _folder: folder }
    }

    /// `/readyz`: whether it is ready, and what it says.
    pub fn readiness(&self) -> (bool, Value) {
        let url = format!("{}/readyz", self.text("http_url"));
        let output = Command::new("curl").args(["-s", "-w", "\n%{http_code}", &url]).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let (body, status) = output.rsplit_once('\n').unwrap();
        (status == "200", serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Waits until `/readyz` says so, and returns what it says then.
    pub fn wait_until_ready(&self, ready: bool) -> Value {
        let limit = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let (is, said) = self.readiness();
            if is == ready {
                return said;
            }
            assert!(std::time::Instant::now() < limit, "readyz stays {is}: {said}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    /// Another node on the same database, with a data directory of its own; `name` is the file `node` it begins with.
    pub fn beside(&self, name: Option<&str>) -> Result<Server, String> {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        for file in ["vault.key", "demo.json"] {
            std::fs::copy(self.data.join(file), data.join(file)).unwrap();
        }
        if let Some(name) = name {
            std::fs::write(data.join("node"), name).unwrap();
            let mut command = command(&[], &data, &self.database_url);
            command.args(["--http.listen", "127.0.0.1:0", "--sip.listen", "127.0.0.1:0", "serve"]);
            let output = command.output().unwrap();
            return Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned());
        }
        Ok(Server::start_with(folder, &self.database_url, &[]))
    }

    /// What a start on this data says that is refused; it is stopped when it is not.
    pub fn refused_start(&self) -> String {
        let mut start = Command::new("timeout");
        start.args(["60", env!("CARGO_BIN_EXE_trunkline"), "--data_dir"]).arg(&self.data);
        start.args(["--database_url", &self.database_url, "--http.listen", "127.0.0.1:0"]);
        let output = start.args(["--sip.listen", "127.0.0.1:0", "serve"]).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        text
    }

    /// Starts it again on the same data, after it was stopped.
    pub fn start_again(&mut self) {
        self.process = serve(&self.under, &self.data, &self.database_url, &self.settings);
        self.demo = ready(&self.process, &self.data);
    }

    /// From now on it is started on this database.
    pub fn moves_to(&mut self, database_url: String) {
        self.database_url = database_url;
    }

    /// What `/metrics` says.
    pub fn metrics(&self) -> String {
        let url = format!("{}/metrics", self.text("http_url"));
        let output = Command::new("curl").args(["-s", &url]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says of this.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.metrics();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// Sends the process a signal.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it as `kill -9` does and starts it again on the same data.
    pub fn kill_and_restart(&mut self) {
        self.process.kill();
        self.start_again();
    }

    /// Stops it as an operator does (SIGTERM) and waits for its end.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let status = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(status.success());
        self.process.wait_for_end()
    }

    /// Where to call.
    pub fn sip(&self) -> SocketAddr {
        self.text("sip_address").parse().unwrap()
    }

    /// A text of `demo.json`.
    pub fn text(&self, name: &str) -> &str {
        self.demo[name].as_str().unwrap_or_else(|| panic!("demo.json has {name}"))
    }

    /// Runs another command of the binary on the same data, started as the server was, and returns exit status and all it
    /// printed.
    pub fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = command(&self.under, &self.data, &self.database_url).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Asks the Carrier API.
    pub fn carrier_api(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        carrier_api(self.text("http_url"), self.text("carrier_api_key"), method, path, body)
    }

    /// Asks the Carrier API for something that must be there.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.carrier_api("GET", path, None);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Points a number of the demo at an application.
    pub fn configure(&self, number: &str, voice: Value) {
        let numbers = self.get("/phone-numbers");
        let found = numbers["data"].as_array().unwrap().iter().find(|found| found["number"] == number);
        let sid = found.expect("the number is there")["sid"].as_str().unwrap();
        let patch = json!({ "voice": voice });
        let (status, body) = self.carrier_api("PATCH", &format!("/phone-numbers/{sid}"), Some(patch));
        assert_eq!(status, 200, "{body}");
    }

    /// Sends the demo's outbound calls to a phone on this port.
    pub fn call_out_to(&self, port: u16) {
        let outbound = json!({ "host": format!("127.0.0.1:{port}"), "transport": "udp" });
        self.change_trunk(json!({ "outbound": outbound }));
    }

    /// Changes the demo's trunk.
    pub fn change_trunk(&self, patch: Value) {
        let (status, body) = self.carrier_api("PATCH", &self.trunk(), Some(patch));
        assert_eq!(status, 200, "{body}");
    }

    /// Where the Carrier API has the demo's trunk: the oldest one.
    pub fn trunk(&self) -> String {
        let trunks = self.get("/trunks");
        let oldest = trunks["data"].as_array().unwrap().last().expect("the demo has a trunk");
        format!("/trunks/{}", oldest["sid"].as_str().unwrap())
    }

    /// Waits until the newest call that `wanted` picks is as it says, by asking the API again and again.
    pub fn wait_for_call(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let limit = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let calls = self.get("/calls");
            if let Some(call) = calls["data"].as_array().unwrap().iter().find(|call| wanted(call)) {
                return call.clone();
            }
            assert!(std::time::Instant::now() < limit, "no {what} among {calls:#}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// The event types on a call's timeline, in order.
    pub fn timeline(&self, call: &str) -> Vec<String> {
        let rows = self.get(&format!("/calls/{call}/timeline?limit=500"));
        let types = rows["data"].as_array().unwrap().iter();
        types.map(|row| row["event_type"].as_str().unwrap().to_owned()).collect()
    }
}

/// Asks the Carrier API at this address with this key.
pub(super) fn carrier_api(
    url: &str,
    key: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let mut command = Command::new("curl");
    command.args(["-s", "-X", method, "-w", "\n%{http_code}", "-H", "Content-Type: application/json"]);
    command.args(["-H", &format!("Authorization: Bearer {key}")]);
    if let Some(body) = body {
        command.args(["-d", &body.to_string()]);
    }
    let output = command.arg(format!("{url}/carrier/v1{path}")).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let (body, status) = output.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Starts a process without the demo on this database, whose master key this is.
pub fn empty(data: &Path, key: &[u8; 32], database_url: &str) -> Lines {
    std::fs::create_dir_all(data).unwrap();
    std::fs::write(data.join("vault.key"), key).unwrap();
    std::fs::set_permissions(data.join("vault.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = command(&[], data, database_url);
    command.args(["--http.listen", "127.0.0.1:0", "--sip.listen", "127.0.0.1:0"]);
    command.args(["--log.filter", "warn", "serve"]);
    Lines::start(command)
}

/// Waits until a process says that it is ready.
pub fn is_ready(process: &Lines) {
    process
        .wait("line that says it is ready", |line| line.as_str().is_some_and(|line| line.contains("ready")));
}

fn serve(under: &[String], data: &Path, database_url: &str, settings: &[String]) -> Lines {
    let mut command = command(under, data, database_url);
    command.args(settings).args(["--http.listen", "127.0.0.1:0"]);
    if !settings.iter().any(|setting| setting == "--sip.listen") {
        command.args(["--sip.listen", "127.0.0.1:0"]);
    }
    // A flag would have the last word over a file.
    if !settings.iter().any(|setting| setting == "--config") {
        command.args(["--log.filter", "warn"]);
    }
    command.args(["serve", "--demo"]);
    Lines::start(command)
}

fn command(under: &[String], data: &Path, database_url: &str) -> Command {
    let words = under.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_trunkline")]);
    let words: Vec<&str> = words.collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command.arg("--data_dir").arg(data).args(["--database_url", database_url]);
    command
}

fn ready(process: &Lines, data: &Path) -> Value {
    is_ready(process);
    serde_json::from_slice(&std::fs::read(data.join("demo.json")).unwrap()).unwrap()
}

/// A new database in the cluster of `TEST_DATABASE_URL`, or of one this process starts.
pub fn fresh_database() -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(store::testing::postgres())
}
