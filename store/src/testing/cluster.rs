//! A throw-away PostgreSQL for tests: `TEST_DATABASE_URL` where it is set, else a cluster of our own.
//!
//! Test runners start a process per test, so the cluster is shared through a folder: who comes first starts it, everyone
//! holds a shared lock on it, and a watchman stops it when nobody has held the lock for a while.

use sqlx::{Connection, Executor, PgConnection};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Stops the cluster once nobody has held the lock for a look every 20 s, and clears the folder away.
/// `$1` is the folder, `$2` the folder of PostgreSQL's programs, the rest how to become its user.
const WATCHMAN: &str = r#"folder=$1; bin=$2; shift 2
while sleep 20; do
  flock -n "$folder/lock" sh -c '
    folder=$1; bin=$2; shift 2
    "$@" "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop; rm -rf "$folder/data" "$folder/url"' - "$folder" "$bin" "$@" && exit
done"#;

/// What a commit is worth.
#[derive(Clone, Copy)]
enum Commits {
    /// Gone with the machine: for tests, which lose nothing then.
    Fast,
    /// On the disk, as in production: for measuring.
    Durable,
}

impl Commits {
    /// What PostgreSQL calls it.
    fn fsync(self) -> &'static str {
        match self {
            Commits::Fast => "off",
            Commits::Durable => "on",
        }
    }
}

/// The address of a fresh, empty database.
///
/// # Panics
/// When PostgreSQL's programs are not installed or do not start.
pub async fn postgres() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    database(SERVER.get_or_init(|| Server::find(Commits::Fast))).await
}

/// The same on a server whose commits are durable: a benchmark without that measures nothing.
///
/// # Panics
/// As `postgres`; and when the server of `TEST_DATABASE_URL` commits otherwise.
pub async fn durable_postgres() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let url = database(SERVER.get_or_init(|| Server::find(Commits::Durable))).await;
    let mut connection = PgConnection::connect(&url).await.expect("the fresh database answers");
    for setting in ["fsync", "synchronous_commit"] {
        let show = format!("SHOW {setting}");
        let value: String = sqlx::query_scalar(&show).fetch_one(&mut connection).await.expect("a setting");
        assert_eq!(value, "on", "{setting} of the server in TEST_DATABASE_URL");
    }
    connection.close().await.expect("the connection closes");
    url
}

async fn database(server: &Server) -> String {
    let name = format!("trunkline_test_{}", super::token());
    let mut admin = PgConnection::connect(&server.url).await.expect("the test database server answers");
    let create =
        format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
    admin.execute(create.as_str()).await.expect("a database is made");
    admin.close().await.expect("the connection closes");
    with_database(&server.url, &name)
}

/// `url` with another database's name.
fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, ""), |(address, rest)| (address, rest));
    let host = address.rfind('/').filter(|slash| *slash > "postgres://".len()).unwrap_or(address.len());
    let question = if parameters.is_empty() { "" } else { "?" };
    format!("{}/{name}{question}{parameters}", &address[..host])
}

struct Server {
    url: String,
    /// Held while this process lives.
    _lock: Option<File>,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the test run says where its database is")]
    fn find(commits: Commits) -> Server {
        match std::env::var("TEST_DATABASE_URL") {
            Ok(url) => Server { url, _lock: None },
            Err(_) => Server::share(commits),
        }
    }

    fn share(commits: Commits) -> Server {
        let user = run("id", &["-un"]);
        let folder = std::env::temp_dir().join(format!(
            "trunkline-test-postgres-{}-fsync-{}",
            user.trim(),
            commits.fsync()
        ));
        fs::create_dir_all(&folder).expect("a temporary folder");
        // Two locks: `start` lets one process start the cluster, `lock` says that somebody uses it.
        let start = File::create(folder.join("start")).expect("a lock file");
        start.lock().expect("the lock is free at some time");
        let lock = File::create(folder.join("lock")).expect("a lock file");
        lock.lock_shared().expect("the lock is free at some time");
        let url = match fs::read_to_string(folder.join("url")) {
            Ok(url) => url,
            Err(_) => begin(&folder, commits),
        };
        Server { url, _lock: Some(lock) }
    }
}

/// Starts a cluster in `folder`, and the watchman that ends it.
fn begin(folder: &Path, commits: Commits) -> String {
    let (bin, become_user) = (programs(), become_user());
    let data = folder.join("data");
    drop(fs::remove_dir_all(&data));
    fs::create_dir_all(&data).expect("a folder");
    if let Some(user) = become_user.get(2) {
        run("chown", &[user, &data.display().to_string()]);
    }
    let as_user = |program: &str, arguments: &[&str]| {
        let program = bin.join(program).display().to_string();
        let words: Vec<&str> = become_user.iter().map(String::as_str).chain([program.as_str()]).collect();
        attempt(words[0], &[&words[1..], arguments].concat())
    };
    let at = data.display().to_string();
    as_user(
        "initdb",
        &["-D", &at, "-U", "trunkline", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
    )
    .unwrap_or_else(|said| panic!("initdb: {said}"));
    let journal = data.join("log").display().to_string();
    // A port is known to be free once the server has it.
    let had = |port: &u16| {
        let settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync={} -c max_connections=300",
            commits.fsync()
        );
        as_user("pg_ctl", &["-D", &at, "-o", &settings, "-l", &journal, "-w", "start"]).is_ok()
    };
    let port = ports().find(had).unwrap_or_else(|| {
        panic!("PostgreSQL did not start: {}", fs::read_to_string(&journal).unwrap_or_default())
    });
    let url = format!("postgres://trunkline@127.0.0.1:{port}/postgres");
    fs::write(folder.join("url"), &url).expect("the address is noted");
    watch(folder, &bin, &become_user);
    url
}

/// Ports to try, below those the system hands out by itself.
fn ports() -> impl Iterator<Item = u16> {
    let first = std::process::id().wrapping_mul(97);
    (0..10).map(move |next| 20_000 + (first.wrapping_add(next * 613) % 10_000) as u16)
}

fn watch(folder: &Path, bin: &Path, become_user: &[String]) {
    let mut watchman = Command::new("setsid");
    watchman.args(["sh", "-c", WATCHMAN, "-"]).arg(folder).arg(bin).args(become_user);
    watchman.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(watchman.spawn().expect("the watchman starts"));
}

/// The newest PostgreSQL of this machine.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed (bin/setup does it)");
    let mut bins: Vec<PathBuf> = versions.flatten().map(|version| version.path().join("bin")).collect();
    bins.sort();
    bins.pop().expect("PostgreSQL is installed (bin/setup does it)")
}

/// PostgreSQL does not run as root.
fn become_user() -> Vec<String> {
    let words: &[&str] =
        if run("id", &["-u"]).trim() == "0" { &["runuser", "-u", "postgres", "--"] } else { &["env"] };
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn run(program: &str, arguments: &[&str]) -> String {
    attempt(program, arguments).unwrap_or_else(|said| panic!("{program} {arguments:?}: {said}"))
}

/// What a program printed, or what it complained of.
fn attempt(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).current_dir("/").stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
