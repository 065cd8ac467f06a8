//! A small aggregate for tests of the log: a number that grows, and keys it holds.

use super::NoKind;
use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use domain::{Claim, Log, Stream};
use serde::{Deserialize, Serialize};

/// A sum and how many times it was added to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The sum.
    pub sum: i64,
    /// How often it was added to.
    pub additions: i64,
    /// The key it holds.
    pub holds: Option<String>,
}

/// What can be asked of a tally.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum TallyCommand {
    /// Adds a number.
    Add(i64),
    /// Adds 1 so many times, an event each.
    Count(i64),
    /// Adds only up to a limit, else is refused.
    AddUpTo {
        /// What to add.
        add: i64,
        /// What the sum may not pass.
        limit: i64,
    },
    /// Takes a key, in place of the one it holds.
    Hold(String),
    /// Gives its key up.
    LetGo,
    /// Nothing happens.
    Nothing,
}

/// What happened to a tally.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TallyEvent {
    /// A number was added.
    Added(i64),
    /// A key was taken.
    Held(String),
    /// The key was given up.
    LetGo,
}

/// Why a tally refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TallyError {
    /// The limit.
    #[error("that would pass the limit")]
    Limit,
}

impl DomainEvent for TallyEvent {
    fn event_type(&self) -> String {
        match self {
            TallyEvent::Added(_) => "Added".into(),
            TallyEvent::Held(_) => "Held".into(),
            TallyEvent::LetGo => "LetGo".into(),
        }
    }

    fn event_version(&self) -> String {
        "1".into()
    }
}

impl Tally {
    fn decide(&self, command: TallyCommand) -> Result<Vec<TallyEvent>, TallyError> {
        Ok(match command {
            TallyCommand::Add(number) => vec![TallyEvent::Added(number)],
            TallyCommand::Count(times) => (0..times).map(|_| TallyEvent::Added(1)).collect(),
            TallyCommand::AddUpTo { add, limit } if self.sum + add > limit => return Err(TallyError::Limit),
            TallyCommand::AddUpTo { add, .. } => vec![TallyEvent::Added(add)],
            TallyCommand::Hold(key) => vec![TallyEvent::Held(key)],
            TallyCommand::LetGo => vec![TallyEvent::LetGo],
            TallyCommand::Nothing => vec![],
        })
    }
}

impl Aggregate for Tally {
    const TYPE: &'static str = "tally";
    type Command = TallyCommand;
    type Event = TallyEvent;
    type Error = TallyError;
    type Services = ();

    async fn handle(
        &mut self,
        command: TallyCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), TallyError> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: TallyEvent) {
        match event {
            TallyEvent::Added(number) => {
                self.sum += number;
                self.additions += 1;
            }
            TallyEvent::Held(key) => self.holds = Some(key),
            TallyEvent::LetGo => self.holds = None,
        }
    }
}

impl Stream for Tally {
    type Kind = NoKind;

    const LOG: Log = Log::Core;

    fn claims(&self, event: &TallyEvent) -> Vec<Claim> {
        let release = self.holds.iter().map(|key| Claim::release("tally", key.as_str()));
        match event {
            TallyEvent::Added(_) => vec![],
            TallyEvent::Held(key) => release.chain([Claim::take("tally", key.as_str())]).collect(),
            TallyEvent::LetGo => release.collect(),
        }
    }
}
