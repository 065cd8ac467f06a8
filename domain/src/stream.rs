//! What the log needs to know about an aggregate, and what every event carries beside its payload.

use crate::{EventKind, Sid, Timestamp, upcast::Upcaster, webhook_url::WebhookUrl};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// An aggregate that lives as a stream of events in one of the logs.
pub trait Stream:
    cqrs_es::Aggregate<Services = (), Command: Serialize + Clone + Send + Sync, Error: Send + Sync + 'static>
    + Clone
    + 'static
{
    /// The kinds of its events.
    type Kind: EventKind;

    /// The log its events go to.
    const LOG: Log;

    /// The kind of event after which the thing is gone, where it ever goes.
    const LAST: Option<Self::Kind> = None;

    /// What lifts events that earlier releases wrote.
    const UPCASTERS: &'static [Upcaster<Self::Kind>] = &[];

    /// The version of the event's payload: what the log stores in `schema_version`.
    fn schema_version(event: &Self::Event) -> i32 {
        let _ = event;
        1
    }

    /// What `event` takes or gives up in a set that spans streams (a phone number within its carrier, an e-mail
    /// address). `self` is the state before the event. The log commits claims and event together or neither.
    fn claims(&self, event: &Self::Event) -> Vec<Claim> {
        let _ = event;
        Vec::new()
    }

    /// Whether a person sees the thing otherwise after `event`: who then changes it as they knew it is told of that. After
    /// any other somebody only looked or failed, or what changed is a thing of its own.
    fn is_change(event: &Self::Event) -> bool {
        let _ = event;
        true
    }

    /// The webhook addresses in a command. The store keeps the passwords in them in the vault, so that none becomes
    /// part of an event.
    fn addresses(command: &mut Self::Command) -> Vec<&mut WebhookUrl> {
        let _ = command;
        Vec::new()
    }

    /// TwiML in a command, whose addresses are treated alike.
    fn twiml(command: &mut Self::Command) -> Option<&mut String> {
        let _ = command;
        None
    }
}

/// One of the logs: same code, separate positions, so that calls never wait for configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Log {
    /// Carriers, accounts, trunks, phone numbers, users.
    Core,
    /// Calls.
    Calls,
}

impl Log {
    /// Every log there is.
    pub const ALL: [Log; 2] = [Log::Core, Log::Calls];

    /// Its name in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Log::Core => "core",
            Log::Calls => "calls",
        }
    }
}

/// A reservation in a set that spans streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key now belongs to this stream; refused while another stream holds it.
    Take {
        /// The set, for example `phone_number:VC…`.
        scope: String,
        /// The member, for example `85512345678`.
        key: String,
    },
    /// The key is free again.
    Release {
        /// The set.
        scope: String,
        /// The member.
        key: String,
    },
}

impl Claim {
    /// Takes `key` in `scope`.
    pub fn take(scope: impl Into<String>, key: impl Into<String>) -> Claim {
        Claim::Take { scope: scope.into(), key: key.into() }
    }

    /// Releases `key` in `scope`.
    pub fn release(scope: impl Into<String>, key: impl Into<String>) -> Claim {
        Claim::Release { scope: scope.into(), key: key.into() }
    }
}

/// Whose data it is: a carrier, and within it perhaps one account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tenant {
    /// The carrier.
    pub carrier: Sid,
    /// The account within it, where the fact concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Sid>,
}

impl Tenant {
    /// The carrier itself.
    #[must_use]
    pub fn carrier(carrier: Sid) -> Tenant {
        Tenant { carrier, account: None }
    }

    /// One account of a carrier.
    #[must_use]
    pub fn account(carrier: Sid, account: Sid) -> Tenant {
        Tenant { carrier, account: Some(account) }
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// A person at the dashboard.
    User(Sid),
    /// A program with a Carrier API key.
    ApiKey(Sid),
    /// A program with an account's auth token.
    Account(Sid),
    /// Trunkline itself; the part that acted, for example `sip-engine`.
    System(String),
}

impl Actor {
    /// `user`, `api_key`, `account` or `system`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Actor::User(_) => "user",
            Actor::ApiKey(_) => "api_key",
            Actor::Account(_) => "account",
            Actor::System(_) => "system",
        }
    }

    /// The identifier, or the name of the part.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Actor::User(sid) | Actor::ApiKey(sid) | Actor::Account(sid) => sid.as_str(),
            Actor::System(part) => part,
        }
    }

    /// Trunkline itself, by the part that acts.
    pub fn system(part: impl Into<String>) -> Actor {
        Actor::System(part.into())
    }
}

/// What every event carries beside its payload: for whom, by whom, when, from where, because of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Whose data it is.
    pub tenant: Tenant,
    /// Who did it.
    pub actor: Actor,
    /// When it happened, by the clock of whoever reports it.
    pub at: Timestamp,
    /// From which address.
    pub ip: Option<IpAddr>,
    /// With which program; at most 256 characters are kept.
    pub user_agent: Option<String>,
    /// Makes the command repeatable: the same id acts once. Scope it (tenant, route) before handing it in.
    pub command_id: Option<String>,
    /// What it belongs to, for example a request id.
    pub correlation: Option<String>,
    /// The event that led to it.
    pub causation: Option<String>,
}

impl Meta {
    /// The least there is: for whom, by whom, when.
    #[must_use]
    pub fn new(tenant: Tenant, actor: Actor, at: Timestamp) -> Meta {
        let (ip, user_agent, command_id, correlation, causation) = (None, None, None, None, None);
        Meta { tenant, actor, at, ip, user_agent, command_id, correlation, causation }
    }

    /// The same, repeatable under `id`.
    #[must_use]
    pub fn once(mut self, id: impl Into<String>) -> Meta {
        self.command_id = Some(id.into());
        self
    }
}
