//! What the demo is made of. Its secrets and names come first: with them, a start that is cut off is gone on with by the
//! next. Each part is there whole or not at all, and what opens it is kept after it.

use super::{Demo, Maker, Outcome, base32, point::this_machine};
use api::{
    auth::ApiKeys,
    secrets::{self, Secrets},
};
use domain::{
    Kind, Sid, Stream,
    account::{Account, AccountCommand},
    carrier::{Carrier, CarrierCommand},
    phone_number::{PhoneNumber, PhoneNumberCommand},
    trunk::{Host, Inbound, Outbound, Trunk, TrunkCommand},
    user::{Role, User, UserCommand},
};

/// The demo's phone numbers, as they are dialled.
const NUMBERS: [&str; 2] = ["1234", "85512345678"];
/// Where its outbound calls go: a phone on this machine.
const OUTBOUND_HOST: &str = "127.0.0.1:5070";
const OWNER_EMAIL: &str = "owner@demo.example";

impl Maker {
    /// A demo of which nothing is made yet.
    pub(super) fn planned(&self, http_url: &str, application: &str) -> Demo {
        let mut seed = [0; 20];
        self.ids.fill(&mut seed);
        Demo {
            http_url: http_url.to_owned(),
            application_url: application.to_owned(),
            sip_address: String::new(),
            owner_email: OWNER_EMAIL.into(),
            owner_password: self.ids.token(),
            totp_secret: base32(&seed),
            carrier_api_key: ApiKeys::generate(&self.new_sid(Kind::ApiKey), &*self.ids),
            account_sid: self.new_sid(Kind::Account),
            auth_token: self.ids.token(),
            numbers: NUMBERS.map(str::to_owned).to_vec(),
            carrier_sid: self.new_sid(Kind::Carrier),
            trunk_sources: this_machine(),
            unfinished: true,
        }
    }

    /// Makes what is not there yet.
    pub(super) async fn make(&self, demo: &Demo) -> Outcome<()> {
        self.carrier(demo).await?;
        self.owner(demo).await?;
        self.account(demo).await?;
        self.trunk(demo).await?;
        for nth in 0..NUMBERS.len() {
            self.number(demo, nth).await?;
        }
        Ok(())
    }

    /// The carrier and the key that opens it.
    async fn carrier(&self, demo: &Demo) -> Outcome<()> {
        let (carrier, secret) = (&demo.carrier_sid, &demo.carrier_api_key);
        let sign_up = CarrierCommand::SignUp {
            name: "Demo Telecom".parse()?,
            country: "KH".parse()?,
            subdomain: "demo".parse()?,
        };
        let key: Sid = secret.split('_').nth(1).unwrap_or_default().parse()?;
        let last_four = secret.chars().skip(secret.len().saturating_sub(4)).collect();
        let create = CarrierCommand::CreateApiKey { key: key.clone(), name: "Demo".parse()?, last_four };
        self.once::<Carrier>(demo, carrier, vec![sign_up, create]).await?;
        Ok(ApiKeys::new(Secrets::new(self.store.clone())).keep(carrier, &key, secret).await?)
    }

    async fn owner(&self, demo: &Demo) -> Outcome<()> {
        let (carrier, user) = (demo.carrier_sid.clone(), self.nth(demo, Kind::User, 0).await?);
        let (name, email) = ("Demo Owner".parse()?, demo.owner_email.parse()?);
        let register = UserCommand::Register { carrier, name, email, role: Role::Owner };
        self.once::<User>(demo, &user, vec![register, UserCommand::EnableTwoFactor]).await?;
        let hash = self.passwords.hash(&demo.owner_password, self.ids.clone()).await;
        let hash = hash.map_err(|_| "the password was not hashed")?;
        let seed = demo.totp_seed().ok_or("demo.json has no two-factor key that can be read")?;
        self.keep(demo, &user, secrets::PASSWORD, hash.as_bytes()).await?;
        self.keep(demo, &user, secrets::TOTP_SEED, &seed).await?;
        self.keep(demo, &user, secrets::TOTP_STEP, &0u64.to_be_bytes()).await
    }

    async fn account(&self, demo: &Demo) -> Outcome<()> {
        let (carrier, account) = (&demo.carrier_sid, &demo.account_sid);
        let create = AccountCommand::create(carrier.clone(), "Demo Account".parse()?);
        self.once::<Account>(demo, account, vec![create]).await?;
        let secrets = Secrets::new(self.store.clone());
        Ok(secrets.put_auth_token((carrier, account), 1, &demo.auth_token).await?)
    }

    async fn trunk(&self, demo: &Demo) -> Outcome<()> {
        let trunk = self.nth(demo, Kind::Trunk, 0).await?;
        let host: Host = OUTBOUND_HOST.parse()?;
        let create = TrunkCommand::Create {
            carrier: demo.carrier_sid.clone(),
            name: "This machine".parse()?,
            // A phone on this machine may sign with one of its addresses and send sound from another.
            inbound: Some(Inbound {
                sources: demo.trunk_sources.clone(),
                media_networks: demo.trunk_sources.clone(),
                ..Inbound::default()
            }),
            outbound: Some(Outbound::to(host)),
        };
        self.once::<Trunk>(demo, &trunk, vec![create]).await
    }

    /// One of [`NUMBERS`]; they are made in their order.
    async fn number(&self, demo: &Demo, nth: usize) -> Outcome<()> {
        let (sid, account) = (self.nth(demo, Kind::PhoneNumber, nth).await?, Some(demo.account_sid.clone()));
        let create = PhoneNumberCommand::Create {
            carrier: demo.carrier_sid.clone(),
            number: NUMBERS[nth].parse()?,
            enabled: true,
            account: account.clone(),
        };
        let configure = PhoneNumberCommand::ConfigureVoice { account, voice: demo.voice()? };
        self.once::<PhoneNumber>(demo, &sid, vec![create, configure]).await
    }

    fn new_sid(&self, kind: Kind) -> Sid {
        Sid::new(kind, &*self.ids)
    }

    /// What the demo has of this kind, in the order it was made; a new identifier where there are fewer.
    async fn nth(&self, demo: &Demo, kind: Kind, nth: usize) -> Outcome<Sid> {
        let made = self.made(demo, kind).await?.into_iter().nth(nth);
        Ok(made.unwrap_or_else(|| self.new_sid(kind)))
    }

    /// Does all of this to what is not there yet.
    async fn once<A: Stream>(&self, demo: &Demo, stream: &Sid, commands: Vec<A::Command>) -> Outcome<()> {
        match self.store.load::<A>(stream).await?.version {
            0 => self.commands::<A>(&demo.carrier_sid, stream, commands).await,
            _ => Ok(()),
        }
    }

    async fn keep(&self, demo: &Demo, owner: &Sid, what: (&str, &str), secret: &[u8]) -> Outcome<()> {
        Ok(self.store.vault().put(&demo.carrier_sid, owner, what.0, what.1, secret, None).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::auth::{Cost, Passwords};
    use domain::{Ids, Log};
    use std::sync::Arc;
    use store::{RandomIds, Store, SystemClock, testing::sqlite};

    const URL: &str = "http://127.0.0.1:8080";
    const APPLICATION: &str = "http://127.0.0.1:4711";

    fn maker(store: &Store) -> Maker {
        let ids: Arc<dyn Ids> = Arc::new(RandomIds::default());
        let passwords = Passwords::new(Cost { memory_kib: 8, passes: 1 }, &*ids).unwrap();
        Maker { store: store.clone(), clock: Arc::new(SystemClock), ids, passwords }
    }

    /// Makes so many parts of it.
    async fn begin(maker: &Maker, demo: &Demo, parts: usize) -> Outcome<()> {
        for part in 0..parts {
            match part {
                0 => maker.carrier(demo).await?,
                1 => maker.owner(demo).await?,
                2 => maker.account(demo).await?,
                3 => maker.trunk(demo).await?,
                nth => maker.number(demo, nth - 4).await?,
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_demo_whose_making_was_cut_off_is_gone_on_with_at_the_next_start() {
        for parts in 0..=6 {
            let (store, folder) = (sqlite().await, tempfile::tempdir().unwrap());
            let (maker, keys) = (maker(&store), ApiKeys::new(Secrets::new((*store).clone())));
            let begun = maker.planned(URL, APPLICATION);
            begun.keep(folder.path()).unwrap();
            begin(&maker, &begun, parts).await.unwrap();
            // It may have been cut off before the secret of a part was kept.
            let key: Sid = begun.carrier_api_key.split('_').nth(1).unwrap().parse().unwrap();
            keys.forget(&key).await.unwrap();

            let demo = maker.prepare(folder.path(), URL, "http://127.0.0.1:4712").await.unwrap();
            assert_eq!(
                (&demo.carrier_sid, &demo.owner_password),
                (&begun.carrier_sid, &begun.owner_password)
            );
            for (kind, count) in
                [(Kind::User, 1), (Kind::Account, 1), (Kind::Trunk, 1), (Kind::PhoneNumber, 2)]
            {
                assert_eq!(
                    maker.made(&demo, kind).await.unwrap().len(),
                    count,
                    "{kind:?} after {parts} parts"
                );
            }
            let opens = keys.check(&demo.carrier_api_key).await.unwrap();
            assert_eq!(opens, Some((demo.carrier_sid.clone(), key)));

            let head = store.head(Log::Core).await.unwrap();
            maker.prepare(folder.path(), URL, "http://127.0.0.1:4712").await.unwrap();
            assert_eq!(store.head(Log::Core).await.unwrap(), head, "it is made once");
        }
    }

    #[tokio::test]
    async fn no_demo_is_made_among_somebodys_data() {
        let (store, folder) = (sqlite().await, tempfile::tempdir().unwrap());
        let maker = maker(&store);
        maker.prepare(folder.path(), URL, APPLICATION).await.unwrap();
        let other = tempfile::tempdir().unwrap();
        let refused = maker.prepare(other.path(), URL, APPLICATION).await.err().unwrap();
        assert!(refused.to_string().contains("data of its own"), "{refused}");
        assert!(Demo::kept(other.path()).unwrap().is_none());
    }
}
