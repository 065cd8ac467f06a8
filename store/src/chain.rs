//! The hash chain: each event's SHA-256 covers everything it says and the hash of its stream's event before it.

use crate::{Fact, Hash};
use ring::digest::{Context, SHA256};

/// What the first event of a stream follows.
pub(crate) const GENESIS: Hash = [0; 32];

/// Separates these hashes from any other use of SHA-256.
const DOMAIN: &[u8] = b"trunkline event 1";

/// The hash of `fact`, whatever its `hash` and `position` say (a seal binds the position).
pub(crate) fn hash(fact: &Fact) -> Hash {
    let mut sum = Fields(Context::new(&SHA256));
    sum.bytes(DOMAIN).bytes(&fact.prev_hash);
    sum.text(fact.log.as_str()).text(fact.stream.as_str()).number(fact.sequence).text(&fact.stream_type);
    sum.text(fact.tenant.carrier.as_str()).maybe(fact.tenant.account.as_ref().map(domain::Sid::as_str));
    sum.bytes(fact.event_id.as_bytes()).text(&fact.event_type).number(i64::from(fact.schema_version));
    sum.maybe(fact.command_id.as_deref()).maybe(fact.correlation.as_deref()).maybe(fact.causation.as_deref());
    sum.text(fact.actor.kind()).text(fact.actor.id());
    sum.maybe(fact.ip.map(|ip| ip.to_string()).as_deref()).maybe(fact.user_agent.as_deref());
    sum.number(fact.at.micros()).number(fact.recorded_at.micros()).text(&fact.payload);
    sum.finish()
}

impl Fact {
    /// What its hash must be.
    pub(crate) fn expected_hash(&self) -> Hash {
        hash(self)
    }
}

/// Hashes fields so that no two lists of fields look alike: each with its length before it.
pub(crate) struct Fields(pub(crate) Context);

impl Fields {
    pub(crate) fn new(domain: &[u8]) -> Fields {
        let mut fields = Fields(Context::new(&SHA256));
        fields.bytes(domain);
        fields
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Fields {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Fields {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn number(&mut self, number: i64) -> &mut Fields {
        self.0.update(&number.to_be_bytes());
        self
    }

    /// An absent field is told from an empty one.
    pub(crate) fn maybe(&mut self, text: Option<&str>) -> &mut Fields {
        match text {
            Some(text) => self.text(text),
            None => self.number(-1),
        }
    }

    pub(crate) fn finish(self) -> Hash {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.0.finish().as_ref());
        hash
    }
}
