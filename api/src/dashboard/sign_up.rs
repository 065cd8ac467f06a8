//! A new carrier with its owner.

use super::{
    answer::{meta, parsed, view, with_cookie},
    sign_in::Limits,
};
use crate::{
    App,
    auth::{Level, SignedIn, weakness},
    fields::Fields,
    problem::Refusal,
    secrets::PASSWORD,
};
use domain::{
    Kind, Log, Meta, Sid,
    carrier::{Carrier, CarrierCommand, Subdomain},
    country::Country,
    name::Name,
    user::{Email, Role, User, UserCommand},
};
use poem::{Request, Response, handler, http::StatusCode, web::Data, web::Json};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignUp {
    company: String,
    country: String,
    subdomain: String,
    name: String,
    email: String,
    password: String,
}

/// A sign-up whose every field is right.
struct Checked {
    company: Name,
    country: Country,
    subdomain: Subdomain,
    name: Name,
    email: Email,
    password: String,
}

#[handler]
pub(super) async fn sign_up(
    request: &Request,
    bytes: Vec<u8>,
    Data(app): Data<&App>,
    Data(limits): Data<&Limits>,
) -> poem::Result<Response> {
    limits.sign_up(app, request)?;
    let checked = check(parsed(request, &bytes)?)?;
    if app.projections.system().user_by_email(&checked.email).await.map_err(Refusal::from)?.is_some() {
        return Err(Refusal::taken("email", "Someone signs in with this address already.").into());
    }
    let (carrier, user) = create(app, request, checked).await?;
    let (session, cookie) =
        app.sessions.open(app, request, (&carrier, &user), Level::Password).await.map_err(Refusal::from)?;
    let who = SignedIn { session, role: Role::Owner, two_factor: false };
    Ok(with_cookie(app, StatusCode::CREATED, view(app, &who).await?, &cookie)?)
}

fn check(given: SignUp) -> Result<Checked, Refusal> {
    let mut fields = Fields::default();
    let company = fields.read("company", &given.company);
    let country = fields.read("country", &given.country);
    let subdomain = fields.read("subdomain", &given.subdomain);
    let name = fields.read("name", &given.name);
    let email = fields.read("email", &given.email);
    let about = [&*given.company, &given.subdomain, &given.name, &given.email];
    if let Some(message) = weakness(&given.password, &about) {
        fields.wrong("password", message);
    }
    let all = company.zip(country).zip(subdomain.zip(name)).zip(email);
    let (((company, country), (subdomain, name)), email) = fields.finish(all)?;
    Ok(Checked { company, country, subdomain, name, email, password: given.password })
}

/// Opens the carrier, then registers its owner. When the address turns out taken after all, the carrier stays without
/// people and its subdomain is used up; that race needs two sign-ups of one person within milliseconds.
async fn create(app: &App, request: &Request, new: Checked) -> Result<(Sid, Sid), Refusal> {
    let (carrier, user) = (Sid::new(Kind::Carrier, &*app.ids), Sid::new(Kind::User, &*app.ids));
    let meta: Meta = meta(app, request, &carrier, &user);
    let hash = app.passwords.hash(&new.password, app.ids.clone()).await?;
    let command =
        CarrierCommand::SignUp { name: new.company, country: new.country, subdomain: new.subdomain };
    app.store.execute::<Carrier>(&carrier, command, &meta).await?;
    app.secrets.put(&carrier, &user, PASSWORD, hash.as_bytes()).await?;
    let (name, email, role) = (new.name, new.email, Role::Owner);
    let command = UserCommand::Register { carrier: carrier.clone(), name, email, role };
    let appended = app.store.execute::<User>(&user, command, &meta).await?;
    app.settled(Log::Core, &appended).await?;
    Ok((carrier, user))
}

/// Countries a carrier can operate in.
#[handler]
pub(super) fn countries() -> Json<Value> {
    let one = |country: Country| {
        let (code, calling_code) = (country.code(), country.calling_code());
        json!({ "code": code, "calling_code": calling_code, "trunk_digit": country.trunk_digit() })
    };
    Json(json!({ "data": Country::all().map(one).collect::<Vec<_>>() }))
}
