//! Settings: defaults, then `trunkline.toml`, then the environment, then flags; later wins. Read once, here.
//!
//! One structure is the whole list: files, variables and flags all take their names from it, and what is not in it
//! is refused with the nearest name that is.

use domain::{Kind, Sid};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

/// All settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    /// The web surface.
    pub http: Http,
    /// Signalling.
    pub sip: Sip,
    /// Media.
    pub rtp: Rtp,
    /// `sqlite://path`, `postgres://user:password@host/database`; empty for a SQLite file in `data_dir`.
    pub database_url: String,
    /// Where the database file, keys and spool are.
    pub data_dir: PathBuf,
    /// Where customers may make us go, with webhooks, sounds and calls.
    pub outbound: Outbound,
    /// Raw evidence.
    pub evidence: Evidence,
    /// What is written to standard error.
    pub log: Log,
    /// Stopping.
    pub shutdown: Shutdown,
}

/// The web surface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Http {
    /// Address and port of dashboard and APIs; port 0 takes any free one.
    pub listen: SocketAddr,
    /// How others reach it, for links and webhook examples; empty for the listening address.
    pub public_url: String,
    /// Networks and addresses of our own proxies, commas between: from them `X-Forwarded-For` says who asks.
    pub trusted_proxies: String,
}

/// Signalling.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sip {
    /// Addresses and ports of SIP, commas between, UDP and TCP alike; port 0 takes any free one.
    pub listen: String,
    /// The address written into SDP, Contact and Via when we are behind NAT; empty when we are not.
    pub advertise: String,
    /// Most calls at once; the next one gets 503.
    pub max_calls: usize,
    /// SIDs of trunks inside our trust domain (RFC 3325), commas between: who calls is told to them and believed of them.
    pub trusted_trunks: String,
    /// TCP connections one address may have (1-1024).
    pub connections_per_peer: usize,
    /// Networks within which trunks may name wider ones than /24 (IPv4) and /48 (IPv6), commas between.
    pub wide_networks: String,
    /// Most networks one carrier may name as sources, over all its trunks (1-65536).
    pub sources_per_carrier: usize,
}

/// Media.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rtp {
    /// First and last UDP port, for example `16384-32767`.
    pub ports: String,
}

/// Where customers may make us go, with webhooks, sounds and calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outbound {
    /// Networks and addresses beside the public internet, commas between: private ones, or this machine's.
    pub allow_networks: String,
}

/// Raw evidence: SIP messages as they were on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// How long it is kept, in days (1-36500).
    pub keep_days: u64,
}

/// What is written to standard error.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Log {
    /// `text` or `json`.
    pub format: String,
    /// A tracing filter, for example `info` or `info,sip_engine=debug`.
    pub filter: String,
}

/// Stopping.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shutdown {
    /// How long live calls may go on after SIGTERM, in seconds (0-3600).
    pub drain_seconds: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            http: Http {
                listen: ([127, 0, 0, 1], 8080).into(),
                public_url: String::new(),
                trusted_proxies: String::new(),
            },
            sip: Sip {
                listen: "0.0.0.0:5060".into(),
                advertise: String::new(),
                max_calls: 2_000,
                trusted_trunks: String::new(),
                connections_per_peer: 32,
                wide_networks: String::new(),
                sources_per_carrier: 1_024,
            },
            rtp: Rtp { ports: "16384-32767".into() },
            database_url: String::new(),
            data_dir: "data".into(),
            outbound: Outbound { allow_networks: String::new() },
            evidence: Evidence { keep_days: 30 },
            log: Log { format: "text".into(), filter: "info".into() },
            shutdown: Shutdown { drain_seconds: 10 },
        }
    }
}

/// Why settings are refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// The names of all settings, levels joined by dots: `http.listen`, …
#[must_use]
pub fn names() -> Vec<String> {
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    let mut names = Vec::new();
    flatten("", &defaults, &mut names);
    names
}

fn flatten(path: &str, value: &serde_json::Value, names: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, names);
            }
        }
        _ => names.push(path.to_owned()),
    }
}

impl Config {
    /// Reads the settings: `file` (or `trunkline.toml` if it is there), `TRUNKLINE_…` variables, then `flags`.
    ///
    /// # Errors
    /// An unreadable file, an unknown name, a value of the wrong type or out of range; the text says which.
    pub fn read(file: Option<PathBuf>, flags: &[(String, String)]) -> Result<Config, Refused> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        figment = match file {
            Some(file) => figment.merge(Toml::file_exact(file)),
            None => figment.merge(Toml::file("trunkline.toml")),
        };
        figment = figment.merge(Env::prefixed("TRUNKLINE_").split("__"));
        for (name, value) in flags {
            figment = figment.merge((name.as_str(), typed(value)));
        }
        Config::from(&figment)
    }

    fn from(figment: &Figment) -> Result<Config, Refused> {
        let given: serde_json::Value = figment.extract().map_err(|error| Refused(error.to_string()))?;
        let (mut found, known) = (Vec::new(), names());
        flatten("", &given, &mut found);
        if let Some(unknown) = found.iter().find(|name| !known.contains(name)) {
            return Err(unknown_name(unknown, &known));
        }
        let config: Config = figment.extract().map_err(|error| Refused(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Refused> {
        self.rtp_ports()?;
        self.advertise()?;
        self.sip_listen()?;
        if !(1..=1_024).contains(&self.sip.connections_per_peer) {
            return Err(Refused("sip.connections_per_peer is from 1 to 1024".into()));
        }
        if !(1..=65_536).contains(&self.sip.sources_per_carrier) {
            return Err(Refused("sip.sources_per_carrier is from 1 to 65536".into()));
        }
        self.trusted_proxies()?;
        self.trusted_trunks()?;
        self.wide_networks()?;
        self.allowed_networks()?;
        if !matches!(self.log.format.as_str(), "text" | "json") {
            return Err(Refused(format!("log.format is text or json, not {:?}", self.log.format)));
        }
        if !(1..=36_500).contains(&self.evidence.keep_days) {
            return Err(Refused("evidence.keep_days is from 1 to 36500".into()));
        }
        if self.shutdown.drain_seconds > 3600 {
            return Err(Refused("shutdown.drain_seconds is at most 3600".into()));
        }
        if !self.http.public_url.is_empty() && url::Url::parse(&self.http.public_url).is_err() {
            return Err(Refused(format!("http.public_url is not a URL: {:?}", self.http.public_url)));
        }
        Ok(())
    }

    /// The RTP ports.
    ///
    /// # Errors
    /// When the setting is not `first-last` with at least ten ports above 1023.
    pub fn rtp_ports(&self) -> Result<RangeInclusive<u16>, Refused> {
        let bounds =
            self.rtp.ports.split_once('-').map(|(first, last)| (first.trim().parse(), last.trim().parse()));
        match bounds {
            Some((Ok(first), Ok(last))) if first >= 1024 && last >= first && last - first >= 9 => {
                Ok(first..=last)
            }
            _ => Err(Refused(format!(
                "rtp.ports is first-last, at least ten ports above 1023 (for example 16384-32767), not {:?}",
                self.rtp.ports
            ))),
        }
    }

    /// The address we are reached at from outside, if it is not our own.
    ///
    /// # Errors
    /// When the setting is not an IP address.
    pub fn advertise(&self) -> Result<Option<IpAddr>, Refused> {
        match self.sip.advertise.as_str() {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Refused(format!("sip.advertise is an IP address, not {text:?}"))),
        }
    }

    /// Where SIP is listened to; never empty.
    ///
    /// # Errors
    /// When one is no address and port, is there twice, or none is left.
    pub fn sip_listen(&self) -> Result<Vec<SocketAddr>, Refused> {
        let named = self.sip.listen.split(',').map(str::trim).filter(|text| !text.is_empty());
        let mut all: Vec<SocketAddr> = Vec::new();
        for text in named {
            let address: SocketAddr = text.parse().map_err(|_| {
                Refused(format!(
                    "sip.listen is address:port, for example 0.0.0.0:5060 or [::]:5060, not {text:?}"
                ))
            })?;
            if all.contains(&address) {
                return Err(Refused(format!("sip.listen names {address} twice")));
            }
            all.push(address);
        }
        if all.is_empty() { Err(Refused("sip.listen names no address".into())) } else { Ok(all) }
    }

    /// How long raw evidence is kept.
    #[must_use]
    pub fn evidence_kept(&self) -> Duration {
        Duration::from_secs(self.evidence.keep_days * 24 * 3600)
    }

    /// Our own proxies.
    ///
    /// # Errors
    /// When one is neither a network nor an address.
    pub fn trusted_proxies(&self) -> Result<Vec<IpNet>, Refused> {
        networks("http.trusted_proxies", &self.http.trusted_proxies)
    }

    /// Networks within which trunks may name wide ones.
    ///
    /// # Errors
    /// When one is neither a network nor an address.
    pub fn wide_networks(&self) -> Result<Vec<IpNet>, Refused> {
        networks("sip.wide_networks", &self.sip.wide_networks)
    }

    /// Networks beside the public internet that customers may make us go to.
    ///
    /// # Errors
    /// When one is neither a network nor an address.
    pub fn allowed_networks(&self) -> Result<Vec<IpNet>, Refused> {
        networks("outbound.allow_networks", &self.outbound.allow_networks)
    }

    /// The names of settings other than `log.filter` that `new` has otherwise.
    #[must_use]
    pub fn differs(&self, new: &Config) -> Vec<String> {
        let text = |config: &Config| serde_json::to_value(config).unwrap_or_default();
        let (old, new) = (text(self), text(new));
        let value = |config: &serde_json::Value, name: &str| {
            config.pointer(&format!("/{}", name.replace('.', "/"))).cloned()
        };
        let changed = |name: &String| name != "log.filter" && value(&old, name) != value(&new, name);
        names().into_iter().filter(changed).collect()
    }

    /// The trunks inside our trust domain.
    ///
    /// # Errors
    /// When one is no trunk's SID.
    pub fn trusted_trunks(&self) -> Result<HashSet<Sid>, Refused> {
        let named = self.sip.trusted_trunks.split(',').map(str::trim).filter(|text| !text.is_empty());
        let refused =
            |text| Refused(format!("sip.trusted_trunks: {text:?} is no trunk's SID (TK and 32 hex digits)"));
        named.map(|text| Sid::parse_as(Kind::Trunk, text).map_err(|_| refused(text))).collect()
    }

    /// Where the store is: the setting, or the SQLite file in the data directory.
    #[must_use]
    pub fn store_url(&self) -> String {
        let own = self.store_file().map(|file| format!("sqlite://{}", file.display()));
        own.unwrap_or_else(|| self.database_url.clone())
    }

    /// The SQLite file in the data directory, unless the store is elsewhere.
    #[must_use]
    pub fn store_file(&self) -> Option<PathBuf> {
        self.database_url.is_empty().then(|| self.data_dir.join("trunkline.db"))
    }
}

/// The networks and addresses a setting names, commas between.
fn networks(setting: &str, text: &str) -> Result<Vec<IpNet>, Refused> {
    let named = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    let read = |text: &str| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let refused = |text| Refused(format!("{setting}: {text:?} is no network and no address"));
    named.map(|text| read(text).map_err(|_| refused(text))).collect()
}

fn unknown_name(unknown: &str, known: &[String]) -> Refused {
    if unknown == "webhooks.allow_private" {
        return Refused(format!("{unknown} is now outbound.allow_networks, which names the networks"));
    }
    let nearest = known
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(a, unknown).total_cmp(&strsim::jaro_winkler(b, unknown)));
    Refused(format!("there is no setting {unknown}; did you mean {}?", nearest.map_or("", String::as_str)))
}

/// A flag's text as the type it looks like, as the environment provider does it.
fn typed(text: &str) -> figment::value::Value {
    text.parse().unwrap_or_else(|_| figment::value::Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<Config, Refused> {
        Config::from(&Figment::from(Serialized::defaults(Config::default())).merge(Toml::string(toml)))
    }

    #[test]
    fn the_defaults_are_sound() {
        let config = read("").unwrap();
        assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.rtp_ports().unwrap(), 16384..=32767);
        assert_eq!(config.store_url(), "sqlite://data/trunkline.db");
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let refused = read("[http]\nlisten_on = \"1\"").unwrap_err();
        assert_eq!(refused.0, "there is no setting http.listen_on; did you mean http.listen?");
    }

    #[test]
    fn flags_win_over_files() {
        let flags = [
            ("http.listen".to_owned(), "127.0.0.1:0".to_owned()),
            ("outbound.allow_networks".into(), "192.168.0.0/16".into()),
            ("http.trusted_proxies".into(), "10.0.0.0/8, 192.0.2.1,".into()),
        ];
        let config = Config::read(None, &flags).unwrap();
        assert_eq!(config.http.listen.port(), 0);
        assert_eq!(config.allowed_networks().unwrap(), ["192.168.0.0/16".parse().unwrap()]);
        let proxies: Vec<String> = config.trusted_proxies().unwrap().iter().map(IpNet::to_string).collect();
        assert_eq!(proxies, ["10.0.0.0/8", "192.0.2.1/32"]);
    }

    #[test]
    fn sip_is_listened_to_on_several_addresses_whoever_names_them() {
        let both = "[::]:5060, 0.0.0.0:5060";
        let by_flag = Config::read(None, &[("sip.listen".into(), both.into())]).unwrap();
        for config in [by_flag, read(&format!("[sip]\nlisten = {both:?}")).unwrap()] {
            let listen: Vec<String> =
                config.sip_listen().unwrap().iter().map(SocketAddr::to_string).collect();
            assert_eq!(listen, ["[::]:5060", "0.0.0.0:5060"]);
        }
        let alone = Config::read(None, &[("sip.listen".into(), "[::1]:5060".into())]).unwrap();
        assert_eq!(alone.sip_listen().unwrap(), ["[::1]:5060".parse().unwrap()]);
    }

    #[test]
    fn what_waits_for_the_next_start_is_named() {
        let new = read(
            "[log]\nfilter = \"debug\"\n[sip]\nmax_calls = 9\n[http]\npublic_url = \"https://a.example\"",
        );
        assert_eq!(read("").unwrap().differs(&new.unwrap()), ["http.public_url", "sip.max_calls"]);
    }

    #[test]
    fn bad_values_say_what_would_be_good() {
        for (toml, word) in [
            ("[rtp]\nports = \"9-1\"", "rtp.ports"),
            ("[sip]\nadvertise = \"here\"", "sip.advertise"),
            ("[sip]\nlisten = \"0.0.0.0\"", "sip.listen is address:port"),
            ("[sip]\nlisten = \"0.0.0.0:5060, 0.0.0.0:5060\"", "twice"),
            ("[sip]\nlisten = \" , \"", "sip.listen names no address"),
            ("[sip]\nconnections_per_peer = 0", "sip.connections_per_peer"),
            ("[log]\nformat = \"xml\"", "text or json"),
            ("[evidence]\nkeep_days = 0", "evidence.keep_days"),
            ("[http]\nlisten = \"nowhere\"", "listen"),
            ("[http]\ntrusted_proxies = \"10.0.0.1, proxy\"", "\"proxy\""),
            ("[sip]\ntrusted_trunks = \"AC0123\"", "trunk's SID"),
            ("[outbound]\nallow_networks = \"10.0.0.0/33\"", "outbound.allow_networks"),
            ("[webhooks]\nallow_private = true", "is now outbound.allow_networks"),
        ] {
            assert!(read(toml).unwrap_err().0.contains(word), "{toml}");
        }
    }
}
