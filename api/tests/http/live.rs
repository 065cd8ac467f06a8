//! The live WebSocket, over a real connection.

use crate::world::{Carrier, World};
use domain::call::CallCommand;
use futures_util::{SinkExt, StreamExt};
use poem::{
    EndpointExt, Server,
    listener::{Acceptor, Listener, TcpListener},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::HeaderValue,
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};

/// Longest anything may take; nothing waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

struct Page(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl World {
    /// Serves the world; host and port.
    async fn serve(&self) -> String {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().unwrap().to_string();
        let http = self.http.clone();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(http.map_to_response()));
        address
    }
}

async fn open(address: &str, carrier: &Carrier, origin: &str) -> Result<Page, Error> {
    let mut request = format!("ws://{address}/dashboard/live").into_client_request().unwrap();
    request.headers_mut().insert("cookie", HeaderValue::from_str(&carrier.cookie).unwrap());
    request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
    let connected = tokio::time::timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await.unwrap();
    connected.map(|(socket, _)| Page(socket))
}

impl Page {
    async fn next(&mut self) -> Message {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("a message in time")
                .unwrap()
                .unwrap()
            {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    async fn told(&mut self) -> Value {
        let message = self.next().await;
        serde_json::from_str(message.to_text().unwrap()).unwrap_or_else(|_| panic!("{message:?}"))
    }

    /// The next message of this type.
    async fn told_of(&mut self, kind: &str) -> Value {
        loop {
            let told = self.told().await;
            if told["type"] == kind {
                return told;
            }
        }
    }

    async fn ask(&mut self, ask: Value) {
        self.0.send(Message::text(ask.to_string())).await.unwrap();
    }

    async fn closed(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.next().await {
                return frame.map_or(1005, |frame| frame.code.into());
            }
        }
    }
}

#[tokio::test]
async fn a_page_hears_of_its_own_carrier_only() {
    let world = World::new().await;
    let (a, b) = (world.carrier("alpha").await, world.carrier("beta").await);
    let address = world.serve().await;
    let mut page = open(&address, &a, &format!("http://{address}")).await.unwrap();
    let hello = page.told().await;
    assert_eq!(hello["type"], "hello");
    assert_eq!(
        hello["position"].as_str().map(str::len),
        Some(32),
        "a mark, and no count of what others do: {hello}"
    );
    world.post(&b.program, "/carrier/v1/accounts", json!({ "name": "Theirs" })).await.ok(201);
    let ours = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "Ours" })).await.ok(201);
    let told = page.told().await;
    assert_eq!(
        (&told["type"], &told["topic"], &told["kind"]),
        (&json!("change"), &json!("accounts"), &json!("created"))
    );
    assert_eq!(told["id"], ours["sid"]);
}

#[tokio::test]
async fn a_call_page_is_filled_while_the_call_lasts() {
    let world = World::new().await;
    let (a, b) = (world.carrier("alpha").await, world.carrier("beta").await);
    let address = world.serve().await;
    let mut page = open(&address, &a, &format!("http://{address}")).await.unwrap();
    let call = world.inbound_call(&a).await;
    assert_eq!(page.told_of("call").await["call"]["status"], "ringing");
    page.ask(json!({ "subscribe": "call", "id": call })).await;
    let snapshot = page.told_of("snapshot").await;
    assert_eq!(snapshot["timeline"][0]["event_type"], "Received");
    world.report(&a, &call, CallCommand::Answer).await;
    assert_eq!(page.told_of("call").await["call"]["status"], "in-progress");
    let rows = page.told_of("timeline").await;
    assert_eq!((&rows["id"], &rows["rows"][0]["event_type"]), (&json!(call), &json!("Answered")));
    assert_eq!(rows["rows"].as_array().map(Vec::len), Some(1));

    let theirs = world.inbound_call(&b).await;
    page.ask(json!({ "subscribe": "call", "id": theirs })).await;
    assert_eq!(page.told_of("error").await["code"], "not_found");
    page.ask(json!({ "subscribe": "carrier", "id": "x" })).await;
    assert_eq!(page.told_of("error").await["code"], "bad_request");
}

#[tokio::test]
async fn a_call_that_was_long_is_told_whole_in_messages_that_a_page_can_take() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let call = world.inbound_call(&a).await;
    let long = "x".repeat(16 * 1024);
    for number in 0..100 {
        let detail = format!("{number} {long}");
        world.report(&a, &call, CallCommand::Warn { code: 1, message: detail }).await;
    }
    let address = world.serve().await;
    let mut page = open(&address, &a, &format!("http://{address}")).await.unwrap();
    page.ask(json!({ "subscribe": "call", "id": call })).await;
    let mut told = page.told_of("snapshot").await["timeline"].as_array().unwrap().clone();
    while told.len() < 101 {
        let message = page.told_of("timeline").await;
        assert!(message.to_string().len() < 512 * 1024);
        told.extend(message["rows"].as_array().unwrap().clone());
    }
    let sequences: Vec<_> = told.iter().map(|row| row["sequence"].as_i64().unwrap()).collect();
    assert_eq!(sequences, (1..=101).collect::<Vec<_>>());
    assert!(json!(told).to_string().len() > 1024 * 1024, "more than may wait for a page");
}

#[tokio::test]
async fn a_page_asks_again_when_more_calls_changed_than_are_told() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let address = world.serve().await;
    let mut page = open(&address, &a, &format!("http://{address}")).await.unwrap();
    page.told_of("hello").await;
    world.inbound_calls(&a, 400).await;
    page.told_of("resync").await;
}

#[tokio::test]
async fn a_socket_is_refused_to_other_sites_and_half_signed_in_people() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let address = world.serve().await;
    let status = |refused: Result<Page, Error>| match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{:?}", other.map(|_| ())),
    };
    assert_eq!(status(open(&address, &a, "https://evil.example").await), 403);
    let half = world.sign_in(&a.email, crate::world::PASSWORD).await.cookie();
    let half = Carrier { cookie: half, ..a.clone() };
    assert_eq!(status(open(&address, &half, &format!("http://{address}")).await), 403);
    let nobody = Carrier { cookie: "session=x".into(), ..a };
    assert_eq!(status(open(&address, &nobody, &format!("http://{address}")).await), 401);
}

#[tokio::test]
async fn a_socket_closes_with_its_session() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let address = world.serve().await;
    let mut page = open(&address, &a, &format!("http://{address}")).await.unwrap();
    page.told_of("hello").await;
    world.send(&a.owner, "POST", "/dashboard/sign-out", None).await;
    assert_eq!(page.closed().await, 4401);
}

#[tokio::test]
async fn a_text_that_is_not_utf8_is_told_to_be_that() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let address = world.serve().await;
    let mut page = open(&address, &a, &format!("http://{address}")).await.unwrap();
    page.told_of("hello").await;
    let text = Frame::message(vec![0xc3, 0x28], OpCode::Data(Data::Text), true);
    page.0.send(Message::Frame(text)).await.unwrap();
    assert_eq!(page.closed().await, 1007);
}

#[tokio::test]
async fn a_socket_closes_when_the_server_goes_away() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let address = world.serve().await;
    let mut page = open(&address, &a, &format!("http://{address}")).await.unwrap();
    page.told_of("hello").await;
    world.stop.cancel();
    assert_eq!(page.closed().await, 1001);
}
