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
mod path;
#[cfg(test)]
mod tests;

use crate::{App, problem::Refusal};
use caller::{Caller, Door};
use fault::Fault;
use form::Form;
use path::Resource;
use poem::{
    EndpointExt, IntoResponse, Request, Response,
    endpoint::{BoxEndpoint, make},
    http::{Method, StatusCode},
};
use serde_json::Value;

/// What a request came to.
enum Answer {
    Ok(Value),
    Created(Value),
    Gone,
}

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

/// Whether whoever asks for this path is a client of Twilio's.
pub(crate) fn is_spoken_on(path: &str) -> bool {
    let below =
        |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    below("/2010-04-01") || ELSEWHERE.into_iter().any(below)
}

/// A refusal of what stands in front of us, as Twilio writes it.
pub(crate) fn said(refusal: &Refusal) -> Response {
    Fault::from(refusal).into_response()
}

/// Everything under [`ELSEWHERE`].
pub(crate) fn elsewhere() -> BoxEndpoint<'static, Response> {
    let nothing = |request: Request| async move { Fault::not_found(request.uri().path()).into_response() };
    make(move |request| async move { Ok::<_, poem::Error>(nothing(request).await) }).map_to_response().boxed()
}

async fn respond(app: &App, door: &Door, request: Request) -> Response {
    match answer(app, door, request).await {
        Ok(Answer::Ok(body)) => json(StatusCode::OK, &body),
        Ok(Answer::Created(body)) => json(StatusCode::CREATED, &body),
        Ok(Answer::Gone) => StatusCode::NO_CONTENT.into_response(),
        Err(fault) => fault.into_response(),
    }
}

fn json(status: StatusCode, body: &Value) -> Response {
    Response::builder().status(status).content_type("application/json").body(body.to_string())
}

async fn answer(app: &App, door: &Door, mut request: Request) -> Result<Answer, Fault> {
    let caller = door.open(&request).await?;
    let path = request.uri().path().to_owned();
    let resource = Resource::of(&path).ok_or_else(|| Fault::not_found(&path))?;
    if resource.account().is_some_and(|account| account != caller.account.sid.as_str()) {
        return Err(Fault::not_found(&path));
    }
    let form = parameters(&mut request).await?;
    serve(app, &caller, &request, resource, &form).await
}

/// Of the query for GET, of the form for POST.
async fn parameters(request: &mut Request) -> Result<Form, Fault> {
    if *request.method() != Method::POST {
        return Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    }
    let body = request.take_body().into_bytes().await;
    Form::parse(&body.map_err(|_| Fault::invalid("the body could not be read"))?)
}

/// The map: which method of which resource does what.
async fn serve(
    app: &App,
    caller: &Caller,
    request: &Request,
    resource: Resource<'_>,
    form: &Form,
) -> Result<Answer, Fault> {
    use Resource as R;
    let path = request.uri().path();
    match (request.method().as_str(), resource) {
        ("GET", R::Accounts) => accounts::list(caller, path, form).map(Answer::Ok),
        ("GET", R::Account(_)) => Ok(Answer::Ok(accounts::fetch(caller))),
        ("GET", R::Calls(_)) => calls::list(app, caller, path, form).await.map(Answer::Ok),
        ("POST", R::Calls(_)) => calls::create(app, caller, request, form).await.map(Answer::Created),
        ("GET", R::Call(_, sid)) => calls::fetch(app, caller, sid, path).await.map(Answer::Ok),
        ("POST", R::Call(_, sid)) => calls::update(app, caller, request, sid, form).await.map(Answer::Ok),
        ("DELETE", R::Call(_, sid)) => calls::delete(app, caller, request, sid).await.map(|()| Answer::Gone),
        ("GET", R::Numbers(_)) => numbers::list(app, caller, path, form).await.map(Answer::Ok),
        ("GET", R::Number(_, sid)) => numbers::fetch(app, caller, sid, path).await.map(Answer::Ok),
        ("POST", R::Number(_, sid)) => numbers::update(app, caller, request, sid, form).await.map(Answer::Ok),
        (_, R::Accounts | R::Account(_) | R::Numbers(_)) => Err(Fault::method_not_allowed("GET")),
        (_, R::Calls(_) | R::Number(..)) => Err(Fault::method_not_allowed("GET, POST")),
        (_, R::Call(..)) => Err(Fault::method_not_allowed("GET, POST, DELETE")),
    }
}
