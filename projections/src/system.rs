//! Reads that are not inside one tenant: who signs in, what the engine routes by, what a node left behind. Their callers
//! learn the tenant from the row.

use crate::{
    ReadError,
    machine::{
        biography::Biography,
        ledger, pieces,
        reads::{all, one, present},
        record::{self, Record, is},
    },
    tables::{AccountRow, ApiKeyRow, CallRow, CarrierRow, PhoneNumberRow, TrunkRow, UserRow, networks},
};
use domain::{Log, Number, Sid, route::SourceClaims, user::Email};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Db, Tx, padded};

/// Most unfinished calls `unfinished_calls` returns at a time.
pub const MAX_UNFINISHED: u64 = 1_000;

/// Reads across tenants.
#[derive(Clone)]
pub struct System {
    pub(crate) db: Db,
}

/// Everything the SIP engine routes by, as it stood at one position of the core log.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryRows {
    /// The last event of the core log that each of these rows' tables knows of.
    pub position: i64,
    /// Every carrier.
    pub carriers: Vec<CarrierRow>,
    /// Every account.
    pub accounts: Vec<AccountRow>,
    /// Every trunk.
    pub trunks: Vec<TrunkRow>,
    /// Every phone number.
    pub phone_numbers: Vec<PhoneNumberRow>,
}

impl System {
    /// The user who signs in with this address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_email(&self, email: &Email) -> Result<Option<UserRow>, ReadError> {
        one(&self.db, record::select::<UserRow>(UserRow::NAME).and_where(is("email", email.as_str()))).await
    }

    /// The user of a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(&self, sid: &Sid) -> Result<Option<UserRow>, ReadError> {
        self.by_sid(sid).await
    }

    /// Whether anybody has ever signed up here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_users(&self) -> Result<bool, ReadError> {
        let mut any = record::select::<UserRow>(UserRow::NAME);
        Ok(one::<UserRow>(&self.db, any.limit(1)).await?.is_some())
    }

    /// The account a program signs in as.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(&self, sid: &Sid) -> Result<Option<AccountRow>, ReadError> {
        self.by_sid(sid).await
    }

    /// The API key a program shows, revoked or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_key(&self, sid: &Sid) -> Result<Option<ApiKeyRow>, ReadError> {
        self.by_sid(sid).await
    }

    /// A carrier.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn carrier(&self, sid: &Sid) -> Result<Option<CarrierRow>, ReadError> {
        self.by_sid(sid).await
    }

    /// The carrier whose dashboard has this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn carrier_by_subdomain(&self, subdomain: &str) -> Result<Option<CarrierRow>, ReadError> {
        let mut select = record::select::<CarrierRow>(CarrierRow::NAME);
        one(&self.db, select.and_where(is("subdomain", subdomain))).await
    }

    /// A call of any tenant, deleted or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn call(&self, sid: &Sid) -> Result<Option<CallRow>, ReadError> {
        self.by_sid(sid).await
    }

    /// Calls that are not over, oldest first, after the given one; at most [`MAX_UNFINISHED`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfinished_calls(&self, after: Option<&Sid>) -> Result<Vec<CallRow>, ReadError> {
        all(&self.db, &unfinished(after)).await
    }

    /// What the SIP engine routes by, all of one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn directory(&self) -> Result<DirectoryRows, ReadError> {
        let mut tx = self.db.snapshot().await?;
        let rows = DirectoryRows {
            position: passed(&mut tx).await?,
            carriers: every(&mut tx).await?,
            accounts: every(&mut tx).await?,
            trunks: every(&mut tx).await?,
            phone_numbers: every(&mut tx).await?,
        };
        tx.rollback().await?;
        Ok(rows)
    }

    /// The position that every table of [`DirectoryRows`] has passed, whatever became of the others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn directory_position(&self) -> Result<i64, ReadError> {
        let mut tx = self.db.snapshot().await?;
        let position = passed(&mut tx).await?;
        tx.rollback().await?;
        Ok(position)
    }

    /// Every trunk of every carrier.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trunks(&self) -> Result<Vec<TrunkRow>, ReadError> {
        all(&self.db, &record::select::<TrunkRow>(TrunkRow::NAME)).await
    }

    /// Trunks of any carrier, among which are all that have an address of these sources.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trunks_near(&self, claims: &SourceClaims) -> Result<Vec<TrunkRow>, ReadError> {
        all(&self.db, &near(claims)).await
    }

    /// Every trunk of these carriers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trunks_of(&self, carriers: &[Sid]) -> Result<Vec<TrunkRow>, ReadError> {
        let mut select = record::select::<TrunkRow>(TrunkRow::NAME);
        select.and_where(Expr::col("carrier").is_in(carriers.iter().map(Sid::as_str)));
        all(&self.db, &select).await
    }

    /// Every carrier's row of this number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn phone_numbers(&self, number: &Number) -> Result<Vec<PhoneNumberRow>, ReadError> {
        let mut select = record::select::<PhoneNumberRow>(PhoneNumberRow::NAME);
        all(&self.db, select.and_where(is("number", number.to_string()))).await
    }

    /// Numbers of `carrier` that one of `others` has as well, with theirs; at most `limit` rows of each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn common_numbers(
        &self,
        carrier: &Sid,
        others: &[Sid],
        limit: u64,
    ) -> Result<Vec<PhoneNumberRow>, ReadError> {
        let of = |carriers: &[Sid]| Expr::col("carrier").is_in(carriers.iter().map(Sid::as_str));
        let mut own = Query::select();
        own.column("number").from(PhoneNumberRow::NAME).and_where(is("carrier", carrier.as_str()));
        let mut common = Query::select();
        common.column("number").from(PhoneNumberRow::NAME).and_where(of(others));
        common.and_where(Expr::col("number").in_subquery(own)).order_by("number", Order::Asc).limit(limit);
        let mut everybody = others.to_vec();
        everybody.push(carrier.clone());
        let mut select = record::select::<PhoneNumberRow>(PhoneNumberRow::NAME);
        select.and_where(of(&everybody)).and_where(Expr::col("number").in_subquery(common));
        all(&self.db, &select).await
    }

    async fn by_sid<R: Biography>(&self, sid: &Sid) -> Result<Option<R>, ReadError> {
        one(&self.db, record::select::<R>(R::NAME).and_where(is("sid", sid.as_str()))).await
    }
}

/// The query of `unfinished_calls`.
pub(crate) fn unfinished(after: Option<&Sid>) -> SelectStatement {
    let mut select = record::select::<CallRow>(CallRow::NAME);
    select.and_where(present("ended_at", false)).order_by("sid", Order::Asc).limit(MAX_UNFINISHED);
    if let Some(after) = after {
        select.and_where(Expr::col("sid").gt(after.as_str()));
    }
    select
}

/// How far the directory's tables are: another that stopped must not keep calls from being routed by what changes.
async fn passed(tx: &mut Tx) -> Result<i64, ReadError> {
    let names = [CarrierRow::NAME, AccountRow::NAME, TrunkRow::NAME, PhoneNumberRow::NAME];
    let checkpoints = ledger::checkpoints(tx, Log::Core).await?;
    let ours = checkpoints.iter().filter(|checkpoint| names.contains(&checkpoint.name.as_str()));
    Ok(ours.map(|checkpoint| checkpoint.position).min().unwrap_or(0))
}

/// Where one of the sources is wide, any trunk may be near.
pub(crate) fn near(claims: &SourceClaims) -> SelectStatement {
    let mut select = record::select::<TrunkRow>(TrunkRow::NAME);
    if let Some(lists) = networks::lists(claims) {
        let mut sids = Query::select();
        sids.column("sid").from(pieces::beside(TrunkRow::NAME));
        sids.and_where(is("carrier", networks::nobody().as_str()));
        sids.and_where(Expr::col("piece").is_in(padded(lists)));
        select.and_where(Expr::col("sid").in_subquery(sids));
    }
    select
}

async fn every<R: Record>(tx: &mut Tx) -> Result<Vec<R>, ReadError> {
    tx.fetch_all(&record::select::<R>(R::NAME)).await?.iter().map(R::read).collect()
}
