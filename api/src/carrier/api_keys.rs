//! `/api-keys`: keys of this API. Owners only, signed in at the dashboard.

use super::{
    lists::{counted, created_tagged, page, page_of},
    tag::Tag,
    text::Text,
    write::{Handle, Tagged, Write, etag, gone, tagged},
};
use crate::{
    App,
    auth::{ApiKeys, Owner, Principal},
    fields::Fields,
    problem::{ApiError, Refusal},
    secrets::digest,
};
use domain::{
    Ids, Kind, Sid,
    carrier::{Carrier as Aggregate, CarrierCommand as Command},
};
use poem::Request;
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use projections::{ApiKeyFilter, ApiKeyRow};

/// A live key is as it was made: nothing of it changes but that it is revoked.
const VERSION: i64 = 1;

/// A key of this API, without its secret.
#[derive(Debug, Object)]
struct ApiKey {
    /// Identifier, `AK` and 32 hex digits.
    sid: String,
    /// What it is for.
    name: String,
    /// Its last four characters.
    last_four: String,
    /// When it was made.
    created_at: String,
}

/// A new key with its secret.
#[derive(Object)]
struct ApiKeyCreated {
    /// Identifier, `AK` and 32 hex digits.
    sid: String,
    /// What it is for.
    name: String,
    /// Its last four characters.
    last_four: String,
    /// When it was made.
    created_at: String,
    /// The whole key, to be sent as Bearer token. It is shown this once.
    secret: String,
}

/// What a new key is made of.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct ApiKeyCreate {
    /// What it is for, 1 to 64 characters.
    name: Text,
}

page_of! {
    /// Live keys, newest first.
    ApiKeyPage of ApiKey, counted
}
created_tagged! {
    /// The key was made; its secret is shown this once.
    CreatedApiKey of ApiKeyCreated
}

/// The key opens nothing any more.
#[derive(ApiResponse)]
enum RevokedApiKey {
    /// Revoked.
    #[oai(status = 204)]
    Revoked,
}

impl From<ApiKeyRow> for ApiKey {
    fn from(row: ApiKeyRow) -> ApiKey {
        ApiKey {
            sid: row.sid.to_string(),
            name: row.name.to_string(),
            last_four: row.last_four,
            created_at: row.created_at.to_string(),
        }
    }
}

pub(crate) struct ApiKeysApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/api-keys", tag = "Tag::ApiKeys")]
impl ApiKeysApi {
    /// List API keys
    ///
    /// Newest first, without revoked ones.
    #[oai(path = "/", method = "get", operation_id = "listApiKeys")]
    async fn list(
        &self,
        Owner(who): Owner,
        /// Where the page before ended.
        cursor: Query<Option<String>>,
        /// Most rows to return.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<i32>>,
    ) -> Result<Json<ApiKeyPage>, ApiError> {
        let reads = self.0.app()?.projections.api_keys(who.scope());
        let filter = ApiKeyFilter { revoked: Some(false) };
        let page = page(cursor.0, limit.0);
        let rows = reads.counted(&filter, &page).await.map_err(Refusal::from)?;
        Ok(Json(counted(rows, ApiKey::from).into()))
    }

    /// Make an API key
    ///
    /// The answer holds the whole key, this once.
    #[oai(path = "/", method = "post", operation_id = "createApiKey")]
    async fn create(
        &self,
        Owner(who): Owner,
        request: &Request,
        /// Makes the request safe to repeat: the same key makes one API key; the repetition gets 409.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        new: Json<ApiKeyCreate>,
    ) -> Result<CreatedApiKey, ApiError> {
        let app = self.0.app()?;
        let mut fields = Fields::default();
        let name = fields.read("name", &new.name);
        let name = fields.finish(name)?;
        let once = Write::new(app, request, &who).once("createApiKey")?;
        let sid = Sid::from_uuid(Kind::ApiKey, named(once.command_id(), &*app.ids));
        let before = app.projections.api_keys(who.scope()).get(&sid).await.map_err(Refusal::from)?;
        if before.is_some_and(|key| key.revoked_at.is_some()) {
            return Err(gone("API key").into());
        }
        let secret = ApiKeys::generate(&sid, &*app.ids);
        let last_four: String = secret.chars().skip(secret.chars().count() - 4).collect();
        let command = Command::CreateApiKey { key: sid.clone(), name, last_four: last_four.clone() };
        let write = Write::new(app, request, &who);
        write.one::<Aggregate>(&who.carrier, command).await?;
        app.keys.keep(&who.carrier, &sid, &secret).await.map_err(Refusal::from)?;
        let row = app.projections.api_keys(who.scope()).get(&sid).await.map_err(Refusal::from)?;
        let created_at = row.map_or_else(|| app.clock.now(), |row| row.created_at).to_string();
        let (sid, name) = (sid.to_string(), new.name.trim().to_owned());
        let created = ApiKeyCreated { sid, name, last_four, created_at, secret };
        Ok(CreatedApiKey::Created(Json(created), etag(VERSION)))
    }

    /// Get an API key
    ///
    /// One live key by its SID, without its secret.
    #[oai(path = "/:sid", method = "get", operation_id = "getApiKey")]
    async fn get(&self, Owner(who): Owner, sid: Path<String>) -> Result<Tagged<ApiKey>, ApiError> {
        Ok(tagged(VERSION, key_of(self.0.app()?, &who, &sid).await?.into()))
    }

    /// Revoke an API key
    ///
    /// It opens nothing any more, at once.
    #[oai(path = "/:sid", method = "delete", operation_id = "revokeApiKey")]
    async fn revoke(
        &self,
        Owner(who): Owner,
        request: &Request,
        sid: Path<String>,
    ) -> Result<RevokedApiKey, ApiError> {
        let app = self.0.app()?;
        let key = key_of(app, &who, &sid).await?.sid;
        let write = Write::new(app, request, &who);
        write.expects::<Aggregate>(&key, VERSION).await?;
        app.keys.forget(&key).await.map_err(Refusal::from)?;
        write.one::<Aggregate>(&who.carrier, Command::RevokeApiKey { key }).await?;
        Ok(RevokedApiKey::Revoked)
    }
}

/// The caller's live key of this SID.
async fn key_of(app: &App, who: &Principal, sid: &str) -> Result<ApiKeyRow, Refusal> {
    let missing = || Refusal::not_found("API key");
    let sid = Sid::parse_as(Kind::ApiKey, sid).map_err(|_| missing())?;
    let row = app.projections.api_keys(who.scope()).get(&sid).await?;
    row.filter(|row| row.revoked_at.is_none()).ok_or_else(missing)
}

/// The same bits for the same command id, so that a repetition names the same key; new ones without.
fn named(command_id: Option<&str>, ids: &dyn Ids) -> uuid::Uuid {
    let Some(id) = command_id else { return ids.uuid() };
    let hex = digest(id.as_bytes());
    uuid::Uuid::try_parse(hex.get(..32).unwrap_or_default()).unwrap_or_else(|_| ids.uuid())
}
