//! What whoever runs it does to a running process, and reads of it.

use crate::{
    outside::phone::Phone,
    support::{On, Server},
};
use std::{
    collections::HashMap,
    fs,
    time::{Duration, Instant},
};

/// Sent one after the other: a lost terminal, a reload, an init that insists.
const HANG_UPS: usize = 20;

/// A call that is answered, and over.
fn a_call(server: &Server) {
    let mut phone = Phone::of(server.sip());
    phone.calls("+85512000001", "1234");
    assert_eq!(phone.is_answered(), "200");
    phone.hangs_up();
    server.wait_for_call("ended call", |call| call["status"] == "completed");
}

#[test]
fn a_hang_up_has_the_log_filter_read_again_and_never_ends_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trunkline.toml");
    fs::write(&file, "[log]\nfilter = \"warn\"\n").unwrap();
    // Its log goes to standard error.
    let both = ["sh", "-c", "exec \"$0\" \"$@\" 2>&1"].map(str::to_owned);
    let mut server = Server::start_under(&both, "", &["--config", file.to_str().unwrap()]);
    let says = |server: &Server, from: usize, what: &str| {
        server.process.wait_from(from, what, |line| line.as_str().is_some_and(|line| line.contains(what)));
    };
    let read_again = |server: &Server, settings: &str, what: &str| {
        let from = server.process.said().len();
        fs::write(&file, settings).unwrap();
        server.signal("-HUP");
        says(server, from, what);
        from
    };
    let quiet =
        |server: &Server| !server.process.said().iter().any(|line| line.to_string().contains(" INFO"));
    assert!(quiet(&server), "it began with warnings only");
    read_again(&server, "[log]\nfilter = \"info\"\n", "settings were read again");
    read_again(&server, "[log]\nfilter = \"trunkline=loud\"\n", "settings stay as they were");
    let others = "[log]\nfilter = \"info\"\n[rtp]\nports = \"20000-21000\"\n";
    read_again(&server, others, "changed settings wait for the next start");
    let others = others.replace("info", "warn").replace("21000", "22000");
    let from = read_again(&server, &others, "changed settings wait for the next start");
    let since = server.process.said().split_off(from);
    assert!(
        !since.iter().any(|line| line.to_string().contains("read again")),
        "it is quiet again: {since:?}"
    );
    fs::remove_file(&file).unwrap();
    (0..HANG_UPS).for_each(|_| server.signal("-HUP"));
    says(&server, from + since.len(), "settings stay as they were");
    assert!(server.readiness().0);
    a_call(&server);
    assert!(server.stop().success(), "SIGTERM ends it well, as ever");
}

/// A metric as its text says it: kind, help, and value.
type Metrics = HashMap<String, (String, String, f64)>;

/// Reads the whole text, and demands that it is whole: a kind and a help before each sample, and each name once.
fn metrics(server: &Server) -> Metrics {
    let (mut kinds, mut helps, mut found) = (HashMap::new(), HashMap::new(), Metrics::new());
    for line in server.metrics().lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is typed twice");
        } else if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '))
        {
            helps.insert(name.to_owned(), help.to_owned());
        } else if !line.is_empty() {
            let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
            let name = sample.split('{').next().unwrap();
            let (kind, help) = (kinds[name].clone(), helps[name].clone());
            let again = found.insert(sample.to_owned(), (kind, help, value.parse().unwrap()));
            assert!(again.is_none(), "{sample} is there twice");
        }
    }
    found
}

#[test]
fn every_metric_is_typed_and_what_only_grows_is_a_counter() {
    for on in [On::Sqlite, On::Postgres] {
        let server = Server::start(on);
        let before = metrics(&server);
        a_call(&server);
        let received = |metrics: &Metrics| metrics["trunkline_sip_received_total"].2;
        let mut after = metrics(&server);
        let limit = Instant::now() + Duration::from_secs(10);
        // The engine's counts are told now and then.
        while received(&after) <= received(&before) {
            assert!(Instant::now() < limit, "{after:?}");
            after = metrics(&server);
        }
        for (name, (kind, help, value)) in &after {
            let base = name.split('{').next().unwrap();
            let counts = kind == "counter";
            assert!(counts || kind == "gauge", "{name} is a {kind}");
            assert_eq!(base.ends_with("_total"), counts, "{name} is a {kind}");
            assert!(counts || !help.contains("since the start"), "{name} is a {kind}: {help}");
            let fell = before.get(name).is_some_and(|(_, _, before)| before > value);
            assert!(!(counts && fell), "{name} fell");
        }
        assert!(after.values().filter(|(kind, ..)| kind == "counter").count() > 10);
    }
}
