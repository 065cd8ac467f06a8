//! The PostgreSQL servers that one address names: several are tried in turn, as libpq does it
//! (`postgres://user@one:5432,two:5432/trunkline?target_session_attrs=read-write`). sqlx knows one.

use crate::StoreError;
use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{io::ErrorKind, time::Duration};
use tokio::time::Instant;

/// The oldest PostgreSQL the tables and the append are made for.
const OLDEST: u32 = 15;
/// What to do when nobody answers.
const ADDRESS: &str = "start the server, or set database_url to where it is";
/// Pause before servers that do not take us in yet are asked again.
const AGAIN: Duration = Duration::from_millis(500);
/// How often it is looked whether the server in use is still the one to write to.
const LOOK: Duration = Duration::from_secs(1);
/// Connections of one node to PostgreSQL: writers, followers, requests.
const CONNECTIONS: u32 = 16;

/// Which of the servers will do (libpq's `target_session_attrs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Any,
    /// One that takes writes: `read-write` and `primary`.
    Writable,
    /// One that does not: `read-only` and `standby`.
    Standby,
}

/// The servers of an address.
#[derive(Clone)]
pub(crate) struct Hosts {
    /// Without user and password.
    address: String,
    options: Vec<PgConnectOptions>,
    wanted: Wanted,
    deadline: Duration,
    writes: bool,
}

/// Why a server will not do, and whether it may yet.
struct Refusal {
    error: StoreError,
    may_come: bool,
}

impl Hosts {
    /// Reads an address.
    ///
    /// # Errors
    /// `Address` when it is none; `Unusable` when it asks for a server that takes no writes, and we write.
    pub fn parse(url: &str, deadline: Duration, writes: bool) -> Result<Hosts, StoreError> {
        let address = redacted(url);
        let refused = |_| StoreError::Address(address.clone());
        let (urls, attrs) = split(url);
        let options: Vec<PgConnectOptions> = urls
            .iter()
            .map(|url| url.parse::<PgConnectOptions>())
            .collect::<Result<_, _>>()
            .map_err(refused)?;
        // PgBouncer lets nobody in who asks for this one, and nothing of ours is a float.
        let options = options.into_iter().map(|options| {
            options.application_name("trunkline").extra_float_digits(None).disable_statement_logging()
        });
        let wanted = match attrs.as_deref() {
            Some("read-write" | "primary") => Wanted::Writable,
            Some("read-only" | "standby") => Wanted::Standby,
            _ if writes && urls.len() > 1 => Wanted::Writable,
            _ => Wanted::Any,
        };
        if writes && wanted == Wanted::Standby {
            let reason = "target_session_attrs asks for a server that takes no writes".to_owned();
            return Err(StoreError::Unusable { address, reason, advice: "ask for read-write" });
        }
        Ok(Hosts { address, options: options.collect(), wanted, deadline, writes })
    }

    /// The first server that will do, and its version; waits for one that may come up, so long.
    pub async fn choose(&self, patience: Duration) -> Result<(usize, u32), StoreError> {
        let began = Instant::now();
        let mut told = false;
        loop {
            let Refusal { error, may_come } = match self.look().await {
                Ok(chosen) => return Ok(chosen),
                Err(refusal) => refusal,
            };
            if !may_come || began.elapsed() >= patience {
                return Err(error);
            }
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%error, "waiting for the database, {} s at most", patience.as_secs());
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Each server once, in turn.
    async fn look(&self) -> Result<(usize, u32), Refusal> {
        let mut worst: Option<Refusal> = None;
        for (place, options) in self.options.iter().enumerate() {
            match self.try_one(options).await {
                Ok(version) => return Ok((place, version)),
                Err(refusal) => {
                    let may_come = refusal.may_come || worst.as_ref().is_some_and(|worst| worst.may_come);
                    worst = Some(Refusal { may_come, ..refusal });
                }
            }
        }
        let nobody = || StoreError::Address(self.address.clone());
        Err(worst.unwrap_or_else(|| Refusal { error: nobody(), may_come: false }))
    }

    /// One connection before there is a pool: a pool tries again until it can only say that it timed out.
    async fn try_one(&self, options: &PgConnectOptions) -> Result<u32, Refusal> {
        let looked = async {
            let mut connection = options.connect().await?;
            let version = connection.server_version_num().unwrap_or_default() / 10_000;
            let standby =
                if self.wanted == Wanted::Any { None } else { Some(is_standby(&mut connection).await?) };
            // It is closed either way; a server that does not hear of it finds out.
            drop(connection.close().await);
            Ok::<_, sqlx::Error>((version, standby))
        };
        match tokio::time::timeout(self.deadline, looked).await {
            Err(_) => Err(self.refusal(format!("no answer within {:?}", self.deadline), ADDRESS, true)),
            Ok(Err(error)) => Err(self.refusal(reason(&error), advice(&error), may_come(&error))),
            Ok(Ok((version, _))) if version < OLDEST => {
                Err(self.refusal(format!("it is PostgreSQL {version}"), "15 or a later one is needed", false))
            }
            Ok(Ok((_, Some(true)))) if self.wanted == Wanted::Writable => {
                let advice = "give database_url the server that does, or promote this one";
                Err(self.refusal("it takes no writes: it is a standby".to_owned(), advice, true))
            }
            Ok(Ok((_, Some(false)))) if self.wanted == Wanted::Standby => {
                Err(self.refusal("it is no standby".to_owned(), "give database_url one", true))
            }
            Ok(Ok((version, _))) => Ok(version),
        }
    }

    fn refusal(&self, reason: String, advice: &'static str, may_come: bool) -> Refusal {
        Refusal { error: StoreError::Unusable { address: self.address.clone(), reason, advice }, may_come }
    }

    /// Connects to the server that was chosen.
    ///
    /// # Errors
    /// When it does not take us in, or something between us and it gives each transaction another session.
    pub async fn pool(&self, chosen: usize) -> Result<PgPool, StoreError> {
        let nobody = || StoreError::Address(self.address.clone());
        let options = self.options.get(chosen).ok_or_else(nobody)?;
        if self.writes && self.shares_sessions(options).await {
            let reason = "a pooler on the way (PgBouncer) gives each transaction another session".to_owned();
            let advice =
                "set pool_mode = session for this database there, or give database_url the server itself";
            return Err(self.refusal(reason, advice, false).error);
        }
        let (statement, read_only) = (self.deadline.as_millis(), if self.writes { "off" } else { "on" });
        // Not as options of the connection: PgBouncer lets nobody in who has any.
        let set = format!(
            "SELECT set_config('statement_timeout', '{statement}', false), \
             set_config('default_transaction_read_only', '{read_only}', false), pg_is_in_recovery()"
        );
        let must_write = self.wanted == Wanted::Writable;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(self.deadline * 2);
        let pool = pool.test_before_acquire(false).after_connect(move |connection, _| {
            let set = set.clone();
            Box::pin(async move {
                let row = connection.fetch_one(sqlx::raw_sql(&set)).await?;
                match must_write && row.try_get::<bool, _>(2)? {
                    true => Err(sqlx::Error::Protocol("the server is a standby".into())),
                    false => Ok(()),
                }
            })
        });
        Ok(pool.connect_with(options.clone()).await?)
    }

    /// Whether two connections take turns at one session: while another is in a transaction, ours is elsewhere; or has to wait
    /// for it, or there can be no transaction at all.
    async fn shares_sessions(&self, options: &PgConnectOptions) -> bool {
        let both = async { Ok::<_, sqlx::Error>((options.connect().await?, options.connect().await?)) };
        let Ok(Ok((mut ours, mut other))) = tokio::time::timeout(self.deadline, both).await else {
            return false;
        };
        let looked = async {
            let before = session(&mut ours).await?;
            other.execute(sqlx::raw_sql("BEGIN")).await?;
            session(&mut other).await?;
            let after = session(&mut ours).await?;
            other.execute(sqlx::raw_sql("ROLLBACK")).await?;
            drop((ours.close().await, other.close().await));
            Ok::<_, sqlx::Error>(before != after)
        };
        !matches!(tokio::time::timeout(self.deadline, looked).await, Ok(Ok(false)))
    }

    /// Keeps the pool at a server that takes writes, while there are several; until the pool is closed.
    pub async fn follow(self, mut chosen: usize, pool: PgPool) {
        while self.options.len() > 1 && !pool.is_closed() {
            tokio::time::sleep(LOOK).await;
            let Some(current) = self.options.get(chosen) else { return };
            if self.try_one(current).await.is_ok() {
                continue;
            }
            if let Ok((place, _)) = self.look().await
                && let Some(options) = self.options.get(place)
            {
                tracing::warn!(
                    from = chosen + 1,
                    to = place + 1,
                    "the database is another of its servers now"
                );
                pool.set_connect_options(options.clone());
                chosen = place;
            }
        }
    }
}

async fn is_standby(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let row = connection.fetch_one(sqlx::raw_sql("SELECT pg_is_in_recovery()")).await?;
    row.try_get(0)
}

/// The server's process at the other end.
async fn session(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let row = connection.fetch_one(sqlx::raw_sql("SELECT pg_backend_pid()")).await?;
    row.try_get(0)
}

/// An address for each server, and what is asked of them.
fn split(url: &str) -> (Vec<String>, Option<String>) {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (attrs, others): (Vec<&str>, Vec<&str>) = query
        .split('&')
        .filter(|part| !part.is_empty())
        .partition(|part| part.starts_with("target_session_attrs="));
    let attrs = attrs.first().and_then(|part| part.split_once('=')).map(|(_, value)| value.to_owned());
    let start = base.find("://").map_or(0, |at| at + 3);
    let start = base.rfind('@').map_or(start, |at| at + 1);
    let hosts = base.get(start..).unwrap_or_default();
    let (hosts, database) = hosts.split_at(hosts.find('/').unwrap_or(hosts.len()));
    if attrs.is_none() && !hosts.contains(',') {
        return (vec![url.to_owned()], None);
    }
    let before = base.get(..start).unwrap_or_default();
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    (hosts.split(',').map(|host| format!("{before}{host}{database}{query}")).collect(), attrs)
}

/// Whether it may be another answer in a while: the server starts, stops, is not reached, or is full.
fn may_come(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        error if hung_up(error) => true,
        sqlx::Error::Database(refusal) => {
            matches!(refusal.code().as_deref(), Some("57P03" | "57P02" | "57P01" | "53300"))
        }
        _ => false,
    }
}

/// Whether the connection was taken and closed without a word, as a proxy does whose server is not there. (sqlx reads the
/// missing answer to its first question as a zero.)
fn hung_up(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => {
            matches!(
                error.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
            )
        }
        sqlx::Error::Protocol(text) => text.contains("unexpected response from SSLRequest: 0x00"),
        _ => false,
    }
}

/// Why a server will not do, in plain words.
fn reason(error: &sqlx::Error) -> String {
    match hung_up(error) {
        true => "it takes the connection and closes it; the database behind it is not there yet".to_owned(),
        false => error.to_string(),
    }
}

/// What to do when PostgreSQL does not let us in.
fn advice(error: &sqlx::Error) -> &'static str {
    let sqlx::Error::Database(refusal) = error else { return ADDRESS };
    match refusal.code().as_deref() {
        Some("28P01" | "28000") => "give database_url a user and password that the server takes",
        Some("3D000") => {
            "make the database with createdb, or give database_url the name of one that is there"
        }
        Some("08P01") if refusal.message().contains("startup parameter") => {
            "add that parameter to ignore_startup_parameters of PgBouncer"
        }
        Some("57P03") => "it starts or stops; try again in a while",
        _ => "see the server's own log",
    }
}

/// The address without its user, password and parameters; nothing of it where they cannot be told apart.
fn redacted(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let address = rest.split_once('?').map_or(rest, |(address, _)| address);
    match (rest.rsplit_once('@'), address.rsplit_once('@')) {
        (None, _) => format!("{scheme}://{address}"),
        (Some((before, _)), Some((user, host))) if before == user => format!("{scheme}://…@{host}"),
        _ => format!("{scheme}://…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_one_server_or_several() {
        let one = "postgres://me:a@b@host:5432/trunkline?sslmode=disable";
        assert_eq!(split(one), (vec![one.to_owned()], None));
        let several =
            "postgres://me:pass@one:5432,two:5433/db?sslmode=disable&target_session_attrs=read-write";
        let each = [
            "postgres://me:pass@one:5432/db?sslmode=disable",
            "postgres://me:pass@two:5433/db?sslmode=disable",
        ];
        assert_eq!(split(several), (each.map(str::to_owned).to_vec(), Some("read-write".to_owned())));
        assert_eq!(split("postgres://one,two/db").0, ["postgres://one/db", "postgres://two/db"]);
        assert_eq!(
            split("postgres://one?target_session_attrs=any"),
            (vec!["postgres://one".to_owned()], Some("any".into()))
        );
    }

    #[tokio::test]
    async fn a_proxy_without_its_server_is_one_that_may_come_up() {
        let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://me@{}/db", proxy.local_addr().unwrap());
        let closing = async {
            loop {
                drop(proxy.accept().await.unwrap());
            }
        };
        let hosts = Hosts::parse(&url, Duration::from_secs(5), true).unwrap();
        let refusal = tokio::select! { () = closing => None, looked = hosts.look() => looked.err() }.unwrap();
        let said = refusal.error.to_string();
        assert!(refusal.may_come && said.contains("takes the connection and closes it"), "{said}");
    }

    #[test]
    fn who_writes_wants_a_server_that_takes_it() {
        let wanted =
            |url, writes| Hosts::parse(url, Duration::from_secs(1), writes).map(|hosts| hosts.wanted);
        assert_eq!(wanted("postgres://a/db", true).ok(), Some(Wanted::Any));
        assert_eq!(wanted("postgres://a,b/db", true).ok(), Some(Wanted::Writable));
        assert_eq!(wanted("postgres://a,b/db", false).ok(), Some(Wanted::Any));
        assert_eq!(
            wanted("postgres://a,b/db?target_session_attrs=standby", false).ok(),
            Some(Wanted::Standby)
        );
        assert!(wanted("postgres://a,b/db?target_session_attrs=standby", true).is_err());
    }

    #[test]
    fn an_address_is_told_without_its_password() {
        for (url, told) in [
            ("postgres://me:a@b@host:5432/trunkline", "postgres://…@host:5432/trunkline"),
            ("postgres://host/trunkline?user=me&password=secret", "postgres://host/trunkline"),
            ("postgres://host", "postgres://host"),
            ("postgres://me:sec?ret@host/trunkline", "postgres://…"),
            ("postgres://me:a@host/trunkline?password=sec@ret", "postgres://…"),
        ] {
            assert_eq!(redacted(url), told);
        }
    }
}
