//! `/carrier`: the carrier itself.

use super::{
    tag::Tag,
    text::Text,
    write::{Handle, TRIES, Tagged, Write, tagged, too_busy},
};
use crate::{
    App,
    auth::{Principal, Reader, Writer},
    fields::Fields,
    problem::{ApiError, Refusal},
};
use domain::carrier::{Carrier as Aggregate, CarrierCommand as Command};
use poem::Request;
use poem_openapi::{Object, OpenApi, payload::Json};
use projections::CarrierRow;

/// A carrier.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Carrier {
    /// Identifier, `VC` and 32 hex digits.
    sid: String,
    /// Company name.
    name: String,
    /// ISO code of the country it operates in; its national numbers are read by it.
    country: String,
    /// The first label of its dashboard's address.
    subdomain: String,
    /// What switches call: host and port of our SIP side.
    sip_address: Option<String>,
    /// When it signed up.
    created_at: String,
}

/// What to change; absent fields stay as they are.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct CarrierUpdate {
    /// Company name, 1 to 64 characters.
    name: Option<Text>,
    /// ISO code of the country it operates in.
    country: Option<Text>,
}

pub(crate) struct SettingsApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/carrier", tag = "Tag::Carrier")]
impl SettingsApi {
    /// Get the carrier
    ///
    /// The carrier the key or session belongs to.
    #[oai(path = "/", method = "get", operation_id = "getCarrier")]
    async fn get(&self, Reader(who): Reader) -> Result<Tagged<Carrier>, ApiError> {
        let app = self.0.app()?;
        let row = carrier_of(app, &who).await?;
        Ok(tagged(row.version, view(app, row)))
    }

    /// Change the carrier
    ///
    /// JSON merge patch: company name and country.
    #[oai(path = "/", method = "patch", operation_id = "updateCarrier")]
    async fn update(
        &self,
        Writer(who): Writer,
        request: &Request,
        patch: Json<CarrierUpdate>,
    ) -> Result<Tagged<Carrier>, ApiError> {
        let app = self.0.app()?;
        let mut fields = Fields::default();
        let name = fields.maybe("name", patch.name.as_deref());
        let country = fields.maybe("country", patch.country.as_deref());
        let (name, country) = fields.finish(name.zip(country))?;
        let write = Write::new(app, request, &who);
        let mut turn = None;
        for _ in 0..TRIES {
            let row = carrier_of(app, &who).await?;
            write.expects::<Aggregate>(&row.sid, row.version).await?;
            let (name, country) = (name.clone().unwrap_or(row.name), country.unwrap_or(row.country));
            let command = Command::UpdateSettings { name, country };
            if write.at_version::<Aggregate>(&mut turn, &row.sid, row.version, vec![command]).await? {
                let row = carrier_of(app, &who).await?;
                return Ok(tagged(row.version, view(app, row)));
            }
        }
        Err(too_busy().into())
    }
}

async fn carrier_of(app: &App, who: &Principal) -> Result<CarrierRow, Refusal> {
    app.projections.carrier(&who.carrier).await?.ok_or_else(|| Refusal::not_found("carrier"))
}

fn view(app: &App, row: CarrierRow) -> Carrier {
    Carrier {
        sid: row.sid.to_string(),
        name: row.name.to_string(),
        country: row.country.code().to_owned(),
        subdomain: row.subdomain,
        sip_address: app.config.sip_address.clone(),
        created_at: row.created_at.to_string(),
    }
}
