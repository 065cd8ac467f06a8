//! Devices that somebody has signed in from: a random cookie, its SHA-256 in the vault. It opens nothing; it tells that a
//! try is not a stranger's, whom everybody else's tries must not keep off.

use super::session::cookie_pair;
use crate::{
    App,
    problem::Refusal,
    secrets::{DEVICE, digest},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Sid;
use poem::{Request, http::HeaderValue};
use std::time::Duration;
use store::StoreError;

/// How long a device is known after a sign-in.
const KNOWN: Duration = Duration::from_secs(180 * 24 * 3600);

/// A device somebody has signed in from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// Who has.
    pub user: Sid,
    /// SHA-256 of the cookie's random part.
    pub id: String,
}

/// The device of this request, if it is known.
///
/// # Errors
/// When the vault cannot be asked.
pub(crate) async fn device(app: &App, request: &Request) -> Result<Option<Device>, StoreError> {
    let Some((user, id)) = cookie_pair(request, name(app)) else { return Ok(None) };
    let known = app.store.vault().get(&user, DEVICE, &id).await?.is_some();
    Ok(known.then_some(Device { user, id }))
}

/// Remembers the device `user` has just signed in from; the cookie to set, unless it has one.
///
/// # Errors
/// When the vault cannot be asked.
pub(crate) async fn remember(
    app: &App,
    request: &Request,
    (carrier, user): (&Sid, &Sid),
) -> Result<Option<HeaderValue>, Refusal> {
    if device(app, request).await?.is_some_and(|device| device.user == *user) {
        return Ok(None);
    }
    let mut random = [0; 32];
    app.ids.fill(&mut random);
    let end = Some(app.clock.now().plus(KNOWN));
    app.store.vault().put(carrier, user, DEVICE, &digest(&random), b"", end).await?;
    let (name, secure) = (name(app), if app.config.secure_cookies { "; Secure" } else { "" });
    let (value, age) = (format!("{user}.{}", URL_SAFE_NO_PAD.encode(random)), KNOWN.as_secs());
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    HeaderValue::from_str(&line).map(Some).map_err(|_| Refusal::internal())
}

fn name(app: &App) -> &'static str {
    if app.config.secure_cookies { "__Host-device" } else { "device" }
}
