//! `/overview`: figures and the checklist of the first page.

use super::{tag::Tag, write::Handle};
use crate::{
    App,
    auth::{Principal, Reader},
    problem::{ApiError, Refusal},
};
use domain::Timestamp;
use poem_openapi::{Object, OpenApi, payload::Json};

/// Steps to the first call; each ticks itself.
#[derive(Debug, Object)]
struct Checklist {
    /// Someone has a second factor.
    two_factor: bool,
    /// There is a trunk.
    trunk: bool,
    /// There is a phone number.
    phone_number: bool,
    /// A call was answered.
    test_call: bool,
}

/// What the carrier has.
#[derive(Debug, Object)]
struct Overview {
    /// Accounts, disabled ones included.
    accounts: i32,
    /// Trunks.
    trunks: i32,
    /// Phone numbers, disabled ones included.
    phone_numbers: i32,
    /// Calls that are not over.
    live_calls: i32,
    /// Calls since midnight UTC.
    calls_today: i32,
    /// Those of them that had a problem: an application that could not be asked, or an end that nobody meant.
    problems_today: i32,
    /// Steps to the first call.
    checklist: Checklist,
}

pub(crate) struct OverviewApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/overview", tag = "Tag::Carrier")]
impl OverviewApi {
    /// Get the overview
    ///
    /// Counts, and the steps to the first call.
    #[oai(path = "/", method = "get", operation_id = "getOverview")]
    async fn get(&self, Reader(who): Reader) -> Result<Json<Overview>, ApiError> {
        Ok(Json(overview(self.0.app()?, &who).await?))
    }
}

async fn overview(app: &App, who: &Principal) -> Result<Overview, Refusal> {
    let now = app.clock.now();
    let today = format!("{}T00:00:00Z", now.date()).parse().unwrap_or(Timestamp::from_micros(0));
    let counts = app.projections.counts(&who.carrier, today).await?;
    let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    Ok(Overview {
        accounts: small(counts.accounts),
        trunks: small(counts.trunks),
        phone_numbers: small(counts.phone_numbers),
        live_calls: small(counts.live_calls),
        calls_today: small(counts.calls_since),
        problems_today: small(counts.troubled_since),
        checklist: Checklist {
            two_factor: counts.two_factor,
            trunk: counts.trunks > 0,
            phone_number: counts.phone_numbers > 0,
            test_call: counts.was_answered,
        },
    })
}
