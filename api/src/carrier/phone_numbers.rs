//! `/phone-numbers`: the inventory, who answers each number, and how.

use super::{
    accounts::account_of,
    lists::{NumberOrder, counted, created_tagged, page, page_of},
    names::Names,
    number_preview::{NumberForm, PhoneNumberPreview, PhoneNumberPreviewRequest},
    sources,
    tag::Tag,
    text::Text,
    trunks::country_of,
    voice::{Voice, VoiceUpdate},
    write::{Handle, TRIES, Tagged, Write, etag, tagged, too_busy},
};
use crate::{
    App,
    auth::{Principal, Reader, Writer},
    fields::Fields,
    once::still_there,
    problem::{ApiError, Refusal},
};
use domain::{
    Kind, Number, NumberType, Sid,
    country::Country,
    e164::{InvalidNumber, Unclear},
    emergency::is_emergency,
    phone_number::{PhoneNumber as Aggregate, PhoneNumberCommand as Command, VoiceConfiguration},
};
use poem::Request;
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::MaybeUndefined,
};
use projections::{Order, PhoneNumberFilter, PhoneNumberRow, TrunkRow};

/// A number of the carrier's inventory.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PhoneNumber {
    /// Identifier, `PN` and 32 hex digits.
    sid: String,
    /// E.164 with plus, or a short code.
    number: String,
    /// ISO code of the country it belongs to, where known.
    country: Option<String>,
    /// What it is for, as far as its digits tell: `short_code`, `fixed_line`, `mobile`, `fixed_line_or_mobile`,
    /// `toll_free`, `premium_rate`, `shared_cost`, `personal`, `voip`, `pager`, `company`, `voicemail` or `unknown`.
    #[oai(rename = "type")]
    kind: String,
    /// As people of its country dial it; absent for short codes.
    national: Option<String>,
    /// The account's name for it.
    friendly_name: Option<String>,
    /// Whether it takes calls.
    enabled: bool,
    /// The account that answers it.
    account_sid: Option<String>,
    /// That account's name.
    account_name: Option<String>,
    /// Where its calls are answered from.
    voice: Voice,
    /// What is not as one would expect, such as calls that another carrier gets. Left out in lists.
    warnings: Option<Vec<String>>,
    /// When it was added.
    created_at: String,
    /// When it last changed.
    updated_at: String,
}

/// What a new number is made of.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct PhoneNumberCreate {
    /// International form with or without plus, the national form of the carrier's country or of one of its trunks', or a
    /// short code: up to 6 digits, up to 10 where `type` says that it is one.
    number: Text,
    /// `short_code` where more than 6 digits are one, or `e164`; told from the digits when left out.
    #[oai(rename = "type")]
    kind: Option<NumberForm>,
    /// Whether it takes calls; it does unless this is false.
    enabled: Option<bool>,
    /// The account that answers it.
    account_sid: Option<Text>,
}

/// What to change; absent fields stay as they are.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct PhoneNumberUpdate {
    /// Whether it takes calls.
    enabled: Option<bool>,
    /// The account that answers it; `null` takes it away together with its configuration.
    #[oai(nullable)]
    account_sid: MaybeUndefined<Text>,
    /// The account's name for it, 1 to 64 characters; `null` takes it away.
    #[oai(nullable)]
    friendly_name: MaybeUndefined<Text>,
    /// Where its calls are answered from, merged field by field.
    voice: Option<VoiceUpdate>,
}

/// The number is gone.
#[derive(ApiResponse)]
enum DeletedPhoneNumber {
    /// Deleted.
    #[oai(status = 204)]
    Deleted,
}

page_of! {
    /// Phone numbers, newest first.
    PhoneNumberPage of PhoneNumber, counted
}
created_tagged! {
    /// The number is in the inventory.
    CreatedPhoneNumber of PhoneNumber
}

impl From<PhoneNumberRow> for PhoneNumber {
    fn from(row: PhoneNumberRow) -> PhoneNumber {
        let (country, national) = match &row.number {
            Number::E164(number) => (number.country(), Some(number.national())),
            Number::ShortCode(_) => (None, None),
        };
        PhoneNumber {
            sid: row.sid.to_string(),
            number: row.number.to_string(),
            country: country.map(|country| country.code().to_owned()),
            kind: <&str>::from(row.number.kind()).to_owned(),
            national,
            friendly_name: row.name.map(|name| name.to_string()),
            enabled: row.enabled,
            account_sid: row.account.map(|account| account.to_string()),
            account_name: None,
            voice: row.voice.into(),
            warnings: None,
            created_at: row.created_at.to_string(),
            updated_at: row.updated_at.to_string(),
        }
    }
}

impl PhoneNumber {
    fn named(row: PhoneNumberRow, names: &Names) -> PhoneNumber {
        PhoneNumber { account_name: names.of(row.account.as_ref()), ..PhoneNumber::from(row) }
    }
}

/// The number with its account's name, and with what is to be warned of. It is in the log: warnings that cannot be read
/// must not make it look as if it were not.
async fn view(app: &App, who: &Principal, row: PhoneNumberRow) -> Result<PhoneNumber, Refusal> {
    let mut warnings = sources::lost_by_number(app, &row).await.unwrap_or_default();
    if row.number.kind() == NumberType::Unknown {
        warnings.push(format!(
            "{} is in no range known to be assigned. It works all the same; look whether it was mistyped.",
            row.number
        ));
    }
    let mut names = Names::default();
    names.learn(app, &who.scope(), row.account.iter(), std::iter::empty()).await?;
    Ok(PhoneNumber { warnings: Some(warnings), ..PhoneNumber::named(row, &names) })
}

pub(crate) struct PhoneNumbersApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/phone-numbers", tag = "Tag::PhoneNumbers")]
impl PhoneNumbersApi {
    /// List phone numbers
    ///
    /// Newest first unless `order` says otherwise, by digits, account and state.
    #[oai(path = "/", method = "get", operation_id = "listPhoneNumbers")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter; the macro takes no struct")]
    async fn list(
        &self,
        Reader(who): Reader,
        /// Digits the number contains, in international or national form, however people write them; fewer than three are
        /// what it begins with.
        number: Query<Option<String>>,
        /// Part of the account's name for it, in any case; fewer than three characters are what a word of it begins with.
        name: Query<Option<String>>,
        /// Assigned to this account.
        account_sid: Query<Option<String>>,
        /// Assigned to any account, or to none.
        assigned: Query<Option<bool>>,
        /// Takes calls, or does not.
        enabled: Query<Option<bool>>,
        /// In which order; newest first when left out.
        order: Query<Option<NumberOrder>>,
        /// Where the page before ended.
        cursor: Query<Option<String>>,
        /// Most rows to return.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<i32>>,
    ) -> Result<Json<PhoneNumberPage>, ApiError> {
        let mut fields = Fields::default();
        let account = fields.sid(Kind::Account, "account_sid", account_sid.0.as_deref());
        fields.done()?;
        let (assigned, enabled) = (assigned.0, enabled.0);
        let filter = PhoneNumberFilter {
            contains: number.0,
            name: name.0,
            account,
            assigned,
            enabled,
            ..Default::default()
        };
        let app = self.0.app()?;
        let reads = app.projections.phone_numbers(who.scope());
        let page = page(cursor.0, limit.0).by(order.0.map(Order::from).unwrap_or_default());
        let rows = reads.counted(&filter, &page).await.map_err(Refusal::from)?;
        let mut names = Names::default();
        let accounts = rows.0.items.iter().filter_map(|row| row.account.as_ref());
        names.learn(app, &who.scope(), accounts, std::iter::empty()).await.map_err(Refusal::from)?;
        Ok(Json(counted(rows, |row| PhoneNumber::named(row, &names)).into()))
    }

    /// Add a phone number
    ///
    /// A number is in a carrier's inventory once.
    #[oai(path = "/", method = "post", operation_id = "createPhoneNumber")]
    async fn create(
        &self,
        Writer(who): Writer,
        request: &Request,
        /// Makes the request repeatable: the same key acts once in seven days.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        new: Json<PhoneNumberCreate>,
    ) -> Result<CreatedPhoneNumber, ApiError> {
        let app = self.0.app()?;
        let write = Write::new(app, request, &who).once("createPhoneNumber")?;
        let mut fields = Fields::default();
        let homes = countries(app, &who).await?;
        let number = number_in(&mut fields, &new.number, (new.kind, &homes));
        let account = assignee(app, &who, &mut fields, new.account_sid.as_deref()).await?;
        let number: Number = fields.finish(number)?;
        let sid = Sid::new(Kind::PhoneNumber, &*app.ids);
        let (carrier, enabled) = (who.carrier.clone(), new.enabled.unwrap_or(true));
        let command = Command::Create { carrier, number: number.clone(), enabled, account: account.clone() };
        let write = write.of_account(account.clone());
        let made = write.one::<Aggregate>(&sid, command).await?;
        still_there(app, &made, "phone number", Aggregate::is_released).await?;
        let made = made.stream;
        // It is in the log: tables that lag must not make it look as if it were not.
        let seen = app.projections.phone_numbers(who.scope()).get(&made).await.ok().flatten();
        let sides = (enabled, account);
        let row = seen
            .unwrap_or_else(|| PhoneNumberRow::created(made, who.carrier.clone(), number, sides, write.at()));
        let tag = etag(row.version);
        Ok(CreatedPhoneNumber::Created(Json(view(app, &who, row).await?), tag))
    }

    /// Try a number out
    ///
    /// What would be added, and of which country it is. Changes nothing.
    #[oai(path = "/preview", method = "post", operation_id = "previewPhoneNumber")]
    async fn preview(
        &self,
        Reader(who): Reader,
        request: Json<PhoneNumberPreviewRequest>,
    ) -> Result<Json<PhoneNumberPreview>, ApiError> {
        let app = self.0.app()?;
        let mut fields = Fields::default();
        let homes = countries(app, &who).await?;
        let number = number_in(&mut fields, &request.number, (request.kind, &homes));
        Ok(Json(fields.finish(number)?.into()))
    }

    /// Get a phone number
    ///
    /// One number by its SID.
    #[oai(path = "/:sid", method = "get", operation_id = "getPhoneNumber")]
    async fn get(&self, Reader(who): Reader, sid: Path<String>) -> Result<Tagged<PhoneNumber>, ApiError> {
        let app = self.0.app()?;
        let row = number_of(app, &who, &sid).await?;
        Ok(tagged(row.version, view(app, &who, row).await?))
    }

    /// Change a phone number
    ///
    /// JSON merge patch: enable, assign, name, configure. Another account's configuration does not come along.
    #[oai(path = "/:sid", method = "patch", operation_id = "updatePhoneNumber")]
    async fn update(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
        patch: Json<PhoneNumberUpdate>,
    ) -> Result<Tagged<PhoneNumber>, ApiError> {
        let app = self.0.app()?;
        let mut turn = None;
        for _ in 0..TRIES {
            let row = number_of(app, &who, &sid).await?;
            let write = Write::new(app, request, &who).of_account(row.account.clone());
            write.expects::<Aggregate>(&row.sid, row.version).await?;
            let commands = changes(app, &who, &row, &patch).await?;
            if write.at_version::<Aggregate>(&mut turn, &row.sid, row.version, commands).await? {
                let row = number_of(app, &who, &sid).await?;
                return Ok(tagged(row.version, view(app, &who, row).await?));
            }
        }
        Err(too_busy().into())
    }

    /// Remove a phone number
    ///
    /// It takes no calls any more and can be added anew.
    #[oai(path = "/:sid", method = "delete", operation_id = "deletePhoneNumber")]
    async fn delete(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
    ) -> Result<DeletedPhoneNumber, ApiError> {
        let app = self.0.app()?;
        let row = number_of(app, &who, &sid).await?;
        let write = Write::new(app, request, &who).of_account(row.account.clone());
        write.named::<Aggregate>(&row.sid, row.version, Command::Release).await?;
        Ok(DeletedPhoneNumber::Deleted)
    }
}

/// The commands that make of the number what the patch says.
async fn changes(
    app: &App,
    who: &Principal,
    row: &PhoneNumberRow,
    patch: &PhoneNumberUpdate,
) -> Result<Vec<Command>, Refusal> {
    let mut fields = Fields::default();
    let rename = match &patch.friendly_name {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(Command::Unname),
        MaybeUndefined::Value(text) => {
            fields.read("friendly_name", text).map(|name| Command::Rename { name })
        }
    };
    let (assign, account) = match &patch.account_sid {
        MaybeUndefined::Undefined => (None, row.account.clone()),
        MaybeUndefined::Null => (Some(Command::Unassign), None),
        MaybeUndefined::Value(text) => {
            let account = assignee(app, who, &mut fields, Some(text)).await?;
            (account.clone().map(|account| Command::Assign { account }), account)
        }
    };
    let moved = account != row.account;
    let voice = if moved { VoiceConfiguration::default() } else { row.voice.clone() };
    let voice = patch.voice.as_ref().and_then(|update| update.merged(voice, &mut fields));
    fields.done()?;
    let enable = patch.enabled.map(|enabled| if enabled { Command::Enable } else { Command::Disable });
    let configure = voice.map(|voice| Command::ConfigureVoice { account, voice });
    Ok(enable.into_iter().chain(assign).chain(rename).chain(configure).collect())
}

/// The number, of the form it is said to have, as people of these countries write it. What calls for help in one of them is
/// nobody's: a call to it would never get to whoever had it.
fn number_in(
    fields: &mut Fields,
    text: &str,
    (form, countries): (Option<NumberForm>, &[Country]),
) -> Option<Number> {
    let number = match form {
        Some(NumberForm::ShortCode) => Number::short_code(text).map_err(Unclear::from),
        Some(NumberForm::E164) => Number::written_in_one_of(text, countries).and_then(international),
        None => Number::written_in_one_of(text, countries),
    };
    let number = number.map_err(|error| fields.wrong("number", error)).ok()?;
    let helps = |country| is_emergency(number.digits(), country);
    let anywhere = countries.is_empty() && helps(None);
    if number.is_short_code() && (anywhere || countries.iter().any(|country| helps(Some(*country)))) {
        let why = "an emergency number: a call to it goes for help, and never to whoever has it";
        fields.wrong("number", format!("{number} is {why}"));
        return None;
    }
    Some(number)
}

fn international(number: Number) -> Result<Number, Unclear> {
    if number.is_short_code() { Err(InvalidNumber(number.to_string()).into()) } else { Ok(number) }
}

/// The countries whose national forms are read: the carrier's own, and those of its trunks.
pub(super) async fn countries(app: &App, who: &Principal) -> Result<Vec<Country>, Refusal> {
    let own = country_of(app, &who.carrier).await?;
    let trunks = app.projections.system().trunks_of(std::slice::from_ref(&who.carrier)).await?;
    let of = |row: TrunkRow| {
        [row.inbound.and_then(|side| side.country), row.outbound.and_then(|side| side.country)]
    };
    let mut countries: Vec<Country> =
        own.into_iter().chain(trunks.into_iter().flat_map(of).flatten()).collect();
    countries.sort_by_key(|country| country.code());
    countries.dedup();
    Ok(countries)
}

/// The account a number is to be given to; it must be the caller's.
async fn assignee(
    app: &App,
    who: &Principal,
    fields: &mut Fields,
    text: Option<&str>,
) -> Result<Option<Sid>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    match account_of(app, who, text).await {
        Ok(account) => Ok(Some(account.sid)),
        Err(refusal) if refusal.code == "not_found" => {
            fields.wrong("account_sid", refusal.detail);
            Ok(None)
        }
        Err(refusal) => Err(refusal),
    }
}

/// The caller's number of this SID.
pub(super) async fn number_of(app: &App, who: &Principal, sid: &str) -> Result<PhoneNumberRow, Refusal> {
    let missing = || Refusal::not_found("phone number");
    let sid = Sid::parse_as(Kind::PhoneNumber, sid).map_err(|_| missing())?;
    app.projections.phone_numbers(who.scope()).get(&sid).await?.ok_or_else(missing)
}
