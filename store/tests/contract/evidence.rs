//! Evidence: kept in order, within its limits, and pruned by age.

use domain::{Kind, Sid, Timestamp};
use store::{
    EvidenceItem,
    testing::{self, sid},
};

/// Moments are told from here: 2100. What is older than a store keeps is removed by itself.
const FROM: i64 = 4_102_444_800_000_000;

fn moment(micros: i64) -> Timestamp {
    Timestamp::from_micros(FROM + micros)
}

fn item(call: &Sid, at: i64, raw: &str) -> EvidenceItem {
    let (kind, direction, peer) = ("sip".to_owned(), "in".to_owned(), "192.0.2.1:5060".to_owned());
    let (call, at) = (call.clone(), moment(at));
    EvidenceItem { call, at, kind, direction, peer, summary: "INVITE".to_owned(), raw: raw.to_owned() }
}

#[tokio::test]
async fn a_calls_messages_come_back_in_order() {
    for store in testing::stores().await {
        let (call, other) = (sid(Kind::Call), sid(Kind::Call));
        let items: Vec<_> = (0..1200).map(|n| item(&call, n / 2, &format!("message {n}"))).collect();
        store.evidence().append(&items).await.unwrap();
        store.evidence().append(&[item(&other, 3, "else")]).await.unwrap();
        store.evidence().append(&[]).await.unwrap();
        assert_eq!(store.evidence().of(&call, 0).await.unwrap(), items, "{}", store.name);
        assert_eq!(store.evidence().of(&call, 1199).await.unwrap(), items[1199..]);
        assert_eq!(store.evidence().prune(moment(599)).await.unwrap(), 1199, "{}", store.name);
        assert_eq!(store.evidence().of(&call, 0).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn much_that_is_old_is_removed_to_the_last() {
    for store in testing::stores().await {
        let call = sid(Kind::Call);
        let items: Vec<_> = (0..10_001).map(|n| item(&call, n, "x")).collect();
        store.evidence().append(&items).await.unwrap();
        let pruned = store.evidence().prune(moment(10_000)).await.unwrap();
        assert_eq!(pruned, 10_000, "{}", store.name);
        assert_eq!(store.evidence().of(&call, 0).await.unwrap(), items[10_000..], "{}", store.name);
    }
}

#[tokio::test]
async fn what_a_stranger_sends_is_kept_within_limits() {
    for store in testing::stores().await {
        let call = sid(Kind::Call);
        let long = format!("\0{}", "é".repeat(40_000));
        store.evidence().append(&[item(&call, 1, &long)]).await.unwrap();
        let kept = store.evidence().of(&call, 0).await.unwrap().pop().expect(store.name).raw;
        assert!(
            kept.starts_with('\u{fffd}') && kept.ends_with('é') && kept.len() <= 65_540,
            "{}",
            kept.len()
        );
    }
}
