//! What a call that is asked for must say (`POST …/Calls.json`), and Twilio's code for each thing wrong with it.

use super::{fault::Fault, form::Form};
use domain::{
    Number, Sid,
    call::{Callback, CallbackEvent, Direction, Document, Program, Queued},
};

/// Most characters of `Twiml`.
const MAX_TWIML: usize = 4_000;
/// Most keys of `SendDigits`.
const MAX_DIGITS: usize = 32;
/// Seconds a call rings when nothing is said, and at most.
const TIMEOUT: (u32, u32) = (60, 600);
/// Seconds a call lasts when nothing is said, and at most.
const TIME_LIMIT: (u32, u32) = (14_400, 86_400);
/// What is asked for by a parameter that we cannot do yet: refused, so that nobody believes it was done.
const NOT_YET: [&str; 4] = ["MachineDetection", "ApplicationSid", "SipAuthUsername", "Byoc"];

/// Who calls.
pub(super) fn from(form: &Form) -> Result<Number, Fault> {
    let text =
        form.one("From")?.ok_or_else(|| Fault::parameter(21213, "A 'From' phone number is required"))?;
    text.parse().map_err(|_| Fault::parameter(21212, format!("Invalid 'From' Phone Number: {}", short(text))))
}

fn to(form: &Form) -> Result<Number, Fault> {
    let text = form.one("To")?.ok_or_else(|| Fault::parameter(21201, "No 'To' number is specified"))?;
    let message = || format!("The phone number you are attempting to call, {}, is not valid.", short(text));
    text.parse().map_err(|_| Fault::parameter(21211, message()))
}

/// The command, once the caller's number is known to be the account's.
pub(super) fn queued(
    form: &Form,
    account: Sid,
    from: &Number,
    phone_number: Option<Sid>,
) -> Result<Queued, Fault> {
    let to = to(form)?;
    if let Some(name) = NOT_YET.iter().find(|name| form.all(name).any(|value| !value.is_empty())) {
        return Err(Fault::invalid(format!("{name} is not supported yet")));
    }
    if form.parsed::<bool>("Record")? == Some(true) {
        return Err(Fault::invalid("Record is not supported yet"));
    }
    let program = program(form)?.ok_or_else(|| Fault::parameter(21205, "Url parameter is required"))?;
    Ok(Queued {
        account,
        direction: Direction::OutboundApi,
        parent: None,
        from: from.to_string(),
        to: to.to_string(),
        phone_number,
        program: Some(program),
        callback: callback(form)?,
        timeout: form.number("Timeout", 1, TIMEOUT.1)?.unwrap_or(TIMEOUT.0),
        time_limit: form.number("TimeLimit", 1, TIME_LIMIT.1)?.unwrap_or(TIME_LIMIT.0),
        send_digits: send_digits(form)?,
    })
}

/// What the call shall run: `Url`, or else `Twiml`.
pub(super) fn program(form: &Form) -> Result<Option<Program>, Fault> {
    let fallback_url = form.url("FallbackUrl", 21205)?;
    let (method, fallback_method) = (form.method("Method")?, form.method("FallbackMethod")?);
    if let Some(url) = form.url("Url", 21205)? {
        return Ok(Some(Program::Fetched(Document { url, method, fallback_url, fallback_method })));
    }
    let Some(twiml) = form.one("Twiml")? else { return Ok(None) };
    if twiml.chars().count() > MAX_TWIML {
        return Err(Fault::invalid(format!("Twiml has at most {MAX_TWIML} characters")));
    }
    let parsed = twiml::Document::parse(twiml, None);
    parsed.map_err(|error| Fault::parameter(error.code(), format!("Invalid Twiml: {error}")))?;
    Ok(Some(Program::Inline(twiml.to_owned())))
}

/// `StatusCallbackEvent` comes as a repeated name, or in one value with commas or spaces between.
fn callback(form: &Form) -> Result<Option<Callback>, Fault> {
    let method = form.method("StatusCallbackMethod")?;
    let mut events: Vec<CallbackEvent> = Vec::new();
    for word in form.all("StatusCallbackEvent").flat_map(|value| value.split([',', ' '])) {
        if word.is_empty() {
            continue;
        }
        let event = word.parse().map_err(|_| {
            Fault::parameter(21626, format!("Invalid value for StatusCallbackEvent: {}", short(word)))
        })?;
        if !events.contains(&event) {
            events.push(event);
        }
    }
    if events.is_empty() {
        events.push(CallbackEvent::Completed);
    }
    Ok(form.url("StatusCallback", 21609)?.map(|url| Callback { url, method, events }))
}

fn send_digits(form: &Form) -> Result<Option<String>, Fault> {
    let Some(digits) = form.one("SendDigits")? else { return Ok(None) };
    let known = |c: char| c.is_ascii_digit() || "*#wWABCD".contains(c);
    if digits.len() > MAX_DIGITS || !digits.chars().all(known) {
        return Err(Fault::parameter(21208, "SendDigits has at most 32 of 0-9, *, #, A-D, w and W"));
    }
    Ok(Some(digits.to_owned()))
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
