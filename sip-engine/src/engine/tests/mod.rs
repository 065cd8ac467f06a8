//! The engine for real: sockets on loopback, a scripted phone, tones that tell who hears whom.
#![expect(clippy::disallowed_methods, reason = "tests tell the time and start their phones themselves")]

mod calls;
mod carriers;
mod dialling;
mod failover;
mod families;
mod farewell;
mod flood;
mod help;
mod identity;
mod inside;
mod journal;
mod keys;
mod limits;
mod outbound;
mod outside;
mod phone;
mod shares;
pub(super) mod sound;

use super::{EngineConfig, EngineHandle, Names, NoRoom, Server, start::Engine};
use crate::routing::{AccountEntry, Directory, NumberEntry, TrunkEntry};
use arc_swap::ArcSwap;
use domain::{
    Clock, Ids, Kind, Sid, Tenant, Timestamp,
    call::Queued,
    limits::Limits,
    phone_number::VoiceConfiguration,
    route::SourceClaims,
    trunk::{Inbound, Outbound},
};
use outside::Memory;
use phone::Phone;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU16, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What a test waits for at most.
const SOON: Duration = Duration::from_secs(20);
/// Where the application of 1234 is.
const VOICE: &str = "https://app.example/voice";

/// The wall clock, which somebody may set, beside what has passed.
struct WallClock {
    set_by_s: AtomicI64,
    began: std::time::Instant,
}

impl WallClock {
    fn right() -> Arc<WallClock> {
        Arc::new(WallClock { set_by_s: AtomicI64::new(0), began: std::time::Instant::now() })
    }
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let micros = i64::try_from(since.as_micros()).unwrap();
        Timestamp::from_micros(micros + self.set_by_s.load(Ordering::Relaxed) * 1_000_000)
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Unique within the process, which is all a test needs; and a defect that can be switched on.
struct Numbers(AtomicU64, AtomicBool);

impl Numbers {
    /// From now on a call that needs an identifier panics.
    fn break_down(&self) {
        self.1.store(true, Ordering::Relaxed);
    }
}

impl Ids for Numbers {
    fn uuid(&self) -> uuid::Uuid {
        assert!(!self.1.load(Ordering::Relaxed), "asked to panic");
        uuid::Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }

    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        bytes.iter_mut().zip(number.to_be_bytes().into_iter().cycle()).for_each(|(to, from)| *to = from);
    }
}

/// The SRV records there are; no host has an address.
#[derive(Default)]
struct Records(std::sync::Mutex<std::collections::HashMap<String, Vec<Server>>>);

#[async_trait::async_trait]
impl Names for Records {
    async fn servers(&self, service: &str) -> std::io::Result<Vec<Server>> {
        Ok(self.0.lock().unwrap().get(service).cloned().unwrap_or_default())
    }

    async fn addresses(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Err(std::io::Error::other("no such host"))
    }
}

fn sid(kind: Kind, number: u128) -> Sid {
    Sid::from_uuid(kind, uuid::Uuid::from_u128(number))
}

fn tenant() -> Tenant {
    Tenant::account(sid(Kind::Carrier, 1), sid(Kind::Account, 1))
}

/// An engine, its outside, and one party that answers on the outbound trunk.
struct Stage {
    engine: EngineHandle,
    outside: Arc<Memory>,
    ids: Arc<Numbers>,
    names: Arc<Records>,
    directory: Arc<ArcSwap<Directory>>,
    clock: Arc<WallClock>,
    /// The port of what lies inside our own network.
    inside: Arc<AtomicU16>,
    /// Where calls to any number arrive.
    callee: Phone,
}

/// The one machine we are on.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What a directory is made of: a trunk for each host, one number, one account.
struct Network {
    trunks: Vec<TrunkEntry>,
    numbers: Vec<NumberEntry>,
    accounts: Vec<AccountEntry>,
}

impl Network {
    /// The trunk at our address alone, and a second one at this address; and a second account whose number 5678 is.
    fn and_another(mut self, source: IpAddr) -> Network {
        self.trunks[0].inbound = Some(Inbound { sources: vec![HERE.into()], ..Inbound::default() });
        self.and_of(1, source, "5678")
    }

    /// One more trunk of this carrier's, at this address, and an account whose number this is.
    fn and_of(mut self, carrier: u128, source: IpAddr, number: &str) -> Network {
        let nth = u128::try_from(self.accounts.len()).unwrap() + 1;
        let (sid_of, carrier) = (|kind| sid(kind, nth), sid(Kind::Carrier, carrier));
        let inbound = Some(Inbound { sources: vec![source.into()], ..Inbound::default() });
        let trunk = TrunkEntry {
            sid: sid_of(Kind::Trunk),
            carrier: carrier.clone(),
            inbound,
            outbound: None,
            ..self.trunks[0].clone()
        };
        let account =
            AccountEntry { sid: sid_of(Kind::Account), carrier: carrier.clone(), ..self.accounts[0].clone() };
        let number = NumberEntry {
            sid: sid_of(Kind::PhoneNumber),
            carrier,
            number: number.parse().unwrap(),
            account: Some(account.sid.clone()),
            ..self.numbers[0].clone()
        };
        self.trunks.push(trunk);
        self.numbers.push(number);
        self.accounts.push(account);
        self
    }

    fn directory(self) -> Directory {
        Directory::new(self.trunks, self.numbers, self.accounts)
    }
}

fn directory(hosts: &[String]) -> Directory {
    network(hosts).directory()
}

fn directory_of(trunks: Vec<TrunkEntry>) -> Directory {
    network_of(trunks).directory()
}

fn network(hosts: &[String]) -> Network {
    network_of(hosts.iter().zip(1..).map(|(host, number)| trunk(host, number)).collect())
}

fn network_of(trunks: Vec<TrunkEntry>) -> Network {
    let voice =
        VoiceConfiguration { voice_url: Some(VOICE.parse().unwrap()), ..VoiceConfiguration::default() };
    let (account, number) = (Some(sid(Kind::Account, 1)), "1234".parse().unwrap());
    let carrier = sid(Kind::Carrier, 1);
    let number = NumberEntry {
        sid: sid(Kind::PhoneNumber, 1),
        carrier: carrier.clone(),
        number,
        account,
        enabled: true,
        voice,
        claims: Default::default(),
    };
    let account = AccountEntry {
        sid: sid(Kind::Account, 1),
        carrier,
        enabled: true,
        country: "KH".parse().ok(),
        limits: Limits::default(),
    };
    Network { trunks, numbers: vec![number], accounts: vec![account] }
}

/// One that takes calls from this machine, if it is the first, and places them at this host.
fn trunk(host: &str, number: u128) -> TrunkEntry {
    let sources = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap()).to_vec();
    let claims = SourceClaims::default().configured(&sources, false, 1);
    let inbound = Inbound { sources, ..Inbound::default() };
    TrunkEntry {
        sid: sid(Kind::Trunk, number),
        carrier: sid(Kind::Carrier, 1),
        country: None,
        claims: if number == 1 { claims } else { SourceClaims::default() },
        inbound: (number == 1).then_some(inbound),
        outbound: Some(Outbound::to(host.parse().unwrap())),
        password: None,
    }
}

impl Stage {
    async fn set() -> Stage {
        Stage::with_room(100).await
    }

    async fn with_room(max_calls: usize) -> Stage {
        Stage::between(vec![SocketAddr::new(HERE, 0)], HERE, max_calls).await
    }

    /// Calls arrive by IPv4 and go on by IPv6, so we have another address on either side.
    async fn between_families() -> Stage {
        let any = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        Stage::between(vec![any], Ipv6Addr::LOCALHOST.into(), 100).await
    }

    async fn between(sip_listen: Vec<SocketAddr>, callee_ip: IpAddr, max_calls: usize) -> Stage {
        Stage::configured(sip_listen, callee_ip, max_calls, |_| {}).await
    }

    async fn configured(
        sip_listen: Vec<SocketAddr>,
        callee_ip: IpAddr,
        max_calls: usize,
        change: impl FnOnce(&mut EngineConfig),
    ) -> Stage {
        let callee = Phone::at(callee_ip, SocketAddr::new(HERE, 0)).await;
        let outside = Arc::new(Memory::default());
        let ids = Arc::new(Numbers(AtomicU64::new(1000), AtomicBool::new(false)));
        let names = Arc::new(Records::default());
        let clock = WallClock::right();
        let inside = Arc::new(AtomicU16::new(0));
        let spared = Arc::clone(&inside);
        let mut config = EngineConfig {
            sip_listen,
            connections_per_peer: 32,
            advertise: None,
            rtp_ports: 0..=0,
            rtp_timeout: Duration::from_secs(1),
            node: "n1".into(),
            max_calls,
            max_legs: usize::MAX,
            connections: crate::net::CONNECTIONS,
            reachable: Arc::new(move |address| address.ip() == callee_ip),
            hearable: Arc::new(move |address, _| address.port() != spared.load(Ordering::Relaxed)),
            names: names.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        change(&mut config);
        let directory = Arc::new(ArcSwap::from_pointee(directory(&[callee.sip_addr().to_string()])));
        let engine = Engine::start(config, outside.clone(), Arc::clone(&directory)).await.unwrap();
        Stage { engine, outside, ids, names, directory, clock, inside, callee }
    }

    /// From now on this is who there is.
    fn knows(&self, change: impl FnOnce(Network) -> Network) {
        let network = change(network(&[self.callee.sip_addr().to_string()]));
        self.directory.store(Arc::new(network.directory()));
    }

    /// From now on calls go to this host and port.
    fn trunk_is_at(&self, host: &str) {
        self.trunks_are_at(&[host.to_owned()]);
    }

    /// From now on calls go to these, the first one first.
    fn trunks_are_at(&self, hosts: &[String]) {
        self.directory.store(Arc::new(directory(hosts)));
    }

    /// Somebody sets the wall clock forward or back.
    fn set_the_clock_by(&self, seconds: i64) {
        self.clock.set_by_s.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Places a call that the API asked for.
    fn place(&self, queued: Queued) {
        let room = self.engine.reserve(&queued).unwrap();
        self.engine.place(outbound::call(), queued, room).unwrap();
    }

    /// The trunk's media comes from this network, whatever it says.
    fn media_comes_from(&self, network: &str) {
        let mut trunk = trunk(&self.callee.sip_addr().to_string(), 1);
        trunk.inbound.iter_mut().for_each(|side| side.media_networks = vec![network.parse().unwrap()]);
        self.directory.store(Arc::new(directory_of(vec![trunk])));
    }

    /// A phone that calls the engine.
    async fn caller(&self) -> Phone {
        self.caller_at(HERE).await
    }

    /// A phone at this address of ours.
    async fn caller_at(&self, ip: IpAddr) -> Phone {
        Phone::at(ip, SocketAddr::new(HERE, self.engine.sip_addr().port())).await
    }

    /// Every call is over, and the engine stops.
    async fn strike(self) {
        assert!(self.engine.drain(SOON).await, "{} calls are live", self.engine.live());
        self.engine.shutdown().await;
    }
}
