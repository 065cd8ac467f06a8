//! How every endpoint changes something: on whose behalf, under which idempotency key, and read-your-writes.

use crate::{App, auth::Principal, problem::Refusal};
use domain::{Meta, Sid, Stream, Tenant};
use poem::{Request, http::StatusCode};
use std::ops::Deref;
use store::Appended;

/// Most characters of an `Idempotency-Key`.
const LONGEST_KEY: usize = 128;

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

/// One request that changes something.
pub(crate) struct Write<'a> {
    app: &'a App,
    request: &'a Request,
    who: &'a Principal,
    /// The account whose data it is, if one's.
    account: Option<Sid>,
    once: Option<String>,
}

impl Deref for Write<'_> {
    type Target = App;
    fn deref(&self) -> &App {
        self.app
    }
}

impl<'a> Write<'a> {
    pub(crate) fn new(app: &'a App, request: &'a Request, who: &'a Principal) -> Write<'a> {
        Write { app, request, who, account: None, once: None }
    }

    /// Of this account's data.
    pub(crate) fn of_account(self, account: Option<Sid>) -> Write<'a> {
        Write { account, ..self }
    }

    /// Acts once for this key (24 hours), within carrier and operation.
    ///
    /// # Errors
    /// When the key is empty, too long, or not printable ASCII.
    pub(crate) fn once(self, operation: &str, key: Option<&str>) -> Result<Write<'a>, Refusal> {
        let Some(key) = key else { return Ok(self) };
        if key.is_empty() || key.len() > LONGEST_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = format!("An Idempotency-Key has 1 to {LONGEST_KEY} printable characters.");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "bad_request", detail));
        }
        Ok(Write { once: Some(format!("{operation}:{}:{key}", self.who.carrier)), ..self })
    }

    /// The command id, when the caller gave a key.
    pub(crate) fn command_id(&self) -> Option<&str> {
        self.once.as_deref()
    }

    fn meta(&self) -> Meta {
        let tenant = Tenant { carrier: self.who.carrier.clone(), account: self.account.clone() };
        let mut meta = self.app.meta(self.request, tenant, self.who.actor.clone());
        meta.command_id.clone_from(&self.once);
        meta
    }

    /// Has `command` decided and waits until reads see what came of it.
    pub(crate) async fn one<A: Stream<Error: Into<Refusal>>>(
        &self,
        stream: &Sid,
        command: A::Command,
    ) -> Result<Appended, Refusal> {
        let appended = self.app.store.execute::<A>(stream, command, &self.meta()).await?;
        self.app.settled(A::LOG, &appended).await?;
        Ok(appended)
    }

    /// The same for several commands to one stream: all of them or none.
    pub(crate) async fn all<A: Stream<Error: Into<Refusal>>>(
        &self,
        stream: &Sid,
        commands: Vec<A::Command>,
    ) -> Result<(), Refusal> {
        if commands.is_empty() {
            return Ok(());
        }
        let commands = commands.into_iter().map(|command| (command, self.meta())).collect();
        let appended = self.app.store.execute_all::<A>(stream, commands).await?;
        self.app.settled(A::LOG, &appended).await
    }
}
