//! A store on a file, its projections, a customer's application that answers as told, and an engine that only remembers.
#![expect(clippy::disallowed_methods, reason = "tests start their own servers")]

use crate::{
    Common, DirectoryMirror, Room, Switchboard,
    http::{Guard, Http, HttpOptions, MAX_CONNECTIONS, SystemResolver},
    ledger::Ledger,
    nodes::Nodes,
    outside::tokens::Tokens,
};
use domain::{
    Actor, Clock, Kind, Meta, Sid, Tenant, Timestamp,
    account::{Account, AccountCommand},
    call::{
        Call, CallCommand, Callback, CallbackEvent, Direction, EndReason, Ending, Program, Queued, Received,
        SipDialog, Status,
    },
    trunk::Transport,
    webhook_url::Method,
};
use projections::Projections;
use sip_engine::{CallRef, NoRoom};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use store::{
    Fact, RandomIds, Store, SystemClock,
    testing::{TestStore, sqlite},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The auth token of the bench's account.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Everything a reactor needs.
pub struct Bench {
    pub store: TestStore,
    pub common: Common,
    pub tenant: Tenant,
    pub account: Sid,
}

impl Bench {
    /// A fresh one with one account.
    pub async fn new() -> Bench {
        Bench::on(sqlite().await).await
    }

    /// The same on this store.
    pub async fn on(store: TestStore) -> Bench {
        let tenant = Tenant::account(new_sid(Kind::Carrier), new_sid(Kind::Account));
        let account = tenant.account.clone().unwrap();
        let bench = Bench::over(store, tenant).await;
        let create = AccountCommand::create(bench.tenant.carrier.clone(), "A".parse().unwrap());
        bench.store.execute::<Account>(&account, create, &bench.meta()).await.unwrap();
        let (carrier, token) = (&bench.tenant.carrier, TOKEN.as_bytes());
        bench.store.vault().put(carrier, &account, "auth_token", "1", token, None).await.unwrap();
        bench
    }

    async fn over(store: TestStore, tenant: Tenant) -> Bench {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let inner: Store = (*store).clone();
        let projections = Projections::start(inner.clone(), tasks.clone(), stop.clone()).await.unwrap();
        let account = tenant.account.clone().unwrap();
        let common = Common {
            callbacks: Http::new(http_options()),
            tokens: Tokens::new(inner.clone()),
            ledger: Ledger::new(inner.db().clone()),
            clock: Arc::new(SystemClock),
            node: "here".into(),
            nodes: Nodes::join(inner.db().clone(), Arc::new(SystemClock), "bench", store::testing::token())
                .await
                .unwrap(),
            replaced: CancellationToken::new(),
            behind: Arc::new(|_| false),
            tasks,
            stop,
            projections,
            mirror: DirectoryMirror::default(),
            store: inner,
        };
        Bench { store, common, tenant, account }
    }

    /// The same store after the process ended and another began.
    pub async fn restarted(self) -> Bench {
        self.common.stop.cancel();
        self.common.tasks.close();
        self.common.tasks.wait().await;
        Bench::over(self.store.reopen().await, self.tenant).await
    }

    pub fn meta(&self) -> Meta {
        Meta::new(self.tenant.clone(), Actor::system("test"), SystemClock.now())
    }

    /// Appends facts of a call, a millisecond apart.
    pub async fn tell(&self, call: &Sid, commands: Vec<CallCommand>) {
        let mut meta = self.meta();
        let mut later = |command| {
            meta.at = meta.at.plus(Duration::from_millis(1));
            (command, meta.clone())
        };
        let commands = commands.into_iter().map(&mut later).collect();
        self.store.execute_all::<Call>(call, commands).await.unwrap();
    }

    /// Queues a call through the API.
    pub async fn queue(&self, callback: Option<Callback>) -> Sid {
        let call = new_sid(Kind::Call);
        self.tell(&call, vec![CallCommand::Queue(self.asked(callback))]).await;
        call
    }

    pub fn asked(&self, callback: Option<Callback>) -> Queued {
        Queued {
            account: self.account.clone(),
            direction: Direction::OutboundApi,
            parent: None,
            from: "+85512345678".into(),
            to: "+15551230000".into(),
            caller_id: None,
            phone_number: None,
            program: Some(Program::Inline("<Response/>".into())),
            callback,
            timeout: 60,
            time_limit: 14_400,
            send_digits: None,
        }
    }

    /// Waits until the call has so many events that the test wants, and returns its stream.
    pub async fn until(&self, call: &Sid, enough: impl Fn(&[Fact]) -> bool) -> Vec<Fact> {
        let mut committed = self.store.watch(domain::Log::Calls);
        loop {
            let stream = self.store.stream(call).await.unwrap();
            if enough(&stream) {
                return stream;
            }
            committed.changed().await.unwrap();
        }
    }
}

/// This machine may be reached.
pub fn loopback() -> Guard {
    Guard { allowed: vec!["127.0.0.0/8".parse().unwrap()], ..Guard::default() }
}

pub fn http_options() -> HttpOptions {
    HttpOptions {
        guard: loopback(),
        resolver: Arc::new(SystemResolver),
        extra_roots: vec![],
        connections: MAX_CONNECTIONS,
        ids: Arc::new(RandomIds::default()),
    }
}

pub fn new_sid(kind: Kind) -> Sid {
    store::testing::sid(kind)
}

/// A call arrives at this node.
pub fn received(node: &str) -> CallCommand {
    CallCommand::Receive(Received {
        node: node.into(),
        account: None,
        trunk: new_sid(Kind::Trunk),
        phone_number: None,
        from: "+85510000001".into(),
        to: "1234".into(),
        dialled: "1234".into(),
        sip_call_id: "x".into(),
        source: "127.0.0.1:5070".into(),
        program: None,
        callback: None,
    })
}

/// The dialog of a call with a phone there.
pub fn dialog(peer: &str) -> Box<SipDialog> {
    Box::new(SipDialog {
        call_id: "x".into(),
        local: "<sip:1234@127.0.0.1>;tag=ours".into(),
        remote: "<sip:phone@127.0.0.1>;tag=theirs".into(),
        target: format!("sip:phone@{peer}"),
        routes: vec![],
        cseq: 0,
        peer: peer.parse().unwrap(),
        transport: Transport::Udp,
        realm: None,
        via: None,
    })
}

/// The facts of a call that is placed, rings, is answered and hung up.
pub fn life() -> Vec<CallCommand> {
    let (trunk, request_uri) = (new_sid(Kind::Trunk), "sip:1@127.0.0.1".to_owned());
    vec![
        CallCommand::Claim { node: "here".into() },
        CallCommand::Initiate { trunk, request_uri, sip_call_id: "x".into() },
        CallCommand::Ring { sip_code: 180, invite: None },
        CallCommand::Ring { sip_code: 183, invite: None },
        CallCommand::Answer,
        CallCommand::End(Ending::because(EndReason::HungUp)),
    ]
}

/// One request the application got.
#[derive(Debug)]
pub struct Heard {
    pub head: String,
    pub form: Vec<(String, String)>,
}

impl Heard {
    pub fn parameter(&self, name: &str) -> &str {
        self.form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }
}

/// A customer's application: remembers what it is asked and answers 200; while `open` is false, it hangs.
pub struct Application {
    pub address: SocketAddr,
    pub heard: mpsc::UnboundedReceiver<Heard>,
    pub open: watch::Sender<bool>,
}

impl Application {
    pub async fn start() -> Application {
        Application::begin(false).await
    }

    /// One that wants a login, and remembers only what came with one.
    pub async fn locked() -> Application {
        Application::begin(true).await
    }

    async fn begin(locked: bool) -> Application {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, heard) = mpsc::unbounded_channel();
        let open = watch::Sender::new(true);
        let door = open.subscribe();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, told.clone(), door.clone(), locked));
            }
        });
        Application { address, heard, open }
    }

    /// A callback to it about these moments.
    pub fn callback(&self, events: &[CallbackEvent]) -> Option<Callback> {
        let url = format!("http://bob:secret@{}/status?x=1", self.address).parse().unwrap();
        Some(Callback { url, method: Method::Post, events: events.to_vec() })
    }

    /// The next request; fails when none comes.
    pub async fn next(&mut self) -> Heard {
        tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await.expect("a request").unwrap()
    }
}

async fn answer(
    mut stream: TcpStream,
    told: mpsc::UnboundedSender<Heard>,
    mut open: watch::Receiver<bool>,
    locked: bool,
) {
    let text = read_request(&mut stream).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    if locked && !head.contains("\r\nAuthorization: ") {
        let _ = stream.write_all(b"HTTP/1.1 401 Who\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        return;
    }
    let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let _ = told.send(Heard { head: head.to_owned(), form });
    open.wait_for(|open| *open).await.unwrap();
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
}

/// Reads one request: its head and, by Content-Length, its body.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() >= length.map_or(0, |length| length.trim().parse().unwrap()) {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return text;
        }
    }
}

/// What the engine was told.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    Placed(Sid),
    Redirected(Sid),
    Ended(Sid, Status),
    Parted(Sid, Sid, SocketAddr),
}

/// An engine that remembers its orders, and how far the directory was at the last call to place; it has no room, refuses
/// to place calls, forgets them, or has whatever it is asked for, when told so.
pub struct Recorder {
    orders: mpsc::UnboundedSender<Order>,
    mirror: DirectoryMirror,
    pub knew: AtomicI64,
    pub full: AtomicBool,
    pub freed: watch::Sender<u64>,
    pub refuses: AtomicBool,
    pub forgets: AtomicBool,
    pub holds: AtomicBool,
}

impl Recorder {
    pub fn new(mirror: DirectoryMirror) -> (Arc<Recorder>, mpsc::UnboundedReceiver<Order>) {
        let (orders, given) = mpsc::unbounded_channel();
        let (knew, full, freed, refuses, forgets, holds) = Default::default();
        (Arc::new(Recorder { orders, mirror, knew, full, freed, refuses, forgets, holds }), given)
    }
}

impl Switchboard for Recorder {
    fn is_emergency(&self, _: &Queued) -> bool {
        false
    }

    fn reserve(&self, _: &Queued) -> Result<Room, NoRoom> {
        if self.full.load(Ordering::SeqCst) { Err(NoRoom::UntilFreed) } else { Ok(Room(None)) }
    }

    fn freed(&self) -> watch::Receiver<u64> {
        self.freed.subscribe()
    }

    fn place(&self, call: CallRef, _: Queued, _: Room) -> Result<(), Ending> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(Ending::because(EndReason::Overloaded));
        }
        self.knew.store(self.mirror.position(), Ordering::SeqCst);
        self.orders.send(Order::Placed(call.sid)).unwrap();
        Ok(())
    }

    fn redirect(&self, call: &Sid, _: Program) -> bool {
        self.orders.send(Order::Redirected(call.clone())).unwrap();
        true
    }

    fn end(&self, call: &Sid, status: Status) -> bool {
        self.orders.send(Order::Ended(call.clone(), status)).unwrap();
        !self.forgets.load(Ordering::SeqCst)
    }

    fn part(&self, call: CallRef, _: Direction, trunk: &Sid, dialog: Box<SipDialog>) -> bool {
        self.orders.send(Order::Parted(call.sid, trunk.clone(), dialog.peer)).is_ok()
    }

    fn has(&self, _: &Sid) -> bool {
        self.holds.load(Ordering::SeqCst)
    }

    fn is_busy(&self) -> bool {
        self.holds.load(Ordering::SeqCst)
    }
}

/// A moment long ago, and one in the future.
pub fn past_and_future() -> (Timestamp, Timestamp) {
    (Timestamp::from_micros(0), Timestamp::from_micros(i64::MAX / 4))
}
