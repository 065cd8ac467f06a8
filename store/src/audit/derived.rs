//! What follows from a log's events: where each stream stands, who holds which claim, which commands acted.

use super::claimant::{self, Claimant};
use crate::{Fact, Hash, chain};
use domain::{Claim, Log, Sid};
use std::collections::{BTreeMap, HashMap};

/// Where a stream stands.
pub(super) struct Stands {
    pub stream_type: String,
    pub carrier: Sid,
    pub version: i64,
    pub position: i64,
    pub hash: Hash,
}

/// The last event of a command that had an id.
pub(super) struct Acted {
    pub carrier: Sid,
    pub stream: Sid,
    pub version: i64,
    /// Microseconds since the epoch.
    pub recorded_at: i64,
}

/// All of it, as far as the events were followed.
#[derive(Default)]
pub(super) struct Derived {
    pub streams: HashMap<Sid, Stands>,
    /// Holders by scope and key.
    pub claims: BTreeMap<(String, String), Sid>,
    /// By id, as the ledger writes it; only those recorded since then.
    pub commands: HashMap<String, Acted>,
    commands_since: i64,
    claimants: HashMap<Sid, Box<dyn Claimant>>,
}

/// Why an event cannot be followed.
pub(super) enum Stray {
    /// It does not follow its stream's last one.
    Reordered,
    /// It cannot be read.
    Unreadable(String),
}

impl Derived {
    /// Nothing yet; it will keep the commands recorded since then (microseconds since the epoch), for a ledger forgets.
    pub fn keeping_commands_since(commands_since: i64) -> Derived {
        Derived { commands_since, ..Derived::default() }
    }

    /// Takes in the log's next event.
    pub fn follow(&mut self, fact: &Fact) -> Result<(), Stray> {
        self.stand(fact)?;
        if fact.log == Log::Core {
            self.claim(fact).map_err(Stray::Unreadable)?;
        }
        if let Some(id) =
            fact.command_id.as_ref().filter(|_| fact.recorded_at.micros() >= self.commands_since)
        {
            let acted = Acted {
                carrier: fact.tenant.carrier.clone(),
                stream: fact.stream.clone(),
                version: fact.sequence,
                recorded_at: fact.recorded_at.micros(),
            };
            self.commands.insert(format!("{}/{id}", fact.tenant.carrier), acted);
        }
        Ok(())
    }

    fn stand(&mut self, fact: &Fact) -> Result<(), Stray> {
        let stands = self.streams.entry(fact.stream.clone()).or_insert_with(|| Stands {
            stream_type: fact.stream_type.clone(),
            carrier: fact.tenant.carrier.clone(),
            version: 0,
            position: 0,
            hash: chain::GENESIS,
        });
        if fact.sequence != stands.version + 1 || fact.prev_hash != stands.hash {
            return Err(Stray::Reordered);
        }
        (stands.version, stands.position, stands.hash) = (fact.sequence, fact.position, fact.hash);
        Ok(())
    }

    fn claim(&mut self, fact: &Fact) -> Result<(), String> {
        let claimant = match self.claimants.entry(fact.stream.clone()) {
            std::collections::hash_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let unknown = || format!("nothing here makes a {}", fact.stream_type);
                place.insert(claimant::of(&fact.stream_type).ok_or_else(unknown)?)
            }
        };
        for claim in claimant.follow(fact)? {
            match claim {
                Claim::Take { scope, key } => drop(self.claims.insert((scope, key), fact.stream.clone())),
                Claim::Release { scope, key } => {
                    let held = (scope, key);
                    if self.claims.get(&held) == Some(&fact.stream) {
                        self.claims.remove(&held);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Actor, Kind, Tenant, Timestamp};

    fn fact(number: i64) -> Fact {
        let sid = |kind| Sid::from_uuid(kind, uuid::Uuid::from_u128(1));
        Fact {
            log: Log::Calls,
            position: number,
            stream: sid(Kind::Call),
            sequence: number,
            stream_type: "call".into(),
            tenant: Tenant::carrier(sid(Kind::Carrier)),
            event_id: uuid::Uuid::from_u128(1),
            event_type: "Ringing".into(),
            schema_version: 1,
            command_id: Some(format!("id-{number}")),
            correlation: None,
            causation: None,
            actor: Actor::system("test"),
            ip: None,
            user_agent: None,
            at: Timestamp::from_micros(number),
            recorded_at: Timestamp::from_micros(number),
            payload: "{}".into(),
            prev_hash: chain::GENESIS,
            hash: chain::GENESIS,
        }
    }

    #[test]
    fn a_command_that_the_ledger_has_forgotten_takes_no_room() {
        let mut derived = Derived::keeping_commands_since(900);
        for number in 1..=1_000 {
            assert!(derived.follow(&fact(number)).is_ok(), "{number}");
        }
        assert_eq!((derived.commands.len(), derived.streams.len()), (101, 1));
    }
}
