//! What settings mean.

use super::{Config, Refused};
use domain::{Kind, Sid};
use ipnet::IpNet;
use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

impl Config {
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
