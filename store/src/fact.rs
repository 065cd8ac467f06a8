//! An event as the log keeps it: where it stands, whose it is, who caused it, and its payload as verbatim text.

use crate::DecodeError;
use domain::{Actor, Log, Sid, Stream, Tenant, Timestamp, upcast};
use std::{net::IpAddr, sync::Arc};
use uuid::Uuid;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// One event of one of the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The log it is in.
    pub log: Log,
    /// Its place in the log, from 1, without gaps, in commit order.
    pub position: i64,
    /// The stream it belongs to: its aggregate's identifier.
    pub stream: Sid,
    /// Its place in the stream, from 1.
    pub sequence: i64,
    /// The aggregate's type, for example `phone_number`.
    pub stream_type: String,
    /// Whose data it is.
    pub tenant: Tenant,
    /// Its own identifier (UUIDv7).
    pub event_id: Uuid,
    /// Its type, for example `Answered`.
    pub event_type: String,
    /// The version of its payload's schema.
    pub schema_version: i32,
    /// The command that caused it, where it was given an id.
    pub command_id: Option<String>,
    /// What it belongs to.
    pub correlation: Option<String>,
    /// The event that led to it.
    pub causation: Option<String>,
    /// Who did it.
    pub actor: Actor,
    /// From which address.
    pub ip: Option<IpAddr>,
    /// With which program.
    pub user_agent: Option<String>,
    /// When it happened, by the reporter's clock.
    pub at: Timestamp,
    /// When the store took it in, by the store's clock.
    pub recorded_at: Timestamp,
    /// The event as JSON, byte for byte as written.
    pub payload: Arc<str>,
    /// The hash of the stream's event before this one; zeros for the first.
    pub prev_hash: Hash,
    /// The hash over everything above but the position.
    pub hash: Hash,
}

impl Fact {
    /// The event, when it is one of `A`'s; upcasters applied.
    #[must_use]
    pub fn of<A: Stream>(&self) -> Option<Result<A::Event, DecodeError>> {
        (self.stream_type == A::TYPE).then(|| self.decode::<A>())
    }

    /// What kind of event it is, when it is one of `A`'s and its name is known; one that an upcaster lifts is what that
    /// makes of it.
    #[must_use]
    pub fn kind<A: Stream>(&self) -> Option<A::Kind> {
        let kind = || upcast::kind(A::UPCASTERS, &self.event_type, self.schema_version);
        if self.stream_type == A::TYPE { kind() } else { None }
    }

    /// The event as one of `A`'s.
    pub(crate) fn decode<A: Stream>(&self) -> Result<A::Event, DecodeError> {
        upcast::decode(A::UPCASTERS, &self.stored()).map_err(|reason| self.undecodable(&reason))
    }

    /// What upcasters look at.
    pub(crate) fn stored(&self) -> upcast::Stored<'_> {
        let (event_type, payload) = (self.event_type.as_str(), &*self.payload);
        upcast::Stored { event_type, schema_version: self.schema_version, payload }
    }

    fn undecodable(&self, reason: &str) -> DecodeError {
        let what = format!("{} v{}", self.event_type, self.schema_version);
        DecodeError {
            stream: self.stream.to_string(),
            sequence: self.sequence,
            what,
            reason: reason.to_owned(),
        }
    }
}
