//! A command's way into the log: decide on what this process knows of the stream, submit. When that does not settle it,
//! by the log: ledger, load, decide, submit; again when the stream has moved meanwhile. Commands to one stream take turns in
//! this process, so only another process moves it meanwhile.

use crate::{
    ExecuteError, Hash, Store, StoreError, Vault,
    append::{Seen, Submission, Verdict},
    cqrs::Loading,
    known::At,
    ledger::{self, Done},
};
use cqrs_es::event_sink::EventSink;
use domain::{Actor, Meta, Sid, Stream, Timestamp};
use std::time::Duration;

/// How long a command is decided again while the stream moves under it.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest pause before deciding again for the first time, and how many times that it becomes; the real ones are random.
const PAUSE: (Duration, u32) = (Duration::from_millis(8), 8);
/// The attempt before which it is looked whether the stream moves at all, or is damaged.
const DOUBTED: u32 = 3;

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The stream it acted on; after a replay the first one's, whatever was asked for this time.
    pub stream: Sid,
    /// The stream's version.
    pub version: i64,
    /// The position of its last event (without events: the stream's last).
    pub position: i64,
    /// Whether the ledger knew the command id, so that nothing was done again.
    pub replayed: bool,
}

/// An aggregate as its events make it.
#[derive(Clone, Debug)]
pub struct Loaded<A> {
    /// The aggregate; its default before its first event.
    pub aggregate: A,
    /// How many events it has had; 0 when it does not exist.
    pub version: i64,
    /// The position of the last of them.
    pub position: i64,
}

/// What one attempt came to.
pub(crate) enum Answered {
    Done(Appended),
    Taken {
        scope: String,
        key: String,
    },
    /// The stream moved, or the ledger learned of the command meanwhile.
    Again,
}

impl Store {
    /// Loads the stream, lets the aggregate decide, and appends what it decided; decides again, for up to 5 s, when another
    /// process has moved the stream meanwhile. With a command id the same command acts once, and later calls get the first
    /// result.
    ///
    /// # Errors
    /// See `ExecuteError`. The command must be the same value each time a command id is used: keep times and fresh
    /// identifiers that a retrying client cannot repeat out of it, or derive them from the id.
    pub async fn execute<A: Stream>(
        &self,
        stream: &Sid,
        command: A::Command,
        meta: &Meta,
    ) -> Result<Appended, ExecuteError<A::Error>> {
        self.execute_all::<A>(stream, vec![(command, meta.clone())]).await
    }

    /// Several commands to one stream in one append, all or nothing; each event keeps its own `Meta`. Commands whose id
    /// has acted before, or stands among them twice, are left out.
    ///
    /// # Errors
    /// See `ExecuteError`.
    pub async fn execute_all<A: Stream>(
        &self,
        stream: &Sid,
        commands: Vec<(A::Command, Meta)>,
    ) -> Result<Appended, ExecuteError<A::Error>> {
        let commands = distinct::<A>(self.prepared::<A>(commands).await?.into_iter())?;
        let Some(first) = commands.first() else { return self.nothing::<A>(stream).await };
        let carrier = &first.meta.tenant.carrier;
        if commands.iter().any(|command| command.meta.tenant.carrier != *carrier) {
            return Err(StoreError::OtherCarrier { stream: stream.clone() }.into());
        }
        let _turn = self.turn(stream).await;
        let until = tokio::time::Instant::now() + PATIENCE;
        let mut answered = self.guess(stream, carrier, &commands).await?;
        for attempt in 0.. {
            match answered {
                Answered::Done(appended) => return Ok(appended),
                Answered::Taken { scope, key } => return Err(ExecuteError::Taken { scope, key }),
                Answered::Again if attempt > DOUBTED && tokio::time::Instant::now() >= until => break,
                Answered::Again if attempt > 0 => tokio::time::sleep(self.pause(attempt)).await,
                Answered::Again => {}
            }
            if attempt == DOUBTED {
                self.engine().sound_stream(stream).await?;
            }
            answered = self.attempt(stream, carrier, &commands).await?;
        }
        Err(ExecuteError::Conflict)
    }

    /// The same for a stream that must be at exactly this version, decided once: for whoever has read the stream, and found
    /// that what it wants to append is not in it. An earlier append whose outcome nobody learnt is then either in what was
    /// read, or comes too late for ever. With the stream's `turn` from before the reading, only another process comes
    /// between.
    ///
    /// # Errors
    /// See `ExecuteError`; `Conflict` when the stream is at another version.
    pub async fn execute_at<A: Stream>(
        &self,
        stream: &Sid,
        version: i64,
        commands: Vec<(A::Command, Meta)>,
    ) -> Result<Appended, ExecuteError<A::Error>> {
        let Some((_, first)) = commands.first() else { return self.nothing::<A>(stream).await };
        let (carrier, meta) = (first.tenant.carrier.clone(), first.clone());
        let mut loading = Loading::<A>::load(self, stream, Some(&meta)).await?;
        if loading.at.version != version {
            return Err(ExecuteError::Conflict);
        }
        let commands = self.prepared::<A>(commands).await?;
        for command in &commands {
            self.decide(&mut loading, command).await?.map_err(ExecuteError::Refused)?;
        }
        let submission = loading.submission(&carrier);
        match self.commit(loading, submission, commands.iter()).await? {
            Answered::Done(appended) => Ok(appended),
            Answered::Taken { scope, key } => Err(ExecuteError::Taken { scope, key }),
            Answered::Again => {
                self.engine().sound_stream(stream).await?;
                Err(ExecuteError::Conflict)
            }
        }
    }

    /// The aggregate as of now.
    ///
    /// # Errors
    /// When the database fails or an event cannot be read.
    pub async fn load<A: Stream>(&self, stream: &Sid) -> Result<Loaded<A>, StoreError> {
        let At { state: aggregate, version, position, .. } = Loading::load(self, stream, None).await?.at;
        Ok(Loaded { aggregate, version, position })
    }

    /// The aggregate as of then: with the events that had happened by `at`.
    ///
    /// # Errors
    /// As `load`.
    pub async fn load_at<A: Stream>(&self, stream: &Sid, at: Timestamp) -> Result<Loaded<A>, StoreError> {
        let mut loaded = Loaded { aggregate: A::default(), version: 0, position: 0 };
        for recorded in
            self.engine().history(stream).await?.into_iter().take_while(|recorded| recorded.at <= at)
        {
            loaded.aggregate.apply(recorded.decode::<A>(stream)?);
            (loaded.version, loaded.position) = (recorded.sequence, recorded.position);
        }
        Ok(loaded)
    }

    /// The commands with what the ledger will know of them, and without the passwords of webhook addresses.
    async fn prepared<A: Stream>(
        &self,
        commands: Vec<(A::Command, Meta)>,
    ) -> Result<Vec<Prepared<A>>, ExecuteError<A::Error>> {
        let mut prepared = Vec::with_capacity(commands.len());
        for (mut command, meta) in commands {
            self.keep_passwords::<A>(&mut command, &meta).await?;
            prepared.push(Prepared::new((command, meta))?);
        }
        Ok(prepared)
    }

    /// Moves what people wrote into the vault. What we tell ourselves, of addresses that were taken before, is not judged.
    async fn keep_passwords<A: Stream>(
        &self,
        command: &mut A::Command,
        meta: &Meta,
    ) -> Result<(), ExecuteError<A::Error>> {
        let (vault, carrier) = (self.vault(), &meta.tenant.carrier);
        let ours = matches!(meta.actor, Actor::System(_));
        for url in A::addresses(command) {
            if !vault.keep_password(carrier, url).await? && !ours {
                return Err(ExecuteError::UnknownPassword(url.shown()));
            }
        }
        if let Some(twiml) = A::twiml(command)
            && !vault.keep_passwords(carrier, twiml).await?
            && !ours
        {
            return Err(ExecuteError::UnknownPassword("Twiml".into()));
        }
        Ok(())
    }

    /// Decides on what this process knows of the stream. What that cannot settle (a refusal, nothing to do, a stream that
    /// has moved, a command that acted before) is for `attempt`.
    async fn guess<A: Stream>(
        &self,
        stream: &Sid,
        carrier: &Sid,
        commands: &[Prepared<A>],
    ) -> Result<Answered, ExecuteError<A::Error>> {
        let mut loading = Loading::<A>::from(stream, self.known().guess(stream));
        if loading.at.is_of_another(carrier) {
            return Ok(Answered::Again);
        }
        for command in commands {
            if self.decide(&mut loading, command).await?.is_err() {
                return Ok(Answered::Again);
            }
        }
        let submission = loading.submission(carrier);
        if submission.events.is_empty() {
            return Ok(Answered::Again);
        }
        self.commit(loading, submission, commands.iter()).await
    }

    /// Decides on the stream as the log has it.
    async fn attempt<A: Stream>(
        &self,
        stream: &Sid,
        carrier: &Sid,
        commands: &[Prepared<A>],
    ) -> Result<Answered, ExecuteError<A::Error>> {
        // Asked at once: should either be out of date by the time of the append, the writer says so.
        let meta = commands.first().map(|first| &first.meta);
        let history = async { Ok(Loading::<A>::load(self, stream, meta).await?) };
        let (done, mut loading) = futures_util::try_join!(self.done(commands), history)?;
        let fresh: Vec<&Prepared<A>> = commands.iter().filter(|command| !command.is_among(&done)).collect();
        if let (true, Some(last)) = (fresh.is_empty(), done.iter().max_by_key(|done| done.position)) {
            let (stream, version, position) = (last.stream.clone(), last.version, last.position);
            return Ok(Answered::Done(Appended { stream, version, position, replayed: true }));
        }
        for command in &fresh {
            if let Err(refusal) = self.decide(&mut loading, command).await? {
                // The same command may have acted since the ledger was asked: then that is the answer.
                let known = !self.done(commands).await?.is_empty() && done.is_empty();
                return if known { Ok(Answered::Again) } else { Err(ExecuteError::Refused(refusal)) };
            }
        }
        let submission = loading.submission(carrier);
        self.commit(loading, submission, fresh.into_iter()).await
    }

    /// Hands in what was decided, with the ids of the commands it was decided for.
    async fn commit<'c, A: Stream>(
        &self,
        loading: Loading<A>,
        mut submission: Submission,
        fresh: impl Iterator<Item = &'c Prepared<A>>,
    ) -> Result<Answered, ExecuteError<A::Error>> {
        let expires_at = self.clock().now().plus(ledger::REMEMBERED).micros();
        let seen = |command: &Prepared<A>| command.seen(self.vault(), &submission, expires_at);
        submission.commands = fresh.filter_map(seen).collect();
        let (stream, carrier) = (loading.stream.clone(), submission.carrier.clone());
        let verdict = match submission.events.is_empty() && submission.commands.is_empty() {
            true => Verdict::Appended { version: loading.at.version, position: loading.at.position },
            false => self.submit(A::LOG, submission).await?,
        };
        Ok(match verdict {
            Verdict::Appended { version, position } => {
                self.known().keep(&stream, loading.appended(&carrier, version, position));
                Answered::Done(Appended { stream, version, position, replayed: false })
            }
            Verdict::Taken { scope, key } => Answered::Taken { scope, key },
            Verdict::Conflict | Verdict::Duplicate => Answered::Again,
        })
    }

    /// What no commands at all come to.
    async fn nothing<A: Stream>(&self, stream: &Sid) -> Result<Appended, ExecuteError<A::Error>> {
        let Loaded { version, position, .. } = self.load::<A>(stream).await?;
        Ok(Appended { stream: stream.clone(), version, position, replayed: false })
    }

    /// Lets the aggregate decide, and lines up what it decided. The outer error is the store's.
    async fn decide<A: Stream>(
        &self,
        loading: &mut Loading<A>,
        command: &Prepared<A>,
    ) -> Result<Result<(), A::Error>, StoreError> {
        let sink = EventSink::<A>::default();
        if let Err(refusal) = loading.decider.handle(command.command.clone(), &(), &sink).await {
            return Ok(Err(refusal));
        }
        loading.add(self, sink.collect().await, &command.meta)?;
        Ok(Ok(()))
    }

    /// What the ledger knows of these commands.
    async fn done<A: Stream>(&self, commands: &[Prepared<A>]) -> Result<Vec<Done>, ExecuteError<A::Error>> {
        let ids: Vec<&str> = commands.iter().filter_map(|command| command.id.as_deref()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let done = self.engine().done(self.vault(), A::LOG, &ids).await?;
        if done.iter().any(|done| !done.proved) {
            return Err(ExecuteError::Unproven);
        }
        let differs = |command: &&Prepared<A>| command.differs(&done);
        if commands.iter().find(differs).is_some() { Err(ExecuteError::Reused) } else { Ok(done) }
    }

    /// A random one, of a longest that grows.
    fn pause(&self, attempt: u32) -> Duration {
        let (mut byte, (first, times)) = ([0], PAUSE);
        self.ids().fill(&mut byte);
        (first * attempt.min(times)).mul_f64(f64::from(byte[0]) / 255.0)
    }
}

/// The commands without repetitions: a second one of the same id is the first one again.
fn distinct<A: Stream>(
    commands: impl Iterator<Item = Prepared<A>>,
) -> Result<Vec<Prepared<A>>, ExecuteError<A::Error>> {
    let mut distinct: Vec<Prepared<A>> = Vec::new();
    for command in commands {
        match distinct.iter().find(|earlier| earlier.id.is_some() && earlier.id == command.id) {
            Some(earlier) if earlier.digest == command.digest => {}
            Some(_) => return Err(ExecuteError::Reused),
            None => distinct.push(command),
        }
    }
    Ok(distinct)
}

/// A command with what the ledger will know of it.
struct Prepared<A: Stream> {
    command: A::Command,
    meta: Meta,
    /// Its id in the ledger: within its carrier, so that no carrier meets another's.
    id: Option<String>,
    digest: Hash,
}

impl<A: Stream> Prepared<A> {
    fn new((command, meta): (A::Command, Meta)) -> Result<Prepared<A>, StoreError> {
        let id = meta.command_id.as_ref().map(|id| format!("{}/{id}", meta.tenant.carrier));
        let digest = if id.is_some() { ledger::digest::<A>(&command)? } else { Hash::default() };
        Ok(Prepared { command, meta, id, digest })
    }

    fn seen(&self, vault: &Vault, submission: &Submission, expires_at: i64) -> Option<Seen> {
        let (id, digest) = (self.id.clone()?, self.digest);
        let entry = ledger::Entry {
            log: A::LOG,
            id: &id,
            carrier: submission.carrier.as_str(),
            stream: submission.stream.as_str(),
            digest: &digest,
            version: submission.version(),
            expires_at,
        };
        let proof = entry.proof(vault);
        Some(Seen { id, digest, expires_at, proof })
    }

    fn is_among(&self, done: &[Done]) -> bool {
        done.iter().any(|done| self.id.as_ref() == Some(&done.id))
    }

    /// Whether its id stood for another command.
    fn differs(&self, done: &[Done]) -> bool {
        let mut ours = done.iter().filter(|done| self.id.as_ref() == Some(&done.id));
        ours.any(|done| !ledger::is_same::<A>(&self.command, &done.digest))
    }
}
