//! Where settings come from, and which are refused.

use super::{Config, flatten, names};
use figment::{
    Figment,
    error::{Actual, Kind},
    providers::{Env, Format, Serialized, Toml},
};
use std::path::PathBuf;

/// Why settings are refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

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
        let given: serde_json::Value = figment.extract().map_err(|error| Refused(in_words(&error)))?;
        let (mut found, known) = (Vec::new(), names());
        flatten("", &given, &mut found);
        if let Some(unknown) = found.iter().find(|name| !known.contains(name)) {
            return Err(unknown_name(unknown, &known));
        }
        let config: Config = figment.extract().map_err(|error| Refused(in_words(&error)))?;
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

/// Which setting, what was given, and what is wanted.
fn in_words(error: &figment::Error) -> String {
    let setting = error.path.join(".");
    // Of a file that is no TOML, the library knows the place.
    if setting.is_empty() {
        return error.to_string();
    }
    let source = error.metadata.as_ref().and_then(|from| from.source.as_ref()?.file_path());
    let place = source.map_or_else(String::new, |file| format!(" (in {})", file.display()));
    match &error.kind {
        Kind::InvalidType(given, wanted) | Kind::InvalidValue(given, wanted) => {
            format!("{setting} is {}, not {}{place}", kind(wanted), shown(given))
        }
        Kind::Message(text) => format!("{setting}: {text}{place}"),
        other => format!("{setting}: {other}{place}"),
    }
}

/// What is wanted, without the names of our types.
fn kind(wanted: &str) -> &str {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, from 0",
        "a string" | "path string" => "a text",
        "socket address" => "address:port, for example 127.0.0.1:8080",
        "a boolean" => "true or false",
        wanted if wanted.starts_with("struct ") => "a group of settings",
        wanted => wanted,
    }
}

/// What was given, as it was written.
fn shown(given: &Actual) -> String {
    match given {
        Actual::Str(text) => format!("{text:?}"),
        Actual::Unsigned(number) => number.to_string(),
        Actual::Signed(number) => number.to_string(),
        Actual::Bool(is) => is.to_string(),
        other => other.to_string(),
    }
}

/// A flag's text as the type it looks like, as the environment provider does it.
fn typed(text: &str) -> figment::value::Value {
    text.parse().unwrap_or_else(|_| figment::value::Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipnet::IpNet;
    use std::net::SocketAddr;

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
    fn a_value_of_the_wrong_kind_is_told_without_our_types() {
        for (name, given, words) in [
            ("sip.max_calls", "x", "sip.max_calls is a whole number, from 0, not \"x\""),
            ("sip.max_calls", "-5", "sip.max_calls is a whole number, from 0, not -5"),
            ("log.filter", "5", "log.filter is a text, not 5"),
        ] {
            let refused = Config::read(None, &[(name.to_owned(), given.to_owned())]).unwrap_err();
            assert_eq!(refused.0, words);
        }
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
