//! The vault: what goes in comes out for its owner alone, and for nobody once the key is gone.

use domain::{Kind, Timestamp};
use std::{sync::Arc, time::Duration};
use store::{
    Store, StoreError, StoreOptions,
    testing::{self, ManualClock, sid},
};
use tokio::task::JoinSet;

#[tokio::test]
async fn a_secret_comes_back_until_it_is_deleted() {
    for store in testing::stores().await {
        let (vault, carrier, owner) = (store.vault(), sid(Kind::Carrier), sid(Kind::Account));
        assert_eq!(vault.get(&owner, "auth_token", "primary").await.unwrap(), None);
        vault.put(&carrier, &owner, "auth_token", "primary", b"one", None).await.unwrap();
        vault.put(&carrier, &owner, "auth_token", "primary", b"two", None).await.unwrap();
        vault.put(&carrier, &owner, "auth_token", "secondary", b"three", None).await.unwrap();
        let secret = vault.get(&owner, "auth_token", "primary").await.unwrap().unwrap();
        assert_eq!(
            (secret.text(), format!("{secret:?}").as_str()),
            (Some("two"), "Secret(…)"),
            "{}",
            store.name
        );
        assert_eq!(vault.names(&owner, "auth_token").await.unwrap(), ["primary", "secondary"]);
        assert!(vault.delete(&owner, "auth_token", "primary").await.unwrap());
        assert!(!vault.delete(&owner, "auth_token", "primary").await.unwrap());
        assert_eq!(vault.get(&owner, "auth_token", "primary").await.unwrap(), None);
        assert!(!vault.put_new(&carrier, &owner, "auth_token", "secondary", b"four").await.unwrap());
    }
}

#[tokio::test]
async fn all_of_an_owners_secrets_of_a_kind_go_at_once() {
    for store in testing::stores().await {
        let (vault, carrier, owner) = (store.vault(), sid(Kind::Carrier), sid(Kind::User));
        for number in 0..1_100 {
            vault.put(&carrier, &owner, "session", &number.to_string(), b"x", None).await.unwrap();
        }
        vault.put(&carrier, &owner, "totp", "seed", b"x", None).await.unwrap();
        vault.put(&carrier, &carrier, "session", "7", b"x", None).await.unwrap();
        assert_eq!(vault.delete_all(&owner, "session", Some("7")).await.unwrap(), 1_099, "{}", store.name);
        assert_eq!(vault.names(&owner, "session").await.unwrap(), ["7"]);
        assert_eq!(vault.delete_all(&owner, "session", None).await.unwrap(), 1);
        assert_eq!(vault.names(&owner, "totp").await.unwrap(), ["seed"]);
        assert_eq!(vault.names(&carrier, "session").await.unwrap(), ["7"]);
    }
}

#[tokio::test]
async fn another_node_forgets_a_destroyed_key_within_a_minute() {
    let clock = ManualClock::at(1_000_000_000);
    for opened in [testing::sqlite().await, testing::on_postgres().await] {
        opened.close().await;
        let options = StoreOptions { clock: Arc::new(clock.clone()), ..opened.options.clone() };
        let store = Store::open(options.clone()).await.unwrap();
        let other = Store::open_to_read(options).await.unwrap();
        let (carrier, owner) = (sid(Kind::Carrier), sid(Kind::Account));
        store.vault().put(&carrier, &owner, "auth_token", "a", b"a", None).await.unwrap();
        assert!(other.vault().get(&owner, "auth_token", "a").await.unwrap().is_some());
        store.vault().forget(&carrier).await.unwrap();
        clock.advance(Duration::from_secs(60));
        let gone = other.vault().get(&owner, "auth_token", "a").await;
        assert!(matches!(gone, Err(StoreError::Forgotten)), "{}: {gone:?}", opened.name);
        other.close().await;
        store.close().await;
    }
}

#[tokio::test]
async fn of_many_who_replace_the_same_secret_one_succeeds() {
    for store in testing::stores().await {
        let (carrier, owner) = (sid(Kind::Carrier), sid(Kind::User));
        store.vault().put(&carrier, &owner, "totp_step", "last", b"1", None).await.unwrap();
        let mut rivals = JoinSet::new();
        for rival in 0..8u8 {
            let (vault, owner) = (store.vault().clone(), owner.clone());
            rivals.spawn(async move {
                vault.replace_if(&owner, "totp_step", "last", b"1", &[b'2', rival]).await.unwrap()
            });
        }
        let replaced = rivals.join_all().await.into_iter().filter(|replaced| *replaced).count();
        assert_eq!(replaced, 1, "{}", store.name);
        assert!(!store.vault().replace_if(&owner, "totp_step", "last", b"1", b"3").await.unwrap());
    }
}

#[tokio::test]
async fn a_secret_expires() {
    let clock = ManualClock::at(1_000_000_000);
    let (opened, carrier, user) = (testing::sqlite().await, sid(Kind::Carrier), sid(Kind::User));
    opened.close().await;
    let store =
        Store::open(StoreOptions { clock: Arc::new(clock.clone()), ..opened.options.clone() }).await.unwrap();
    let until = Timestamp::from_micros(1_000_000_000).plus(Duration::from_secs(60));
    store.vault().put(&carrier, &user, "session", "s1", b"x", Some(until)).await.unwrap();
    clock.advance(Duration::from_secs(59));
    assert!(store.vault().get(&user, "session", "s1").await.unwrap().is_some());
    clock.advance(Duration::from_secs(1));
    assert!(store.vault().get(&user, "session", "s1").await.unwrap().is_none());
    assert!(store.vault().names(&user, "session").await.unwrap().is_empty());
    assert!(!store.vault().delete(&user, "session", "s1").await.unwrap());
}

#[tokio::test]
async fn a_stored_secret_opens_in_no_other_place_and_under_no_other_master_key() {
    let opened = testing::sqlite().await;
    let (carrier, owner, thief) = (sid(Kind::Carrier), sid(Kind::Trunk), sid(Kind::Trunk));
    opened.vault().put(&carrier, &owner, "sip_password", "outbound", b"hush", None).await.unwrap();
    opened.vault().put(&carrier, &thief, "sip_password", "outbound", b"mine", None).await.unwrap();
    let mut tx = opened.db().begin().await.unwrap();
    let moved = format!(
        "UPDATE es_secrets SET sealed = (SELECT sealed FROM es_secrets WHERE owner = '{owner}') WHERE owner = '{thief}'"
    );
    tx.execute_text(&moved).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(opened.vault().get(&thief, "sip_password", "outbound").await, Err(StoreError::Sealed)));
    opened.close().await;
    let store = Store::open(StoreOptions { master_key: [8; 32], ..opened.options.clone() }).await.unwrap();
    assert!(matches!(store.vault().get(&owner, "sip_password", "outbound").await, Err(StoreError::Sealed)));
}

#[tokio::test]
async fn destroying_a_carriers_key_erases_its_secrets_and_no_one_elses() {
    for store in testing::stores().await {
        let (vault, gone, stays, owner) =
            (store.vault(), sid(Kind::Carrier), sid(Kind::Carrier), sid(Kind::Account));
        vault.put(&gone, &owner, "auth_token", "a", b"a", None).await.unwrap();
        vault.put(&stays, &owner, "auth_token", "b", b"b", None).await.unwrap();
        vault.forget(&gone).await.unwrap();
        assert!(
            matches!(vault.get(&owner, "auth_token", "a").await, Err(StoreError::Forgotten)),
            "{}",
            store.name
        );
        assert!(matches!(
            vault.put(&gone, &owner, "auth_token", "c", b"c", None).await,
            Err(StoreError::Forgotten)
        ));
        assert_eq!(vault.get(&owner, "auth_token", "b").await.unwrap().unwrap().bytes(), b"b");
    }
}

#[tokio::test]
async fn nothing_of_a_secret_is_on_the_disk() {
    let store = testing::sqlite().await;
    let secret = b"correct horse battery staple";
    store
        .vault()
        .put(&sid(Kind::Carrier), &sid(Kind::Account), "auth_token", "a", secret, None)
        .await
        .unwrap();
    let path = store.options.url.trim_start_matches("sqlite://").to_owned();
    for file in [path.clone(), format!("{path}-wal")] {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file}");
    }
}
