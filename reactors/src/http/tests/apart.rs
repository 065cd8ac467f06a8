//! What is asked for a call and what is told beside it.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_application_that_lets_callbacks_hang_is_asked_for_documents_all_the_same() {
    let options = HttpOptions {
        guard: Guard::default(),
        resolver: Arc::new(Answers(vec![], Arc::default())),
        extra_roots: vec![],
        connections: MAX_CONNECTIONS,
        ids: Arc::new(Counted::default()),
    };
    let [documents, callbacks] = Http::two(&options, &Carriers::default());
    let account = Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(1));
    let target = Target::parse("http://a.test/status").unwrap();
    for _ in 0..5 {
        let place = callbacks.0.place(Some(&account), &target).await.unwrap();
        let hung = place.through(async {
            tokio::time::sleep(Duration::from_secs(15)).await;
            Err::<(), _>(Failure::read(RETRIEVAL, "silent"))
        });
        assert!(hung.await.is_err());
    }
    assert!(callbacks.0.place(Some(&account), &target).await.is_err(), "callbacks leave it alone");
    assert!(documents.0.place(Some(&account), &target).await.is_ok());
}
