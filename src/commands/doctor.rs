//! `trunkline doctor`: looks at everything a serving Trunkline needs and says what to do about what is missing.

mod data;

use crate::{
    config::Config,
    control, disk, fail,
    health::PROXY_NOTE,
    keys::MasterKey,
    open_files::{self, Split},
    ports::not_listening,
};
use Finding::{Advice, Broken, Fine};
use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    process::{Command, ExitCode},
    time::{Duration, SystemTime},
};
use store::{RandomIds, Store, StoreOptions};

/// What a check found: in order, worth knowing, or in the way.
enum Finding {
    Fine(String),
    Advice(String),
    Broken(String),
}

/// Runs every check and prints a line each; fails when something is in the way.
pub fn run(config: &Config) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let server = runtime.block_on(control::server(&config.data_dir));
    // Before `data_dir` closes it.
    let key = data::open_key(&config.data_dir);
    let folder = key.into_iter().chain(data::data_dir(&config.data_dir)).collect();
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
        ("data", folder),
        ("database", runtime.block_on(data::database(config, server))),
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
        Ok(ahead) if ahead.abs() > reactors::CLOCKS_DIFFER.as_secs_f64() => Broken(format!(
            "the database's clock is {:.1} s {} this machine's; set up NTP on both",
            ahead.abs(),
            if ahead > 0.0 { "ahead of" } else { "behind" }
        )),
        Ok(_) => Fine("the database's clock and this machine's agree".into()),
        Err(error) => Advice(format!("the database's clock: {}", disk::explained(config, &error))),
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
}
