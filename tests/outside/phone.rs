//! A phone scripted line by line, for what SIPp's scenarios are too stiff for: it calls, is told, answers and hangs up as
//! the test says, over UDP, and keeps every message it got.

use crate::support::rtp::Ear;
use std::{
    cell::Cell,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// What a test waits for at most.
const SOON: Duration = Duration::from_secs(30);

/// A message, as it came.
#[derive(Clone, Debug)]
pub struct Message(pub String);

impl Message {
    /// The status of a response, or the method of a request.
    pub fn kind(&self) -> &str {
        let mut words = self.0.split([' ', '\r']);
        match words.next() {
            Some("SIP/2.0") => words.next().unwrap_or_default(),
            method => method.unwrap_or_default(),
        }
    }

    /// The value of a header's first line.
    pub fn header(&self, name: &str) -> &str {
        let line = self.0.lines().take_while(|line| !line.is_empty()).find(|line| {
            line.split_once(':').is_some_and(|(known, _)| known.trim().eq_ignore_ascii_case(name))
        });
        line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }
}

/// A call of the phone's.
#[derive(Clone, Debug)]
struct Call {
    id: u32,
    caller: String,
    number: String,
}

/// The phone.
pub struct Phone {
    socket: UdpSocket,
    /// Where the last message came from: a server that was started again may be elsewhere.
    server: Cell<SocketAddr>,
    call: Option<Call>,
    answer: Option<Message>,
    /// Header lines its INVITE has beside the usual ones.
    extras: String,
    /// The CSeq of its last request.
    cseq: Cell<u32>,
    ear: Option<Ear>,
    /// Whether it takes keys as events (RFC 4733).
    events: bool,
    /// What it says instead of where it is.
    offer: Option<String>,
}

impl Phone {
    /// A phone that calls `server`, or is called by it.
    pub fn of(server: SocketAddr) -> Phone {
        let here = if server.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        Phone::at(here, server)
    }

    /// The same at another address of this machine.
    pub fn at(here: IpAddr, server: SocketAddr) -> Phone {
        let socket = UdpSocket::bind((here, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        Phone {
            socket,
            server: Cell::new(server),
            call: None,
            answer: None,
            extras: String::new(),
            cseq: Cell::new(1),
            ear: None,
            events: false,
            offer: None,
        }
    }

    /// It says this, whatever it is.
    pub fn offering(self, offer: &str) -> Phone {
        Phone { offer: Some(offer.to_owned()), ..self }
    }

    /// It hears, and is heard.
    pub fn hearing(self) -> Phone {
        Phone { ear: Some(Ear::open()), ..self }
    }

    /// It takes keys as events, and presses them so.
    pub fn with_events(self) -> Phone {
        Phone { events: true, ..self }
    }

    /// What it hears, and says.
    pub fn ear(&self) -> &Ear {
        self.ear.as_ref().expect("it hears")
    }

    /// Its INVITE says this as well: header lines with their line ends.
    pub fn demanding(self, extras: &str) -> Phone {
        Phone { extras: extras.to_owned(), ..self }
    }

    /// Where it can be called.
    pub fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    /// Calls a number.
    pub fn calls(&mut self, caller: &str, number: &str) {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.call = Some(Call { id, caller: caller.to_owned(), number: number.to_owned() });
        let body = self.description();
        self.send("INVITE", "1 INVITE", &body);
    }

    /// Waits for the final answer, and acknowledges it.
    pub fn is_answered(&mut self) -> String {
        self.is_answered_so().kind().to_owned()
    }

    /// The same, with the whole answer.
    pub fn is_answered_so(&mut self) -> Message {
        let answer = self.waits_for("a final answer", |message| {
            message.kind().starts_with(['2', '3', '4', '5', '6'])
                && message.header("CSeq").ends_with("INVITE")
        });
        self.answer = Some(answer.clone());
        self.send("ACK", "1 ACK", "");
        answer
    }

    /// Hangs up.
    pub fn hangs_up(&self) {
        let sequence = self.next("BYE");
        self.send("BYE", &sequence, "");
        self.waits_for("the end of its BYE", |message| message.header("CSeq") == sequence);
    }

    /// Acknowledges a provisional answer to its call (RFC 3262), and waits until that is taken.
    pub fn acknowledges(&mut self, provisional: &Message) {
        self.answer = Some(provisional.clone());
        let (sequence, extras) = (self.next("PRACK"), std::mem::take(&mut self.extras));
        self.extras = format!("RAck: {} 1 INVITE\r\n", provisional.header("RSeq"));
        self.send("PRACK", &sequence, "");
        self.extras = extras;
        let taken = self.waits_for("an answer to its PRACK", |message| message.header("CSeq") == sequence);
        assert_eq!(taken.kind(), "200", "{}", taken.0);
    }

    fn next(&self, method: &str) -> String {
        self.cseq.set(self.cseq.get() + 1);
        format!("{} {method}", self.cseq.get())
    }

    /// Presses a key in a message of its call.
    pub fn informs(&self, key: char) {
        let sequence = self.next("INFO");
        self.send("INFO", &sequence, &format!("Signal={key}\r\nDuration=160\r\n"));
        let taken = self.waits_for("an answer to its INFO", |message| message.header("CSeq") == sequence);
        assert_eq!(taken.kind(), "200", "{}", taken.0);
    }

    /// Waits to be hung up on.
    pub fn is_hung_up_on(&self) {
        let bye = self.waits_for("a BYE", |message| message.kind() == "BYE");
        self.responds(&bye, 200, "");
    }

    /// Waits to be called.
    pub fn is_called(&self) -> Message {
        self.waits_for("an INVITE", |message| message.kind() == "INVITE")
    }

    /// Answers a call it got: a final answer waits until it is acknowledged, 183 and 200 say where it is heard.
    pub fn answers(&self, invite: &Message, code: u16) {
        let told = match code {
            183 | 200 => self.description(),
            _ => String::new(),
        };
        self.responds(invite, code, &told);
        if code >= 200 {
            self.waits_for("an ACK", |message| message.kind() == "ACK");
        }
    }

    /// Answers with these header lines and where it is heard, whatever is asked: an INVITE, or a change of its session.
    pub fn answers_so(&self, request: &Message, code: u16, headers: &str) {
        self.responds_so(request, code, headers, &self.description());
        if code >= 200 && request.kind() == "INVITE" {
            self.waits_for("an ACK", |message| message.kind() == "ACK");
        }
    }

    /// Waits for a provisional answer to its call.
    pub fn hears_of(&self, code: &str) -> Message {
        self.waits_for(code, |message| message.kind() == code)
    }

    /// Waits for a request inside its call.
    pub fn is_told(&self, method: &str) -> Message {
        self.waits_for(method, |message| message.kind() == method)
    }

    /// Takes a request inside its call.
    pub fn agrees(&self, request: &Message, headers: &str) {
        self.responds_so(request, 200, headers, "");
    }

    /// Says these very bytes, and waits for nothing.
    pub fn says_in_vain(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.server.get()).unwrap();
    }

    /// Says these very bytes, and waits for what is answered.
    pub fn says(&self, text: &str) -> Message {
        self.says_in_vain(text);
        self.waits_for("an answer", |message| message.0.starts_with("SIP/2.0"))
    }

    /// Where it is.
    fn description(&self) -> String {
        let here = self.socket.local_addr().unwrap().ip();
        self.offer.clone().unwrap_or_else(|| self.described("0", here))
    }

    /// How it says that it is at this address and takes sound of these types. Nobody listens at the discard port: what is
    /// said to a phone that does not hear is lost.
    pub fn described(&self, sounds: &str, here: IpAddr) -> String {
        let (family, port) = (if here.is_ipv4() { 4 } else { 6 }, self.ear.as_ref().map_or(9, Ear::port));
        let events = if self.events { " 101\r\na=rtpmap:101 telephone-event/8000" } else { "" };
        format!(
            "v=0\r\no=phone 1 1 IN IP{family} {here}\r\ns=-\r\nc=IN IP{family} {here}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {sounds}{events}\r\n"
        )
    }

    /// Whether anybody called so far; waits for nothing.
    pub fn was_called(&self) -> bool {
        let mut buffer = [0; 65_536];
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            if buffer[..length].starts_with(b"INVITE") {
                return true;
            }
        }
        false
    }

    fn waits_for(&self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        let (limit, mut buffer, mut seen) = (Instant::now() + SOON, [0; 65_536], Vec::new());
        while Instant::now() < limit {
            let Ok((length, source)) = self.socket.recv_from(&mut buffer) else { continue };
            self.server.set(source);
            let message = Message(String::from_utf8_lossy(&buffer[..length]).into_owned());
            if wanted(&message) {
                return message;
            }
            seen.push(message.kind().to_owned());
        }
        panic!("{what} did not come, but {seen:?}");
    }

    fn responds(&self, request: &Message, code: u16, body: &str) {
        self.responds_so(request, code, "", body);
    }

    fn responds_so(&self, request: &Message, code: u16, extras: &str, body: &str) {
        let headers = request.0.lines().skip(1).take_while(|line| !line.is_empty());
        let copied = ["via", "from", "to", "call-id", "cseq", "record-route"];
        let mut lines: Vec<String> = headers
            .filter(|line| {
                let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
                copied.contains(&name.as_str())
            })
            .map(str::to_owned)
            .collect();
        for line in &mut lines {
            if line.to_ascii_lowercase().starts_with("to:") && !line.contains("tag=") {
                line.push_str(";tag=called");
            }
        }
        let here = self.socket.local_addr().unwrap();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "SIP/2.0 {code} So\r\n{}\r\nContact: <sip:phone@{here}>\r\n{extras}{kind}Content-Length: {}\r\n\r\n{body}",
            lines.join("\r\n"),
            body.len()
        );
        self.socket.send_to(text.as_bytes(), self.server.get()).unwrap();
    }

    fn send(&self, method: &str, sequence: &str, body: &str) {
        let Call { id, caller, number } = self.call.clone().expect("it called");
        let (here, there) = (self.socket.local_addr().unwrap(), self.server.get());
        let to = match &self.answer {
            Some(answer) => answer.header("To").to_owned(),
            None => format!("<sip:{number}@{there}>"),
        };
        let contact = self.answer.as_ref().map(|answer| answer.header("Contact").trim_matches(['<', '>']));
        let target =
            contact.filter(|uri| !uri.is_empty()).map_or(format!("sip:{number}@{there}"), str::to_owned);
        let target = target.split('>').next().unwrap_or_default().to_owned();
        // Who acknowledges a refusal stays in the transaction it ends (RFC 3261 17.1.1.3).
        let refused = self.answer.as_ref().is_some_and(|answer| !answer.kind().starts_with('2'));
        let branch =
            if method == "ACK" && refused { "1INVITE".to_owned() } else { sequence.replace(' ', "") };
        let extras = if method == "INVITE" || method == "PRACK" { self.extras.as_str() } else { "" };
        let kind = match method {
            _ if body.is_empty() => "",
            "INFO" => "Content-Type: application/dtmf-relay\r\n",
            _ => "Content-Type: application/sdp\r\n",
        };
        let text = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{id}{branch};rport\r\n\
             From: <sip:{caller}@{here}>;tag=phone{id}\r\nTo: {to}\r\nCall-ID: {id}-{}@phone\r\n\
             CSeq: {sequence}\r\nContact: <sip:{caller}@{here}>\r\nMax-Forwards: 70\r\n{extras}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            here.port(),
            body.len()
        );
        self.socket.send_to(text.as_bytes(), there).unwrap();
    }
}
