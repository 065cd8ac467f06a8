//! baresip as a phone: headless, steered over its control socket, recording what it hears.

use super::own_port::{self, State};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running baresip.
pub struct Baresip {
    child: Child,
    control: TcpStream,
    unread: Vec<u8>,
    folder: tempfile::TempDir,
}

impl Baresip {
    /// Starts one that says nothing (a silent file) and answers nobody. Its address is the one it chooses: one of this
    /// machine's towards the outside, when it has any.
    pub fn start() -> Baresip {
        let folder = tempfile::tempdir().unwrap();
        let start = |port| Baresip::spawn(folder.path(), port);
        let running = |child: &mut Child| match child.try_wait().unwrap() {
            None => State::Runs(child.id()),
            Some(_) => State::Failed,
        };
        let (child, port) = own_port::started(start, running, |mut child| {
            let _ = child.kill();
            let _ = child.wait();
        });
        Baresip { child, control: connect(port), unread: Vec::new(), folder }
    }

    /// One whose control socket is to be at this port.
    fn spawn(folder: &Path, port: u16) -> Child {
        let path = folder.display();
        let config = format!(
            "module_path {}\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule aubridge.so\n\
             module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{port}\n\
             audio_source aufile,{path}/silence.wav\naudio_player aubridge,nil\n\
             audio_srate 8000\naudio_channels 1\nsnd_path {path}\n",
            modules().display()
        );
        std::fs::write(folder.join("config"), config).unwrap();
        std::fs::write(folder.join("accounts"), "<sip:phone@127.0.0.1;regint=0>\n").unwrap();
        std::fs::write(folder.join("contacts"), "").unwrap();
        std::fs::write(folder.join("silence.wav"), silence(60)).unwrap();
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("baresip is installed (bin/setup test)")
    }

    /// Calls a number.
    pub fn dial(&mut self, server: SocketAddr, number: &str) {
        self.command("dial", &format!("sip:{number}@{server}"));
    }

    /// Presses a key (RFC 4733).
    pub fn press(&mut self, key: char) {
        self.command("sndcode", &key.to_string());
    }

    /// Waits for an event of this type, for example `CALL_ESTABLISHED`.
    pub fn wait_for(&mut self, kind: &str) {
        while self.message(kind)["type"] != kind {}
    }

    /// Everything it heard so far, 8 kHz.
    pub fn heard(&self) -> Vec<i16> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().flatten().map(|file| file.path());
        let dump = files.filter(|file| file.to_string_lossy().ends_with("-dec.wav")).max();
        let bytes = std::fs::read(dump.expect("baresip records what it hears")).unwrap();
        bytes[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }

    fn command(&mut self, command: &str, parameters: &str) {
        let message = json!({ "command": command, "params": parameters }).to_string();
        write!(self.control, "{}:{message},", message.len()).unwrap();
    }

    /// The next netstring of the control socket.
    fn message(&mut self, awaited: &str) -> Value {
        let mut buffer = [0; 4_096];
        loop {
            if let Some((value, rest)) = netstring(&self.unread) {
                self.unread = rest;
                return value;
            }
            let length = self.control.read(&mut buffer).unwrap_or(0);
            assert!(length > 0, "baresip never said {awaited}");
            self.unread.extend_from_slice(&buffer[..length]);
        }
    }
}

fn netstring(bytes: &[u8]) -> Option<(Value, Vec<u8>)> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let body = bytes.get(colon + 1..colon + 1 + length)?;
    Some((serde_json::from_slice(body).unwrap_or_default(), bytes.get(colon + length + 2..)?.to_vec()))
}

fn connect(port: u16) -> TcpStream {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                return stream;
            }
            Err(error) => assert!(Instant::now() < limit, "baresip does not listen: {error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn modules() -> PathBuf {
    let places = [
        "/usr/lib/baresip/modules",
        "/usr/lib/x86_64-linux-gnu/baresip/modules",
        "/usr/lib/aarch64-linux-gnu/baresip/modules",
    ];
    places.iter().map(PathBuf::from).find(|place| place.exists()).expect("baresip's modules are installed")
}

/// A WAV file of so many seconds of silence: 8 kHz, 16 bit, mono.
fn silence(seconds: u32) -> Vec<u8> {
    let length = seconds * 16_000;
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend_from_slice(&length.to_le_bytes());
    file.resize(44 + length as usize, 0);
    file
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
