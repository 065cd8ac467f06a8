//! The demo carrier: made once, on an empty store, so that a first call needs nothing but a phone.
//!
//! It is made of the same commands the API gives; what opens it is written to `demo.json` in the data directory.

mod make;
mod point;

use api::auth::Passwords;
use domain::{Actor, Clock, Ids, Log, Meta, Sid, Stream, Tenant, phone_number::VoiceConfiguration};
use ipnet::IpNet;
pub use point::LOOPBACK;
use point::this_machine;
use serde::{Deserialize, Serialize};
use std::{error::Error, path::Path, sync::Arc};
use store::{Fact, Store};

/// What opens the demo, as `demo.json` has it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Demo {
    /// Dashboard and APIs.
    pub http_url: String,
    /// The application its numbers answer with, on this machine; empty in a demo of old, whose was part of the dashboard's.
    #[serde(default)]
    pub application_url: String,
    /// What to call: address and port.
    pub sip_address: String,
    /// Sign in with these three.
    pub owner_email: String,
    /// The owner's password.
    pub owner_password: String,
    /// The owner's second factor, base 32, for any authenticator app.
    pub totp_secret: String,
    /// `Authorization: Bearer …` on `/carrier/v1`.
    pub carrier_api_key: String,
    /// User name on `/2010-04-01`.
    pub account_sid: Sid,
    /// Password on `/2010-04-01`; webhooks are signed with it.
    pub auth_token: String,
    /// What to dial.
    pub numbers: Vec<String>,
    /// The demo's carrier.
    pub carrier_sid: Sid,
    /// Where the demo's trunk was last said to be called from: this machine.
    #[serde(default)]
    pub trunk_sources: Vec<IpNet>,
    /// Not all of it is made: a start was cut off, and the next one goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unfinished: bool,
}

/// Where it is kept, in the data directory.
const FILE: &str = "demo.json";

impl Demo {
    /// Who acts when the demo is made, in the log.
    pub const ACTOR: &str = "demo";

    /// What was kept in a data directory, if anything was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn kept(data_dir: &Path) -> Outcome<Option<Demo>> {
        match std::fs::read(data_dir.join(FILE)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a store that begins with this fact is this demo's.
    pub fn began(&self, first: &Fact) -> bool {
        first.actor == Actor::system(Demo::ACTOR) && first.tenant.carrier == self.carrier_sid
    }

    /// The owner's two-factor key as it is in the vault.
    pub fn totp_seed(&self) -> Option<Vec<u8>> {
        from_base32(&self.totp_secret)
    }

    /// The port its application was at; 0 when that is not known.
    pub fn application_port(&self) -> u16 {
        self.application_url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0)
    }

    /// What its numbers were last pointed at.
    fn voice(&self) -> Outcome<VoiceConfiguration> {
        if self.application_url.is_empty() {
            voice(&format!("{}/examples", self.http_url))
        } else {
            voice(&self.application_url)
        }
    }

    /// Writes `demo.json`, readable by its owner only.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, data_dir: &Path) -> Outcome<()> {
        Ok(write_private(&data_dir.join(FILE), &serde_json::to_vec_pretty(self)?)?)
    }
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What making the demo needs.
pub struct Maker {
    /// Where it is made.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub ids: Arc<dyn Ids>,
    /// Hashes the owner's password.
    pub passwords: Passwords,
}

impl Maker {
    /// Makes the demo on an empty store, goes on with one whose making was cut off, or finds the one made before; and points
    /// its numbers at the application and its trunk at this machine.
    ///
    /// # Errors
    /// When the store has other data but no demo, or a command is refused.
    pub async fn prepare(&self, data_dir: &Path, http_url: &str, application: &str) -> Outcome<Demo> {
        let mut demo = Demo::kept(data_dir)?.unwrap_or_else(|| self.planned(http_url, application));
        if demo.unfinished {
            if self.store.read(Log::Core, 0, 1).await?.first().is_some_and(|first| !demo.began(first)) {
                return Err(
                    "the store has data of its own; --demo works on an empty one (set data_dir)".into()
                );
            }
            // Before anything is made: the secrets are nowhere else, and what was begun is found by it.
            demo.keep(data_dir)?;
            self.make(&demo).await?;
            demo.unfinished = false;
        }
        self.point_numbers(&demo, application).await?;
        http_url.clone_into(&mut demo.http_url);
        application.clone_into(&mut demo.application_url);
        let sources = this_machine();
        match self.point_trunk(&demo, &sources).await {
            Ok(()) => demo.trunk_sources = sources,
            Err(error) => {
                tracing::warn!(%error, "the demo's trunk is not called from this machine's new address");
            }
        }
        demo.keep(data_dir)?;
        Ok(demo)
    }

    async fn command<A: Stream>(&self, carrier: &Sid, stream: &Sid, command: A::Command) -> Outcome<()> {
        self.commands::<A>(carrier, stream, vec![command]).await
    }

    /// All of them or none.
    async fn commands<A: Stream>(
        &self,
        carrier: &Sid,
        stream: &Sid,
        commands: Vec<A::Command>,
    ) -> Outcome<()> {
        let meta = Meta::new(Tenant::carrier(carrier.clone()), Actor::system(Demo::ACTOR), self.clock.now());
        let commands = commands.into_iter().map(|command| (command, meta.clone())).collect();
        let outcome = self.store.execute_all::<A>(stream, commands).await;
        outcome.map(drop).map_err(|error| error.to_string().into())
    }
}

fn voice(application: &str) -> Outcome<VoiceConfiguration> {
    let url = format!("{application}/voice").parse()?;
    Ok(VoiceConfiguration { voice_url: Some(url), ..VoiceConfiguration::default() })
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What [`base32`] wrote.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let value = |letter: u8| ALPHABET.iter().position(|known| *known == letter);
    let bits: String =
        text.bytes().map(|letter| Some(format!("{:05b}", value(letter)?))).collect::<Option<_>>()?;
    let eights = bits.as_bytes().chunks_exact(8);
    Some(eights.map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'))).collect())
}

/// RFC 4648 base 32 without padding, as authenticator apps take it.
fn base32(bytes: &[u8]) -> String {
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let fives = bits
        .as_bytes()
        .chunks(5)
        .map(|five| five.iter().fold(0, |value, bit| value * 2 + usize::from(bit - b'0')));
    fives.map(|value| char::from(ALPHABET[value % 32])).collect()
}

/// Writes a file only its owner can read. It is what it was until it is whole.
fn write_private(file: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let (new, mut open) = (file.with_extension("json.new"), std::fs::OpenOptions::new());
    let mut written = open.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    written.write_all(content)?;
    written.sync_all()?;
    std::fs::rename(new, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    #[test]
    fn a_demo_of_old_had_its_application_on_the_dashboards_port() {
        let mut demo = Demo {
            http_url: "http://127.0.0.1:8080".into(),
            application_url: String::new(),
            sip_address: String::new(),
            owner_email: String::new(),
            owner_password: String::new(),
            totp_secret: String::new(),
            carrier_api_key: String::new(),
            account_sid: Sid::new(Kind::Account, &store::RandomIds::default()),
            auth_token: String::new(),
            numbers: Vec::new(),
            carrier_sid: Sid::new(Kind::Carrier, &store::RandomIds::default()),
            trunk_sources: Vec::new(),
            unfinished: false,
        };
        let url = |demo: &Demo| demo.voice().unwrap().voice_url.unwrap().to_string();
        assert_eq!(
            (url(&demo).as_str(), demo.application_port()),
            ("http://127.0.0.1:8080/examples/voice", 0)
        );
        demo.application_url = "http://127.0.0.1:4711".into();
        assert_eq!((url(&demo).as_str(), demo.application_port()), ("http://127.0.0.1:4711/voice", 4711));
    }

    #[test]
    fn base32_is_the_standards() {
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(base32(&[0xff; 20]).len(), 32);
        assert_eq!(from_base32("MZXW6YTB"), Some(b"fooba".to_vec()));
        assert_eq!(from_base32("1"), None);
    }
}
