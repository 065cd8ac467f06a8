//! A scripted phone: SIP by hand over UDP, one RTP stream, its own tone.

mod sound;

use super::SOON;
use sound::Stream;
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{net::UdpSocket, time::timeout};

static CALLS: AtomicU64 = AtomicU64::new(1);

/// One phone with at most one call.
pub(super) struct Phone {
    sip: UdpSocket,
    rtp: Arc<UdpSocket>,
    server: SocketAddr,
    id: u64,
    cseq: u32,
    /// The message that made the dialog, for its headers.
    dialog: Option<Message>,
    /// What our Contact says, where that is another address.
    named: Option<SocketAddr>,
    /// We called.
    caller: bool,
    /// Our law: payload type 0 (mu) or 8 (A).
    law: u8,
    /// We offer and accept telephone-event.
    events: bool,
    stream: Option<Stream>,
    /// The user part of our From, and further headers of our INVITE.
    from: String,
    extra: String,
}

/// A SIP message, as far as a test looks at one.
#[derive(Clone, Debug)]
pub(super) struct Message {
    text: String,
    from: SocketAddr,
}

impl Message {
    /// `INVITE` of a request, `200` of a response.
    pub(super) fn kind(&self) -> &str {
        let mut words = self.text.split(' ');
        match words.next() {
            Some("SIP/2.0") => words.next().unwrap_or_default(),
            word => word.unwrap_or_default(),
        }
    }

    pub(super) fn header(&self, name: &str) -> String {
        let prefix = format!("{name}:");
        let line = self.text.lines().find(|line| line.starts_with(&prefix));
        line.map(|line| line[prefix.len()..].trim().to_owned()).unwrap_or_default()
    }

    pub(super) fn mentions(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    pub(super) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// Where the sender wants its RTP.
    fn media(&self) -> SocketAddr {
        let value = |prefix: &str, word: usize| {
            let line = self.body().lines().find(|line| line.starts_with(prefix)).unwrap_or_default();
            line.split(' ').nth(word).unwrap_or_default().to_owned()
        };
        let port = value("m=audio", 1).parse().unwrap();
        SocketAddr::new(value("c=IN", 2).parse().unwrap(), port)
    }

    fn contact(&self) -> String {
        let contact = self.header("Contact");
        contact.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
    }
}

impl Phone {
    /// A phone at this address of ours.
    pub(super) async fn at(ip: IpAddr, server: SocketAddr) -> Phone {
        let sip = UdpSocket::bind((ip, 0)).await.unwrap();
        let rtp = Arc::new(UdpSocket::bind((ip, 0)).await.unwrap());
        let id = CALLS.fetch_add(1, Ordering::Relaxed);
        let (from, extra) = ("+15551230000".into(), String::new());
        let (cseq, dialog, named, stream, events) = (0, None, None, None, true);
        Phone { sip, rtp, server, id, cseq, dialog, named, caller: true, law: 0, events, stream, from, extra }
    }

    /// Calls as this user, with further header lines, each with its line end.
    pub(super) fn calls_as(&mut self, from: &str, extra: &str) {
        (self.from, self.extra) = (from.into(), extra.into());
    }

    /// Says in its Contact from now on that it is there.
    pub(super) fn names_itself(&mut self, address: SocketAddr) {
        self.named = Some(address);
    }

    /// Sends its sound from another address of ours than its requests.
    pub(super) async fn speaks_from(&mut self, ip: &str) {
        self.rtp = Arc::new(UdpSocket::bind((ip, 0)).await.unwrap());
    }

    /// Speaks A-law only.
    pub(super) fn speak_a_law(&mut self) {
        self.law = 8;
    }

    /// Knows nothing of telephone-event.
    pub(super) fn know_no_events(&mut self) {
        self.events = false;
    }

    pub(super) fn sip_addr(&self) -> SocketAddr {
        self.sip.local_addr().unwrap()
    }

    /// Where our audio is taken.
    pub(super) fn rtp_addr(&self) -> SocketAddr {
        self.rtp.local_addr().unwrap()
    }

    pub(super) fn sdp(&self, direction: &str) -> String {
        let (ip, port) = (self.rtp_addr().ip(), self.rtp_addr().port());
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let (event, map) = match self.events {
            true => (" 101", "a=rtpmap:101 telephone-event/8000\r\n"),
            false => ("", ""),
        };
        format!(
            "v=0\r\no=- {} {} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP {}{event}\r\n\
             {map}a={direction}\r\n",
            self.id, self.cseq, self.law
        )
    }

    async fn send(&self, to: SocketAddr, start: &str, headers: &str, body: &str) {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        self.send_body(to, start, &format!("{headers}{kind}"), body).await;
    }

    async fn send_body(&self, to: SocketAddr, start: &str, headers: &str, body: &str) {
        let text = format!("{start}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        self.sip.send_to(text.as_bytes(), to).await.unwrap();
    }

    /// The next message of one of these kinds; others are passed over.
    pub(super) async fn next(&self, kinds: &[&str]) -> Message {
        let wait = async {
            let mut buffer = vec![0; 65_535];
            loop {
                let (length, from) = self.sip.recv_from(&mut buffer).await.unwrap();
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let message = Message { text, from };
                if kinds.contains(&message.kind()) {
                    return message;
                }
            }
        };
        timeout(SOON, wait).await.unwrap_or_else(|_| panic!("none of {kinds:?} came"))
    }

    fn own_headers(&self, method: &str, number: u32) -> String {
        let us = self.sip_addr();
        let (from, to) = match (&self.dialog, self.caller) {
            (None, _) => {
                (format!("<sip:{}@{us}>;tag=t{}", self.from, self.id), "<sip:1234@engine>".to_owned())
            }
            (Some(dialog), true) => (dialog.header("From"), dialog.header("To")),
            (Some(dialog), false) => {
                (format!("{};tag=t{}", dialog.header("To"), self.id), dialog.header("From"))
            }
        };
        let call_id = match &self.dialog {
            Some(dialog) => dialog.header("Call-ID"),
            None => format!("call-{}@{us}", self.id),
        };
        format!(
            "Via: SIP/2.0/UDP {us};branch=z9hG4bK{}-{number}-{method};rport\r\nMax-Forwards: 70\r\nFrom: {from}\r\n\
             To: {to}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\nContact: <sip:phone@{us}>\r\n",
            self.id
        )
    }

    /// Sends the INVITE.
    pub(super) async fn dial(&mut self, number: &str) {
        self.dial_offering(number, &self.sdp("sendrecv")).await;
    }

    /// Sends the INVITE with this offer.
    pub(super) async fn dial_offering(&mut self, number: &str, offer: &str) {
        self.cseq += 1;
        let start = format!("INVITE sip:{number}@{} SIP/2.0", self.server);
        let headers = self.own_headers("INVITE", self.cseq) + &self.extra;
        self.send(self.server, &start, &headers, offer).await;
    }

    /// Gives up before the answer.
    pub(super) async fn cancel(&mut self) {
        let start = format!("CANCEL sip:1234@{} SIP/2.0", self.server);
        let headers = self.own_headers("INVITE", self.cseq).replace(" INVITE\r\n", " CANCEL\r\n");
        self.send(self.server, &start, &headers, "").await;
    }

    /// Calls and waits until it is answered; hums at this frequency from then on.
    pub(super) async fn call(&mut self, number: &str, hertz: f64) {
        self.dial(number).await;
        let answer = self.next(&["200"]).await;
        self.talk(answer, hertz).await;
    }

    /// Acknowledges the answer and hums.
    pub(super) async fn talk(&mut self, answer: Message, hertz: f64) {
        self.is_answered(&answer).await;
        self.hum(answer.media(), hertz);
    }

    /// Acknowledges the answer, and goes on as before.
    pub(super) async fn is_answered(&mut self, answer: &Message) {
        self.dialog = Some(answer.clone());
        self.acknowledge(answer).await;
    }

    /// Sends the ACK for a final response other than 2xx, or for a 2xx.
    pub(super) async fn acknowledge(&self, answer: &Message) {
        let target =
            if answer.kind() == "200" { answer.contact() } else { format!("sip:1234@{}", self.server) };
        let mut headers = self.own_headers("ACK", self.cseq);
        if answer.kind() != "200" {
            headers = self.own_headers("INVITE", self.cseq).replace(" INVITE\r\n", " ACK\r\n");
        }
        self.send(answer.from, &format!("ACK {target} SIP/2.0"), &headers, "").await;
    }

    /// Asks for another session (`sendonly` holds) and waits for the answer.
    pub(super) async fn reinvite(&mut self, direction: &str) -> Message {
        self.cseq += 1;
        let dialog = self.dialog.clone().unwrap();
        let start = format!("INVITE {} SIP/2.0", dialog.contact());
        self.send(dialog.from, &start, &self.own_headers("INVITE", self.cseq), &self.sdp(direction)).await;
        let answer = self.next(&["200"]).await;
        self.acknowledge(&answer).await;
        answer
    }

    /// Tells a key by INFO.
    pub(super) async fn inform(&mut self, digit: char) {
        self.cseq += 1;
        let dialog = self.dialog.clone().unwrap();
        let start = format!("INFO {} SIP/2.0", dialog.contact());
        let headers = self.own_headers("INFO", self.cseq) + "Content-Type: application/dtmf-relay\r\n";
        let body = format!("Signal={digit}\r\nDuration=160\r\n");
        self.send_body(dialog.from, &start, &headers, &body).await;
        self.next(&["200"]).await;
    }

    pub(super) async fn hang_up(&mut self) {
        self.cseq += 1;
        let dialog = self.dialog.clone().unwrap();
        let start = format!("BYE {} SIP/2.0", dialog.contact());
        self.send(dialog.from, &start, &self.own_headers("BYE", self.cseq), "").await;
        self.next(&["200"]).await;
        self.stream = None;
    }

    /// Waits until the other side hangs up, and agrees.
    pub(super) async fn hung_up(&mut self) {
        let bye = self.next(&["BYE"]).await;
        self.respond(&bye, 200, "").await;
        self.stream = None;
    }

    /// Waits for a call.
    pub(super) async fn rings(&mut self) -> Message {
        self.caller = false;
        let invite = self.next(&["INVITE"]).await;
        self.dialog = Some(invite.clone());
        invite
    }

    /// Answers a request with this code.
    pub(super) async fn respond(&self, request: &Message, code: u16, body: &str) {
        self.respond_with(request, code, "", body).await;
    }

    /// The same with these header lines.
    pub(super) async fn respond_with(&self, request: &Message, code: u16, extra: &str, body: &str) {
        let tag = format!(";tag=t{}", self.id);
        let to = request.header("To");
        let to = if to.contains("tag=") { to } else { to + &tag };
        let mut headers = String::new();
        for line in request.text.lines().take_while(|line| !line.is_empty()) {
            if ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)) {
                headers.push_str(&format!("{line}\r\n"));
            }
        }
        let us = self.named.unwrap_or_else(|| self.sip_addr());
        headers.push_str(&format!("To: {to}\r\nContact: <sip:phone@{us}>\r\n{extra}"));
        self.send(request.from, &format!("SIP/2.0 {code} Because"), &headers, body).await;
    }

    /// Answers the call and hums.
    pub(super) async fn answer(&mut self, invite: &Message, hertz: f64) {
        self.respond(invite, 200, &self.sdp("sendrecv")).await;
        self.next(&["ACK"]).await;
        self.hum(invite.media(), hertz);
    }

    /// Names its session before it answers.
    pub(super) async fn progress(&self, invite: &Message) {
        self.respond(invite, 183, &self.sdp("sendrecv")).await;
    }

    /// Hums before it answers.
    pub(super) fn hum_early(&mut self, invite: &Message, hertz: f64) {
        self.hum(invite.media(), hertz);
    }
}
