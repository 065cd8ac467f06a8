//! A new carrier with its owner.

use super::answer::{parsed, view, with_cookie};
use crate::{
    App,
    auth::{Level, Limits, SignedIn, weakness},
    fields::Fields,
    problem::Refusal,
    secrets::PASSWORD,
};
use domain::{
    Kind, Log, Meta, Sid,
    carrier::{Carrier, CarrierCommand, Subdomain},
    country::Country,
    name::Name,
    numbering::{Grouping, groupings},
    user::{Email, Role, User, UserCommand},
};
use poem::{Request, Response, handler, http::StatusCode, web::Data, web::Json};
use poem_openapi::Object;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a sign-up may be under way: longer than a request may take.
const UNDER_WAY: Duration = Duration::from_secs(60);

#[derive(Object)]
#[oai(deny_unknown_fields)]
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
    heal(app, request, &checked.email).await?;
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

/// Frees the address of a sign-up that never came to its carrier, as a crash in its middle leaves it.
///
/// # Errors
/// 409 when the address is someone's, or of a sign-up that may still be under way.
async fn heal(app: &App, request: &Request, email: &Email) -> Result<(), Refusal> {
    let Some(user) = app.projections.system().user_by_email(email).await? else { return Ok(()) };
    let taken = || Refusal::taken("email", "Someone signs in with this address already.");
    let carrier = app.store.load::<Carrier>(&user.carrier).await?;
    if carrier.version > 0 || app.clock.now().since(user.created_at) < UNDER_WAY {
        return Err(taken());
    }
    give_back(app, &user.sid, &app.user_meta(request, &user.carrier, &user.sid)).await
}

/// Registers the owner, which claims the address, then opens the carrier. A carrier that is refused gives the address back;
/// what a crash in between leaves behind is freed by the next sign-up with that address.
async fn create(app: &App, request: &Request, new: Checked) -> Result<(Sid, Sid), Refusal> {
    let (carrier, user) = (Sid::new(Kind::Carrier, &*app.ids), Sid::new(Kind::User, &*app.ids));
    let meta: Meta = app.user_meta(request, &carrier, &user);
    let hash = app.passwords.hash(&new.password, app.ids.clone()).await?;
    app.secrets.put(&carrier, &user, PASSWORD, hash.as_bytes()).await?;
    let (name, email, role) = (new.name, new.email, Role::Owner);
    let command = UserCommand::Register { carrier: carrier.clone(), name, email, role };
    if let Err(error) = app.store.execute::<User>(&user, command, &meta).await {
        let refusal = Refusal::from(error);
        if !refusal.status.is_server_error() {
            app.secrets.delete(&user, PASSWORD).await?;
        }
        return Err(refusal);
    }
    let command =
        CarrierCommand::SignUp { name: new.company, country: new.country, subdomain: new.subdomain };
    match app.store.execute::<Carrier>(&carrier, command, &meta).await.map_err(Refusal::from) {
        Ok(appended) => {
            app.settled(Log::Core, &appended).await?;
            Ok((carrier, user))
        }
        Err(refusal) => {
            if !refusal.status.is_server_error() {
                give_back(app, &user, &meta).await?;
            }
            Err(refusal)
        }
    }
}

/// Frees the address of a user whose carrier does not exist.
async fn give_back(app: &App, user: &Sid, meta: &Meta) -> Result<(), Refusal> {
    let appended = app.store.execute::<User>(user, UserCommand::Remove, meta).await?;
    app.secrets.delete(user, PASSWORD).await?;
    app.settled(Log::Core, &appended).await
}

/// Whether anybody has signed up here yet: on an empty installation there is nobody to sign in as.
#[handler]
pub(super) async fn welcome(Data(app): Data<&App>) -> poem::Result<Json<Value>> {
    let empty = !app.projections.system().has_users().await.map_err(Refusal::from)?;
    Ok(Json(json!({ "empty": empty })))
}

/// Countries a carrier can operate in, and how numbers behind each one's calling code are grouped.
#[handler]
pub(super) fn countries() -> Json<Value> {
    let grouping = |Grouping { begins, groups, shown }| json!([begins, groups, shown]);
    let one = |country: Country| {
        let (code, calling_code) = (country.code(), country.calling_code());
        let groupings: Vec<Value> = groupings(country).into_iter().map(grouping).collect();
        let trunk_digit = country.trunk_digit();
        json!({ "code": code, "calling_code": calling_code, "trunk_digit": trunk_digit, "groupings": groupings })
    };
    Json(json!({ "data": Country::all().map(one).collect::<Vec<_>>() }))
}
