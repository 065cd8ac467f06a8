//! Calls, their timeline and evidence, and hanging up.

use crate::world::{Carrier, World};
use domain::{
    Kind, Log, Sid,
    call::{Call, CallCommand, EndReason, Ending, Received},
};
use serde_json::json;
use store::{EvidenceItem, RandomIds};

impl World {
    /// A call that came in and rings.
    pub async fn inbound_call(&self, carrier: &Carrier) -> Sid {
        let call = Sid::new(Kind::Call, &RandomIds::default());
        self.report(carrier, &call, received()).await;
        call
    }

    /// Many calls come in at once.
    pub async fn inbound_calls(&self, carrier: &Carrier, count: usize) {
        let (meta, ids) = (self.meta(carrier), RandomIds::default());
        let calls: Vec<Sid> = (0..count).map(|_| Sid::new(Kind::Call, &ids)).collect();
        let store = &self.app.store;
        let appends = calls.iter().map(|call| store.execute::<Call>(call, received(), &meta));
        for appended in futures_util::future::join_all(appends).await {
            appended.unwrap();
        }
    }

    /// What the engine reports about a call.
    pub async fn report(&self, carrier: &Carrier, call: &Sid, command: CallCommand) {
        let appended = self.app.store.execute::<Call>(call, command, &self.meta(carrier)).await.unwrap();
        self.app.settled(Log::Calls, &appended).await.unwrap();
    }
}

fn received() -> CallCommand {
    CallCommand::Receive(Received {
        node: "node-1".into(),
        account: None,
        trunk: Sid::new(Kind::Trunk, &RandomIds::default()),
        phone_number: None,
        from: "+85510000001".into(),
        to: "1234".into(),
        dialled: "1234".into(),
        sip_call_id: "abc@192.0.2.1".into(),
        source: "192.0.2.1:5060".into(),
        program: None,
        callback: None,
    })
}

#[tokio::test]
async fn a_call_is_seen_while_it_lasts_and_after() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let call = world.inbound_call(&a).await;
    let path = format!("/carrier/v1/calls/{call}");
    let seen = world.get(&a.owner, &path).await;
    assert_eq!(
        (&seen["status"], &seen["direction"], &seen["node"]),
        (&json!("ringing"), &json!("inbound"), &json!("node-1"))
    );
    world.report(&a, &call, CallCommand::Answer).await;
    assert_eq!(world.get(&a.owner, "/carrier/v1/calls?live=true").await["data"][0]["status"], "in-progress");
    world.report(&a, &call, CallCommand::Press { digits: "5".into() }).await;
    world.report(&a, &call, CallCommand::End(Ending::because(EndReason::HungUp).with_code(200))).await;
    let seen = world.get(&a.owner, &path).await;
    assert_eq!(
        (&seen["status"], &seen["reason"], &seen["sip_code"]),
        (&json!("completed"), &json!("hung_up"), &json!(200))
    );
    for (query, count) in [
        ("live=true", 0),
        ("live=false", 1),
        ("from=85510000001", 1),
        ("from=010%20000%20001", 1),
        ("from=0010000001", 0),
        ("created_before=9999-12-31", 1),
        ("created_after=2026-01-01T00:00:00", 1),
        ("to=1234&status=completed", 1),
        ("direction=outbound-api", 0),
        ("created_before=2026-01-01T00:00:00Z", 0),
        ("created_after=2026-01-01T00:00:00Z", 1),
    ] {
        let found = world.get(&a.owner, &format!("/carrier/v1/calls?{query}")).await;
        assert_eq!(found["data"].as_array().map(Vec::len), Some(count), "{query}");
    }

    let timeline = world.get(&a.owner, &format!("{path}/timeline?limit=3")).await;
    let events: Vec<_> =
        timeline["data"].as_array().unwrap().iter().map(|row| row["event_type"].clone()).collect();
    assert_eq!(events, ["Received", "Answered", "Pressed"]);
    assert_eq!(timeline["data"][2]["detail"]["digits"], "5");
    let rest = world
        .get(&a.owner, &format!("{path}/timeline?cursor={}", timeline["next_cursor"].as_str().unwrap()))
        .await;
    assert_eq!((&rest["data"][0]["event_type"], rest.get("next_cursor")), (&json!("Ended"), None));
}

#[tokio::test]
async fn the_sip_messages_of_a_call_are_its_evidence() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let call = world.inbound_call(&a).await;
    let at = "2026-11-23T20:00:00Z".parse().unwrap();
    let item = |direction: &str, summary: &str| EvidenceItem {
        call: call.clone(),
        at,
        kind: "sip".into(),
        direction: direction.into(),
        peer: "192.0.2.1:5060".into(),
        summary: summary.into(),
        raw: format!("{summary}\r\n\r\n"),
    };
    world
        .app
        .store
        .evidence()
        .append(&[item("in", "INVITE sip:1234@a SIP/2.0"), item("out", "SIP/2.0 100 Trying")])
        .await
        .unwrap();
    let messages = world.get(&a.owner, &format!("/carrier/v1/calls/{call}/messages")).await;
    assert_eq!(
        messages["data"][0],
        json!({ "at": "2026-11-23T20:00:00Z", "direction": "in", "peer": "192.0.2.1:5060",
        "summary": "INVITE sip:1234@a SIP/2.0", "raw": "INVITE sip:1234@a SIP/2.0\r\n\r\n" })
    );
    assert_eq!(messages["data"][1]["direction"], "out");
}

#[tokio::test]
async fn an_answered_call_that_we_or_its_application_ended_has_a_problem() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    for (reason, problem) in [
        (EndReason::HungUp, json!(null)),
        (EndReason::ApplicationFailed, json!("application")),
        (EndReason::ShutDown, json!("platform")),
    ] {
        let call = world.inbound_call(&a).await;
        world.report(&a, &call, CallCommand::Answer).await;
        world.report(&a, &call, CallCommand::End(Ending::because(reason))).await;
        let seen = world.get(&a.owner, &format!("/carrier/v1/calls/{call}")).await;
        assert_eq!((&seen["status"], &seen["problem"]), (&json!("completed"), &problem));
    }
    for (query, count) in [("problems=true", 2), ("problems=false", 1), ("problems=true&live=true", 0)] {
        let found = world.get(&a.owner, &format!("/carrier/v1/calls?{query}")).await;
        assert_eq!(found["data"].as_array().map(Vec::len), Some(count), "{query}");
    }
}

#[tokio::test]
async fn hanging_up_cancels_what_rings_and_completes_what_talks() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    for (answered, status) in [(false, "canceled"), (true, "completed")] {
        let call = world.inbound_call(&a).await;
        if answered {
            world.report(&a, &call, CallCommand::Answer).await;
        }
        let path = format!("/carrier/v1/calls/{call}");
        world.send(&a.owner, "POST", &format!("{path}/hang-up"), None).await.ok(202);
        let timeline = world.get(&a.owner, &format!("{path}/timeline")).await;
        let asked = timeline["data"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&asked["event_type"], &asked["detail"]["status"]),
            (&json!("EndRequested"), &json!(status))
        );
        world.report(&a, &call, CallCommand::End(Ending::because(EndReason::CompletedByApi))).await;
        assert_eq!(
            world.send(&a.owner, "POST", &format!("{path}/hang-up"), None).await.problem(409),
            "conflict"
        );
    }
}
