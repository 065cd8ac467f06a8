//! A child process that talks in lines of JSON: what it says is kept, and tests wait for it.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

/// A running child and the lines it has said.
pub struct Lines {
    child: Child,
    input: Option<ChildStdin>,
    said: Arc<(Mutex<Vec<Value>>, Condvar)>,
}

impl Lines {
    /// Starts `command`; lines that are not JSON are kept as texts.
    pub fn start(mut command: Command) -> Lines {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (output, input) = (child.stdout.take().unwrap(), child.stdin.take());
        let said: Arc<(Mutex<Vec<Value>>, Condvar)> = Arc::default();
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                heard.0.lock().unwrap().push(value);
                heard.1.notify_all();
            }
        });
        Lines { child, input, said }
    }

    /// Waits for the first line from `from` on that is as wanted.
    pub fn wait_from(&self, from: usize, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let (lock, news) = &*self.said;
        let find = |said: &Vec<Value>| said.iter().skip(from).find(|line| wanted(line)).cloned();
        let limit = Duration::from_secs(30);
        let (said, _) =
            news.wait_timeout_while(lock.lock().unwrap(), limit, |said| find(said).is_none()).unwrap();
        find(&said).unwrap_or_else(|| panic!("no {what}; it said {said:#?}"))
    }

    /// Waits for the first line that is as wanted.
    pub fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_from(0, what, wanted)
    }

    /// Everything said so far.
    pub fn said(&self) -> Vec<Value> {
        self.said.0.lock().unwrap().clone()
    }

    /// Says a line and waits for the next one back.
    pub fn ask(&mut self, line: &Value) -> Value {
        let from = self.said.0.lock().unwrap().len();
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
        self.wait_from(from, &format!("answer to {line}"), |_| true)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until it ended by itself.
    pub fn wait_for_end(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.kill();
    }
}
