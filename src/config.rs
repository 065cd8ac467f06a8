//! Settings: defaults, then `trunkline.toml`, then the environment, then flags; later wins. Read once, here.
//!
//! One structure is the whole list: files, variables and flags all take their names from it, and what is not in it
//! is refused with the nearest name that is.

mod reading;
mod values;

use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};

pub use reading::Refused;

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
    /// TCP connections one address, or one /64 of IPv6, may have (1-1024).
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings of README's table, and the default of each. A row may have several, with commas between.
    fn documented() -> Vec<(String, String)> {
        let table = include_str!("../README.md").split_once("| setting | default |").unwrap().1;
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
        cells
            .flat_map(|cells| {
                let names = cells[1].split(", ").map(|name| name.trim_matches('`').to_owned());
                let several = cells[1].contains(", ");
                let defaults: Vec<_> = if several { cells[2].split(", ").collect() } else { vec![cells[2]] };
                names.zip(defaults.into_iter().map(str::to_owned)).collect::<Vec<_>>()
            })
            .collect()
    }

    fn default_of(name: &str) -> String {
        let defaults = serde_json::to_value(Config::default()).unwrap();
        match defaults.pointer(&format!("/{}", name.replace('.', "/"))).unwrap() {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    #[test]
    fn the_readme_lists_every_setting_with_its_default_and_no_other() {
        let documented = documented();
        let mut listed: Vec<_> = documented.iter().map(|(name, _)| name.clone()).collect();
        let mut known = names();
        listed.sort();
        known.sort();
        assert_eq!(listed, known, "README.md, section Settings");
        for (name, default) in documented {
            assert_eq!(
                default.trim_start_matches("./"),
                default_of(&name),
                "README.md says another default of {name}"
            );
        }
    }
}
