//! The tables of a store that an earlier release left (schema/kept) are what its log says, to today's code too.

use super::support::{Following, PATIENCE};
use crate::{CallFilter, Page, Scope, replay};
use domain::Log;
use store::testing;

#[tokio::test]
async fn the_tables_of_release_1_are_taken_over_and_verify() {
    let store = testing::kept("release-1").await;
    let following = Following::start(&store).await;
    for log in Log::ALL {
        let head = store.head(log).await.unwrap();
        following.projections.reached(log, head, PATIENCE).await.unwrap();
    }
    let calls =
        following.projections.calls(Scope::Carrier("VC0190c5a1e3f27a4b8d1e2f3a4b5c6d01".parse().unwrap()));
    assert_eq!(calls.list(&CallFilter::default(), &Page::default()).await.unwrap().items.len(), 2);
    assert_eq!(replay::verify(&store, |_| ()).await.unwrap(), []);
    following.end().await;
}
