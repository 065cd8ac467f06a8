//! `/users`: people at the dashboard.

use super::{
    lists::{counted, page, page_of},
    tag::Tag,
    write::{Handle, Tagged, Write, tagged},
};
use crate::{
    App,
    auth::{FreshCode, Owner, Principal, Reader, prove, take_second_factor},
    problem::{ApiError, Refusal},
};
use domain::{
    Kind, Sid,
    user::{Role, User as Aggregate},
};
use poem::Request;
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use projections::{UserFilter, UserRow};

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum UserRole {
    /// Everything, people and API keys included.
    Owner,
    /// Everything but people and API keys.
    Admin,
    /// Look.
    Member,
}

/// Someone who signs in at the dashboard.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct User {
    /// Identifier, `US` and 32 hex digits.
    sid: String,
    /// Their name.
    name: String,
    /// What they sign in as.
    email: String,
    /// What they may do.
    role: UserRole,
    /// Whether their second factor is set up.
    two_factor: bool,
    /// When they were registered.
    created_at: String,
    /// When they last signed in completely.
    last_signed_in_at: Option<String>,
}

page_of! {
    /// Users, newest first.
    UserPage of User, counted
}

/// The second factor is gone.
#[derive(ApiResponse)]
enum TwoFactorReset {
    /// They set it up anew when they sign in next.
    #[oai(status = 204)]
    Reset,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> User {
        let role = match row.role {
            Role::Owner => UserRole::Owner,
            Role::Admin => UserRole::Admin,
            Role::Member => UserRole::Member,
        };
        User {
            sid: row.sid.to_string(),
            name: row.name.to_string(),
            email: row.email.into(),
            role,
            two_factor: row.two_factor,
            created_at: row.created_at.to_string(),
            last_signed_in_at: row.signed_in_at.map(|at| at.to_string()),
        }
    }
}

pub(crate) struct UsersApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/users", tag = "Tag::Users")]
impl UsersApi {
    /// List users
    ///
    /// Newest first, by name.
    #[oai(path = "/", method = "get", operation_id = "listUsers")]
    async fn list(
        &self,
        Reader(who): Reader,
        /// Part of the name, in any case; fewer than three characters are what a word of it begins with.
        name: Query<Option<String>>,
        /// Where the page before ended.
        cursor: Query<Option<String>>,
        /// Most rows to return.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<i32>>,
    ) -> Result<Json<UserPage>, ApiError> {
        let reads = self.0.app()?.projections.users(who.scope());
        let filter = UserFilter { name: name.0 };
        let page = page(cursor.0, limit.0);
        let rows = reads.counted(&filter, &page).await.map_err(Refusal::from)?;
        Ok(Json(counted(rows, User::from).into()))
    }

    /// Get a user
    ///
    /// One user by their SID.
    #[oai(path = "/:sid", method = "get", operation_id = "getUser")]
    async fn get(&self, Reader(who): Reader, sid: Path<String>) -> Result<Tagged<User>, ApiError> {
        let row = user_of(self.0.app()?, &who, &sid).await?;
        Ok(tagged(row.version, row.into()))
    }

    /// Take a user's second factor away
    ///
    /// For owners, with a code of their own made for this request: a session that was left open is not enough. Ends the
    /// user's sessions; they set it up anew when they sign in next.
    #[oai(path = "/:sid/reset-two-factor", method = "post", operation_id = "resetTwoFactor")]
    async fn reset_two_factor(
        &self,
        Owner(who): Owner,
        request: &Request,
        sid: Path<String>,
        proof: Json<FreshCode>,
    ) -> Result<TwoFactorReset, ApiError> {
        let app = self.0.app()?;
        let UserRow { sid: user, version, .. } = user_of(app, &who, &sid).await?;
        let write = Write::new(app, request, &who);
        write.expects::<Aggregate>(&user, version).await?;
        prove(app, request, &proof.code).await?;
        let meta = write.meta();
        take_second_factor(app, meta, &user, None).await?;
        Ok(TwoFactorReset::Reset)
    }
}

/// The caller's colleague of this SID.
async fn user_of(app: &App, who: &Principal, sid: &str) -> Result<UserRow, Refusal> {
    let missing = || Refusal::not_found("user");
    let sid = Sid::parse_as(Kind::User, sid).map_err(|_| missing())?;
    app.projections.users(who.scope()).get(&sid).await?.ok_or_else(missing)
}
