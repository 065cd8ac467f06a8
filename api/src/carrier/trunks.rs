//! `/trunks`: where calls come from and where ours go to.

use super::{
    Tag,
    lists::{created, page, page_of, views},
    sources,
    text::Text,
    trunk_fields::{InboundConfig, OutboundConfig, OutboundView, example_number, preview},
    write::{Handle, Write, is_unused},
};
use crate::{
    App,
    auth::{Principal, Reader, Writer},
    fields::Fields,
    problem::{ApiError, Refusal},
    secrets::SIP_PASSWORD,
};
use domain::{
    Kind, Number, Sid,
    name::Name,
    trunk::{Trunk as Aggregate, TrunkCommand as Command},
};
use poem::Request;
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::MaybeUndefined,
};
use projections::{TrunkFilter, TrunkRow};

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

/// The trunk is gone.
#[derive(ApiResponse)]
enum DeletedTrunk {
    /// Deleted.
    #[oai(status = 204)]
    Deleted,
}

page_of! {
    /// Trunks, newest first.
    TrunkPage of Trunk
}
created! {
    /// The trunk was made.
    CreatedTrunk of Trunk
}

impl Trunk {
    fn new(app: &App, row: TrunkRow) -> Trunk {
        let has_password = row.credential_version > 0;
        let trusted = app.config.trusted_trunks.contains(&row.sid);
        Trunk {
            sid: row.sid.to_string(),
            name: row.name.to_string(),
            inbound: row.inbound.as_ref().map(|inbound| InboundConfig::new(inbound, trusted)),
            outbound: row.outbound.map(|outbound| OutboundView::new(outbound, has_password, trusted)),
            created_at: row.created_at.to_string(),
            updated_at: row.updated_at.to_string(),
        }
    }
}

pub(crate) struct TrunksApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/trunks", tag = "Tag::Trunks")]
impl TrunksApi {
    /// List trunks
    ///
    /// Newest first, by name and direction.
    #[oai(path = "/", method = "get", operation_id = "listTrunks")]
    async fn list(
        &self,
        Reader(who): Reader,
        /// Part of the name, in any case.
        name: Query<Option<String>>,
        /// Only those that take calls, or only those that place calls.
        direction: Query<Option<TrunkDirection>>,
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
        let rows = reads.list(&filter, &page(cursor.0, limit.0)).await.map_err(Refusal::from)?;
        Ok(Json(views(rows, |row| Trunk::new(app, row)).into()))
    }

    /// Make a trunk
    ///
    /// For one direction or both. A source address belongs to one trunk of one carrier.
    #[oai(path = "/", method = "post", operation_id = "createTrunk")]
    async fn create(
        &self,
        Writer(who): Writer,
        request: &Request,
        /// Makes the request repeatable: the same key acts once in seven days.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        trunk: Json<TrunkCreate>,
    ) -> Result<CreatedTrunk, ApiError> {
        let app = self.0.app()?;
        let write = Write::new(app, request, &who).once("createTrunk", key.0.as_deref())?;
        let mut fields = Fields::default();
        let name = fields.read("name", &trunk.name);
        let inbound = trunk.inbound.as_ref().map(|inbound| inbound.read(&mut fields, false));
        let outbound = trunk.outbound.as_ref().map(|outbound| outbound.read(&mut fields, false));
        let name: Name = fields.finish(name)?;
        let (inbound, outbound) = (inbound.flatten(), outbound.flatten());
        let sid = Sid::new(Kind::Trunk, &*app.ids);
        let _turn = match &inbound {
            Some(inbound) => Some(sources::free(app, &who.carrier, inbound).await?),
            None => None,
        };
        let sides = (inbound.clone(), outbound.clone());
        let mut commands =
            vec![Command::Create { carrier: who.carrier.clone(), name: name.clone(), inbound, outbound }];
        let password = trunk.outbound.as_ref().and_then(|outbound| outbound.password.as_deref());
        if let Some(password) = password {
            keep_password(app, &who, &sid, password).await?;
            commands.push(Command::ReplaceCredential);
        }
        let made = write.all::<Aggregate>(&sid, commands).await;
        if password.is_some() && is_unused(&made, &sid) {
            app.secrets.delete(&sid, SIP_PASSWORD).await.map_err(Refusal::from)?;
        }
        let made = made?.stream;
        // It is in the log: tables that lag must not make it look as if it were not.
        let seen = app.projections.trunks(who.scope()).get(&made).await.ok().flatten();
        let row = seen.unwrap_or_else(|| TrunkRow {
            credential_version: i64::from(password.is_some()),
            ..TrunkRow::created(made, who.carrier.clone(), name, sides, write.at())
        });
        Ok(CreatedTrunk::Created(Json(Trunk::new(app, row))))
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
        let number = match number {
            Some(number) => number,
            None => {
                let carrier = app.projections.carrier(&who.carrier).await.map_err(Refusal::from)?;
                let country = carrier.ok_or_else(|| Refusal::not_found("carrier"))?.country;
                example_number(Some(country)).ok_or_else(Refusal::internal)?
            }
        };
        let (dial_string, request_uri) = preview(&outbound, &number);
        Ok(Json(DialString { number: number.to_string(), dial_string, request_uri }))
    }

    /// Get a trunk
    ///
    /// One trunk by its SID.
    #[oai(path = "/:sid", method = "get", operation_id = "getTrunk")]
    async fn get(&self, Reader(who): Reader, sid: Path<String>) -> Result<Json<Trunk>, ApiError> {
        let app = self.0.app()?;
        Ok(Json(Trunk::new(app, trunk_of(app, &who, &sid).await?)))
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
    ) -> Result<Json<Trunk>, ApiError> {
        let app = self.0.app()?;
        let row = trunk_of(app, &who, &sid).await?;
        let (mut fields, mut commands, mut inbound) = (Fields::default(), Vec::new(), None);
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
                password = side.password.as_deref();
                commands.extend(side.read(&mut fields, trusted).map(|side| match password {
                    Some(_) => Command::ConfigureOutboundWithPassword(side),
                    None => Command::ConfigureOutbound(Some(side)),
                }));
            }
        }
        fields.done()?;
        let _turn = match &inbound {
            Some(inbound) => Some(sources::free(app, &who.carrier, inbound).await?),
            None => None,
        };
        if let Some(password) = password {
            keep_password(app, &who, &row.sid, password).await?;
        }
        let write = Write::new(app, request, &who);
        write.all::<Aggregate>(&row.sid, commands).await?;
        Ok(Json(Trunk::new(app, trunk_of(app, &who, &sid).await?)))
    }

    /// Delete a trunk
    ///
    /// No calls come from it or go through it any more; its source addresses are free for other trunks.
    #[oai(path = "/:sid", method = "delete", operation_id = "deleteTrunk")]
    async fn delete(
        &self,
        Writer(who): Writer,
        request: &Request,
        sid: Path<String>,
    ) -> Result<DeletedTrunk, ApiError> {
        let app = self.0.app()?;
        let trunk = trunk_of(app, &who, &sid).await?.sid;
        Write::new(app, request, &who).one::<Aggregate>(&trunk, Command::Delete).await?;
        app.secrets.delete(&trunk, SIP_PASSWORD).await.map_err(Refusal::from)?;
        Ok(DeletedTrunk::Deleted)
    }
}

/// Keeps a digest password before the event that says so: whoever hears of the new one finds it.
async fn keep_password(app: &App, who: &Principal, trunk: &Sid, password: &str) -> Result<(), Refusal> {
    Ok(app.secrets.put(&who.carrier, trunk, SIP_PASSWORD, password.as_bytes()).await?)
}

/// The caller's trunk of this SID.
async fn trunk_of(app: &App, who: &Principal, sid: &str) -> Result<TrunkRow, Refusal> {
    let missing = || Refusal::not_found("trunk");
    let sid = Sid::parse_as(Kind::Trunk, sid).map_err(|_| missing())?;
    app.projections.trunks(who.scope()).get(&sid).await?.ok_or_else(missing)
}
