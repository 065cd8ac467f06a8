//! What is typed into the search of a list of 1,000,000 numbers, and the filters of the audit, beside a page by index alone of
//! the same run; and that page while nobody searches, and beside four searches that never pause.

use crate::table::Row;
use domain::{
    Actor, Clock, Kind, Log, Meta, Number, Sid, Tenant, Timestamp,
    phone_number::{PhoneNumber, PhoneNumberCommand},
    user::{Role, User, UserCommand},
};
use futures_util::StreamExt;
use projections::{AuditFilter, Page, PhoneNumberFilter, PhoneNumberRow, Projections, Reads, replay};
use std::time::{Duration, Instant};
use store::{RandomIds, Store, StoreOptions, SystemClock};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How many numbers there are; `BENCH_NUMBERS` says otherwise.
const NUMBERS: u64 = 1_000_000;
/// How often each query is asked, each time for something else.
const TIMES: u64 = 400;
/// Rows of a page.
const ROWS: u32 = 50;
/// Commands under way at once while numbers are made.
const AT_ONCE: usize = 256;
/// Searches that run beside other reads.
const BESIDE: u64 = 4;
/// One in so many numbers has a name.
const NAMED: u64 = 10;

pub fn rows() -> Vec<Row> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite:{}", folder.path().join("bench.db").display());
        let mut rows = on("SQLite", file).await;
        if std::env::var("TEST_DATABASE_URL").is_ok() {
            rows.extend(on("PostgreSQL", store::testing::postgres().await).await);
        }
        rows
    })
}

async fn on(store: &'static str, url: String) -> Vec<Row> {
    let mut full = Full::stocked(store, url).await;
    full.replay().await;
    full.searches().await;
    full.changes().await;
    full.beside().await;
    full.tasks.close();
    full.stop.cancel();
    full.tasks.wait().await;
    full.rows
}

fn numbers() -> u64 {
    std::env::var("BENCH_NUMBERS").ok().and_then(|text| text.parse().ok()).unwrap_or(NUMBERS)
}

/// A store full of numbers, its tables, and what was measured so far.
struct Full {
    name: &'static str,
    numbers: u64,
    store: Store,
    projections: Projections,
    carrier: Sid,
    tasks: TaskTracker,
    stop: CancellationToken,
    rows: Vec<Row>,
    /// When half of the numbers were made, about.
    middle: Timestamp,
}

/// The nth number; they are all over Cambodia's.
fn digits(serial: u64) -> String {
    format!("8551{:08}", serial * 48_271 % 100_000_000)
}

/// Who makes what is searched for.
struct Maker {
    store: Store,
    carrier: Sid,
    ids: RandomIds,
}

impl Maker {
    fn meta(&self, actor: Actor) -> Meta {
        Meta::new(Tenant::carrier(self.carrier.clone()), actor, SystemClock.now())
    }

    async fn user(&self) {
        let register = UserCommand::Register {
            carrier: self.carrier.clone(),
            name: "Nobody".parse().unwrap(),
            email: "nobody@example.com".parse().unwrap(),
            role: Role::Member,
        };
        let user = Sid::new(Kind::User, &self.ids);
        self.store.execute::<User>(&user, register, &self.meta(Actor::system("registrar"))).await.unwrap();
    }

    async fn number(&self, serial: u64) {
        let sid = Sid::new(Kind::PhoneNumber, &self.ids);
        let (carrier, number) =
            (self.carrier.clone(), format!("+{}", digits(serial)).parse::<Number>().unwrap());
        let create = PhoneNumberCommand::Create { carrier, number, enabled: true, account: None };
        let meta = self.meta(Actor::system("bench"));
        let mut commands = vec![(create, meta.clone())];
        if serial.is_multiple_of(NAMED) {
            let name = format!("Straße {serial} Süd").parse().unwrap();
            commands.push((PhoneNumberCommand::Rename { name }, meta));
        }
        self.store.execute_all::<PhoneNumber>(&sid, commands).await.unwrap();
    }
}

impl Full {
    /// Makes the numbers, then the tables over them, and a user whose doings are few among theirs.
    async fn stocked(name: &'static str, url: String) -> Full {
        let options = StoreOptions { deadline: Duration::from_secs(120), ..StoreOptions::new(url, [7; 32]) };
        let store = Store::open(options).await.unwrap();
        let ids = RandomIds::default();
        let carrier = Sid::new(Kind::Carrier, &ids);
        let (start, began) = (Instant::now(), SystemClock.now());
        let maker = Maker { store: store.clone(), carrier: carrier.clone(), ids };
        let made = futures_util::stream::iter(0..numbers()).map(|serial| maker.number(serial));
        made.buffer_unordered(AT_ONCE).collect::<()>().await;
        let (appended, middle) = (start.elapsed(), began.plus(start.elapsed() / 2));
        maker.user().await;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let start = Instant::now();
        let projections = Projections::start(store.clone(), tasks.clone(), stop.clone()).await.unwrap();
        let head = store.head(Log::Core).await.unwrap();
        projections.reached(Log::Core, head, Duration::from_secs(3_600)).await.unwrap();
        let (rows, numbers) = (Vec::new(), numbers());
        let mut full = Full { name, numbers, store, projections, carrier, tasks, stop, rows, middle };
        full.row("search: make a number", full.each(appended), ("", String::new()), String::new());
        full.row("search: into all tables", full.each(start.elapsed()), ("", String::new()), String::new());
        full
    }

    /// What one number cost of all that time.
    fn each(&self, all: Duration) -> String {
        format!("{:.0} us", all.as_secs_f64() * 1e6 / self.numbers as f64)
    }

    /// Builds the table anew.
    async fn replay(&mut self) {
        let start = Instant::now();
        replay::rebuild(&self.store, "phone_numbers", |_| ()).await.unwrap();
        let each = self.each(start.elapsed());
        let whole = format!("{:.0} s in all", start.elapsed().as_secs_f64());
        self.row("search: replay a number", each, ("", whole), String::new());
    }

    async fn searches(&mut self) {
        let any = |turn: u64| digits(turn * 7_919 % self.numbers);
        let contains = |text: String| PhoneNumberFilter { contains: Some(text), ..Default::default() };
        let part = |from: usize, to: usize| move |turn: u64| contains(any(turn)[from..to].to_owned());
        let named = |turn: u64| turn * 7_919 * NAMED % self.numbers;
        let name = |text: String| PhoneNumberFilter { name: Some(text), ..Default::default() };
        let bare = self.numbers_p(|_| PhoneNumberFilter::default()).await;
        let measured = [
            ("a whole number", self.numbers_p(part(0, 12)).await),
            ("its beginning, 8 digits", self.numbers_p(part(0, 8)).await),
            ("3 digits within", self.numbers_p(part(6, 9)).await),
            ("4 digits within", self.numbers_p(part(6, 10)).await),
            ("7 digits within", self.numbers_p(part(5, 12)).await),
            ("3 digits, counted", self.counted_p(part(6, 9)).await),
            ("name, part of many", self.numbers_p(|_| name("STRASSE".into())).await),
            ("name, one", self.numbers_p(|turn| name(format!("strasse {} s", named(turn)))).await),
        ];
        for (what, times) in measured {
            self.beside_bare(&format!("search: {what}"), &times, &bare);
        }
    }

    async fn changes(&mut self) {
        let bare = self.audit_p(AuditFilter::default()).await;
        let rare = AuditFilter { actor: Some("registrar".into()), ..Default::default() };
        let kind = AuditFilter { stream_type: Some("user".into()), ..Default::default() };
        let common = AuditFilter { actor: Some("bench".into()), ..Default::default() };
        let later = AuditFilter { since: Some(self.middle), ..Default::default() };
        let earlier = AuditFilter { until: Some(self.middle), ..Default::default() };
        let both = AuditFilter { actor: Some("registrar".into()), ..later.clone() };
        let measured = [
            ("actor, few", rare),
            ("kind, few", kind),
            ("actor, many", common),
            ("later than the middle", later),
            ("earlier than the middle", earlier),
            ("actor, few, and later", both),
        ];
        for (what, filter) in measured {
            let times = self.audit_p(filter).await;
            self.beside_bare(&format!("audit: {what}"), &times, &bare);
        }
    }

    /// Other reads, alone and beside searches.
    async fn beside(&mut self) {
        let alone = self.numbers_p(|_| PhoneNumberFilter::default()).await;
        let stop = CancellationToken::new();
        let searching: Vec<_> = (0..BESIDE)
            .map(|searcher| {
                let (reads, stop, numbers) = (self.reads(), stop.clone(), self.numbers);
                tokio::spawn(async move {
                    let mut turn = searcher * 1_000;
                    while !stop.is_cancelled() {
                        let text = digits(turn % numbers)[6..9].to_owned();
                        let filter = PhoneNumberFilter { contains: Some(text), ..Default::default() };
                        reads.counted(&filter, &Page::first(ROWS)).await.unwrap();
                        turn += 1;
                    }
                })
            })
            .collect();
        let beside = self.numbers_p(|_| PhoneNumberFilter::default()).await;
        stop.cancel();
        for search in searching {
            search.await.unwrap();
        }
        let ratio = format!("{:.1}x the p50", median(&beside) / median(&alone));
        self.row("other reads beside 4 searches", times(&beside), ("alone", times(&alone)), ratio);
    }

    fn reads(&self) -> Reads<PhoneNumberRow> {
        self.projections.phone_numbers(domain::Tenant::carrier(self.carrier.clone()))
    }

    async fn numbers_p(&self, filter: impl Fn(u64) -> PhoneNumberFilter) -> Vec<f64> {
        let reads = self.reads();
        let mut times = Vec::new();
        for turn in 0..TIMES {
            let (filter, start) = (filter(turn), Instant::now());
            reads.list(&filter, &Page::first(ROWS)).await.unwrap();
            times.push(start.elapsed().as_secs_f64());
        }
        sorted(times)
    }

    async fn counted_p(&self, filter: impl Fn(u64) -> PhoneNumberFilter) -> Vec<f64> {
        let reads = self.reads();
        let mut times = Vec::new();
        for turn in 0..TIMES {
            let (filter, start) = (filter(turn), Instant::now());
            reads.counted(&filter, &Page::first(ROWS)).await.unwrap();
            times.push(start.elapsed().as_secs_f64());
        }
        sorted(times)
    }

    async fn audit_p(&self, filter: AuditFilter) -> Vec<f64> {
        let reads = self.projections.audit(domain::Tenant::carrier(self.carrier.clone()));
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let start = Instant::now();
            reads.list(&filter, &Page::first(ROWS)).await.unwrap();
            times.push(start.elapsed().as_secs_f64());
        }
        sorted(times)
    }

    fn beside_bare(&mut self, what: &str, ours: &[f64], bare: &[f64]) {
        let ratio = format!("{:.1}x the p99", p99(ours) / p99(bare));
        self.row(what, times(ours), ("a page by index", times(bare)), ratio);
    }

    fn row(&mut self, what: &str, ours: String, (peer, theirs): (&str, String), ratio: String) {
        let what = format!("{what} ({}, {})", self.name, self.numbers);
        self.rows.push(Row { what, ours, peer: peer.into(), theirs, ratio });
    }
}

fn sorted(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    times
}

fn median(times: &[f64]) -> f64 {
    times[times.len() / 2]
}

fn p99(times: &[f64]) -> f64 {
    times[times.len() * 99 / 100]
}

/// Median and 99th percentile, in milliseconds.
fn times(times: &[f64]) -> String {
    format!("{:.2} / {:.2} ms", median(times) * 1e3, p99(times) * 1e3)
}
