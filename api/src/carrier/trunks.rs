//! `/trunks`: where calls come from and where ours go to.

use super::{
    lists::{NameOrder, counted, created_tagged, page, page_of},
    sources,
    tag::Tag,
    text::Text,
    trunk_fields::{InboundConfig, OutboundConfig, OutboundView, never_called, preview},
    write::{Handle, TRIES, Tagged, Write, etag, is_unused, tagged, too_busy},
};
use crate::{
    App,
    auth::{Principal, Reader, Writer},
    fields::Fields,
    once::still_there,
    problem::{ApiError, Refusal},
    secrets::SIP_PASSWORD,
};
use domain::{
    E164, Kind, Number, Sid,
    country::Country,
    name::Name,
    trunk::{Inbound, Outbound, Trunk as Aggregate, TrunkCommand as Command},
};
use ipnet::IpNet;
use poem::Request;
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::MaybeUndefined,
};
use projections::{Order, TrunkFilter, TrunkRow};
use store::Turn;

/// Which way a trunk's calls go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum TrunkDirection {
    /// It takes calls.
    Inbound,
    /// It places calls.
    Outbound,
}

/// A SIP trunk, for one direction or both.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Trunk {
    /// Identifier, `TK` and 32 hex digits.
    sid: String,
    /// Friendly name.
    name: String,
    /// Who is taken to be it, if it takes calls.
    inbound: Option<InboundConfig>,
    /// How to call through it, if it places calls.
    outbound: Option<OutboundView>,
    /// What is not as one would expect, such as calls that another carrier gets. Left out in lists.
    warnings: Option<Vec<String>>,
    /// When it was made.
    created_at: String,
    /// When it last changed.
    updated_at: String,
}

/// What a new trunk is made of.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct TrunkCreate {
    /// Friendly name, 1 to 64 characters.
    name: Text,
    /// Who is taken to be it; leave out to take no calls.
    inbound: Option<InboundConfig>,
    /// How to call through it; leave out to place no calls.
    outbound: Option<OutboundConfig>,
}

/// What to change; absent fields stay, `null` takes a direction away, an object replaces a direction whole.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct TrunkUpdate {
    /// Friendly name, 1 to 64 characters.
    name: Option<Text>,
    /// Who is taken to be it.
    #[oai(nullable)]
    inbound: MaybeUndefined<InboundConfig>,
    /// How to call through it. A password that is left out stays, as long as host and port do.
    #[oai(nullable)]
    outbound: MaybeUndefined<OutboundConfig>,
}

/// An outbound side to try out.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct DialStringRequest {
    /// The number to call; one of the carrier's country when left out.
    number: Option<Text>,
    /// How to call.
    outbound: OutboundConfig,
}

/// What the trunk's host would see.
#[derive(Debug, Object)]
struct DialString {
    /// The number that is called.
    number: String,
    /// The user part of the Request-URI.
    dial_string: String,
    /// The whole Request-URI.
    request_uri: String,
}

/// Something that reached us and was turned away before there was a call.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct TurnedAway {
    /// The address it came from: the trunk's, or unread from next to it, where an address may have been mistyped.
    source: String,
    /// The SIP answer; absent where nothing was read: no trunk has the address as a source, or it had too many connections.
    code: Option<i32>,
    /// The SIP method, where it was read; `TCP` for a connection.
    method: Option<String>,
    /// Why, for example what the request demands that we do not do.
    reason: String,
    /// How often since this node was started.
    count: i32,
    /// When last.
    last_at: String,
}

/// What was turned away, newest first.
#[derive(Debug, Object)]
struct TurnedAwayList {
    /// At most 50 kinds of refusals.
    data: Vec<TurnedAway>,
}

/// The trunk is gone.
#[derive(ApiResponse)]
enum DeletedTrunk {
    /// Deleted.
    #[oai(status = 204)]
    Deleted,
}

page_of! {
    /// Trunks, newest first.
    TrunkPage of Trunk, counted
}
created_tagged! {
    /// The trunk was made.
    CreatedTrunk of Trunk
}

impl Trunk {
    /// `home` is the carrier's country.
    fn new(app: &App, home: Option<Country>, row: TrunkRow) -> Trunk {
        let has_password = row.credential_version > 0;
        let trusted = app.config.trusted_trunks.contains(&row.sid);
        let home = row.inbound.as_ref().and_then(|inbound| inbound.country).or(home);
        Trunk {
            sid: row.sid.to_string(),
            name: row.name.to_string(),
            inbound: row.inbound.as_ref().map(|inbound| InboundConfig::new(inbound, trusted)),
            outbound: row.outbound.map(|outbound| OutboundView::new(outbound, home, has_password, trusted)),
            warnings: None,
            created_at: row.created_at.to_string(),
            updated_at: row.updated_at.to_string(),
        }
    }

    /// With what is to be warned of. It is in the log: tables that cannot be read must not make it look as if it were not.
    async fn with_warnings(app: &App, row: TrunkRow) -> Trunk {
        let mut warnings = sources::lost_by_trunk(app, &row).await.ok();
        let refused = row.outbound.as_ref().and_then(|outbound| never_called(app, outbound));
        refused.into_iter().for_each(|refused| warnings.get_or_insert_default().push(refused));
        let home = country_of(app, &row.carrier).await.ok().flatten();
        Trunk { warnings, ..Trunk::new(app, home, row) }
    }
}

pub(crate) struct TrunksApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/trunks", tag = "Tag::Trunks")]
impl TrunksApi {
    /// List trunks
    ///
    /// Newest first unless `order` says otherwise, by name and direction.
    #[oai(path = "/", method = "get", operation_id = "listTrunks")]
    async fn list(
        &self,
        Reader(who): Reader,
        /// Part of the name, in any case; fewer than three characters are what a word of it begins with.
        name: Query<Option<String>>,
        /// Only those that take calls, or only those that place calls.
        direction: Query<Option<TrunkDirection>>,
        /// In which order; newest first when left out.
        order: Query<Option<NameOrder>>,
        /// Where the page before ended.
        cursor: Query<Option<String>>,
        /// Most rows to return.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<i32>>,
    ) -> Result<Json<TrunkPage>, ApiError> {
        let only = |wanted| (direction.0 == Some(wanted)).then_some(true);
        let (inbound, outbound) = (only(TrunkDirection::Inbound), only(TrunkDirection::Outbound));
        let filter = TrunkFilter { name: name.0, inbound, outbound };
        let app = self.0.app()?;
        let reads = app.projections.trunks(who.scope());
        let page = page(cursor.0, limit.0).by(order.0.map(Order::from).unwrap_or_default());
        let rows = reads.counted(&filter, &page).await.map_err(Refusal::from)?;
        let home = country_of(app, &who.carrier).await?;
        Ok(Json(counted(rows, |row| Trunk::new(app, home, row)).into()))
    }

    /// Make a trunk
    ///
    /// For one direction or both. A source address names one trunk of a carrier; other carriers may have it as well, and the
    /// dialled number says whose call it is.
    #[oai(path = "/", method = "post", operation_id = "createTrunk")]
    async fn create(
        &self,
        Writer(who): Writer,
        request: &Request,
        /// Makes the request repeatable: the same key acts once in seven days.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        trunk: Json<TrunkCreate>,
    ) -> Result<CreatedTrunk, ApiError> {
        let app = self.0.app()?;
        let write = Write::new(app, request, &who).once("createTrunk")?;
        let mut fields = Fields::default();
        let name = fields.read("name", &trunk.name);
        let inbound = trunk.inbound.as_ref().map(|inbound| inbound.read(&mut fields, false));
        let outbound = trunk.outbound.as_ref().map(|outbound| outbound.read(&mut fields, false));
        let (inbound, outbound) = (inbound.flatten(), outbound.flatten());
        check_widths(app, &mut fields, (inbound.as_ref(), None), (outbound.as_ref(), None));
        let counted = sources::check_count(app, &mut fields, &who.carrier, (inbound.as_ref(), None)).await;
        counted.map_err(Refusal::from)?;
        let name: Name = fields.finish(name)?;
        let sid = Sid::new(Kind::Trunk, &*app.ids);
        let sides = (inbound.clone(), outbound.clone());
        let mut commands =
            vec![Command::Create { carrier: who.carrier.clone(), name: name.clone(), inbound, outbound }];
        let password = trunk.outbound.as_ref().and_then(|outbound| outbound.password.as_deref());
        if let Some(password) = password {
            let kept = app.secrets.put(&who.carrier, &sid, SIP_PASSWORD, password.as_bytes()).await;
            kept.map_err(Refusal::from)?;
            commands.push(Command::ReplaceCredential);
        }
        let made = write.all::<Aggregate>(&sid, commands).await;
        if password.is_some() && is_unused(&made, &sid) {
            app.secrets.delete(&sid, SIP_PASSWORD).await.map_err(Refusal::from)?;
        }
        let made = made?;
        still_there(app, &made, "trunk", Aggregate::is_deleted).await?;
        let made = made.stream;
        // It is in the log: tables that lag must not make it look as if it were not.
        let seen = app.projections.trunks(who.scope()).get(&made).await.ok().flatten();
        let row = seen.unwrap_or_else(|| TrunkRow {
            credential_version: i64::from(password.is_some()),
            version: 1 + i64::from(password.is_some()),
            ..TrunkRow::created(made, who.carrier.clone(), name, sides, write.at())
        });
        let tag = etag(row.version);
        Ok(CreatedTrunk::Created(Json(Trunk::with_warnings(app, row).await), tag))
    }

    /// Try an outbound side out
    ///
    /// The dial string and Request-URI it would make of a number. Changes nothing.
    #[oai(path = "/dial-string", method = "post", operation_id = "previewDialString")]
    async fn preview(
        &self,
        Reader(who): Reader,
        request: Json<DialStringRequest>,
    ) -> Result<Json<DialString>, ApiError> {
        let app = self.0.app()?;
        let mut fields = Fields::default();
        let number: Option<Option<Number>> = fields.maybe("number", request.number.as_deref());
        let outbound = request.outbound.read(&mut fields, false);
        let (number, outbound) = fields.finish(number.zip(outbound))?;
        let home = outbound.country.or(country_of(app, &who.carrier).await?);
        let example = || home.and_then(E164::example).map(Number::E164);
        let number = number.or_else(example).ok_or_else(Refusal::internal)?;
        let (dial_string, request_uri) = preview(&outbound, &number, home);
        Ok(Json(DialString { number: number.to_string(), dial_string, request_uri }))
    }

    /// Get a trunk
    ///
    /// One trunk by its SID.
    #[oai(path = "/:sid", method = "get", operation_id = "getTrunk")]
    async fn get(&self, Reader(who): Reader, sid: Path<String>) -> Result<Tagged<Trunk>, ApiError> {
        let app = self.0.app()?;
        let row = trunk_of(app, &who, &sid).await?;
        Ok(tagged(row.version, Trunk::with_warnings(app, row).await))
    }

    /// See what was turned away
    ///
    /// What reached this node from the trunk's sources and was turned away before there was a call, with the reasons, since
    /// the node was started; and what came unread from next to them, or to the host the trunk is called at. A mistyped or
    /// forgotten address, or a switch that demands an extension, is found here. Calls that were refused are in the list of
    /// calls.
    #[oai(path = "/:sid/turned-away", method = "get", operation_id = "listTurnedAway")]
    async fn turned_away(
        &self,
        Reader(who): Reader,
        sid: Path<String>,
    ) -> Result<Json<TurnedAwayList>, ApiError> {
        let app = self.0.app()?;
        let trunk = trunk_of(app, &who, &sid).await?;
        let told = app.health.turned_away(&trunk.sid).into_iter();
        let told = told.map(|what| TurnedAway {
            source: what.source.to_string(),
            code: what.code.map(i32::from),
            method: Some(what.method).filter(|method| !method.is_empty()),
            reason: what.reason,
            count: i32::try_from(what.count).unwrap_or(i32::MAX),
            last_at: what.last.to_string(),
        });
        Ok(Json(TurnedAwayList { data: told.collect() }))
    }

    /// Change a trunk
    ///
    /// JSON merge patch on the trunk; each direction is replaced whole.
    #[oai(path = "/:sid", method = "patch", operation_id = "updateTrunk")]
    async fn update(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
        patch: Json<TrunkUpdate>,
    ) -> Result<Tagged<Trunk>, ApiError> {
        let app = self.0.app()?;
        let write = Write::new(app, request, &who);
        let mut turn = None;
        for _ in 0..TRIES {
            let row = trunk_of(app, &who, &sid).await?;
            write.expects::<Aggregate>(&row.sid, row.version).await?;
            let (commands, password) = changes(app, &row, &patch).await?;
            if with_password((&write, &mut turn), app, &row, commands, password).await? {
                let row = trunk_of(app, &who, &sid).await?;
                return Ok(tagged(row.version, Trunk::with_warnings(app, row).await));
            }
        }
        Err(too_busy().into())
    }

    /// Delete a trunk
    ///
    /// No calls come from it or go through it any more; its source addresses are free for other trunks of yours.
    #[oai(path = "/:sid", method = "delete", operation_id = "deleteTrunk")]
    async fn delete(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
    ) -> Result<DeletedTrunk, ApiError> {
        let app = self.0.app()?;
        let TrunkRow { sid: trunk, version, .. } = trunk_of(app, &who, &sid).await?;
        Write::new(app, request, &who).named::<Aggregate>(&trunk, version, Command::Delete).await?;
        app.store.vault().delete_all(&trunk, SIP_PASSWORD.0, None).await.map_err(Refusal::from)?;
        Ok(DeletedTrunk::Deleted)
    }
}

/// A new digest password with the name it is kept under.
struct NewPassword<'a> {
    name: String,
    text: &'a str,
}

/// Has the commands decided with the new password in the vault before, so that whoever hears of it finds it. Until then the
/// old one is the one: a change that is refused or comes too late leaves nothing behind.
async fn with_password<'a>(
    (write, turn): (&Write<'a>, &mut Option<Turn<'a>>),
    app: &App,
    row: &TrunkRow,
    commands: Vec<Command>,
    password: Option<NewPassword<'_>>,
) -> Result<bool, Refusal> {
    let Some(NewPassword { name, text }) = password else {
        return write.at_version::<Aggregate>(turn, &row.sid, row.version, commands).await;
    };
    let new = (SIP_PASSWORD.0, &*name);
    app.secrets.put(&row.carrier, &row.sid, new, text.as_bytes()).await?;
    let changed = write.at_version::<Aggregate>(turn, &row.sid, row.version, commands).await;
    let old = (SIP_PASSWORD.0, row.credential.as_deref().unwrap_or(SIP_PASSWORD.1));
    let left = match &changed {
        Ok(true) => old,
        Ok(false) => new,
        Err(refusal) if refusal.status.is_server_error() => return changed,
        Err(_) => new,
    };
    if let Err(error) = app.secrets.delete(&row.sid, left).await {
        tracing::warn!(%error, trunk = %row.sid, "a digest password that is none stays in the vault; nothing uses it");
    }
    changed
}

/// The commands that make of the trunk what the patch says.
async fn changes<'a>(
    app: &App,
    row: &TrunkRow,
    patch: &'a TrunkUpdate,
) -> Result<(Vec<Command>, Option<NewPassword<'a>>), Refusal> {
    let (mut fields, mut commands) = (Fields::default(), Vec::new());
    let (mut inbound, mut outbound) = (None, None);
    let trusted = app.config.trusted_trunks.contains(&row.sid);
    let name = fields.maybe("name", patch.name.as_deref()).flatten();
    commands.extend(name.map(|name| Command::Rename { name }));
    match &patch.inbound {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => commands.push(Command::ConfigureInbound(None)),
        MaybeUndefined::Value(side) => {
            inbound = side.read(&mut fields, trusted);
            commands.extend(inbound.clone().map(|side| Command::ConfigureInbound(Some(side))));
        }
    }
    let mut password = None;
    match &patch.outbound {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => commands.push(Command::ConfigureOutbound(None)),
        MaybeUndefined::Value(side) => {
            password = side.password.as_deref().map(|text| NewPassword { name: app.ids.token(), text });
            outbound = side.read(&mut fields, trusted);
            commands.extend(outbound.clone().map(|outbound| match &password {
                Some(NewPassword { name, .. }) => {
                    Command::ConfigureOutboundWithPassword { outbound, secret: name.clone() }
                }
                None => Command::ConfigureOutbound(Some(outbound)),
            }));
        }
    }
    let (own_inbound, own_outbound) = (row.inbound.as_ref(), row.outbound.as_ref());
    check_widths(app, &mut fields, (inbound.as_ref(), own_inbound), (outbound.as_ref(), own_outbound));
    sources::check_count(app, &mut fields, &row.carrier, (inbound.as_ref(), own_inbound)).await?;
    fields.done()?;
    // A side that is taken away goes last: another may come in its place.
    commands.sort_by_key(|command| {
        matches!(command, Command::ConfigureInbound(None) | Command::ConfigureOutbound(None))
    });
    Ok((commands, password))
}

/// How wide networks are that are new, on either side.
fn check_widths(
    app: &App,
    fields: &mut Fields,
    (inbound, own_inbound): (Option<&Inbound>, Option<&Inbound>),
    (outbound, own_outbound): (Option<&Outbound>, Option<&Outbound>),
) {
    let mut check = |field, new: Option<&Vec<IpNet>>, held: Option<&Vec<IpNet>>| {
        let nets = |list: Option<&Vec<IpNet>>| list.cloned().unwrap_or_default();
        sources::check_widths(app, fields, field, &nets(new), &nets(held));
    };
    check("inbound.sources", inbound.map(|side| &side.sources), own_inbound.map(|side| &side.sources));
    let (new, held) =
        (inbound.map(|side| &side.media_networks), own_inbound.map(|side| &side.media_networks));
    check("inbound.media_networks", new, held);
    let (new, held) =
        (outbound.map(|side| &side.media_networks), own_outbound.map(|side| &side.media_networks));
    check("outbound.media_networks", new, held);
}

/// Where the carrier operates.
pub(super) async fn country_of(app: &App, carrier: &Sid) -> Result<Option<Country>, Refusal> {
    Ok(app.projections.carrier(carrier).await?.map(|carrier| carrier.country))
}

/// The caller's trunk of this SID.
async fn trunk_of(app: &App, who: &Principal, sid: &str) -> Result<TrunkRow, Refusal> {
    let missing = || Refusal::not_found("trunk");
    let sid = Sid::parse_as(Kind::Trunk, sid).map_err(|_| missing())?;
    app.projections.trunks(who.scope()).get(&sid).await?.ok_or_else(missing)
}
