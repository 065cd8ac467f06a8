//! The release binary with the demo carrier, for a benchmark to load, and the smallest application behind it.

use crate::running::Running;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
};

/// A running server.
pub struct Server {
    process: Running,
    demo: Value,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts it on free ports and an empty SQLite store; returns when it is ready.
    pub fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut command = Command::new(env!("CARGO_BIN_EXE_trunkline"));
        command.arg("--data_dir").arg(&data).args([
            "--http.listen",
            "127.0.0.1:0",
            "--sip.listen",
            "127.0.0.1:0",
        ]);
        command.args(["--log.filter", "error", "serve", "--demo"]).stdout(Stdio::piped());
        let mut process = Running::start(&mut command);
        let mut lines = BufReader::new(process.child.stdout.take().unwrap()).lines().map_while(Result::ok);
        lines.find(|line| line.contains("ready")).expect("it gets ready");
        let demo = serde_json::from_slice(&std::fs::read(data.join("demo.json")).unwrap()).unwrap();
        Server { process, demo, _folder: folder }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// A text of `demo.json`.
    pub fn text(&self, name: &str) -> &str {
        self.demo[name].as_str().unwrap()
    }

    /// Points 1234 at an application that answers and waits, so that the caller's BYE ends the call.
    pub fn answer_and_wait(&self) {
        let application = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", application.local_addr().unwrap());
        std::thread::spawn(move || application.incoming().flatten().for_each(answer));
        let numbers = self.api("GET", "/phone-numbers", None);
        let number =
            numbers["data"].as_array().unwrap().iter().find(|number| number["number"] == "1234").unwrap();
        let path = format!("/phone-numbers/{}", number["sid"].as_str().unwrap());
        self.api("PATCH", &path, Some(json!({ "voice": { "voice_url": url } })));
    }

    /// Asks the Carrier API.
    pub fn api(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let key = format!("Authorization: Bearer {}", self.text("carrier_api_key"));
        let url = format!("{}/carrier/v1{path}", self.text("http_url"));
        let mut command = Command::new("curl");
        command.args(["-sf", "-X", method, "-H", &key, "-H", "Content-Type: application/json", &url]);
        if let Some(body) = body {
            command.args(["-d", &body.to_string()]);
        }
        serde_json::from_slice(&command.output().unwrap().stdout).expect("the Carrier API answers")
    }
}

/// Every request on a connection gets the same document.
fn answer(stream: TcpStream) {
    std::thread::spawn(move || {
        // Not a pause: as the first verb it would put the answer off.
        let document = "<Response><Gather timeout=\"60\"/></Response>";
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            document.len()
        );
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        while take_request(&mut reader).is_some() {
            if writer.write_all(format!("{head}{document}").as_bytes()).is_err() {
                return;
            }
        }
    });
}

/// Reads one request with its body; nothing when the connection is closed.
fn take_request(reader: &mut BufReader<TcpStream>) -> Option<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()
}
