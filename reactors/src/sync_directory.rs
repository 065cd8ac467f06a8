//! `sync_directory`: keeps the engine's snapshot of trunks, numbers and accounts as the core log has it. While the
//! database is away the last snapshot serves.

use crate::Common;
use arc_swap::ArcSwap;
use domain::{
    Log, Sid,
    country::Country,
    trunk::{Inbound, Outbound},
};
use projections::{CarrierRow, DirectoryRows, PhoneNumberRow, Projections, ReadError, TrunkRow};
use sip_engine::routing::{AccountEntry, Directory, NumberEntry, TrunkEntry};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use store::{Fact, StoreError, Vault};
use tokio::sync::watch;

/// How often the log is looked at without a signal.
const POLL: Duration = Duration::from_secs(1);
/// How long changes gather before the snapshot is made anew.
const GATHER: Duration = Duration::from_millis(20);
/// How long the projections may take to come as far as the log.
const WAIT: Duration = Duration::from_secs(5);
/// The vault's kind and name of a trunk's digest password.
/// What the one a trunk was made with is called; later ones are named by the event.
const SIP_PASSWORD: (&str, &str) = ("sip_password", "current");

/// Most facts looked at before the snapshot is made anew without a further look.
const PAGE: usize = 500;
/// What the snapshot is made of; other facts, such as sign-ins, leave it as it is.
const ROUTED_BY: [&str; 4] = ["carrier", "account", "trunk", "phone_number"];

/// The snapshot and where it stands; clones share it.
#[derive(Clone, Default)]
pub struct DirectoryMirror {
    directory: Arc<ArcSwap<Directory>>,
    position: watch::Sender<i64>,
    passwords: Arc<Mutex<Passwords>>,
    trusted: Arc<HashSet<Sid>>,
}

/// Trunks' digest passwords, with the version of the credential they are.
type Passwords = HashMap<Sid, (i64, Arc<str>)>;

impl DirectoryMirror {
    /// An empty one that takes these trunks for trusted (RFC 3325).
    #[must_use]
    pub fn new(trusted: HashSet<Sid>) -> DirectoryMirror {
        DirectoryMirror { trusted: Arc::new(trusted), ..DirectoryMirror::default() }
    }

    /// What the engine routes by.
    #[must_use]
    pub fn directory(&self) -> Arc<ArcSwap<Directory>> {
        Arc::clone(&self.directory)
    }

    /// The position of the core log it knows of.
    #[must_use]
    pub fn position(&self) -> i64 {
        *self.position.borrow()
    }

    /// Waits until it knows of a position of the core log, at most `within`; whether it does.
    pub async fn reached(&self, position: i64, within: Duration) -> bool {
        let mut standing = self.position.subscribe();
        tokio::time::timeout(within, standing.wait_for(|at| *at >= position)).await.is_ok()
    }

    /// Makes the snapshot anew from the projections.
    ///
    /// # Errors
    /// When the database fails; the old one stays.
    pub async fn load(&self, projections: &Projections, vault: &Vault) -> Result<(), ReadError> {
        let rows = projections.system().directory().await?;
        let position = rows.position;
        let directory = self.directory_of(rows, vault).await?;
        self.directory.store(Arc::new(directory));
        self.position.send_replace(position);
        Ok(())
    }

    async fn directory_of(&self, rows: DirectoryRows, vault: &Vault) -> Result<Directory, StoreError> {
        let DirectoryRows { carriers, accounts, trunks, phone_numbers, .. } = rows;
        let countries = carriers.into_iter();
        let countries: HashMap<Sid, (Country, i64)> = countries
            .map(|CarrierRow { sid, country, country_since, .. }| (sid, (country, country_since)))
            .collect();
        let passwords = self.passwords_of(&trunks, vault).await?;
        let entry = |trunk: TrunkRow| {
            let password = passwords.get(&trunk.sid).map(|(_, password)| Arc::clone(password));
            let trusted = self.trusted.contains(&trunk.sid);
            trunk_entry(trunk, &countries, trusted, password)
        };
        let entries = trunks.into_iter().map(entry).collect();
        let accounts = accounts.into_iter().map(|account| AccountEntry {
            country: countries.get(&account.carrier).map(|(country, _)| *country),
            sid: account.sid,
            carrier: account.carrier,
            enabled: account.enabled,
            limits: account.limits,
        });
        let numbers = phone_numbers.into_iter().map(number_entry);
        Ok(Directory::new(entries, numbers.collect(), accounts.collect()))
    }

    /// The passwords of all trunks that have one. The vault is asked only for what has been replaced.
    async fn passwords_of(&self, trunks: &[TrunkRow], vault: &Vault) -> Result<Passwords, StoreError> {
        let known = self.passwords().clone();
        let mut passwords = Passwords::new();
        for trunk in trunks {
            let version = trunk.credential_version;
            let password = match known.get(&trunk.sid) {
                Some((seen, password)) if *seen == version => Some(Arc::clone(password)),
                _ => password_of(trunk, vault).await?,
            };
            passwords.extend(password.map(|password| (trunk.sid.clone(), (version, password))));
        }
        self.passwords().clone_from(&passwords);
        Ok(passwords)
    }

    fn passwords(&self) -> MutexGuard<'_, Passwords> {
        self.passwords.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the core log until told to stop.
pub(crate) async fn run(common: Common) {
    let follow = async {
        let mut committed = common.store.watch(Log::Core);
        let told = crate::seldom::Seldom::new();
        loop {
            if let Err(error) = catch_up(&common).await {
                if told.is_due() {
                    let position = common.mirror.position();
                    tracing::warn!(%error, position, "calls are routed by the last known directory");
                }
                tokio::time::sleep(POLL).await;
            }
            // Either outcome, a signal or the poll, means: look.
            let _ = tokio::time::timeout(POLL, committed.changed()).await;
            tokio::time::sleep(GATHER).await;
        }
    };
    common.stop.run_until_cancelled(follow).await;
}

async fn catch_up(common: &Common) -> Result<(), ReadError> {
    let Common { mirror, projections, .. } = common;
    let head = common.store.head(Log::Core).await?;
    if head <= mirror.position() {
        return Ok(());
    }
    if let Err(behind) = projections.reached(Log::Core, head, WAIT).await {
        tracing::warn!(%behind, "the directory follows as far as the projections have come");
    }
    let known = projections.system().directory_position().await?;
    if known <= mirror.position() {
        return Ok(());
    }
    if is_news(common, mirror.position(), known).await? {
        return mirror.load(projections, common.store.vault()).await;
    }
    mirror.position.send_replace(known);
    Ok(())
}

/// Whether the facts after one position and up to another change what calls are routed by.
async fn is_news(common: &Common, after: i64, until: i64) -> Result<bool, StoreError> {
    let page = common.store.read(Log::Core, after, PAGE).await?;
    let changes = |fact: &Fact| fact.position <= until && ROUTED_BY.contains(&fact.stream_type.as_str());
    Ok(page.iter().any(changes) || page.last().is_none_or(|last| last.position < until))
}

async fn password_of(trunk: &TrunkRow, vault: &Vault) -> Result<Option<Arc<str>>, StoreError> {
    let user = trunk.outbound.as_ref().and_then(|outbound| outbound.username.as_ref());
    if user.is_none() {
        return Ok(None);
    }
    let secret =
        vault.get(&trunk.sid, SIP_PASSWORD.0, trunk.credential.as_deref().unwrap_or(SIP_PASSWORD.1)).await?;
    Ok(secret.as_ref().and_then(|secret| secret.text()).map(Arc::from))
}

fn trunk_entry(
    trunk: TrunkRow,
    countries: &HashMap<Sid, (Country, i64)>,
    trusted: bool,
    password: Option<Arc<str>>,
) -> TrunkEntry {
    let own = trunk.inbound.as_ref().and_then(|inbound| inbound.country);
    let carriers = countries.get(&trunk.carrier).filter(|_| own.is_none());
    let mut claims = trunk.claims;
    claims.country = carriers.map_or(claims.country, |(_, since)| claims.country.max(*since));
    TrunkEntry {
        country: own.or(carriers.map(|(country, _)| *country)),
        claims,
        sid: trunk.sid,
        carrier: trunk.carrier,
        inbound: trunk.inbound.map(|inbound| Inbound { trusted, ..inbound }),
        outbound: trunk.outbound.map(|outbound| Outbound { trusted, ..outbound }),
        password,
    }
}

fn number_entry(row: PhoneNumberRow) -> NumberEntry {
    let PhoneNumberRow { sid, carrier, account, number, enabled, voice, claims, .. } = row;
    NumberEntry { sid, carrier, number, account, enabled, voice, claims }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, new_sid};
    use domain::{
        Kind,
        account::{Account, AccountCommand},
        carrier::{Carrier, CarrierCommand},
        phone_number::{PhoneNumber, PhoneNumberCommand, VoiceConfiguration},
        trunk::{Trunk, TrunkCommand},
        user::{Role, User, UserCommand},
    };
    use sip_engine::routing::Inbound as Way;

    fn trunk(carrier: &Sid) -> TrunkCommand {
        let host = "127.0.0.1:5070".parse().unwrap();
        let outbound = Outbound { username: Some("bob".into()), ..Outbound::to(host) };
        let sources = vec!["192.0.2.0/24".parse().unwrap()];
        TrunkCommand::Create {
            carrier: carrier.clone(),
            name: "T".parse().unwrap(),
            inbound: Some(Inbound { sources, ..Inbound::default() }),
            outbound: Some(outbound),
        }
    }

    async fn network(bench: &Bench) -> Sid {
        let (carrier, meta) = (&bench.tenant.carrier, bench.meta());
        let sign_up = CarrierCommand::SignUp {
            name: "C".parse().unwrap(),
            country: "KH".parse().unwrap(),
            subdomain: "demo".parse().unwrap(),
        };
        bench.store.execute::<Carrier>(carrier, sign_up, &meta).await.unwrap();
        let (number, sid) = (new_sid(Kind::PhoneNumber), new_sid(Kind::Trunk));
        bench.store.vault().put(carrier, &sid, "sip_password", "current", b"secret", None).await.unwrap();
        bench.store.execute::<Trunk>(&sid, trunk(carrier), &meta).await.unwrap();
        let create = PhoneNumberCommand::Create {
            carrier: carrier.clone(),
            number: "+85512345678".parse().unwrap(),
            enabled: true,
            account: Some(bench.account.clone()),
        };
        let voice_url = "http://example.com/voice".parse().ok();
        let voice = VoiceConfiguration { voice_url, ..VoiceConfiguration::default() };
        let configure = PhoneNumberCommand::ConfigureVoice { account: Some(bench.account.clone()), voice };
        let commands = vec![(create, meta.clone()), (configure, meta.clone())];
        bench.store.execute_all::<PhoneNumber>(&number, commands).await.unwrap();
        number
    }

    /// Waits until what a call from the trunk comes to is what the test wants.
    async fn until(mirror: &DirectoryMirror, wanted: impl Fn(&Way) -> bool) {
        let settled = async {
            let mut every = tokio::time::interval(Duration::from_millis(5));
            let source = "192.0.2.7".parse().unwrap();
            while !wanted(&mirror.directory().load().inbound(source, "+15551230000", "012345678")) {
                every.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), settled).await.expect("the directory follows");
    }

    #[tokio::test]
    async fn the_engine_routes_by_what_the_log_says() {
        let bench = Bench::new().await;
        let mirror = &bench.common.mirror;
        bench.common.tasks.spawn(run(bench.common.clone()));
        let number = network(&bench).await;
        until(mirror, |way| matches!(way, Way::Taken(taken) if taken.phone_number == number)).await;
        let directory = mirror.directory().load_full();
        let route =
            directory.outbound(&bench.tenant.carrier, &bench.account, "1234", "+85598000001").unwrap();
        assert_eq!(route[0].credentials.as_ref().unwrap().1.as_ref(), "secret");
        let meta = bench.meta();
        bench.store.execute::<Account>(&bench.account, AccountCommand::Disable, &meta).await.unwrap();
        until(mirror, |way| matches!(way, Way::Refused(refusal) if refusal.code == 403)).await;
    }

    #[tokio::test]
    async fn a_trunk_is_trusted_when_the_operator_names_it() {
        let bench = Bench::new().await;
        network(&bench).await;
        let position = bench.store.head(Log::Core).await.unwrap();
        bench.common.projections.reached(Log::Core, position, WAIT).await.unwrap();
        let trunks = bench.common.projections.system().trunks().await.unwrap();
        let sid = trunks.first().unwrap().sid.clone();
        for (named, trusted) in [(vec![], false), (vec![sid.clone()], true)] {
            let mirror = DirectoryMirror::new(named.into_iter().collect());
            mirror.load(&bench.common.projections, bench.store.vault()).await.unwrap();
            let directory = mirror.directory().load_full();
            let trunk = directory.trunk(&sid).unwrap();
            let (inbound, outbound) = (trunk.inbound.as_ref().unwrap(), trunk.outbound.as_ref().unwrap());
            assert_eq!((inbound.trusted, outbound.trusted), (trusted, trusted));
        }
    }

    #[tokio::test]
    async fn a_sign_in_changes_nothing_and_a_new_password_is_fetched() {
        let bench = Bench::new().await;
        let (mirror, meta, carrier) = (&bench.common.mirror, bench.meta(), &bench.tenant.carrier);
        network(&bench).await;
        let catch_up = async || catch_up(&bench.common).await.unwrap();
        catch_up().await;
        let before = mirror.directory().load_full();
        let (email, role) = ("a@b.test".parse().unwrap(), Role::Owner);
        let register =
            UserCommand::Register { carrier: carrier.clone(), name: "A".parse().unwrap(), email, role };
        bench.store.execute::<User>(&new_sid(Kind::User), register, &meta).await.unwrap();
        catch_up().await;
        assert_eq!(mirror.position(), bench.store.head(Log::Core).await.unwrap());
        assert!(Arc::ptr_eq(&before, &mirror.directory().load_full()), "it was not made anew");
        let trunk = mirror.passwords().keys().next().cloned().unwrap();
        bench.store.vault().put(carrier, &trunk, "sip_password", "current", b"new", None).await.unwrap();
        bench.store.execute::<Account>(&bench.account, AccountCommand::Disable, &meta).await.unwrap();
        catch_up().await;
        assert_eq!(mirror.passwords()[&trunk].1.as_ref(), "secret", "nobody said it was replaced");
        bench.store.execute::<Trunk>(&trunk, TrunkCommand::ReplaceCredential, &meta).await.unwrap();
        catch_up().await;
        assert_eq!(mirror.passwords()[&trunk].1.as_ref(), "new");
        bench.store.vault().put(carrier, &trunk, "sip_password", "a-name", b"newer", None).await.unwrap();
        let outbound =
            Outbound { username: Some("bob".into()), ..Outbound::to("127.0.0.1:5070".parse().unwrap()) };
        let named = TrunkCommand::ConfigureOutboundWithPassword { outbound, secret: "a-name".into() };
        bench.store.execute::<Trunk>(&trunk, named, &meta).await.unwrap();
        catch_up().await;
        assert_eq!(mirror.passwords()[&trunk].1.as_ref(), "newer", "the event says which it is");
    }
}
