//! Sessions of the dashboard: a random 256-bit id in a cookie, its SHA-256 in the vault with what it stands for.

use crate::{
    App,
    problem::Refusal,
    secrets::{SESSION, digest},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Kind, Sid, Timestamp};
use poem::{Request, http::HeaderValue};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::StoreError;
use tokio::sync::watch;

/// A session ends when it was not used for so long.
pub const IDLE: Duration = Duration::from_secs(12 * 3600);
/// A session ends so long after signing in, used or not.
pub const ABSOLUTE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Use is written down no more often than this.
const TOUCH: Duration = Duration::from_secs(300);

/// How much of signing in has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The password was right.
    Password,
    /// So was the second factor.
    Full,
}

/// What a session's id stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of the cookie's random part; names the session in lists.
    #[serde(skip)]
    pub id: String,
    /// Who signed in.
    pub user: Sid,
    /// Their carrier.
    pub carrier: Sid,
    /// How much of signing in has been done.
    pub level: Level,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used, to five minutes.
    pub seen_at: Timestamp,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
}

impl Session {
    /// When it ends unless it is used.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.seen_at.plus(IDLE).min(self.created_at.plus(ABSOLUTE))
    }
}

/// Opens, finds and ends sessions.
pub struct Sessions {
    ended: watch::Sender<u64>,
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions { ended: watch::Sender::new(0) }
    }
}

impl Sessions {
    /// Changes whenever a session of this process ends; open WebSockets look again then.
    #[must_use]
    pub fn ended(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// Opens a session; the text is for the cookie.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn open(
        &self,
        app: &App,
        request: &Request,
        (carrier, user): (&Sid, &Sid),
        level: Level,
    ) -> Result<(Session, String), StoreError> {
        let mut random = [0; 32];
        app.ids.fill(&mut random);
        let (now, id) = (app.clock.now(), digest(&random));
        let meta = app.user_meta(request, carrier, user);
        let session = Session {
            id,
            user: user.clone(),
            carrier: carrier.clone(),
            level,
            created_at: now,
            seen_at: now,
            ip: meta.ip.map(|ip| ip.to_string()),
            user_agent: meta.user_agent,
        };
        keep(app, &session).await?;
        Ok((session, format!("{user}.{}", URL_SAFE_NO_PAD.encode(random))))
    }

    /// The session this request's cookie stands for, if it has not ended.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn of(&self, app: &App, request: &Request) -> Result<Option<Session>, StoreError> {
        let Some((user, id)) = cookie(app, request) else { return Ok(None) };
        let Some(mut session) = self.find(app, &user, &id).await? else { return Ok(None) };
        let now = app.clock.now();
        if now.since(session.seen_at) >= TOUCH {
            let old = text(&session);
            session.seen_at = now;
            // Only if it is still there: a session that was ended meanwhile must not come back.
            app.store.vault().replace_if(&user, SESSION, &id, &old, &text(&session)).await?;
        }
        Ok(Some(session))
    }

    /// The session of this name.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn find(&self, app: &App, user: &Sid, id: &str) -> Result<Option<Session>, StoreError> {
        let Some(kept) = app.store.vault().get(user, SESSION, id).await? else { return Ok(None) };
        let session: Option<Session> = serde_json::from_slice(kept.bytes()).ok();
        let session = session.map(|session| Session { id: id.to_owned(), ..session });
        Ok(session.filter(|session| session.expires_at() > app.clock.now()))
    }

    /// Every live session of a user, newest first.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn list(&self, app: &App, user: &Sid) -> Result<Vec<Session>, StoreError> {
        let mut sessions = Vec::new();
        for id in app.store.vault().names(user, SESSION).await? {
            sessions.extend(self.find(app, user, &id).await?);
        }
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(sessions)
    }

    /// Ends a session; whether there was one.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn end(&self, app: &App, user: &Sid, id: &str) -> Result<bool, StoreError> {
        let ended = app.store.vault().delete(user, SESSION, id).await?;
        self.ended.send_modify(|count| *count += 1);
        Ok(ended)
    }

    /// Ends all sessions of a user but one: when it returns none that was there is left, however many there were.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn end_others(&self, app: &App, user: &Sid, but: Option<&str>) -> Result<(), StoreError> {
        app.store.vault().delete_all(user, SESSION, but).await?;
        self.ended.send_modify(|count| *count += 1);
        Ok(())
    }
}

async fn keep(app: &App, session: &Session) -> Result<(), StoreError> {
    let end = Some(session.created_at.plus(ABSOLUTE));
    app.store.vault().put(&session.carrier, &session.user, SESSION, &session.id, &text(session), end).await
}

fn text(session: &Session) -> Vec<u8> {
    serde_json::to_vec(session).unwrap_or_default()
}

/// The cookie's name: browsers keep `__Host-` ones to this host, path `/` and https.
fn cookie_name(app: &App) -> &'static str {
    if app.config.secure_cookies { "__Host-session" } else { "session" }
}

/// The user and the digest of the random part.
fn cookie(app: &App, request: &Request) -> Option<(Sid, String)> {
    cookie_pair(request, cookie_name(app))
}

/// The user and the digest of the random part that a cookie of this name has.
pub(super) fn cookie_pair(request: &Request, name: &str) -> Option<(Sid, String)> {
    let pairs = request.headers().get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut values = pairs.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = values.find(|(key, _)| *key == name)?;
    let (user, random) = value.split_once('.')?;
    let random = URL_SAFE_NO_PAD.decode(random).ok().filter(|random| random.len() == 32)?;
    Some((Sid::parse_as(Kind::User, user).ok()?, digest(&random)))
}

/// `Set-Cookie` for a session, or to drop it.
///
/// # Errors
/// Never: the value is made of header characters.
pub(crate) fn set_cookie(app: &App, value: Option<&str>) -> Result<HeaderValue, Refusal> {
    let (name, secure) = (cookie_name(app), if app.config.secure_cookies { "; Secure" } else { "" });
    let age = value.map_or(0, |_| ABSOLUTE.as_secs());
    let value = value.unwrap_or_default();
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    HeaderValue::from_str(&line).map_err(|_| Refusal::internal())
}
