//! The demo carrier: made once, on an empty store, so that a first call needs nothing but a phone.
//!
//! It is made of the same commands the API gives; what opens it is written to `demo.json` in the data directory.

mod point;

use api::{
    auth::{ApiKeys, Passwords},
    secrets::{self, Secrets},
};
use domain::{
    Actor, Clock, Ids, Kind, Log, Meta, Sid, Stream, Tenant,
    account::{Account, AccountCommand},
    carrier::{Carrier, CarrierCommand},
    phone_number::{PhoneNumber, PhoneNumberCommand, VoiceConfiguration},
    trunk::{Host, Inbound, Outbound, Trunk, TrunkCommand},
    user::{Role, User, UserCommand},
};
use ipnet::IpNet;
pub use point::LOOPBACK;
use point::this_machine;
use serde::{Deserialize, Serialize};
use std::{error::Error, path::Path, sync::Arc};
use store::Store;

/// The demo's phone numbers, as they are dialled.
const NUMBERS: [&str; 2] = ["1234", "85512345678"];
/// Where its outbound calls go: a phone on this machine.
const OUTBOUND_HOST: &str = "127.0.0.1:5070";
const OWNER_EMAIL: &str = "owner@demo.example";

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
    /// Makes the demo on an empty store, or finds the one made before, and points its numbers at the application and its
    /// trunk at this machine.
    ///
    /// # Errors
    /// When the store has other data but no demo, or a command is refused.
    pub async fn prepare(&self, data_dir: &Path, http_url: &str, application: &str) -> Outcome<Demo> {
        let mut demo: Demo = match Demo::kept(data_dir)? {
            Some(demo) => demo,
            None if self.store.head(Log::Core).await? > 0 => {
                return Err(
                    "the store has data of its own; --demo works on an empty one (set data_dir)".into()
                );
            }
            None => self.create(http_url, application).await?,
        };
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
        // Before anything can fail: the secrets are nowhere else.
        demo.keep(data_dir)?;
        Ok(demo)
    }

    async fn create(&self, http_url: &str, application: &str) -> Outcome<Demo> {
        let carrier = Sid::new(Kind::Carrier, &*self.ids);
        let sign_up = CarrierCommand::SignUp {
            name: "Demo Telecom".parse()?,
            country: "KH".parse()?,
            subdomain: "demo".parse()?,
        };
        self.command::<Carrier>(&carrier, &carrier, sign_up).await?;
        let (owner_password, totp_secret) = self.owner(&carrier).await?;
        let carrier_api_key = self.api_key(&carrier).await?;
        let (account_sid, auth_token) = self.account(&carrier).await?;
        self.trunk(&carrier).await?;
        for number in NUMBERS {
            self.number(&carrier, &account_sid, number, application).await?;
        }
        Ok(Demo {
            http_url: http_url.to_owned(),
            application_url: application.to_owned(),
            sip_address: String::new(),
            owner_email: OWNER_EMAIL.into(),
            owner_password,
            totp_secret,
            carrier_api_key,
            account_sid,
            auth_token,
            numbers: NUMBERS.map(str::to_owned).to_vec(),
            carrier_sid: carrier,
            trunk_sources: this_machine(),
        })
    }

    async fn owner(&self, carrier: &Sid) -> Outcome<(String, String)> {
        let user = Sid::new(Kind::User, &*self.ids);
        let (password, mut seed) = (self.ids.token(), [0; 20]);
        self.ids.fill(&mut seed);
        let hash = self
            .passwords
            .hash(&password, self.ids.clone())
            .await
            .map_err(|_| "the password was not hashed")?;
        self.keep(carrier, &user, secrets::PASSWORD, hash.as_bytes()).await?;
        self.keep(carrier, &user, secrets::TOTP_SEED, &seed).await?;
        self.keep(carrier, &user, secrets::TOTP_STEP, &0u64.to_be_bytes()).await?;
        let (name, email) = ("Demo Owner".parse()?, OWNER_EMAIL.parse()?);
        let register = UserCommand::Register { carrier: carrier.clone(), name, email, role: Role::Owner };
        self.command::<User>(carrier, &user, register).await?;
        self.command::<User>(carrier, &user, UserCommand::EnableTwoFactor).await?;
        Ok((password, base32(&seed)))
    }

    async fn api_key(&self, carrier: &Sid) -> Outcome<String> {
        let key = Sid::new(Kind::ApiKey, &*self.ids);
        let secret = ApiKeys::generate(&key, &*self.ids);
        let last_four = secret.chars().skip(secret.len() - 4).collect();
        let create = CarrierCommand::CreateApiKey { key: key.clone(), name: "Demo".parse()?, last_four };
        self.command::<Carrier>(carrier, carrier, create).await?;
        ApiKeys::new(Secrets::new(self.store.clone())).keep(carrier, &key, &secret).await?;
        Ok(secret)
    }

    async fn account(&self, carrier: &Sid) -> Outcome<(Sid, String)> {
        let (account, token) = (Sid::new(Kind::Account, &*self.ids), self.ids.token());
        Secrets::new(self.store.clone()).put_auth_token((carrier, &account), 1, &token).await?;
        let create = AccountCommand::Create { carrier: carrier.clone(), name: "Demo Account".parse()? };
        self.command::<Account>(carrier, &account, create).await?;
        Ok((account, token))
    }

    async fn trunk(&self, carrier: &Sid) -> Outcome<()> {
        let trunk = Sid::new(Kind::Trunk, &*self.ids);
        let host: Host = OUTBOUND_HOST.parse()?;
        let create = TrunkCommand::Create {
            carrier: carrier.clone(),
            name: "This machine".parse()?,
            // A phone on this machine may sign with one of its addresses and send sound from another.
            inbound: Some(Inbound {
                sources: this_machine(),
                media_networks: this_machine(),
                ..Inbound::default()
            }),
            outbound: Some(Outbound::to(host)),
        };
        self.command::<Trunk>(carrier, &trunk, create).await
    }

    async fn number(&self, carrier: &Sid, account: &Sid, number: &str, application: &str) -> Outcome<()> {
        let sid = Sid::new(Kind::PhoneNumber, &*self.ids);
        let account = Some(account.clone());
        let create = PhoneNumberCommand::Create {
            carrier: carrier.clone(),
            number: number.parse()?,
            enabled: true,
            account: account.clone(),
        };
        self.command::<PhoneNumber>(carrier, &sid, create).await?;
        let configure = PhoneNumberCommand::ConfigureVoice { account, voice: voice(application)? };
        self.command::<PhoneNumber>(carrier, &sid, configure).await
    }

    async fn keep(&self, carrier: &Sid, owner: &Sid, what: (&str, &str), secret: &[u8]) -> Outcome<()> {
        Ok(self.store.vault().put(carrier, owner, what.0, what.1, secret, None).await?)
    }

    async fn command<A: Stream>(&self, carrier: &Sid, stream: &Sid, command: A::Command) -> Outcome<()> {
        let meta = Meta::new(Tenant::carrier(carrier.clone()), Actor::system(Demo::ACTOR), self.clock.now());
        let outcome = self.store.execute::<A>(stream, command, &meta).await;
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

/// Writes a file only its owner can read.
fn write_private(file: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create(true).truncate(true).mode(0o600).open(file)?.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

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
