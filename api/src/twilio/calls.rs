//! `Calls`: place, look at, list, redirect, end and forget calls.

use super::{
    Asking, call_json,
    caller::Caller,
    fault::{Fault, of_command},
    form::Form,
    new_call::{self, Spelling},
    page::Asked,
    warning::Warning,
};
use crate::{
    App,
    once::{Key, nth, still_there},
};
use domain::{
    Kind, Log, Meta, Number, Sid,
    call::{Call, CallCommand, CallError, Status},
    caller_id::{Parties, is_theirs},
    country::Country,
    emergency::is_emergency,
    limits::Forbidden,
};
use poem::{Request, http::StatusCode};
use projections::{CallFilter, CallRow, Page, PhoneNumberFilter, PhoneNumberRow, Scope, TrunkFilter};
use serde_json::Value;

/// The headers that make a request act once.
const IDEMPOTENCY: [&str; 2] = ["I-Twilio-Idempotency-Token", "Idempotency-Key"];
/// Trunks looked at together.
const TRUNKS: u32 = 100;

/// `GET …/Calls.json`
pub(super) async fn list(app: &App, caller: &Caller, path: &str, form: &Form) -> Result<Value, Fault> {
    let (started_from, started_until) = form.span("StartTime")?;
    let (ended_from, ended_until) = form.span("EndTime")?;
    let filter = CallFilter {
        from: form.one("From")?.map(str::to_owned),
        to: form.one("To")?.map(str::to_owned),
        status: form.parsed::<Status>("Status")?,
        parent: form.parsed::<Sid>("ParentCallSid")?,
        started_from,
        started_until,
        ended_from,
        ended_until,
        ..CallFilter::default()
    };
    let asked = Asked::of(path, form)?;
    let page = asked.read(&app.projections.calls(caller.scope()), &filter).await?;
    Ok(asked.body("calls", page.items.iter().map(call_json::call).collect(), page.next))
}

/// `GET …/Calls/{Sid}.json`
pub(super) async fn fetch(app: &App, caller: &Caller, sid: &str, path: &str) -> Result<Value, Fault> {
    find(app, caller, sid, path).await.map(|row| call_json::call(&row))
}

/// The call as the log has it now: an application that is asked what to do looks at its call, or steers it, sooner than
/// the tables would know of it by themselves.
async fn find(app: &App, caller: &Caller, sid: &str, path: &str) -> Result<CallRow, Fault> {
    let sid = Sid::parse_as(Kind::Call, sid).map_err(|_| Fault::not_found(path))?;
    let known = app.store.head(Log::Calls).await?;
    settled(app, known).await;
    let row = app.projections.calls(caller.scope()).get(&sid).await?;
    row.ok_or_else(|| Fault::not_found(path))
}

/// `POST …/Calls.json`
pub(super) async fn create(app: &App, asking: &Asking<'_>, form: &Form) -> Result<Value, Fault> {
    let Asking { caller, request, warnings } = asking;
    let country = country(app, caller).await?;
    let spelling = Spelling { country, codes: short_codes(app, caller, form).await? };
    let (from, to) = (new_call::from(form, &spelling)?, new_call::to(form, &spelling)?);
    let caller_id = new_call::caller_id(form, &spelling)?;
    let phone_number = owned(app, caller, &from).await?;
    if let Some(shown) = &caller_id {
        owned(app, caller, shown).await?;
    }
    allowed(app, caller, &to, country).await?;
    let queued =
        new_call::queued(form, caller.account.sid.clone(), (&from, &to), caller_id, Some(phone_number))?;
    let meta = once(caller.meta(app, request), request, &format!("twilio:calls:{}", caller.account.sid))?;
    let sid = Sid::new(Kind::Call, &*app.ids);
    let commands =
        [CallCommand::Queue(queued.clone())].into_iter().chain(warnings.iter().map(Warning::command));
    let appended = app.store.execute_all::<Call>(&sid, under(&meta, commands)).await;
    let appended =
        appended.map_err(|error| of_command(error, |refusal| Fault::invalid(refusal.to_string())))?;
    still_there(app, &appended, "call", Call::is_deleted).await.map_err(|refusal| Fault::from(&refusal))?;
    settled(app, appended.position).await;
    // After a repetition it is the first one's call. It is in the log: tables that lag must not make it look as if it were
    // not, or the client would place it again.
    let seen = app.projections.calls(caller.scope()).get(&appended.stream).await.ok().flatten();
    let carrier = caller.account.carrier.clone();
    Ok(call_json::call(&seen.unwrap_or_else(|| CallRow::queued(appended.stream, carrier, queued, meta.at))))
}

/// Whose national numbers the account writes, and calls without further leave.
pub(super) async fn country(app: &App, caller: &Caller) -> Result<Option<Country>, Fault> {
    Ok(app.projections.system().carrier(&caller.account.carrier).await?.map(|carrier| carrier.country))
}

/// The account's own short codes among the numbers it names.
async fn short_codes(app: &App, caller: &Caller, form: &Form) -> Result<Vec<Number>, Fault> {
    let mut codes = Vec::new();
    for name in ["From", "To", "CallerId"] {
        let Some(code) = form.one(name)?.and_then(|text| Number::short_code(text).ok()) else { continue };
        let filter = PhoneNumberFilter { number: Some(code.clone()), ..PhoneNumberFilter::default() };
        let found = app.projections.phone_numbers(caller.scope()).list(&filter, &Page::first(1)).await?;
        let is_own = found.items.iter().any(|row| row.account.as_ref() == Some(&caller.account.sid));
        codes.extend(is_own.then_some(code));
    }
    Ok(codes)
}

/// The account's number that is to be shown.
async fn owned(app: &App, caller: &Caller, number: &Number) -> Result<Sid, Fault> {
    let filter = PhoneNumberFilter { number: Some(number.clone()), ..PhoneNumberFilter::default() };
    let found = app.projections.phone_numbers(caller.scope()).list(&filter, &Page::first(1)).await?;
    let message =
        || format!("The source phone number provided, {number}, is not yet verified for your account.");
    let row = found.items.into_iter().next();
    let account = &caller.account.sid;
    let holds = |row: &PhoneNumberRow| is_theirs(account, row.account.as_ref(), row.enabled);
    let owns = |shown: &Number| row.as_ref().is_some_and(|row| row.number == *shown && holds(row));
    let parties = Parties { calling: None, called: None, country: None, owns: &owns };
    let shown = parties.shown(Some(&number.to_string()));
    let row = row.as_ref().filter(|_| shown.is_ok());
    row.map(|row| row.sid.clone()).ok_or_else(|| Fault::parameter(21210, message()))
}

/// Whether the account may call this number: an emergency number where a trunk of its carrier takes such calls, another
/// within its limits.
async fn allowed(app: &App, caller: &Caller, to: &Number, country: Option<Country>) -> Result<(), Fault> {
    if is_emergency(&to.to_string(), country) {
        let message = || {
            format!("{to} is an emergency number, and none of the carrier's trunks takes emergency calls.")
        };
        return if takes_emergencies(app, caller).await? {
            Ok(())
        } else {
            Err(Fault::parameter(21216, message()))
        };
    }
    let message = |forbidden: Forbidden| format!("Account not authorized to call {to}: {forbidden}.");
    let limits = &caller.account.limits;
    limits.allow(to, country).map_err(|forbidden| Fault::parameter(21215, message(forbidden)))
}

async fn takes_emergencies(app: &App, caller: &Caller) -> Result<bool, Fault> {
    let trunks = app.projections.trunks(Scope::Carrier(caller.account.carrier.clone()));
    let filter = TrunkFilter { outbound: Some(true), ..TrunkFilter::default() };
    let mut page = Page::first(TRUNKS);
    loop {
        let rows = trunks.list(&filter, &page).await?;
        if rows.items.iter().filter_map(|row| row.outbound.as_ref()).any(|outbound| outbound.emergency) {
            return Ok(true);
        }
        let Some(next) = rows.next else { return Ok(false) };
        page = Page::after(next, TRUNKS);
    }
}

/// The request's commands act once for its token, if it has one, within `scope`.
fn once(meta: Meta, request: &Request, scope: &str) -> Result<Meta, Fault> {
    let key = Key::of(request, &IDEMPOTENCY).map_err(|refusal| Fault::from(&refusal))?;
    Ok(Meta { command_id: key.map(|key| key.command(scope)), ..meta })
}

/// Commands of one request: a repeated one is known by its id, and each of them has one of its own.
fn under(meta: &Meta, commands: impl IntoIterator<Item = CallCommand>) -> Vec<(CallCommand, Meta)> {
    let id = |number| meta.command_id.as_deref().map(|id| nth(id, number));
    let commands = commands.into_iter().enumerate();
    commands.map(|(number, command)| (command, Meta { command_id: id(number), ..meta.clone() })).collect()
}

/// `POST …/Calls/{Sid}.json`: run another program, or end it.
pub(super) async fn update(app: &App, asking: &Asking<'_>, sid: &str, form: &Form) -> Result<Value, Fault> {
    let Asking { caller, request, warnings } = asking;
    let path = request.uri().path();
    let row = find(app, caller, sid, path).await?;
    let command = match form.parsed::<Status>("Status")? {
        Some(status) => Some(CallCommand::RequestEnd { status }),
        None => new_call::program(form)?.map(CallCommand::Redirect),
    };
    let commands: Vec<_> = command.into_iter().chain(warnings.iter().map(Warning::command)).collect();
    if !commands.is_empty() {
        let meta = once(caller.meta(app, request), request, &format!("twilio:call:{}", row.sid))?;
        tell(app, &row, commands, &meta, path).await?;
    }
    fetch(app, caller, sid, path).await
}

/// `DELETE …/Calls/{Sid}.json`
pub(super) async fn delete(app: &App, caller: &Caller, request: &Request, sid: &str) -> Result<(), Fault> {
    let path = request.uri().path();
    let row = find(app, caller, sid, path).await?;
    tell(app, &row, vec![CallCommand::Delete], &caller.meta(app, request), path).await
}

async fn tell(
    app: &App,
    row: &CallRow,
    commands: Vec<CallCommand>,
    meta: &Meta,
    path: &str,
) -> Result<(), Fault> {
    let appended = app.store.execute_all::<Call>(&row.sid, under(meta, commands)).await;
    let appended = appended.map_err(|error| of_command(error, |refusal| refused(&refusal, path)))?;
    settled(app, appended.position).await;
    Ok(())
}

fn refused(refusal: &CallError, path: &str) -> Fault {
    match refusal {
        CallError::NotFound | CallError::Over => Fault::not_found(path),
        CallError::StillInProgress => {
            Fault::new(StatusCode::CONFLICT, 20009, "Call is in progress; cannot delete it")
        }
        CallError::NotInProgress => Fault::parameter(21220, "Call is not in-progress. Cannot redirect."),
        CallError::RunsNoProgram => Fault::parameter(21220, refusal.to_string()),
        CallError::AlreadyAnswered => {
            Fault::parameter(21220, "Call is in-progress. Cannot cancel; complete it.")
        }
        other => Fault::invalid(other.to_string()),
    }
}

/// Waits until reads see it; a projection that lags does not fail the request.
async fn settled(app: &App, position: i64) {
    if let Err(behind) = app.projections.reached(Log::Calls, position, crate::app::READ_YOUR_WRITES).await {
        tracing::warn!(%behind, "a projection lags; the client may not see the call as it is");
    }
}
