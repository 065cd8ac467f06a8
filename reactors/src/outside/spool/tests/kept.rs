//! What earlier releases left in their spool (schema/kept) is read whole, and means what it meant.

use super::{Kept, LIMITS, Spool, path};
use domain::{
    Actor, Meta,
    call::{Call, CallCommand},
};
use std::{collections::HashSet, fs, path::Path};
use store::testing;

/// The call that came in, and what is in the spool of release 1 about it.
const CAME_IN: (&str, &str) = ("CA0190c5a1e3f27a4b8d1e2f3a4b5c6d06", "Received Answered Ended");
/// The call that was placed, likewise.
const PLACED: (&str, &str) = (
    "CA0190c5a1e3f27a4b8d1e2f3a4b5c6d07",
    "Queued Claimed Initiated AttemptFailed Rerouted Ringing Ringing Answered Moved Exchanged VerbStarted Pressed \
     VerbEnded Warned Held Bridged Unbridged Summarized Ended",
);

#[tokio::test]
async fn what_release_1_spooled_becomes_the_events_it_meant() {
    let (store, samples) = (testing::memory().await, samples());
    for Kept { entry, .. } in left("release-1") {
        let meta = |at| Meta::new(entry.tenant.clone(), Actor::system("test"), at);
        let told = |(at, command): &(_, CallCommand)| (command.clone(), meta(*at));
        store.execute_all::<Call>(&entry.call, entry.facts.iter().map(told).collect()).await.unwrap();
    }
    for (call, events) in [CAME_IN, PLACED] {
        let facts = store.stream(&call.parse().unwrap()).await.unwrap();
        let types: Vec<&str> = facts.iter().map(|fact| fact.event_type.as_str()).collect();
        assert_eq!(types.join(" "), events);
        for fact in facts {
            assert!(samples.contains(&*fact.payload), "no sample says so: {}", fact.payload);
        }
    }
}

/// What a process finds in the spool of an earlier release. Nothing of it is torn or set aside.
fn left(release: &str) -> Vec<Kept> {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read(schema("kept").join(release).join("spool.jsonl")).unwrap();
    fs::write(path(folder.path(), 1), &text).unwrap();
    let left = Spool::open(folder.path(), LIMITS).unwrap().1;
    assert_eq!(left.len(), text.split_inclusive(|byte| *byte == b'\n').count());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    left
}

/// The payloads of all frozen samples of events.
fn samples() -> HashSet<String> {
    let files = fs::read_dir(schema("events")).unwrap().map(|file| file.unwrap().path());
    files.map(|file| fs::read_to_string(file).unwrap().trim_end().to_owned()).collect()
}

fn schema(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema").join(folder)
}
