//! What one command wants of the log, and the log's answer.

use crate::{Fact, Hash};
use domain::{Claim, Sid};

/// Everything one command changes in one stream: accepted whole or refused whole.
#[derive(Clone, Debug)]
pub(crate) struct Submission {
    pub stream: Sid,
    pub stream_type: &'static str,
    pub carrier: Sid,
    /// The version the command was decided at.
    pub expected: i64,
    /// The stream's last hash afterwards.
    pub hash: Hash,
    /// The new events in order; their positions are not known yet.
    pub events: Vec<Fact>,
    /// For the ledger.
    pub commands: Vec<Seen>,
    pub claims: Vec<NetClaim>,
}

impl Submission {
    /// The stream's version afterwards.
    pub fn version(&self) -> i64 {
        self.expected + i64::try_from(self.events.len()).unwrap_or(i64::MAX)
    }
}

/// A command id, and what it stood for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub id: String,
    /// Of the command, so that the same id with another command is refused.
    pub digest: Hash,
    /// Microseconds since the epoch; free for another use afterwards.
    pub expires_at: i64,
    /// That this row is ours: see `ledger::proof`.
    pub proof: Hash,
}

/// What all claims of one submission on one key come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetClaim {
    pub scope: String,
    pub key: String,
    /// It must be free or ours.
    pub takes: bool,
    /// It is ours afterwards.
    pub holds: bool,
}

/// Folds claims in order into one per key.
pub(crate) fn net_claims(claims: Vec<Claim>) -> Vec<NetClaim> {
    let mut net: Vec<NetClaim> = Vec::new();
    for claim in claims {
        let (scope, key, holds) = match claim {
            Claim::Take { scope, key } => (scope, key, true),
            Claim::Release { scope, key } => (scope, key, false),
        };
        match net.iter_mut().find(|earlier| earlier.scope == scope && earlier.key == key) {
            Some(earlier) => earlier.holds = holds,
            None => net.push(NetClaim { scope, key, takes: holds, holds }),
        }
    }
    net
}

/// The log's answer to one submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// In the log; `position` is the last event's (without events: the stream's last).
    Appended { version: i64, position: i64 },
    /// The stream is not where the command was decided.
    Conflict,
    /// One of its command ids is in the ledger.
    Duplicate,
    /// Another stream holds the key.
    Taken { scope: String, key: String },
}
