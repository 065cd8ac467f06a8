//! Twilio's API, version 2010-04-01: what unmodified Twilio clients speak to.
//!
//! Plain poem, not OpenAPI: paths end in `.json`, lists are repeated form keys, errors have Twilio's own shape.

mod accounts;
mod call_json;
mod caller;
mod calls;
mod fault;
mod form;
mod new_call;
mod numbers;
mod page;
mod parameters;
mod path;
#[cfg(test)]
mod tests;
mod warning;

pub use parameters::{Fate, Operation, Row, markdown, operations};

use crate::{App, middleware::Dialect, problem::Refusal};
use caller::{Caller, Door};
use domain::emergency::{is_emergency, may_be_emergency};
use fault::Fault;
use form::Form;
use page::Asked;
use path::Resource;
use poem::{
    EndpointExt, IntoResponse, Request, Response,
    endpoint::{BoxEndpoint, make},
    http::{Method, StatusCode},
};
use serde_json::Value;
use std::time::Duration;
use warning::Warning;

/// What a request came to.
enum Answer {
    Ok(Value),
    Created(Value),
    Gone,
}

/// Most warnings about one request.
const MAX_WARNINGS: usize = 50;

/// Everything under `/2010-04-01` (the prefix stays in the path). The endpoint sees whole paths.
pub fn routes(app: &App) -> BoxEndpoint<'static, Response> {
    let (app, door) = (app.clone(), Door::new(app));
    let endpoint = make(move |request: Request| {
        let (app, door) = (app.clone(), door.clone());
        async move { Ok::<_, poem::Error>(respond(&app, &door, request).await) }
    });
    endpoint.map_to_response().boxed()
}

/// Where Twilio's other products are: nothing of them is here, and its clients are told so in its words.
pub(crate) const ELSEWHERE: [&str; 3] = ["/v1", "/v2", "/v3"];

/// What stands in front of us says it in Twilio's words.
pub(crate) const DIALECT: Dialect = Dialect { is_spoken_on, said };

/// Whether whoever asks for this path is a client of Twilio's: below a version of its API (`/2010-…`, there or not, and
/// after a base address that ends in a slash), or where its other products are.
fn is_spoken_on(path: &str) -> bool {
    let path = path.trim_start_matches('/');
    let below = |prefix: &str| {
        let rest = path.strip_prefix(prefix.trim_start_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let year = path.split('-').next().unwrap_or_default();
    let is_dated = year.len() == 4 && year.starts_with("20") && year.bytes().all(|c| c.is_ascii_digit());
    (is_dated && path.len() > 4) || ELSEWHERE.into_iter().any(below)
}

/// A refusal of what stands in front of us, as Twilio writes it.
fn said(refusal: &Refusal) -> Response {
    Fault::from(refusal).into_response()
}

/// Everything under [`ELSEWHERE`].
pub(crate) fn elsewhere() -> BoxEndpoint<'static, Response> {
    let nothing = |request: Request| async move { Fault::not_found(request.uri().path()).into_response() };
    make(move |request| async move { Ok::<_, poem::Error>(nothing(request).await) }).map_to_response().boxed()
}

async fn respond(app: &App, door: &Door, request: Request) -> Response {
    let mut warnings = Vec::new();
    let mut response = match answer(app, door, request, &mut warnings).await {
        Ok(Answer::Ok(body)) => json(StatusCode::OK, &body),
        Ok(Answer::Created(body)) => json(StatusCode::CREATED, &body),
        Ok(Answer::Gone) => StatusCode::NO_CONTENT.into_response(),
        Err(fault) => return fault.into_response(),
    };
    if let Some(told) = warning::header(&warnings) {
        response.headers_mut().insert(warning::HEADER, told);
    }
    response
}

fn json(status: StatusCode, body: &Value) -> Response {
    Response::builder().status(status).content_type("application/json").body(body.to_string())
}

async fn answer(
    app: &App,
    door: &Door,
    mut request: Request,
    warnings: &mut Vec<Warning>,
) -> Result<Answer, Fault> {
    // HEAD is GET whose body the server keeps to itself (RFC 9110 section 9.3.2).
    if *request.method() == Method::HEAD {
        request.set_method(Method::GET);
    }
    let path = request.uri().path().to_owned();
    let resource = Resource::of(&path);
    let places_a_call = matches!(resource, Some(Resource::Calls(_))) && *request.method() == Method::POST;
    let Entered { caller, wait, form } = enter(door, &mut request, places_a_call).await?;
    let resource = resource.ok_or_else(|| Fault::not_found(&path))?;
    if resource.account().is_some_and(|account| account != caller.account.sid.as_str()) {
        return Err(wait.map_or_else(|| Fault::not_found(&path), Fault::too_many));
    }
    let operation = Operation::of(request.method().as_str(), resource);
    let operation = operation.ok_or_else(|| not_allowed(resource))?;
    let form = match form {
        Some(form) => form,
        None => parameters(&mut request).await?,
    };
    if let Some(wait) = wait {
        for_help(app, door, &caller, &form, wait).await?;
    }
    *warnings = new_call::unknown_events(operation, &form);
    warnings.extend(operation.check(&form)?);
    warnings.extend(new_call::idle(operation, &form)?);
    warnings.truncate(MAX_WARNINGS);
    serve(app, &Asking { caller: &caller, request: &request, warnings }, resource, &form).await
}

/// A request that came in.
struct Entered {
    caller: Caller,
    /// How long it is to wait unless it is a call for help: its account or its address has asked too often.
    wait: Option<Duration>,
    /// What it says, where that had to be read first.
    form: Option<Form>,
}

/// Counts the request and checks who asks. Of those that are to wait, only one that places a call comes in.
async fn enter(door: &Door, request: &mut Request, places_a_call: bool) -> Result<Entered, Fault> {
    let knock = door.knock(request)?;
    let form = match knock.wait {
        None => None,
        Some(wait) if places_a_call => Some(perhaps_for_help(door, request, wait).await?),
        Some(wait) => return Err(Fault::too_many(wait)),
    };
    let caller = door.open(request, &knock).await?;
    match knock.wait.or_else(|| door.counted(&caller).err()) {
        Some(wait) if !places_a_call => Err(Fault::too_many(wait)),
        wait => Ok(Entered { caller, wait, form }),
    }
}

/// The form of what may be a call for help, from an address that may ask for nothing else now.
async fn perhaps_for_help(door: &Door, request: &mut Request, wait: Duration) -> Result<Form, Fault> {
    let form = parameters(request).await?;
    if !form.one("To")?.is_some_and(may_be_emergency) {
        return Err(Fault::too_many(wait));
    }
    door.knock_for_help(request).map_err(Fault::too_many)?;
    Ok(form)
}

/// A call for help is placed however often its account, or others at its address, asked before; any other is to wait.
async fn for_help(app: &App, door: &Door, caller: &Caller, form: &Form, wait: Duration) -> Result<(), Fault> {
    let to = form.one("To")?.unwrap_or_default();
    match is_emergency(to, calls::country(app, caller).await?) {
        true => door.counted_for_help(caller).map_err(Fault::too_many),
        false => Err(Fault::too_many(wait)),
    }
}

/// Who asks, with what request, and what is wrong with that request.
struct Asking<'a> {
    caller: &'a Caller,
    request: &'a Request,
    warnings: &'a [Warning],
}

fn not_allowed(resource: Resource<'_>) -> Fault {
    use Resource as R;
    Fault::method_not_allowed(match resource {
        R::Accounts | R::Account(_) | R::Numbers(_) | R::Empty { .. } => "GET, HEAD",
        R::Calls(_) | R::Number(..) => "GET, HEAD, POST",
        R::Call(..) => "GET, HEAD, POST, DELETE",
    })
}

/// Of the query for GET, of the form for POST.
async fn parameters(request: &mut Request) -> Result<Form, Fault> {
    if *request.method() != Method::POST {
        return Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    }
    let body = request.take_body().into_bytes().await;
    Form::parse(&body.map_err(|_| Fault::invalid("the body could not be read"))?)
}

/// The map: which method of which resource does what. What is allowed is in the tables of `parameters`.
async fn serve(app: &App, asking: &Asking<'_>, resource: Resource<'_>, form: &Form) -> Result<Answer, Fault> {
    use Resource as R;
    let Asking { caller, request, .. } = asking;
    let path = request.uri().path();
    match (request.method().as_str(), resource) {
        ("GET", R::Accounts) => accounts::list(caller, path, form).map(Answer::Ok),
        ("GET", R::Account(_)) => Ok(Answer::Ok(accounts::fetch(caller))),
        ("GET", R::Calls(_)) => calls::list(app, caller, path, form).await.map(Answer::Ok),
        ("POST", R::Calls(_)) => calls::create(app, asking, form).await.map(Answer::Created),
        ("GET", R::Call(_, sid)) => calls::fetch(app, caller, sid, path).await.map(Answer::Ok),
        ("POST", R::Call(_, sid)) => calls::update(app, asking, sid, form).await.map(Answer::Ok),
        ("DELETE", R::Call(_, sid)) => calls::delete(app, caller, request, sid).await.map(|()| Answer::Gone),
        ("GET", R::Numbers(_)) => numbers::list(app, caller, path, form).await.map(Answer::Ok),
        ("GET", R::Number(_, sid)) => numbers::fetch(app, caller, sid, path).await.map(Answer::Ok),
        ("POST", R::Number(_, sid)) => numbers::update(app, caller, request, sid, form).await.map(Answer::Ok),
        ("GET", R::Empty { call, key, .. }) => {
            if let Some(call) = call {
                calls::fetch(app, caller, call, path).await?;
            }
            Ok(Answer::Ok(Asked::of(path, form)?.body(key, Vec::new(), None)))
        }
        _ => Err(not_allowed(resource)),
    }
}
