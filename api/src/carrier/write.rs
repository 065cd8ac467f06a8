//! How every endpoint changes something: on whose behalf, under which idempotency key, and read-your-writes.

use super::{conditional, strict};
pub(super) use crate::once::gone;
use crate::{App, app::READ_YOUR_WRITES, auth::Principal, once::nth, problem::Refusal};
use domain::{Meta, Sid, Stream, Tenant, Timestamp};
use poem::{Request, http::StatusCode};
use poem_openapi::payload::{Json, Response};
use std::ops::Deref;
use store::{Appended, ExecuteError, Fact, Turn};

/// How often a change is decided anew when others come in between.
pub(super) const TRIES: u32 = 20;
/// Changes that are told of at most.
const TOLD: usize = 10;

/// The `App`, or nothing when only the document is wanted.
pub(crate) struct Handle(pub Option<App>);

impl Handle {
    /// The `App`.
    ///
    /// # Errors
    /// When there is none: the document's service serves nothing.
    pub(crate) fn app(&self) -> Result<&App, Refusal> {
        self.0.as_ref().ok_or_else(Refusal::internal)
    }
}

/// Whether what was put aside for a new thing is surely nobody's: another one answers, or it was refused. After an unclear
/// failure it may be in the log.
pub(super) fn is_unused(made: &Result<Appended, Refusal>, sid: &Sid) -> bool {
    match made {
        Ok(made) => made.stream != *sid,
        Err(refusal) => !refusal.status.is_server_error(),
    }
}

/// The entity tag of a thing at this version (RFC 9110 section 8.8.3); [`conditional`] adds what is shown of it.
pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// A thing with its entity tag.
pub(super) type Tagged<T> = Response<Json<T>>;

/// A thing with its entity tag.
pub(super) fn tagged<T>(version: i64, view: T) -> Tagged<T> {
    Response::new(Json(view)).header("ETag", etag(version))
}

/// What a thing that others change all the time is answered with.
pub(super) fn too_busy() -> Refusal {
    Refusal::conflict("It is being changed by others all the time; try again.")
}

/// `OutboundConfigured` as `outbound configured`.
fn words(event: &str) -> String {
    let spaced = event.chars().flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain([c]));
    spaced.collect::<String>().trim().to_lowercase()
}

/// Whether a person sees the thing otherwise since this fact, as far as it can be read.
fn is_change<A: Stream>(fact: &Fact) -> bool {
    fact.of::<A>().and_then(Result::ok).is_none_or(|event| A::is_change(&event))
}

/// What an `If-Match` comes to.
enum Matched {
    /// There is none, or it names what is there.
    Same,
    /// It names an earlier version.
    Since(i64),
    /// It names nothing there was.
    Unknown,
}

/// One request that changes something.
pub(crate) struct Write<'a> {
    app: &'a App,
    request: &'a Request,
    who: &'a Principal,
    /// The account whose data it is, if one's.
    account: Option<Sid>,
    once: Option<String>,
    at: Timestamp,
}

impl Deref for Write<'_> {
    type Target = App;
    fn deref(&self) -> &App {
        self.app
    }
}

impl<'a> Write<'a> {
    pub(crate) fn new(app: &'a App, request: &'a Request, who: &'a Principal) -> Write<'a> {
        Write { app, request, who, account: None, once: None, at: app.clock.now() }
    }

    /// When what it does happens.
    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }

    /// Of this account's data.
    pub(crate) fn of_account(self, account: Option<Sid>) -> Write<'a> {
        Write { account, ..self }
    }

    /// Acts once for the request's `Idempotency-Key`, if it has one (as long as the ledger remembers: seven days), within
    /// carrier and operation.
    ///
    /// # Errors
    /// When the key is none that can be seen.
    pub(crate) fn once(self, operation: &str) -> Result<Write<'a>, Refusal> {
        let key = strict::idempotency_key(self.request)?;
        let once = key.map(|key| key.command(&format!("{operation}:{}", self.who.carrier)));
        Ok(Write { once, ..self })
    }

    /// The command id, when the caller gave a key.
    pub(crate) fn command_id(&self) -> Option<&str> {
        self.once.as_deref()
    }

    /// What events of this request carry.
    pub(crate) fn meta(&self) -> Meta {
        let tenant = Tenant { carrier: self.who.carrier.clone(), account: self.account.clone() };
        let mut meta = self.app.meta(self.request, tenant, self.who.actor.clone());
        meta.command_id.clone_from(&self.once);
        meta.at = self.at;
        meta
    }

    /// What the nth of several commands carries: a key stands for one command.
    fn meta_of(&self, number: usize) -> Meta {
        let meta = self.meta();
        Meta { command_id: meta.command_id.as_deref().map(|id| nth(id, number)), ..meta }
    }

    /// Has `command` decided and waits until reads see what came of it.
    pub(crate) async fn one<A: Stream<Error: Into<Refusal>>>(
        &self,
        stream: &Sid,
        command: A::Command,
    ) -> Result<Appended, Refusal> {
        let appended = self.append::<A>(stream, command).await?;
        self.app.settled(A::LOG, &appended).await?;
        Ok(appended)
    }

    /// Has `command` decided; reads may not see it yet.
    pub(crate) async fn append<A: Stream<Error: Into<Refusal>>>(
        &self,
        stream: &Sid,
        command: A::Command,
    ) -> Result<Appended, Refusal> {
        Ok(self.app.store.execute::<A>(stream, command, &self.meta()).await?)
    }

    /// The same for commands that were made of a thing as it was at `version`: whether they came in time. If not, whoever
    /// asks reads again, and it can then be read as it is; it has its `turn` meanwhile, so that nobody of this process comes
    /// between a second time.
    pub(crate) async fn at_version<A: Stream<Error: Into<Refusal>>>(
        &self,
        turn: &mut Option<Turn<'a>>,
        stream: &Sid,
        version: i64,
        commands: Vec<A::Command>,
    ) -> Result<bool, Refusal> {
        let commands = commands.into_iter().map(|command| (command, self.meta())).collect();
        if turn.is_none() {
            *turn = Some(self.app.store.turn(stream).await);
        }
        match self.app.store.execute_at::<A>(stream, version, commands).await {
            Ok(appended) => {
                *turn = None;
                self.app.settled(A::LOG, &appended).await.map(|()| true)
            }
            Err(ExecuteError::Conflict) => {
                let head = self.app.store.head(A::LOG).await?;
                if let Err(behind) = self.app.projections.reached(A::LOG, head, READ_YOUR_WRITES).await {
                    tracing::warn!(%behind, "a change is decided on a table that lags");
                    // Nobody waits for a table because this one does.
                    *turn = None;
                }
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Does something with a thing that was read at `version`: whatever it is by now, or with `If-Match` only as it was
    /// named.
    pub(crate) async fn named<A: Stream<Error: Into<Refusal>>>(
        &self,
        stream: &Sid,
        version: i64,
        command: A::Command,
    ) -> Result<(), Refusal> {
        self.expects::<A>(stream, version).await?;
        if self.request.headers().contains_key("if-match") {
            let done = self.at_version::<A>(&mut None, stream, version, vec![command]).await?;
            let changed =
                || Refusal::new(StatusCode::PRECONDITION_FAILED, "changed", "It has changed meanwhile.");
            return if done { Ok(()) } else { Err(changed()) };
        }
        self.one::<A>(stream, command).await.map(drop)
    }

    /// Whether the thing is as the request's `If-Match` has it, if it has one.
    ///
    /// # Errors
    /// 412 with what has changed since.
    pub(crate) async fn expects<A: Stream>(&self, stream: &Sid, version: i64) -> Result<(), Refusal> {
        let detail = match self.matched(version) {
            Matched::Same => return Ok(()),
            Matched::Since(known) => match self.changes_since::<A>(stream, known, version).await? {
                Some(changes) => changes,
                None => return Ok(()),
            },
            Matched::Unknown => "If-Match names no version of this that there was; read it again.".into(),
        };
        Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "changed", detail))
    }

    fn matched(&self, version: i64) -> Matched {
        let given = self.request.headers().get_all("if-match").iter();
        let texts: Vec<String> =
            given.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        let tags: Vec<&str> = texts.iter().flat_map(|text| text.split(',')).map(str::trim).collect();
        let Some(first) = tags.first() else { return Matched::Same };
        if tags.iter().any(|tag| *tag == "*" || conditional::version(tag) == Some(version)) {
            return Matched::Same;
        }
        let known = conditional::version(first).filter(|known| (1..version).contains(known));
        known.map_or(Matched::Unknown, Matched::Since)
    }

    /// What changed it between two versions, newest first, for people; none when nothing did.
    async fn changes_since<A: Stream>(
        &self,
        stream: &Sid,
        known: i64,
        version: i64,
    ) -> Result<Option<String>, Refusal> {
        let facts = self.app.store.stream(stream).await?;
        let since = facts.iter().rev().filter(|fact| fact.sequence > known && fact.sequence <= version);
        let changes = since.filter(|fact| is_change::<A>(fact)).take(TOLD).map(|fact| {
            let (done, actor) = (words(&fact.event_type), &fact.actor);
            format!("{done} at {} by {} {}", fact.at, actor.kind(), actor.id())
        });
        let told = changes.collect::<Vec<_>>().join("; ");
        let told = (!told.is_empty()).then_some(told);
        Ok(told
            .map(|told| format!("It has changed since you read it: {told}. Read it again and decide anew.")))
    }

    /// The same for several commands to one stream: all of them or none.
    pub(crate) async fn all<A: Stream<Error: Into<Refusal>>>(
        &self,
        stream: &Sid,
        commands: Vec<A::Command>,
    ) -> Result<Appended, Refusal> {
        let commands = commands.into_iter().enumerate();
        let commands = commands.map(|(nth, command)| (command, self.meta_of(nth))).collect();
        let appended = self.app.store.execute_all::<A>(stream, commands).await?;
        self.app.settled(A::LOG, &appended).await?;
        Ok(appended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_in_the_log_is_not_taken_for_unused() {
        let ids = store::RandomIds::default();
        let (sid, other) = (Sid::new(domain::Kind::Account, &ids), Sid::new(domain::Kind::Account, &ids));
        let made = |stream| Ok(Appended { stream, version: 1, position: 1, replayed: false });
        assert!(!is_unused(&made(sid.clone()), &sid));
        assert!(is_unused(&made(other), &sid), "a repetition answers with the first one's");
        assert!(is_unused(&Err(Refusal::conflict("no")), &sid));
        assert!(!is_unused(&Err(Refusal::unavailable()), &sid), "a deadline says nothing of the log");
    }
}
