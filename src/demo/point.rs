//! What changes between two starts on one machine: the web address, and the addresses its phones call from.

use super::{Demo, Maker, Outcome, voice};
use domain::{
    Kind, Log, Sid,
    phone_number::{PhoneNumber, PhoneNumberCommand},
    trunk::{Inbound, Trunk, TrunkCommand},
};
use ipnet::IpNet;
use sip_engine::net::own_towards;

/// Who its inbound calls come from, with this machine's own addresses: phones choose among all of them. And where its
/// application and its phones are.
pub const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];
/// Anywhere outside (RFC 5737 and 3849): asked for the way there, the system names an address of its own.
const OUTSIDE: [&str; 2] = ["203.0.113.1:9", "[2001:db8::1]:9"];

impl Maker {
    /// The application's port may be another one than last time.
    pub(super) async fn point_numbers(&self, demo: &Demo, application: &str) -> Outcome<()> {
        let (old, new) = (demo.voice()?, voice(application)?);
        if old == new {
            return Ok(());
        }
        for number in self.made(demo, Kind::PhoneNumber).await? {
            let held = self.store.load::<PhoneNumber>(&number).await?.aggregate;
            if held.voice().voice_url == old.voice_url {
                let (account, voice) = (held.account().cloned(), new.clone());
                let configure = PhoneNumberCommand::ConfigureVoice { account, voice };
                self.command::<PhoneNumber>(&demo.carrier_sid, &number, configure).await?;
            }
        }
        Ok(())
    }

    /// The machine may have another address than last time. Sources that somebody added stay.
    pub(super) async fn point_trunk(&self, demo: &Demo, sources: &[IpNet]) -> Outcome<()> {
        if demo.trunk_sources == sources {
            return Ok(());
        }
        let Some(trunk) = self.made(demo, Kind::Trunk).await?.into_iter().next() else { return Ok(()) };
        let held = self.store.load::<Trunk>(&trunk).await?.aggregate;
        let Some(inbound) = held.inbound().filter(|_| held.carrier().is_some()) else { return Ok(()) };
        let moved = |networks: &[IpNet]| {
            let theirs = networks.iter().filter(|network| !demo.trunk_sources.contains(network));
            let theirs = theirs.filter(|network| !sources.contains(network)).copied();
            sources.iter().copied().chain(theirs).collect()
        };
        let (sources, media_networks) = (moved(&inbound.sources), moved(&inbound.media_networks));
        let inbound = Inbound { sources, media_networks, ..inbound.clone() };
        self.command::<Trunk>(&demo.carrier_sid, &trunk, TrunkCommand::ConfigureInbound(Some(inbound))).await
    }

    /// What the demo was made with of this kind: the log begins with it.
    pub(super) async fn made(&self, demo: &Demo, kind: Kind) -> Outcome<Vec<Sid>> {
        let facts = self.store.read(Log::Core, 0, 100).await?.into_iter();
        let own = facts.filter(|fact| fact.tenant.carrier == demo.carrier_sid);
        let made = own.filter(|fact| fact.stream.kind() == kind && fact.sequence == 1);
        Ok(made.map(|fact| fact.stream).collect())
    }
}

/// The networks and addresses a phone on this machine may call from.
pub(super) fn this_machine() -> Vec<IpNet> {
    let loopback = LOOPBACK.iter().filter_map(|network| network.parse().ok());
    let outside = OUTSIDE.iter().filter_map(|peer| own_towards(peer.parse().ok()?).ok());
    loopback.chain(outside.map(IpNet::from)).collect()
}
