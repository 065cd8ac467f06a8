//! A customer's web server in the test's hands: it answers what the test says, and keeps what it was asked as it came.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

/// A request as it was on the wire.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The header lines, their names as they were written.
    pub headers: Vec<(String, String)>,
    /// Of query and body.
    pub parameters: HashMap<String, String>,
}

/// What is at a path.
#[derive(Clone)]
struct Page {
    kind: String,
    body: Vec<u8>,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    asked: Vec<Asked>,
}

/// The server; it lives as long as the test.
pub struct Web {
    state: Arc<(Mutex<State>, Condvar)>,
    /// `http://127.0.0.1:port`
    pub url: String,
}

impl Web {
    /// Starts one that answers 404 to everything.
    pub fn start() -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Web { state, url }
    }

    /// From now on this path answers with this TwiML, without its root.
    pub fn says(&self, path: &str, twiml: &str) {
        self.serves(path, "text/xml", format!("<Response>{twiml}</Response>").as_bytes());
    }

    /// From now on this path answers with this, of this type.
    pub fn serves(&self, path: &str, kind: &str, body: &[u8]) {
        let page = Page { kind: kind.to_owned(), body: body.to_vec() };
        self.state.0.lock().unwrap().pages.insert(path.to_owned(), page);
    }

    /// Waits for a request to this path that is as wanted.
    pub fn asked(&self, path: &str, wanted: impl Fn(&Asked) -> bool) -> Asked {
        let (lock, news) = &*self.state;
        let find = |state: &State| {
            let to_path = |asked: &&Asked| asked.target.split('?').next() == Some(path) && wanted(asked);
            state.asked.iter().find(to_path).cloned()
        };
        let limit = Duration::from_secs(30);
        let state = lock.lock().unwrap();
        let (state, _) = news.wait_timeout_while(state, limit, |state| find(state).is_none()).unwrap();
        find(&state).unwrap_or_else(|| panic!("{path} was not asked as wanted: {:#?}", state.asked))
    }

    /// How often this path was asked so far.
    pub fn times(&self, path: &str) -> usize {
        let state = self.state.0.lock().unwrap();
        state.asked.iter().filter(|asked| asked.target.split('?').next() == Some(path)).count()
    }
}

fn serve(mut stream: TcpStream, shared: &(Mutex<State>, Condvar)) {
    let Ok(reading) = stream.try_clone() else { return };
    let mut reader = BufReader::new(reading);
    while let Some(asked) = read(&mut reader) {
        let path = asked.target.split('?').next().unwrap_or_default().to_owned();
        let page = {
            let mut state = shared.0.lock().unwrap();
            state.asked.push(asked);
            state.pages.get(&path).cloned()
        };
        shared.1.notify_all();
        let nothing = || Page { kind: "text/xml".into(), body: Vec::new() };
        let status = if page.is_some() { "200 OK" } else { "404 Not Found" };
        let Page { kind, body } = page.unwrap_or_else(nothing);
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        if stream.write_all(&[head.into_bytes(), body].concat()).is_err() {
            return;
        }
    }
}

/// One request; `None` when the client has gone.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let line = |reader: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        let read = reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let first = line(reader)?;
    let (method, rest) = first.split_once(' ')?;
    let target = rest.rsplit_once(' ')?.0.to_owned();
    let mut headers = Vec::new();
    loop {
        let header = line(reader)?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let query = target.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    let pairs = [query.into_bytes(), body].into_iter().flat_map(|text| {
        url::form_urlencoded::parse(&text)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect::<Vec<_>>()
    });
    Some(Asked { method: method.to_owned(), parameters: pairs.collect(), target, headers })
}
