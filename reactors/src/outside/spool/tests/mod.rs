//! What is spooled is kept, in its order, whatever happens to the process, the disk or the file.

mod kept;

use super::*;
use domain::Kind;

fn entry(id: &str) -> Entry {
    let sid = |kind| Sid::from_uuid(kind, uuid::Uuid::from_u128(7));
    let facts = vec![(Timestamp::from_micros(5), CallCommand::Press { digits: "5".into() })];
    Entry { id: id.into(), call: sid(Kind::Call), tenant: Tenant::carrier(sid(Kind::Carrier)), facts }
}

fn open(folder: &Path) -> (Spool, Vec<Entry>) {
    let (spool, left) = Spool::open(folder, LIMITS).unwrap();
    (spool, left.into_iter().map(|kept| kept.entry).collect())
}

#[test]
fn what_is_kept_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, left) = open(folder.path());
    assert!(left.is_empty());
    let segment = spool.keep(&entry("a")).unwrap();
    spool.keep(&entry("b")).unwrap();
    spool.done(segment).unwrap();
    drop(spool);
    // Which entry was done is not in the file: repeating it is seen in the log.
    assert_eq!(open(folder.path()).1, vec![entry("a"), entry("b")]);
}

#[test]
fn a_torn_line_is_left_out_and_the_next_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let segment = spool.keep(&entry("a")).unwrap();
    let torn = &encode(&entry("b")).unwrap()[..30];
    let mut file = OpenOptions::new().append(true).open(path(folder.path(), segment)).unwrap();
    file.write_all(torn).unwrap();
    let (spool, left) = open(folder.path());
    assert_eq!(left, vec![entry("a")]);
    spool.keep(&entry("c")).unwrap();
    assert_eq!(open(folder.path()).1, vec![entry("a"), entry("c")]);
}

#[test]
fn what_cannot_be_read_is_kept_aside_and_the_rest_drains() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let segment = spool.keep(&entry("a")).unwrap();
    let strange = br#"{"id":"b","of":"a newer release"}"#;
    let line = [sum(strange).as_bytes(), b" ", strange, b"\n"].concat();
    let file = path(folder.path(), segment);
    OpenOptions::new().append(true).open(&file).unwrap().write_all(&line).unwrap();
    for _ in 0..2 {
        assert_eq!(open(folder.path()).1, vec![entry("a")]);
    }
    let (spool, _) = open(folder.path());
    spool.done(segment).unwrap();
    assert!(!file.exists());
    let aside = std::fs::read(file.with_extension("unreadable")).unwrap();
    assert!(aside.ends_with(&line));
    assert!(open(folder.path()).1.is_empty());
}

#[test]
fn its_files_are_the_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let segment = spool.keep(&entry("a")).unwrap();
    let mode = std::fs::metadata(path(folder.path(), segment)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_emptied_spool_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path());
    let segment = spool.keep(&entry("a")).unwrap();
    spool.done(segment).unwrap();
    assert!(open(folder.path()).1.is_empty());
    assert!(numbers(folder.path()).unwrap().is_empty());
}

#[test]
fn what_is_done_makes_room_while_other_entries_wait() {
    let (folder, line) = (tempfile::tempdir().unwrap(), encode(&entry("a")).unwrap().len() as u64);
    let limits = Limits { total: 4 * line, segment: 2 * line };
    let (spool, _) = Spool::open(folder.path(), limits).unwrap();
    let first = spool.keep(&entry("a")).unwrap();
    for id in ["b", "c", "d"] {
        spool.keep(&entry(id)).unwrap();
    }
    assert_eq!(spool.keep(&entry("e")).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(spool.probe().unwrap_err().kind(), io::ErrorKind::StorageFull, "and so says who asks");
    spool.done(first).unwrap();
    spool.done(first).unwrap();
    assert_eq!(numbers(folder.path()).unwrap(), [first + 1], "a and b reached the log");
    spool.keep(&entry("e")).unwrap();
    assert_eq!(open(folder.path()).1, vec![entry("c"), entry("d"), entry("e")]);
}
