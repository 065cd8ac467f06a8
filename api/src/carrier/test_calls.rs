//! A test call: one of the carrier's numbers rings a phone, and answers it as it answers callers.

use super::{
    calls::{Call, view},
    lists::created,
    phone_numbers::number_of,
    tag::Tag,
    text::Text,
    write::{Handle, Write},
};
use crate::{
    App,
    auth::{Principal, Writer},
    fields::Fields,
    once::still_there,
    problem::{ApiError, Refusal},
};
use domain::{
    Kind, Number, Sid,
    call::{Call as Aggregate, CallCommand, Direction, Queued},
    sip_address::SipAddress,
};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    payload::Json,
};
use projections::{CallRow, PhoneNumberRow};

/// How long the phone rings, in seconds.
const TIMEOUT: u32 = 45;
/// How long the call may last, in seconds.
const TIME_LIMIT: u32 = 600;

/// Whom to ring.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct TestCallCreate {
    /// A number in international form, reached through an outbound trunk; or a phone's own address like
    /// `sip:me@192.168.1.20:5060`, which one of the carrier's inbound trunks must have among its sources.
    to: Text,
}

created! {
    /// The call is queued.
    CreatedTestCall of Call
}

pub(crate) struct TestCallsApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/phone-numbers", tag = "Tag::PhoneNumbers")]
impl TestCallsApi {
    /// Ring a phone from a number
    ///
    /// The call shows the number as its caller, and who picks up hears what callers of the number hear.
    #[oai(path = "/:sid/test-calls", method = "post", operation_id = "createTestCall")]
    async fn create(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
        /// Makes the request repeatable: the same key acts once in seven days.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        new: Json<TestCallCreate>,
    ) -> Result<CreatedTestCall, ApiError> {
        let app = self.0.app()?;
        let number = number_of(app, &who, &sid).await?;
        let queued = queued(&number, party(&new.to)?)?;
        let write = Write::new(app, request, &who).once("createTestCall")?;
        let write = write.of_account(number.account);
        let call = Sid::new(Kind::Call, &*app.ids);
        let made = write.one::<Aggregate>(&call, CallCommand::Queue(queued.clone())).await?;
        still_there(app, &made, "call", Aggregate::is_deleted).await?;
        let made = made.stream;
        let row = seen(app, &who, &made).await;
        let row = row.unwrap_or_else(|| CallRow::queued(made, who.carrier.clone(), queued, write.at()));
        Ok(CreatedTestCall::Created(Json(view(app, &who, row).await?)))
    }
}

/// Who is called, as calls have it.
fn party(text: &str) -> Result<String, Refusal> {
    let mut fields = Fields::default();
    let text = text.trim();
    let party = if text.starts_with("sip:") {
        fields.read::<SipAddress>("to", text).map(|address| address.to_string())
    } else {
        fields.read::<Number>("to", text).map(|number| number.to_string())
    };
    fields.finish(party)
}

fn queued(number: &PhoneNumberRow, to: String) -> Result<Queued, Refusal> {
    let nobodys = || Refusal::conflict("The number belongs to no account. Give it to one first.");
    let silent =
        || Refusal::conflict("Nothing answers the number. Set a Voice URL or keep a TwiML text first.");
    Ok(Queued {
        account: number.account.clone().ok_or_else(nobodys)?,
        direction: Direction::OutboundApi,
        parent: None,
        from: number.number.to_string(),
        to,
        caller_id: None,
        phone_number: Some(number.sid.clone()),
        program: Some(number.voice.program().ok_or_else(silent)?),
        callback: None,
        timeout: TIMEOUT,
        time_limit: TIME_LIMIT,
        send_digits: None,
    })
}

/// The call as the tables have it; they may lag behind the log.
async fn seen(app: &App, who: &Principal, call: &Sid) -> Option<CallRow> {
    app.projections.calls(who.scope()).get(call).await.ok().flatten()
}
