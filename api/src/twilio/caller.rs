//! Who is asking: an account, by its SID and auth token (HTTP Basic, RFC 7617).

use super::fault::Fault;
use crate::{
    App,
    auth::{Rate, Throttle, by_address},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Actor, Kind, Meta, Sid, Tenant};
use poem::Request;
use projections::{AccountRow, Scope};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Requests from one address, whoever they say they are: each costs a look into the vault.
const BY_ADDRESS: Rate = Rate { burst: 1_000, refill: Duration::from_millis(2) };
/// Requests of one account. Only who has its token uses these up, so nobody can be locked out by strangers.
const BY_ACCOUNT: Rate = Rate { burst: 200, refill: Duration::from_millis(10) };
/// Calls for help of one account beyond those: nothing else of it stops one.
const FOR_HELP: Rate = Rate { burst: 60, refill: Duration::from_secs(1) };
/// What may be calls for help from one address beyond its requests: nothing else sent from there stops one.
const FOR_HELP_BY_ADDRESS: Rate = Rate { burst: 100, refill: Duration::from_millis(100) };
/// Wrong credentials from one address.
const WRONG_BY_ADDRESS: Rate = Rate { burst: 20, refill: Duration::from_secs(2) };

/// An account that signed in.
#[derive(Clone)]
pub(super) struct Caller {
    /// The account.
    pub account: AccountRow,
    /// Its auth token: the account sees its own.
    pub token: String,
}

/// Checks credentials and how often they are used.
#[derive(Clone)]
pub(super) struct Door {
    app: App,
    address: Throttle,
    often: Throttle,
    for_help: Throttle,
    for_help_by_address: Throttle,
    wrong: Throttle,
}

/// A request whose credentials are not looked at yet.
pub(super) struct Knock {
    account: Sid,
    password: String,
    /// How long its address is to wait, where it has asked too often.
    pub wait: Option<Duration>,
}

impl Caller {
    /// What it may see.
    pub fn scope(&self) -> Scope {
        Scope::Account { carrier: self.account.carrier.clone(), account: self.account.sid.clone() }
    }

    /// What its commands carry.
    pub fn meta(&self, app: &App, request: &Request) -> Meta {
        let sid = &self.account.sid;
        let tenant = Tenant::account(self.account.carrier.clone(), sid.clone());
        app.meta(request, tenant, Actor::Account(sid.clone()))
    }
}

impl Door {
    pub fn new(app: &App) -> Door {
        let throttle = |rate| Throttle::new(rate, app.clock.clone());
        Door {
            app: app.clone(),
            address: throttle(BY_ADDRESS),
            often: throttle(BY_ACCOUNT),
            for_help: throttle(FOR_HELP),
            for_help_by_address: throttle(FOR_HELP_BY_ADDRESS),
            wrong: throttle(WRONG_BY_ADDRESS),
        }
    }

    /// Counts a request of its address.
    pub fn knock(&self, request: &Request) -> Result<Knock, Fault> {
        let (account, password) = credentials(request).ok_or_else(Fault::unauthenticated)?;
        let wait = self.address.take(&self.peer(request)).err();
        Ok(Knock { account, password, wait })
    }

    /// Counts what may be a call for help, from an address that may ask for nothing else now.
    pub fn knock_for_help(&self, request: &Request) -> Result<(), Duration> {
        self.for_help_by_address.take(&self.peer(request))
    }

    /// The account that signed this request.
    pub async fn open(&self, request: &Request, knock: &Knock) -> Result<Caller, Fault> {
        let Knock { account, password, .. } = knock;
        let Some(row) = self.app.projections.system().account(account).await? else {
            return Err(self.refuse(request));
        };
        let secret = self.app.secrets.auth_token(account, row.auth_token_version).await?;
        let token = secret.as_ref().and_then(store::Secret::text).unwrap_or_default();
        let same: bool = token.as_bytes().ct_eq(password.as_bytes()).into();
        if token.is_empty() || !same {
            return Err(self.refuse(request));
        }
        match row.enabled {
            true => Ok(Caller { account: row, token: token.to_owned() }),
            false => Err(Fault::suspended()),
        }
    }

    /// Counts a request of the account's; how long it is to wait when there were too many.
    pub fn counted(&self, caller: &Caller) -> Result<(), Duration> {
        self.often.take(caller.account.sid.as_str())
    }

    /// Counts a call for help of an account that may ask for nothing else now.
    pub fn counted_for_help(&self, caller: &Caller) -> Result<(), Duration> {
        self.for_help.take(caller.account.sid.as_str())
    }

    /// Wrong credentials are slowed down by address, so that guessing costs time and nobody can lock others out.
    fn refuse(&self, request: &Request) -> Fault {
        match self.wrong.take(&self.peer(request)) {
            Ok(()) => Fault::unauthenticated(),
            Err(wait) => Fault::too_many(wait),
        }
    }

    fn peer(&self, request: &Request) -> String {
        by_address(self.app.peer(request))
    }
}

fn credentials(request: &Request) -> Option<(Sid, String)> {
    let (scheme, value) = request.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || value.len() > 512 {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some((Sid::parse_as(Kind::Account, user).ok()?, password.to_owned()))
}
