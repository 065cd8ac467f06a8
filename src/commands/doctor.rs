//! `trunkline doctor`: looks at everything a serving Trunkline needs and says what to do about what is missing.

use crate::{
    app,
    config::Config,
    control, disk, fail,
    health::PROXY_NOTE,
    keys::{self, MasterKey},
    open_files::{self, Split},
    ports::not_listening,
    private,
};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, ErrorKind, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, SystemTime},
};
use store::{RandomIds, Store, StoreError, StoreOptions};

/// What is written to see whether the disk takes it.
static PROBE: [u8; 64 * 1024] = [0; 64 * 1024];

/// What a check found: in order, worth knowing, or in the way.
enum Finding {
    Fine(String),
    Advice(String),
    Broken(String),
}

use Finding::{Advice, Broken, Fine};

/// Runs every check and prints a line each; fails when something is in the way.
pub fn run(config: &Config) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let server = runtime.block_on(control::server(&config.data_dir));
    // Before `data_dir` closes it.
    let key = open_key(&config.data_dir);
    let data = key.into_iter().chain(data_dir(&config.data_dir)).collect();
    let checks: [(&str, Vec<Finding>); 7] = [
        (
            "web",
            [Some(tcp_port("http.listen", config.http.listen, server)), proxy(config)]
                .into_iter()
                .flatten()
                .collect(),
        ),
        ("sip", sip(config, server)),
        ("rtp", vec![rtp_ports(config, server), files(config)]),
        ("data", data),
        ("database", runtime.block_on(database(config, server))),
        ("speech", vec![program("flite", "English"), program("espeak-ng", "every other language")]),
        ("clock", vec![clock(), runtime.block_on(clocks(config))]),
    ];
    let mut broken = 0;
    for (area, findings) in checks {
        for finding in findings {
            let (mark, text) = match finding {
                Fine(text) => ("ok  ", text),
                Advice(text) => ("note", text),
                Broken(text) => {
                    broken += 1;
                    ("FAIL", text)
                }
            };
            super::say(&format!("{mark}  {area:<9} {text}"));
        }
    }
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tcp_port(name: &str, address: SocketAddr, server: Option<i32>) -> Finding {
    port(name, address, "tcp", TcpListener::bind(address).map(drop), server)
}

/// A port that was tried. One that is taken beside a server of this data directory is that server's.
fn port(name: &str, address: SocketAddr, way: &str, tried: io::Result<()>, server: Option<i32>) -> Finding {
    match (tried, server) {
        (Ok(()), _) => Fine(format!("{name} {address} ({way}) is free")),
        (Err(error), Some(pid)) if error.kind() == ErrorKind::AddrInUse => {
            Fine(format!("{name} {address} ({way}): Trunkline itself (pid {pid}) listens there"))
        }
        (Err(error), _) => Broken(format!("({way}) {}", not_listening(name, address, &error))),
    }
}

/// Whether a running server was asked through a proxy it does not trust.
fn proxy(config: &Config) -> Option<Finding> {
    let note = std::fs::read_to_string(config.data_dir.join(PROXY_NOTE)).ok()?;
    let ip: IpAddr = note.trim().parse().ok()?;
    let trusted = config.trusted_proxies().ok()?.iter().any(|network| network.contains(&ip));
    (!trusted).then(|| {
        Advice(format!(
            "X-Forwarded-For comes from {ip}, which is not in http.trusted_proxies: whoever comes through it is one person to \
             the limits on signing in; name it if it is your proxy"
        ))
    })
}

fn udp_port(name: &str, address: SocketAddr, server: Option<i32>) -> Finding {
    port(name, address, "udp", UdpSocket::bind(address).map(drop), server)
}

fn sip(config: &Config, server: Option<i32>) -> Vec<Finding> {
    let listen = match config.sip_listen() {
        Ok(listen) => listen,
        Err(refused) => return vec![Broken(refused.to_string())],
    };
    let mut findings = Vec::new();
    for listen in listen {
        findings.extend([udp_port("sip.listen", listen, server), tcp_port("sip.listen", listen, server)]);
        if listen.ip().is_unspecified() && listen.is_ipv4() && config.sip.advertise.is_empty() {
            findings.extend(several(listen, &own_addresses()));
        }
    }
    findings
}

/// A machine of several addresses answers from the one its routes say, which need not be the one that was called.
fn several(listen: SocketAddr, own: &BTreeSet<Ipv4Addr>) -> Option<Finding> {
    let all = own.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    (own.len() > 1).then(|| {
        Advice(format!(
            "sip.listen {listen} is every address of this machine ({all}), and answers may leave from another one than was \
             called; set sip.listen to the one that trunks know"
        ))
    })
}

/// The IPv4 addresses of this machine, loopback aside; none when the system does not say.
fn own_addresses() -> BTreeSet<Ipv4Addr> {
    let own = if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip());
    own.filter_map(|address| match address {
        IpAddr::V4(address) if !address.is_loopback() => Some(address),
        _ => None,
    })
    .collect()
}

fn rtp_ports(config: &Config, server: Option<i32>) -> Finding {
    let ports = match config.rtp_ports() {
        Ok(ports) => ports,
        Err(refused) => return Broken(refused.to_string()),
    };
    let (first, last) = (*ports.start(), *ports.end());
    let listen = config.sip_listen().unwrap_or_default();
    let is_taken = |port: u16| listen.iter().any(|listen| UdpSocket::bind((listen.ip(), port)).is_err());
    let taken = ports.step_by(97).filter(|port| is_taken(*port)).count();
    let calls = (last - first) / 4;
    let ephemeral = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let outgoing_from: u16 =
        ephemeral.split_whitespace().next().and_then(|port| port.parse().ok()).unwrap_or(32_768);
    match taken {
        0 if last >= outgoing_from => Advice(format!(
            "rtp.ports {first}-{last} reach into the system's own ports (from {outgoing_from}); end below them"
        )),
        0 => Fine(format!("rtp.ports {first}-{last}: room for about {calls} bridged calls")),
        _ if server.is_some() => Fine(format!(
            "rtp.ports {first}-{last}: {taken} of the ports looked at are taken, with Trunkline itself running"
        )),
        _ => Broken(format!(
            "rtp.ports {first}-{last}: {taken} of the ports looked at are taken; set rtp.ports"
        )),
    }
}

fn files(config: &Config) -> Finding {
    let split = Split::of(open_files::most(), config.sip.max_calls);
    match split.too_few(config.sip.max_calls) {
        Some(text) => Advice(text),
        None => Fine(format!("open files {split}")),
    }
}

/// Whoever could read the key so far may have it.
fn open_key(data_dir: &Path) -> Option<Finding> {
    keys::is_open_to_others(data_dir).then(|| {
        let place = data_dir.join("vault.key");
        Advice(format!(
            "{} could be read by others than its owner; it is for its owner only from now on",
            place.display()
        ))
    })
}

/// Whether the data directory takes what a server writes, and how much more.
fn data_dir(path: &Path) -> Vec<Finding> {
    let place = path.display();
    match private::folder(path).and_then(|()| try_to_write(&path.join(".doctor"))) {
        Ok(()) => {
            let free = disk::free(path);
            let room = free.map_or_else(String::new, |free| format!("; {} are free", disk::told(free)));
            let little = free.filter(|free| *free < disk::LITTLE).map(|free| {
                Advice(format!("data_dir {place}: only {} are free; make room", disk::told(free)))
            });
            [Some(Fine(format!("data_dir {place} can be written{room}"))), little]
                .into_iter()
                .flatten()
                .collect()
        }
        Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            vec![Broken(format!(
                "data_dir {place}: {error}; make room there, or move data_dir to a larger disk"
            ))]
        }
        Err(error) => {
            vec![Broken(format!("data_dir {place}: {error}; give it to this user, or set data_dir"))]
        }
    }
}

/// Writes a file that takes room, waits until the disk has it, and removes it.
fn try_to_write(probe: &Path) -> io::Result<()> {
    let written = File::create(probe).and_then(|mut file| {
        file.write_all(&PROBE)?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(probe);
    written.and(removed)
}

/// Connects as a server would; and whether what is there is what a server would start on.
async fn database(config: &Config, server: Option<i32>) -> Vec<Finding> {
    let found = match store::probe(&config.store_url(), store::DEADLINE).await {
        Ok(found) => found,
        Err(error) => return vec![Broken(disk::explained(config, &error))],
    };
    match app::key_of(config) {
        Ok((key, had_data)) => {
            let mut findings = vec![Fine(found)];
            findings.extend(contents(config, &key, had_data, server).await);
            findings
        }
        // A file that is lost would be made, but for this.
        Err(trouble) => vec![Broken(trouble.to_string())],
    }
}

async fn contents(config: &Config, key: &MasterKey, had_data: bool, server: Option<i32>) -> Vec<Finding> {
    let place = config.data_dir.join("vault.key");
    let place = place.display();
    let store = match Store::open_to_read(StoreOptions::new(config.store_url(), key.bytes)).await {
        Ok(store) => store,
        Err(error) if had_data && error.to_string().contains("es_heads") => {
            return vec![Broken(app::gone(config).to_string())];
        }
        // A database without our tables has nothing that a key must open.
        Err(_) => {
            let will = if key.is_new { "will be made" } else { "is there" };
            return vec![Fine(format!("the vault's key {place} {will}"))];
        }
    };
    let mut findings = Vec::new();
    findings.extend(newer(&store).await);
    findings.push(match app::check(&store, config, key, had_data).await {
        Err(trouble) => Broken(disk::explained(config, &trouble)),
        Ok(()) => Fine(format!("the vault opens with {place}")),
    });
    findings.extend(twin(&store, config, server).await);
    if store.db().reads_only_by_default().await.unwrap_or_default() {
        findings.push(Advice(
            "PostgreSQL lets sessions of this database only read (default_transaction_read_only = on): if that was done to \
             keep writers out, note that Trunkline asks for writes by itself; else turn it off (ALTER DATABASE … RESET)"
                .into(),
        ));
    }
    store.close().await;
    findings
}

/// What a newer release has done to the database.
async fn newer(store: &Store) -> Option<Finding> {
    if let Err(error @ StoreError::Newer { .. }) = store.of_this_release().await {
        return Some(Broken(error.to_string()));
    }
    match projections::replay::of_this_release(store).await {
        Err(trouble @ projections::Trouble::Newer { .. }) => Some(Broken(trouble.to_string())),
        _ => None,
    }
}

/// Another process that has this one's name: the one that serves this data directory has it by right.
async fn twin(store: &Store, config: &Config, server: Option<i32>) -> Option<Finding> {
    let name = keys::known_name(&config.data_dir).filter(|_| server.is_none())?;
    let living = reactors::living(store.db(), store.clock()).await.ok()?;
    living.into_iter().find(|(node, _)| *node == name).map(|(node, place)| {
        Broken(format!(
            "node {node} runs already, {place}: a data_dir that was copied has the other's name in its file `node`; remove \
             that file from the copy"
        ))
    })
}

fn program(name: &str, what: &str) -> Finding {
    match Command::new(name).arg("--version").output() {
        Ok(_) => Fine(format!("{name} speaks {what}")),
        Err(_) => Advice(format!(
            "{name} is not installed; without it <Say> has no voice for {what} (bin/setup run)"
        )),
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock itself is looked at")]
fn clock() -> Finding {
    let built = Duration::from_secs(1_767_225_600);
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(now) if now > built => Fine("the clock is past the day this was written".into()),
        _ => Broken(
            "the clock is years behind; two-factor codes and signatures need the right time (set up NTP)"
                .into(),
        ),
    }
}

/// Nodes keep their leases by the database's clock, and everything a person reads by their own.
async fn clocks(config: &Config) -> Finding {
    let key = MasterKey::find(&config.data_dir, &RandomIds::default()).map_or([0; 32], |key| key.bytes);
    let Ok(store) = Store::open_to_read(StoreOptions::new(config.store_url(), key)).await else {
        return Fine("there is no database yet whose clock could differ".into());
    };
    let theirs = store.db().now(store.clock()).await;
    let ours = store.clock().now();
    store.close().await;
    match theirs.map(|theirs| (theirs.micros() - ours.micros()) as f64 / 1e6) {
        Ok(ahead) if ahead.abs() > 2.0 => Broken(format!(
            "the database's clock is {:.1} s {} this machine's; set up NTP on both",
            ahead.abs(),
            if ahead > 0.0 { "ahead of" } else { "behind" }
        )),
        Ok(_) => Fine("the database's clock and this machine's agree".into()),
        Err(error) => Advice(format!("the database's clock: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_of_several_addresses_is_told_to_choose_one() {
        let listen = ([0, 0, 0, 0], 5060).into();
        let mut own = BTreeSet::from([Ipv4Addr::new(192, 0, 2, 7)]);
        assert!(several(listen, &own).is_none(), "one is no choice");
        own.insert(Ipv4Addr::new(10, 0, 0, 5));
        let Some(Advice(text)) = several(listen, &own) else { panic!("no advice") };
        assert!(text.contains("(10.0.0.5, 192.0.2.7)") && text.contains("set sip.listen"), "{text}");
        assert!(own_addresses().iter().all(|address| !address.is_loopback()));
    }

    #[test]
    fn a_port_of_the_server_itself_is_in_order_and_anybody_elses_is_not() {
        let address = ([127, 0, 0, 1], 8080).into();
        let taken = || Err(ErrorKind::AddrInUse.into());
        assert!(
            matches!(port("http.listen", address, "tcp", taken(), Some(7)), Fine(text) if text.contains("(pid 7)"))
        );
        assert!(matches!(port("http.listen", address, "tcp", taken(), None), Broken(_)));
    }

    #[tokio::test]
    async fn a_database_that_is_gone_beside_its_key_is_found_as_the_start_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        app::open_store(&config).await.unwrap().close().await;
        assert!(database(&config, None).await.iter().all(|finding| matches!(finding, Fine(_))));
        for name in ["trunkline.db", "trunkline.db-wal", "trunkline.db-shm"] {
            let _ = std::fs::remove_file(folder.path().join(name));
        }
        let refused = app::open_store(&config).await.err().unwrap().to_string();
        let findings = database(&config, None).await;
        let [Broken(text)] = &findings[..] else { panic!("it is not said") };
        assert_eq!(*text, refused);
    }

    #[test]
    fn a_folder_that_can_be_written_says_how_much_is_free_and_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let findings = data_dir(folder.path());
        assert!(matches!(&findings[0], Fine(text) if text.contains("are free")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
