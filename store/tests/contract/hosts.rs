//! Several servers in one address, one that still comes up, and PgBouncer in between.

use domain::Kind;
use std::{
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};
use store::{
    Store, StoreOptions,
    testing::{self, Tally, TallyCommand as C, meta, sid},
};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream};

/// The host and port in an address.
fn host(url: &str) -> String {
    url.rsplit_once('@').unwrap().1.split_once('/').unwrap().0.to_owned()
}

/// A server that does not listen yet: its port is kept, and refuses.
fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

/// A way to the server, until it is dropped.
fn way(to: String, from: TcpListener) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut carried = tokio::task::JoinSet::new();
        while let Ok((mut client, _)) = from.accept().await {
            let to = to.clone();
            carried.spawn(async move {
                let Ok(mut server) = TcpStream::connect(&to).await else { return };
                drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
            });
        }
    })
}

async fn add(store: &Store) -> bool {
    store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.is_ok()
}

#[tokio::test]
async fn the_first_server_that_takes_writes_is_used() {
    let url = testing::postgres().await;
    let (_kept, nobody) = nobody();
    let several = url.replace(&host(&url), &format!("{nobody},{}", host(&url)));
    for address in [several.clone(), format!("{several}?target_session_attrs=read-write")] {
        let store = Store::open(testing::options(address)).await.unwrap();
        assert!(add(&store).await);
        store.close().await;
    }
    let standby = Store::open(testing::options(format!("{several}?target_session_attrs=standby"))).await;
    assert!(standby.err().unwrap().to_string().contains("ask for read-write"));
    let reader =
        Store::open_to_read(testing::options(format!("{several}?target_session_attrs=standby"))).await;
    let told = reader.err().unwrap().to_string();
    assert!(told.contains("it is no standby"), "{told}");
}

#[tokio::test]
async fn writes_go_on_over_another_server_when_the_first_one_is_gone() {
    let url = testing::postgres().await;
    let (first, second) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let hosts = format!("{},{}", first.local_addr().unwrap(), second.local_addr().unwrap());
    let (first, _second) = (way(host(&url), first), way(host(&url), second));
    let options = testing::options(url.replace(&host(&url), &hosts));
    let store = Store::open(StoreOptions { deadline: Duration::from_secs(5), ..options }).await.unwrap();
    assert!(add(&store).await);
    first.abort();
    let gone = Instant::now();
    while !add(&store).await {
        assert!(gone.elapsed() < Duration::from_secs(30), "no server took over");
    }
    println!("the other server took over after {:?}", gone.elapsed());
}

#[tokio::test]
async fn a_database_that_still_comes_up_is_waited_for() {
    let url = testing::postgres().await;
    let (socket, later) = nobody();
    let options = testing::options(url.replace(&host(&url), &later));
    let at_once = Store::open(options.clone()).await;
    assert!(at_once.err().unwrap().to_string().contains("refused"));
    let comes_up = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        way(host(&url), socket.listen(16).unwrap()).await.unwrap();
    });
    let store = Store::open(StoreOptions { patience: Duration::from_secs(30), ..options }).await.unwrap();
    assert!(add(&store).await);
    comes_up.abort();
}

/// A PgBouncer before the server of this address, on a socket in a folder of its own.
struct Bouncer {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// PgBouncer is in a folder that is not on everybody's PATH. Without the program there is nothing to try; where every
/// program must be there, as in `bin/test`, that is a failure.
fn program() -> Option<PathBuf> {
    let places = std::env::var("PATH").unwrap_or_default();
    let places = std::env::split_paths(&places).chain([PathBuf::from("/usr/sbin")]);
    let found = places.map(|place| place.join("pgbouncer")).find(|program| program.exists());
    let demanded = std::env::var_os("TEST_ALL_PROGRAMS").is_some();
    assert!(found.is_some() || !demanded, "pgbouncer is not installed (bin/setup test)");
    found
}

impl Bouncer {
    async fn start(program: &PathBuf, url: &str, mode: &str, servers: u8) -> Bouncer {
        let folder = tempfile::tempdir().unwrap();
        let (server, at) = (host(url), folder.path().display().to_string());
        let (host_name, port) = server.rsplit_once(':').unwrap();
        let user = url.split_once("://").unwrap().1.split_once('@').unwrap().0;
        let text = format!(
            "[databases]\n* = user={user} host={host_name} port={port}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n\
             unix_socket_dir = {at}\nauth_type = any\npool_mode = {mode}\nmax_client_conn = 100\ndefault_pool_size = {servers}\n"
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, text).unwrap();
        // Whoever it runs as makes its socket there.
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let mut command = Command::new(program);
        command.arg("-q").arg(&file);
        if String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0" {
            command.args(["-u", "nobody"]);
        }
        let child = command.spawn().unwrap();
        let began = Instant::now();
        while UnixStream::connect(folder.path().join(".s.PGSQL.6432")).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "pgbouncer does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let url = url.replace(&server, &format!("{}:6432", at.replace('/', "%2F")));
        Bouncer { child, url, _folder: folder }
    }
}

#[tokio::test]
async fn pgbouncer_works_by_sessions_and_is_named_with_the_remedy_otherwise() {
    let Some(program) = program() else {
        return eprintln!("pgbouncer is not installed: nothing is tried through it");
    };
    let url = testing::postgres().await;
    let bouncer = Bouncer::start(&program, &url, "session", 40).await;
    let store = Store::open(testing::options(&bouncer.url)).await.unwrap();
    let direct = Store::open(testing::options(&url)).await.unwrap();
    let mut heard = store.watch(domain::Log::Core);
    assert!(add(&direct).await);
    tokio::time::timeout(Duration::from_secs(20), heard.wait_for(|head| *head >= 1)).await.unwrap().unwrap();
    assert!(add(&store).await);
    store.close().await;
    // With one connection to the server the second transaction waits; by statements there are none.
    for (mode, servers) in [("transaction", 40), ("transaction", 1), ("statement", 40)] {
        let bouncer = Bouncer::start(&program, &url, mode, servers).await;
        let options = StoreOptions { deadline: Duration::from_secs(3), ..testing::options(&bouncer.url) };
        let refused = Store::open(options).await.err().unwrap().to_string();
        let named = refused.contains("PgBouncer") && refused.contains("pool_mode = session");
        assert!(named, "{mode}, {servers}: {refused}");
    }
}
