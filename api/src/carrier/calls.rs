//! `/calls`: what is and was said, and hanging up.

use super::{
    lists::{AgeOrder, counted, moment, page, page_of},
    names::Names,
    phone_numbers::countries,
    tag::Tag,
    write::{Handle, Tagged, Write, tagged},
};
use crate::{
    App,
    auth::{Principal, Reader, Writer},
    fields::Fields,
    problem::{ApiError, Refusal},
};
use domain::{
    Kind, Sid,
    call::{Call as Aggregate, CallCommand, Direction, Phase, Status, Trouble},
};
use poem::Request;
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use projections::{CallFilter, CallRow, Order, ReadError, Scope};

/// How far a call is, in Twilio's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
enum CallStatus {
    /// Waits to be placed.
    Queued,
    /// Rings.
    Ringing,
    /// Answered.
    InProgress,
    /// Was answered, and is over.
    Completed,
    /// The far end was busy or declined.
    Busy,
    /// It could not be placed or taken.
    Failed,
    /// Nobody answered in time.
    NoAnswer,
    /// Ended before it was answered.
    Canceled,
}

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
enum CallDirection {
    /// From a trunk to a number.
    Inbound,
    /// Placed by the Calls API.
    OutboundApi,
    /// Placed by `<Dial>`.
    OutboundDial,
}

/// What went wrong with a call, whatever its status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum CallProblem {
    /// Its application could not be asked.
    Application,
    /// What is configured leads nowhere: no such number, disabled, without an application, no trunk.
    Configuration,
    /// The trunk refused, failed or could not be reached.
    Trunk,
    /// No media, or the far end went silent.
    Media,
    /// This platform stopped, was full or has a defect.
    Platform,
}

/// What a call's media was like, seen from our end.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct CallQuality {
    /// `PCMU` or `PCMA`.
    codec: String,
    /// Interarrival jitter of what we received, in milliseconds; absent when nothing was.
    jitter_ms: Option<f64>,
    /// Of the packets meant for us, those that never came, in per cent.
    packet_loss_percent: Option<f64>,
    /// Round trip by RTCP, in milliseconds.
    rtt_ms: Option<f64>,
    /// Mean opinion score, 1.0 to 4.5; absent when nothing was heard.
    mos: Option<f64>,
}

/// A call.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct Call {
    /// Identifier, `CA` and 32 hex digits.
    sid: String,
    /// The account that has it; absent for one to a number nobody has.
    account_sid: Option<String>,
    /// That account's name.
    account_name: Option<String>,
    /// The call whose `<Dial>` it is.
    parent_call_sid: Option<String>,
    /// The call it is bridged with now.
    bridged_with_sid: Option<String>,
    /// Which way it went.
    direction: CallDirection,
    /// Who calls.
    from: String,
    /// Who is called.
    to: String,
    /// Our number in it.
    phone_number_sid: Option<String>,
    /// The trunk it came from or went through.
    trunk_sid: Option<String>,
    /// That trunk's name.
    trunk_name: Option<String>,
    /// How far it is.
    status: CallStatus,
    /// What went wrong with it; absent when nothing did.
    problem: Option<CallProblem>,
    /// Why it is over, for example `hung_up` or `number_not_found`.
    reason: Option<String>,
    /// The final SIP response's code.
    sip_code: Option<i32>,
    /// More about its end.
    detail: Option<String>,
    /// When it was queued or received.
    created_at: String,
    /// When its INVITE left or came in.
    started_at: Option<String>,
    /// When it was answered.
    answered_at: Option<String>,
    /// When it was over.
    ended_at: Option<String>,
    /// From answer to end in whole seconds, rounded up.
    duration_s: Option<i32>,
    /// How long it waited in the queue, in milliseconds.
    queue_time_ms: i32,
    /// The node that has it.
    node: Option<String>,
    /// The SIP Call-ID.
    sip_call_id: Option<String>,
    /// Warnings and failed webhooks on its timeline.
    warnings: i32,
    /// What its media was like, once it is over.
    quality: Option<CallQuality>,
}

page_of! {
    /// Calls, newest first.
    CallPage of Call, counted
}

/// The call is being ended.
#[derive(ApiResponse)]
enum HangingUp {
    /// The call as it stands; it ends within moments.
    #[oai(status = 202)]
    Accepted(Json<Call>),
}

/// A call with the names of what it belongs to; `names` learns those it does not know.
///
/// # Errors
/// When the database fails.
pub(crate) async fn named(
    app: &App,
    scope: &Scope,
    row: CallRow,
    names: &mut Names,
) -> Result<Call, ReadError> {
    learn(names, app, scope, std::slice::from_ref(&row)).await?;
    Ok(with_names(row, names))
}

async fn learn(names: &mut Names, app: &App, scope: &Scope, rows: &[CallRow]) -> Result<(), ReadError> {
    let accounts = rows.iter().filter_map(|row| row.account.as_ref());
    let trunks = rows.iter().filter_map(|row| row.trunk.as_ref());
    names.learn(app, scope, accounts, trunks).await
}

fn with_names(row: CallRow, names: &Names) -> Call {
    let (account_name, trunk_name) = (names.of(row.account.as_ref()), names.of(row.trunk.as_ref()));
    Call { account_name, trunk_name, ..Call::from(row) }
}

/// One call, with its names.
pub(super) async fn view(app: &App, who: &Principal, row: CallRow) -> Result<Call, Refusal> {
    Ok(named(app, &who.scope(), row, &mut Names::default()).await?)
}

impl From<CallRow> for Call {
    fn from(row: CallRow) -> Call {
        let problem = row.trouble().map(CallProblem::from);
        let sid = |sid: Option<Sid>| sid.map(|sid| sid.to_string());
        let time = |at: Option<domain::Timestamp>| at.map(|at| at.to_string());
        Call {
            quality: quality(&row),
            sid: row.sid.to_string(),
            account_sid: sid(row.account),
            account_name: None,
            parent_call_sid: sid(row.parent),
            bridged_with_sid: sid(row.bridged_with),
            direction: row.direction.into(),
            from: row.from,
            to: row.to,
            phone_number_sid: sid(row.phone_number),
            trunk_sid: sid(row.trunk),
            trunk_name: None,
            status: row.status.into(),
            problem,
            reason: row.reason.and_then(word),
            sip_code: row.sip_code.map(small),
            detail: row.detail,
            created_at: row.created_at.to_string(),
            started_at: time(row.started_at),
            answered_at: time(row.answered_at),
            ended_at: time(row.ended_at),
            duration_s: row.duration_s.map(small),
            queue_time_ms: small(row.queue_time_ms),
            node: row.claimed_by,
            sip_call_id: row.sip_call_id,
            warnings: small(row.warnings),
        }
    }
}

fn quality(row: &CallRow) -> Option<CallQuality> {
    let codec = row.codec.clone()?;
    let (jitter_ms, packet_loss_percent) = (row.jitter_ms, row.loss_percent);
    Some(CallQuality { codec, jitter_ms, packet_loss_percent, rtt_ms: row.rtt_ms, mos: row.mos })
}

/// The variant's name as it is serialised.
fn word(value: impl serde::Serialize) -> Option<String> {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned))
}

fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(crate) struct CallsApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/calls", tag = "Tag::Calls")]
impl CallsApi {
    /// List calls
    ///
    /// Newest first unless `order` says otherwise, by parties, state, account, trunk and time.
    #[oai(path = "/", method = "get", operation_id = "listCalls")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter; the macro takes no struct")]
    async fn list(
        &self,
        Reader(who): Reader,
        /// How far they are.
        status: Query<Option<CallStatus>>,
        /// Which way they went.
        direction: Query<Option<CallDirection>>,
        /// Exactly this caller; with or without plus, or as people of your countries write the number.
        from: Query<Option<String>>,
        /// Exactly this called party, likewise.
        to: Query<Option<String>>,
        /// Of this account.
        account_sid: Query<Option<String>>,
        /// From or through this trunk.
        trunk_sid: Query<Option<String>>,
        /// From or to this number of the inventory.
        phone_number_sid: Query<Option<String>>,
        /// Dialled by this call.
        parent_call_sid: Query<Option<String>>,
        /// Not over yet, or over.
        live: Query<Option<bool>>,
        /// With a problem, or without.
        problems: Query<Option<bool>>,
        /// Queued or received at this time or later (RFC 3339).
        created_after: Query<Option<String>>,
        /// Queued or received before this time (RFC 3339).
        created_before: Query<Option<String>>,
        /// In which order; newest first when left out.
        order: Query<Option<AgeOrder>>,
        /// Where the page before ended.
        cursor: Query<Option<String>>,
        /// Most rows to return.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<i32>>,
    ) -> Result<Json<CallPage>, ApiError> {
        let app = self.0.app()?;
        let by_number = from.is_some() || to.is_some();
        let written_in = if by_number { countries(app, &who).await? } else { Vec::new() };
        let mut fields = Fields::default();
        let filter = CallFilter {
            from: from.0,
            to: to.0,
            written_in,
            status: status.0.map(Status::from),
            direction: direction.0.map(Direction::from),
            account: fields.sid(Kind::Account, "account_sid", account_sid.0.as_deref()),
            parent: fields.sid(Kind::Call, "parent_call_sid", parent_call_sid.0.as_deref()),
            phone_number: fields.sid(Kind::PhoneNumber, "phone_number_sid", phone_number_sid.0.as_deref()),
            trunk: fields.sid(Kind::Trunk, "trunk_sid", trunk_sid.0.as_deref()),
            live: live.0,
            troubled: problems.0,
            created_from: moment("created_after", created_after.0.as_deref())?,
            created_until: moment("created_before", created_before.0.as_deref())?,
            ..CallFilter::default()
        };
        fields.done()?;
        let reads = app.projections.calls(who.scope());
        let page = page(cursor.0, limit.0).by(order.0.map(Order::from).unwrap_or_default());
        let rows = reads.counted(&filter, &page).await.map_err(Refusal::from)?;
        let mut names = Names::default();
        learn(&mut names, app, &who.scope(), &rows.0.items).await.map_err(Refusal::from)?;
        Ok(Json(counted(rows, |row| with_names(row, &names)).into()))
    }

    /// Get a call
    ///
    /// One call by its SID.
    #[oai(path = "/:sid", method = "get", operation_id = "getCall")]
    async fn get(&self, Reader(who): Reader, sid: Path<String>) -> Result<Tagged<Call>, ApiError> {
        let app = self.0.app()?;
        let row = call_of(app, &who, &sid).await?;
        Ok(tagged(row.version, view(app, &who, row).await?))
    }

    /// Hang up a call
    ///
    /// Cancels it before it is answered, completes it after. 409 when it is over.
    #[oai(path = "/:sid/hang-up", method = "post", operation_id = "hangUpCall")]
    async fn hang_up(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
    ) -> Result<HangingUp, ApiError> {
        let app = self.0.app()?;
        let row = call_of(app, &who, &sid).await?;
        let write = Write::new(app, request, &who).of_account(row.account.clone());
        write.expects::<Aggregate>(&row.sid, row.version).await?;
        let call = app.store.load::<Aggregate>(&row.sid).await.map_err(Refusal::from)?.aggregate;
        // Completing is right at any time; cancelling says better what happened to one that only rang.
        let status = if call.phase() == Phase::Answered { Status::Completed } else { Status::Canceled };
        let ended = write.one::<Aggregate>(&row.sid, CallCommand::RequestEnd { status }).await;
        if ended.is_err() && status == Status::Canceled {
            // It may have been answered meanwhile.
            let status = Status::Completed;
            write.one::<Aggregate>(&row.sid, CallCommand::RequestEnd { status }).await?;
        } else {
            ended?;
        }
        Ok(HangingUp::Accepted(Json(view(app, &who, call_of(app, &who, &sid).await?).await?)))
    }
}

/// The caller's call of this SID.
pub(super) async fn call_of(app: &App, who: &Principal, sid: &str) -> Result<CallRow, Refusal> {
    let missing = || Refusal::not_found("call");
    let sid = Sid::parse_as(Kind::Call, sid).map_err(|_| missing())?;
    app.projections.calls(who.scope()).get(&sid).await?.ok_or_else(missing)
}

/// Pairs of the API's word and the domain's.
macro_rules! same_words {
    ($api:ident = $domain:ident: $($name:ident),+) => {
        impl From<$api> for $domain {
            fn from(word: $api) -> $domain {
                match word { $($api::$name => $domain::$name),+ }
            }
        }
        impl From<$domain> for $api {
            fn from(word: $domain) -> $api {
                match word { $($domain::$name => $api::$name),+ }
            }
        }
    };
}

same_words!(CallStatus = Status: Queued, Ringing, InProgress, Completed, Busy, Failed, NoAnswer, Canceled);
same_words!(CallDirection = Direction: Inbound, OutboundApi, OutboundDial);
same_words!(CallProblem = Trouble: Application, Configuration, Trunk, Media, Platform);
