//! `/accounts`: what customers' programs sign in as.

use super::{
    limits::{AccountLimits, AccountLimitsUpdate},
    lists::{NameOrder, counted, created_tagged, page, page_of},
    tag::Tag,
    text::Text,
    write::{Handle, TRIES, Tagged, Write, etag, is_unused, tagged, too_busy},
};
use crate::{
    App,
    auth::{Principal, Reader, Writer},
    fields::Fields,
    problem::{ApiError, Refusal},
    secrets::AUTH_TOKEN,
};
use domain::{
    Kind, Log, Sid,
    account::{Account as Aggregate, AccountCommand as Command},
    name::Name,
};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use projections::{AccountFilter, AccountRow, Order};

/// Whether an account may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum AccountStatus {
    /// It may.
    Enabled,
    /// Its programs get 401, its calls are refused.
    Disabled,
}

/// A customer's account. Its SID is the user name of Twilio clients.
#[derive(Debug, Object)]
struct Account {
    /// Identifier, `AC` and 32 hex digits.
    sid: String,
    /// Friendly name.
    name: String,
    /// Whether it may call.
    status: AccountStatus,
    /// How much it may call, and where to.
    limits: AccountLimits,
    /// When it was opened.
    created_at: String,
    /// When it last changed.
    updated_at: String,
}

/// A new account with its auth token.
#[derive(Object)]
struct AccountCreated {
    /// Identifier, `AC` and 32 hex digits.
    sid: String,
    /// Friendly name.
    name: String,
    /// Whether it may call.
    status: AccountStatus,
    /// How much it may call, and where to.
    limits: AccountLimits,
    /// When it was opened.
    created_at: String,
    /// When it last changed.
    updated_at: String,
    /// The password of Twilio clients, 32 hex digits.
    auth_token: String,
}

/// What a new account is made of.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct AccountCreate {
    /// Friendly name, 1 to 64 characters.
    name: Text,
}

/// What to change; absent fields stay as they are.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct AccountUpdate {
    /// Friendly name, 1 to 64 characters.
    name: Option<Text>,
    /// Whether it may call.
    status: Option<AccountStatus>,
    /// How much it may call, and where to.
    limits: Option<AccountLimitsUpdate>,
}

impl AccountUpdate {
    /// What it asks of the account as it is now; every wrong field is named at once.
    fn commands(&self, row: &AccountRow) -> Result<Vec<Command>, Refusal> {
        let mut fields = Fields::default();
        let name = fields.maybe("name", self.name.as_deref());
        let limits = match self.limits.clone() {
            Some(limits) => limits.apply(&row.limits, &mut fields).map(Some),
            None => Some(None),
        };
        let (name, limits) = fields.finish(name.zip(limits))?;
        let rename = name.map(|name| Command::Rename { name });
        let status = self.status.as_ref().map(|status| match status {
            AccountStatus::Enabled => Command::Enable,
            AccountStatus::Disabled => Command::Disable,
        });
        Ok(rename.into_iter().chain(status).chain(limits.map(Command::Limit)).collect())
    }
}

/// An account's Twilio credentials.
#[derive(Object)]
struct AuthToken {
    /// The user name.
    account_sid: String,
    /// The password.
    auth_token: String,
}

page_of! {
    /// Accounts, newest first.
    AccountPage of Account, counted
}
created_tagged! {
    /// The account was opened.
    CreatedAccount of AccountCreated
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Account {
        Account {
            sid: row.sid.to_string(),
            name: row.name.to_string(),
            status: if row.enabled { AccountStatus::Enabled } else { AccountStatus::Disabled },
            limits: row.limits.into(),
            created_at: row.created_at.to_string(),
            updated_at: row.updated_at.to_string(),
        }
    }
}

pub(crate) struct AccountsApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/accounts", tag = "Tag::Accounts")]
impl AccountsApi {
    /// List accounts
    ///
    /// Newest first unless `order` says otherwise, by name and status.
    #[oai(path = "/", method = "get", operation_id = "listAccounts")]
    async fn list(
        &self,
        Reader(who): Reader,
        /// Part of the name, in any case; fewer than three characters are what a word of it begins with.
        name: Query<Option<String>>,
        /// Whether they may call.
        status: Query<Option<AccountStatus>>,
        /// In which order; newest first when left out.
        order: Query<Option<NameOrder>>,
        /// Where the page before ended.
        cursor: Query<Option<String>>,
        /// Most rows to return.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<i32>>,
    ) -> Result<Json<AccountPage>, ApiError> {
        let enabled = status.0.map(|status| status == AccountStatus::Enabled);
        let filter = AccountFilter { name: name.0, enabled };
        let reads = self.0.app()?.projections.accounts(who.scope());
        let page = page(cursor.0, limit.0).by(order.0.map(Order::from).unwrap_or_default());
        let rows = reads.counted(&filter, &page).await.map_err(Refusal::from)?;
        Ok(Json(counted(rows, Account::from).into()))
    }

    /// Open an account
    ///
    /// A carrier-managed account. The answer holds its auth token; `getAuthToken` shows it again.
    #[oai(path = "/", method = "post", operation_id = "createAccount")]
    async fn create(
        &self,
        Writer(who): Writer,
        request: &Request,
        /// Makes the request repeatable: the same key acts once in seven days.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        account: Json<AccountCreate>,
    ) -> Result<CreatedAccount, ApiError> {
        let app = self.0.app()?;
        let write = Write::new(app, request, &who).once("createAccount")?;
        let mut fields = Fields::default();
        let name = fields.read("name", &account.name);
        let name: Name = fields.finish(name)?;
        let sid = Sid::new(Kind::Account, &*app.ids);
        // The token is there before anyone can know the account.
        let token = app.ids.token();
        app.secrets.put_auth_token((&who.carrier, &sid), 1, &token).await.map_err(Refusal::from)?;
        let command = Command::create(who.carrier.clone(), name.clone());
        let write = write.of_account(Some(sid.clone()));
        let made = write.one::<Aggregate>(&sid, command).await;
        if is_unused(&made, &sid) {
            app.secrets.delete(&sid, (AUTH_TOKEN, "1")).await.map_err(Refusal::from)?;
        }
        let made = made?.stream;
        // It is in the log: tables that lag must not make it look as if it were not.
        let seen = app.projections.accounts(who.scope()).get(&made).await.ok().flatten();
        let row = seen.unwrap_or_else(|| AccountRow::created(made, who.carrier.clone(), name, write.at()));
        let (auth_token, tag) = (token_of(app, &row).await?, etag(row.version));
        let Account { sid, name, status, limits, created_at, updated_at } = row.into();
        let account = AccountCreated { sid, name, status, limits, created_at, updated_at, auth_token };
        Ok(CreatedAccount::Created(Json(account), tag))
    }

    /// Get an account
    ///
    /// One account by its SID.
    #[oai(path = "/:sid", method = "get", operation_id = "getAccount")]
    async fn get(&self, Reader(who): Reader, sid: Path<String>) -> Result<Tagged<Account>, ApiError> {
        let row = account_of(self.0.app()?, &who, &sid).await?;
        Ok(tagged(row.version, row.into()))
    }

    /// Change an account
    ///
    /// JSON merge patch: name, enabled or disabled, limits. A disabled account's programs get 401 and its calls are refused.
    #[oai(path = "/:sid", method = "patch", operation_id = "updateAccount")]
    async fn update(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
        patch: Json<AccountUpdate>,
    ) -> Result<Tagged<Account>, ApiError> {
        let app = self.0.app()?;
        let mut turn = None;
        for _ in 0..TRIES {
            let row = account_of(app, &who, &sid).await?;
            let commands = patch.commands(&row)?;
            let write = Write::new(app, request, &who).of_account(Some(row.sid.clone()));
            write.expects::<Aggregate>(&row.sid, row.version).await?;
            if write.at_version::<Aggregate>(&mut turn, &row.sid, row.version, commands).await? {
                let row = account_of(app, &who, &sid).await?;
                return Ok(tagged(row.version, row.into()));
            }
        }
        Err(too_busy().into())
    }

    /// Show an account's auth token
    ///
    /// For owners, admins and API keys. Each look is an entry of the audit.
    #[oai(path = "/:sid/auth-token", method = "get", operation_id = "getAuthToken")]
    async fn auth_token(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
    ) -> Result<Json<AuthToken>, ApiError> {
        let app = self.0.app()?;
        let account = account_of(app, &who, &sid).await?;
        let write = Write::new(app, request, &who).of_account(Some(account.sid.clone()));
        write.one::<Aggregate>(&account.sid, Command::ShowAuthToken).await?;
        let auth_token = token_of(app, &account).await?;
        Ok(Json(AuthToken { account_sid: account.sid.to_string(), auth_token }))
    }

    /// Replace an account's auth token
    ///
    /// The old token opens nothing from now on, and webhooks are signed with the new one.
    #[oai(path = "/:sid/auth-token", method = "post", operation_id = "rotateAuthToken")]
    async fn rotate(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
        /// Makes the request repeatable: the same key acts once in seven days.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
    ) -> Result<Json<AuthToken>, ApiError> {
        let app = self.0.app()?;
        let AccountRow { sid: account, version, .. } = account_of(app, &who, &sid).await?;
        let operation = format!("rotateAuthToken:{account}");
        let write = Write::new(app, request, &who).of_account(Some(account.clone()));
        write.expects::<Aggregate>(&account, version).await?;
        let write = write.once(&operation)?;
        let auth_token = replace_token(app, &who, &write, &account).await?;
        Ok(Json(AuthToken { account_sid: account.to_string(), auth_token }))
    }
}

/// The caller's account of this SID.
pub(super) async fn account_of(app: &App, who: &Principal, sid: &str) -> Result<AccountRow, Refusal> {
    let missing = || Refusal::not_found("account");
    let sid = Sid::parse_as(Kind::Account, sid).map_err(|_| missing())?;
    app.projections.accounts(who.scope()).get(&sid).await?.ok_or_else(missing)
}

/// The next token into the vault, then the event that makes it the one: from there on the old one opens nothing, whatever
/// becomes of us. What a crash in between leaves in the vault nobody knows, and the next replacement uses it.
async fn replace_token(
    app: &App,
    who: &Principal,
    write: &Write<'_>,
    account: &Sid,
) -> Result<String, Refusal> {
    let before = app.store.load::<Aggregate>(account).await?.aggregate.auth_token_version();
    app.secrets.put_auth_token((&who.carrier, account), before + 1, &app.ids.token()).await?;
    let done = write.append::<Aggregate>(account, Command::ReplaceAuthToken { version: before + 1 }).await?;
    let now = if done.replayed { before } else { before + 1 };
    if !done.replayed
        && let Err(error) = app.secrets.delete(account, (AUTH_TOKEN, &before.to_string())).await
    {
        tracing::warn!(%error, %account, "a replaced auth token stays in the vault; it opens nothing");
    }
    app.settled(Log::Core, &done).await?;
    let token = app.secrets.auth_token(account, now).await?;
    token.and_then(|token| token.text().map(str::to_owned)).ok_or_else(|| Refusal::not_found("auth token"))
}

async fn token_of(app: &App, account: &AccountRow) -> Result<String, Refusal> {
    let token = app.secrets.auth_token(&account.sid, account.auth_token_version).await?;
    token.and_then(|token| token.text().map(str::to_owned)).ok_or_else(|| Refusal::not_found("auth token"))
}
