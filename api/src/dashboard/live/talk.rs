//! One open page: changes out, subscriptions in, until either side has enough.

use super::{
    message::{self, Ask},
    watch::Watch,
};
use crate::{App, auth::SignedIn, dashboard::answer::position};
use domain::{Sid, user::User};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use poem::web::websocket::{CloseCode, Message, WebSocketConfig, WebSocketStream};
use projections::{Change, ReadError};
use serde_json::Value;
use std::time::Duration;
use tokio::{
    sync::{broadcast, broadcast::error::RecvError},
    time::{Instant, MissedTickBehavior, interval, timeout},
};

/// How often the page is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// A page that says nothing for so long is gone; browsers answer pings by themselves.
const SILENCE: Duration = Duration::from_secs(65);
/// How often the session is looked at, beside being told that one ended on this node.
const RECHECK: Duration = Duration::from_secs(5);
/// Longest a page may take to take a message.
const SLOW: Duration = Duration::from_secs(10);
/// Changes that come within this time are told together.
const GATHER: Duration = Duration::from_millis(25);
/// Most calls whose rows are told at once; when there are more, the page is to ask for what it shows.
const MOST_ROWS: usize = 50;
/// Most bytes a page may say at once.
const LONGEST_ASK: usize = 1024;
/// Bytes read at once, and bytes that wait for a page that does not read: more than the longest message is given up.
const READ: usize = 4 * 1024;
const UNREAD: usize = 1024 * 1024;
/// Close code: the session has ended.
const SESSION_ENDED: u16 = 4401;

/// Why the talk is over.
enum Over {
    /// The page went away, or took too long.
    Gone,
    /// Close with this code and reason.
    Close(u16, &'static str),
}

impl From<ReadError> for Over {
    fn from(error: ReadError) -> Over {
        tracing::warn!(%error, "a live page loses its connection");
        Over::Close(1011, "the platform cannot answer right now")
    }
}

/// Talks until it is over.
pub(super) async fn talk(app: App, who: SignedIn, socket: WebSocketStream) {
    let (sink, pages) = socket.split();
    let watch = Watch::new(app.clone(), who.session.carrier.clone());
    let mut talk = Talk { changes: app.projections.changes(), app, who, sink, watch };
    if let Err(Over::Close(code, reason)) = talk.run(pages).await {
        let close = Message::close_with(CloseCode::from(code), reason);
        let _ = timeout(SLOW, talk.sink.send(close)).await;
    }
}

/// What a socket may hold in memory: a message is refused by its first bytes, before there is room for it.
pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(LONGEST_ASK))
        .max_frame_size(Some(LONGEST_ASK))
        .read_buffer_size(READ)
        .write_buffer_size(READ)
        .max_write_buffer_size(UNREAD)
}

struct Talk {
    app: App,
    who: SignedIn,
    sink: SplitSink<WebSocketStream, Message>,
    watch: Watch,
    changes: broadcast::Receiver<Change>,
}

impl Talk {
    async fn run(&mut self, mut page: SplitStream<WebSocketStream>) -> Result<(), Over> {
        let mut ended = self.app.sessions.ended();
        let stop = self.app.stop.clone();
        let (mut ping, mut recheck) = (interval(PING), interval(RECHECK));
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = now();
        let position = position(&self.app, &self.who.session.carrier);
        self.say(&message::hello(&position)).await?;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Err(Over::Close(1001, "the server goes away")),
                change = self.changes.recv() => self.changed(change).await?,
                message = page.next() => {
                    heard = now();
                    match message {
                        Some(Ok(message)) => self.asked(message).await?,
                        // What the connection itself did not cause, the page did.
                        Some(Err(error)) if error.kind() == std::io::ErrorKind::Other => {
                            return Err(misspoken(&error.to_string()));
                        }
                        _ => return Err(Over::Gone),
                    }
                }
                _ = ended.changed() => self.check_session().await?,
                _ = recheck.tick() => self.check_session().await?,
                _ = ping.tick() => {
                    if now().duration_since(heard) > SILENCE {
                        return Err(Over::Gone);
                    }
                    self.send(Message::ping(Vec::new())).await?;
                }
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Over> {
        let sent = timeout(SLOW, self.sink.send(message)).await;
        sent.ok().and_then(Result::ok).ok_or(Over::Gone)
    }

    async fn say(&mut self, message: &Value) -> Result<(), Over> {
        self.send(Message::text(message.to_string())).await
    }

    async fn changed(&mut self, first: Result<Change, RecvError>) -> Result<(), Over> {
        let first = match first {
            Ok(change) => change,
            Err(RecvError::Lagged(_)) => return self.lost().await,
            Err(RecvError::Closed) => return Err(Over::Close(1001, "the server goes away")),
        };
        tokio::time::sleep(GATHER).await;
        let mut changes = vec![first];
        loop {
            match self.changes.try_recv() {
                Ok(change) => changes.push(change),
                Err(broadcast::error::TryRecvError::Lagged(_)) => return self.lost().await,
                Err(_) => break,
            }
        }
        changes.retain(|change| change.carrier == self.who.session.carrier);
        self.tell(message::latest(changes)).await
    }

    /// The page has missed something.
    async fn lost(&mut self) -> Result<(), Over> {
        self.watch.clear();
        self.say(&message::resync()).await
    }

    async fn tell(&mut self, changes: Vec<Change>) -> Result<(), Over> {
        self.watch.renamed(&changes);
        for change in &changes {
            self.say(&message::change(change)).await?;
        }
        if message::calls(&changes).count() > MOST_ROWS {
            return self.lost().await;
        }
        for change in message::calls(&changes) {
            if let Some(call) = self.watch.call(&change.id).await? {
                self.say(&message::call(&call)).await?;
            }
        }
        for change in message::calls(&changes) {
            self.tell_timeline(&change.id).await?;
        }
        Ok(())
    }

    /// All that the page has not seen of a call's timeline, in messages that are taken one after the other.
    async fn tell_timeline(&mut self, call: &Sid) -> Result<(), Over> {
        loop {
            let rows = self.watch.news(call).await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.say(&message::timeline(call.as_str(), &rows)).await?;
        }
    }

    async fn asked(&mut self, message: Message) -> Result<(), Over> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Err(Over::Gone),
            Message::Binary(_) => return Err(Over::Close(1003, "text only")),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        let answer = match serde_json::from_str(&text) {
            Ok(Ask::Subscribe { id, .. }) => {
                let answer = self.watch.add(&id).await?;
                self.say(&answer).await?;
                return match id.parse() {
                    Ok(call) => self.tell_timeline(&call).await,
                    Err(_) => Ok(()),
                };
            }
            Ok(Ask::Unsubscribe { id, .. }) => {
                self.watch.remove(&id);
                return Ok(());
            }
            Err(_) => message::error("bad_request", "Ask like {\"subscribe\":\"call\",\"id\":\"CA…\"}."),
        };
        self.say(&answer).await
    }

    /// Ends the talk when the session has ended, the user is gone, or their second factor was taken away.
    async fn check_session(&self) -> Result<(), Over> {
        let session = &self.who.session;
        let there = self.app.sessions.find(&self.app, &session.user, &session.id).await;
        let user = self.app.store.load::<User>(&session.user).await;
        match (there, user) {
            (Ok(Some(_)), Ok(user))
                if user.aggregate.carrier().is_some() && user.aggregate.has_two_factor() =>
            {
                Ok(())
            }
            (Err(_), _) | (_, Err(_)) => Err(Over::Close(1011, "the platform cannot answer right now")),
            _ => Err(Over::Close(SESSION_ENDED, "the session has ended")),
        }
    }
}

/// How a connection is closed whose page broke the protocol in this way (RFC 6455 section 7.4.1). Of what went wrong only
/// the library's words come to us.
fn misspoken(how: &str) -> Over {
    if how.starts_with("UTF-8") {
        Over::Close(1007, "a text that is not UTF-8")
    } else if how.starts_with("Space limit") {
        Over::Close(1009, "too long")
    } else {
        Over::Close(1002, "not as the WebSocket protocol has it")
    }
}

fn now() -> Instant {
    Instant::now()
}
