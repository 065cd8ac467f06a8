//! Who is asking: an account, by its SID and auth token (HTTP Basic, RFC 7617).

use super::fault::Fault;
use crate::{
    App,
    auth::{Rate, Throttle},
    secrets::AUTH_TOKEN,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Actor, Kind, Meta, Sid, Tenant};
use poem::Request;
use projections::{AccountRow, Scope};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Requests of one account.
const BY_ACCOUNT: Rate = Rate { burst: 200, refill: Duration::from_millis(10) };
/// Wrong credentials from one address.
const WRONG_BY_ADDRESS: Rate = Rate { burst: 20, refill: Duration::from_secs(2) };

/// An account that signed in.
#[derive(Clone, Debug)]
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
    often: Throttle,
    wrong: Throttle,
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
        Door { app: app.clone(), often: throttle(BY_ACCOUNT), wrong: throttle(WRONG_BY_ADDRESS) }
    }

    /// The account that signed this request.
    pub async fn open(&self, request: &Request) -> Result<Caller, Fault> {
        let Some((account, password)) = credentials(request) else { return Err(Fault::unauthenticated()) };
        self.often.take(account.as_str()).map_err(Fault::too_many)?;
        let secret = self.app.secrets.get(&account, AUTH_TOKEN).await?;
        let token = secret.as_ref().and_then(store::Secret::text).unwrap_or_default();
        let same: bool = token.as_bytes().ct_eq(password.as_bytes()).into();
        if token.is_empty() || !same {
            return Err(self.refuse(request));
        }
        let row = self.app.projections.system().account(&account).await?;
        match row {
            Some(account) if account.enabled => Ok(Caller { account, token: token.to_owned() }),
            Some(_) => Err(Fault::suspended()),
            None => Err(self.refuse(request)),
        }
    }

    /// Wrong credentials are slowed down by address, so that guessing costs time and nobody can lock others out.
    fn refuse(&self, request: &Request) -> Fault {
        let address = self.app.peer(request).map(|ip| ip.to_string()).unwrap_or_default();
        match self.wrong.take(&address) {
            Ok(()) => Fault::unauthenticated(),
            Err(wait) => Fault::too_many(wait),
        }
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
