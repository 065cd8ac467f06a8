//! Frozen samples: every version of every event that was ever written has one in schema/events. Today's code still reads
//! it, and writes one of today's version back byte for byte. A sample is never edited, and `samples.lock` holds the SHA-256
//! of each, so that an edit is noticed; a new version gets a new file and an upcaster. What releases left behind, in
//! schema/kept, is held likewise.
//!
//! Files are named `<aggregate>.<event>.v<version>.json`, or with a word for the case before `.json`. The example `bless`
//! writes the missing ones from a store that has such events, and adds new ones to the lock.

use cqrs_es::DomainEvent;
use domain::{
    EventKind, Stream,
    account::Account,
    call::Call,
    carrier::Carrier,
    phone_number::PhoneNumber,
    trunk::Trunk,
    upcast::{self, Stored},
    user::User,
};
use serde::{
    Deserialize,
    de::{self, Visitor, value::Error},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Holds the SHA-256 of each file beside it.
const LOCK: &str = "samples.lock";

#[test]
fn every_event_has_a_sample_that_still_reads_as_it_was_written() {
    let mut samples = samples();
    check::<Account>(&mut samples);
    check::<Call>(&mut samples);
    check::<Carrier>(&mut samples);
    check::<PhoneNumber>(&mut samples);
    check::<Trunk>(&mut samples);
    check::<User>(&mut samples);
    assert!(samples.is_empty(), "samples of no event: {:?}", samples.keys());
}

#[test]
fn every_sample_is_as_it_was_frozen() {
    frozen(&schema("events"));
}

#[test]
fn what_releases_have_written_is_as_they_wrote_it() {
    for release in fs::read_dir(schema("kept")).unwrap().map(|entry| entry.unwrap().path()) {
        if release.is_dir() {
            frozen(&release);
        }
    }
}

fn frozen(folder: &Path) {
    let (locked, there) = (locked(folder), sums(folder));
    for (name, sum) in &there {
        let line = format!("{sum}  {name}");
        match locked.get(name) {
            Some(frozen) => {
                assert_eq!(frozen, sum, "{name} was edited: take the edit back, and write a new sample");
            }
            None => panic!("{name} is new: add `{line}` to {LOCK} beside it (the example `bless` does)"),
        }
    }
    let gone: Vec<&String> = locked.keys().filter(|name| !there.contains_key(*name)).collect();
    assert!(gone.is_empty(), "frozen samples that are not there any more: {gone:?}");
}

/// The lock: file name to SHA-256, in the format of `sha256sum`.
fn locked(folder: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder.join(LOCK)).unwrap();
    let line = |line: &str| line.split_once("  ").map(|(sum, name)| (name.to_owned(), sum.to_owned()));
    text.lines().map(|text| line(text).unwrap_or_else(|| panic!("not a line of a lock: {text:?}"))).collect()
}

fn sums(folder: &Path) -> BTreeMap<String, String> {
    let sum = |path: PathBuf| {
        let digest = ring::digest::digest(&ring::digest::SHA256, &fs::read(&path).unwrap());
        let sum = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), sum)
    };
    files(folder).into_iter().map(sum).collect()
}

/// Takes out and checks `A`'s samples.
fn check<A: Stream>(samples: &mut BTreeMap<String, String>) {
    let kinds: Vec<&str> = A::Kind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(kinds, variants::<A::Event>(), "a kind is called as its event");
    let mut ours: BTreeMap<String, String> = BTreeMap::new();
    samples.retain(|name, payload| {
        let is_ours = name.starts_with(&format!("{}.", A::TYPE));
        if is_ours {
            ours.insert(name.clone(), payload.clone());
        }
        !is_ours
    });
    for (event, version) in written::<A>() {
        let prefix = format!("{}.{event}.v{version}.", A::TYPE);
        assert!(ours.keys().any(|name| name.starts_with(&prefix)), "schema/events/{prefix}json is missing");
    }
    for (name, payload) in ours {
        read::<A>(&name, &payload);
    }
}

/// Every name and version its events ever had.
fn written<A: Stream>() -> Vec<(&'static str, i32)> {
    let current = A::Kind::ALL.iter().map(|kind| (kind.name(), upcast::version(A::UPCASTERS, *kind)));
    current.chain(A::UPCASTERS.iter().map(|upcaster| (upcaster.was, upcaster.from))).collect()
}

fn read<A: Stream>(name: &str, payload: &str) {
    let parts: Vec<&str> = name.split('.').collect();
    let schema_version = parts[2].trim_start_matches('v').parse().unwrap();
    let stored = Stored { event_type: parts[1], schema_version, payload };
    let event: A::Event =
        upcast::decode(A::UPCASTERS, &stored).unwrap_or_else(|error| panic!("{name}: {error}"));
    let kind = upcast::kind(A::UPCASTERS, parts[1], schema_version);
    assert_eq!(kind.map(EventKind::name), Some(event.event_type().as_str()), "{name}");
    if A::schema_version(&event) == schema_version {
        assert_eq!(serde_json::to_string(&event).unwrap(), payload, "{name}");
        assert_eq!(event.event_type(), parts[1], "{name}");
    }
}

fn samples() -> BTreeMap<String, String> {
    let sample = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap().trim_end().to_owned())
    };
    files(&schema("events")).into_iter().map(sample).collect()
}

fn schema(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schema").join(folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| !path.ends_with(LOCK)).collect()
}

/// The names of an enum's variants, as its `Deserialize` states them.
fn variants<E: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    drop(E::deserialize(Names(&mut names)));
    assert!(!names.is_empty(), "not an enum with the variant's name outside");
    names
}

/// Deserializes nothing, and notes which variants were asked for.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> de::Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("only enums"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = variants;
        Err(de::Error::custom("names only"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
