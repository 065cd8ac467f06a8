//! The caller of the Carrier API, and what their role lets them do. An endpoint names the least it needs by its
//! argument: [`Reader`], [`Writer`] or [`Owner`].

use crate::problem::Refusal;
use domain::{Actor, Sid, user::Role};
use poem::{FromRequest, Request, RequestBody, Result};
use projections::Scope;

/// Who calls the Carrier API; put into the request by the authentication in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Whose data they see.
    pub carrier: Sid,
    /// A user or an API key.
    pub actor: Actor,
    /// What they may do. API keys act as [`Role::Admin`].
    pub role: Role,
}

impl Principal {
    /// Everything of their carrier, and nothing else.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::Carrier(self.carrier.clone())
    }
}

/// Any caller of the carrier.
pub struct Reader(pub Principal);

/// An admin, an owner or an API key.
pub struct Writer(pub Principal);

/// An owner.
pub struct Owner(pub Principal);

fn principal(request: &Request) -> Result<Principal> {
    Ok(request.data::<Principal>().cloned().ok_or_else(Refusal::unauthenticated)?)
}

impl<'a> FromRequest<'a> for Reader {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Reader> {
        principal(request).map(Reader)
    }
}

impl<'a> FromRequest<'a> for Writer {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Writer> {
        match principal(request)? {
            Principal { role: Role::Member, .. } => {
                Err(Refusal::forbidden("Members can look only; ask an owner or admin.").into())
            }
            principal => Ok(Writer(principal)),
        }
    }
}

impl<'a> FromRequest<'a> for Owner {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Owner> {
        match principal(request)? {
            principal @ Principal { role: Role::Owner, .. } => Ok(Owner(principal)),
            _ => Err(Refusal::forbidden("Only an owner can do this, signed in at the dashboard.").into()),
        }
    }
}
