//! How every endpoint changes something: on whose behalf, under which idempotency key, and read-your-writes.

use crate::{App, auth::Principal, problem::Refusal};
use domain::{Meta, Sid, Stream, Tenant, Timestamp};
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

/// Whether what was put aside for a new thing is surely nobody's: another one answers, or it was refused. After an unclear
/// failure it may be in the log.
pub(super) fn is_unused(made: &Result<Appended, Refusal>, sid: &Sid) -> bool {
    match made {
        Ok(made) => made.stream != *sid,
        Err(refusal) => !refusal.status.is_server_error(),
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

    /// Acts once for this key (as long as the ledger remembers: seven days), within carrier and operation.
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
        meta.at = self.at;
        meta
    }

    /// What the nth of several commands carries: a key stands for one command, and no key has a space in it.
    fn meta_of(&self, nth: usize) -> Meta {
        let mut meta = self.meta();
        if nth > 0 {
            meta.command_id = meta.command_id.map(|id| format!("{id} {nth}"));
        }
        meta
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
