//! A database that does not let us in: told at once, with its address but without its password, and with what to do.

use std::time::{Duration, Instant};
use store::{Store, StoreError, StoreOptions, testing};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
};

const DEADLINE: Duration = Duration::from_millis(500);

/// What opening and probing say of an address; the same.
async fn told(url: &str) -> String {
    let asked = Instant::now();
    let opened = Store::open(StoreOptions { deadline: DEADLINE, ..testing::options(url) }).await;
    let probed = store::probe(url, DEADLINE).await;
    assert!(asked.elapsed() < DEADLINE * 6, "{:?}", asked.elapsed());
    let (Err(opened @ StoreError::Unusable { .. }), Err(probed)) = (opened.map(drop), probed) else {
        panic!("{url} is unusable")
    };
    assert_eq!(opened.to_string(), probed.to_string());
    assert!(!opened.to_string().contains("secret"), "{opened}");
    opened.to_string()
}

/// One message of PostgreSQL's protocol.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

/// The address of a server that gives everybody the same answer.
async fn answering(answer: Vec<u8>) -> String {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://me:secret@{}/trunkline?sslmode=disable", server.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = server.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                assert_ne!(client.read(&mut [0; 512]).await.unwrap(), 0, "it asks to be let in");
                client.write_all(&answer).await.unwrap();
                client.read_to_end(&mut Vec::new()).await
            });
        }
    });
    url
}

#[tokio::test]
async fn a_port_nobody_listens_at_is_told_at_once() {
    // Bound and not listening: it refuses, and nobody else gets it meanwhile.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let free = closed.local_addr().unwrap();
    let told = told(&format!("postgres://me:secret@{free}/trunkline")).await;
    assert!(told.starts_with(&format!("postgres://…@{free}/trunkline: ")), "{told}");
    assert!(told.contains("refused") && told.contains("start the server"), "{told}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let url = testing::postgres().await.replace("trunkline_test_", "no_such_");
    let told = told(&url).await;
    assert!(told.contains("does not exist") && told.contains("createdb"), "{told}");
}

#[tokio::test]
async fn a_wrong_password_is_told_as_such() {
    let refusal = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"me\"\0\0";
    let told = told(&answering(message(b'E', refusal)).await).await;
    assert!(told.contains("password authentication failed") && told.contains("user and password"), "{told}");
}

#[tokio::test]
async fn a_server_that_is_too_old_is_told_so() {
    let welcome = [message(b'R', &[0; 4]), message(b'S', b"server_version\x0014.2\0"), message(b'Z', b"I")];
    let told = told(&answering(welcome.concat()).await).await;
    assert!(told.contains("it is PostgreSQL 14; 15 or a later one"), "{told}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_at_the_deadline() {
    let told = told(&answering(Vec::new()).await).await;
    assert!(told.contains("no answer within 500ms"), "{told}");
}

#[tokio::test]
async fn a_probe_of_a_file_makes_none_and_changes_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trunkline.db");
    let url = format!("sqlite://{}", file.display());
    assert!(store::probe(&url, DEADLINE).await.unwrap().ends_with("will be made"));
    assert!(!file.exists());
    std::fs::write(&file, "not a database at all, but long enough to be read as one".repeat(40)).unwrap();
    let broken = store::probe(&url, DEADLINE).await.unwrap_err().to_string();
    assert!(broken.contains("trunkline.db") && broken.contains("not a database"), "{broken}");
    let sound = testing::sqlite().await;
    assert!(store::probe(&sound.options.url, DEADLINE).await.unwrap().ends_with("can be read"));
    sound.close().await;
}

#[tokio::test]
async fn another_key_than_the_vaults_is_noticed() {
    let store = testing::sqlite().await;
    let (stream, add) = (testing::sid(domain::Kind::Call), testing::TallyCommand::Add(1));
    store.execute::<testing::Tally>(&stream, add, &testing::meta()).await.unwrap();
    store.seal(domain::Log::Core).await.unwrap();
    store.check_key().await.unwrap();
    store.close().await;
    let other = StoreOptions { master_key: [8; 32], ..store.options.clone() };
    let other = Store::open_to_read(other).await.unwrap();
    assert!(matches!(other.check_key().await, Err(StoreError::Sealed)));
    other.close().await;
}
