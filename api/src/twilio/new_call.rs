//! What a call that is asked for must say (`POST …/Calls.json`), and Twilio's code for each thing wrong with it.

use super::{fault::Fault, form::Form, parameters::Operation, warning::Warning};
use domain::{
    Number, Sid,
    call::{Callback, CallbackEvent, Direction, Document, MAX_TWIML, Program, Queued, is_too_long},
    country::Country,
};

/// Most keys of `SendDigits`.
const MAX_DIGITS: usize = 32;
/// Seconds a call rings when nothing is said, and at most.
const TIMEOUT: (u32, u32) = (60, 600);
/// Seconds a call lasts when nothing is said, and at most.
const TIME_LIMIT: (u32, u32) = (14_400, 86_400);
/// Most warnings about words that are no events.
const MAX_WORDS: usize = 10;
/// Twilio's code for a callback event that is none.
const BAD_EVENT: u32 = 21626;

/// How the account writes numbers.
pub(super) struct Spelling {
    /// As people of this country do.
    pub country: Option<Country>,
    /// These short codes of its own, which look like other numbers.
    pub codes: Vec<Number>,
}

impl Spelling {
    fn read(&self, text: &str) -> Option<Number> {
        Number::written_among(text, self.country, |code| self.codes.contains(code)).ok()
    }
}

/// Who calls.
pub(super) fn from(form: &Form, spelling: &Spelling) -> Result<Number, Fault> {
    let text =
        form.one("From")?.ok_or_else(|| Fault::parameter(21213, "A 'From' phone number is required"))?;
    let message = || format!("Invalid 'From' Phone Number: {}", short(text));
    spelling.read(text).ok_or_else(|| Fault::parameter(21212, message()))
}

/// Whom the callee is shown instead of who calls, if anybody.
pub(super) fn caller_id(form: &Form, spelling: &Spelling) -> Result<Option<Number>, Fault> {
    let message = |text| format!("Invalid 'CallerId' Phone Number: {}", short(text));
    let read = |text| spelling.read(text).ok_or_else(|| Fault::parameter(21212, message(text)));
    form.one("CallerId")?.map(read).transpose()
}

/// Who is called.
pub(super) fn to(form: &Form, spelling: &Spelling) -> Result<Number, Fault> {
    let text = form.one("To")?.ok_or_else(|| Fault::parameter(21201, "No 'To' number is specified"))?;
    let message = || format!("The phone number you are attempting to call, {}, is not valid.", short(text));
    spelling.read(text).ok_or_else(|| Fault::parameter(21211, message()))
}

/// The command, once the caller's number is known to be the account's.
pub(super) fn queued(
    form: &Form,
    account: Sid,
    (from, to): (&Number, &Number),
    caller_id: Option<Number>,
    phone_number: Option<Sid>,
) -> Result<Queued, Fault> {
    let program = program(form)?.ok_or_else(|| Fault::parameter(21205, "Url parameter is required"))?;
    Ok(Queued {
        account,
        direction: Direction::OutboundApi,
        parent: None,
        from: from.to_string(),
        to: to.to_string(),
        caller_id: caller_id.filter(|shown| shown != from).map(|shown| shown.to_string()),
        phone_number,
        program: Some(program),
        callback: callback(form)?,
        timeout: form.number("Timeout", 1, TIMEOUT.1)?.unwrap_or(TIMEOUT.0),
        time_limit: form.number("TimeLimit", 1, TIME_LIMIT.1)?.unwrap_or(TIME_LIMIT.0),
        send_digits: send_digits(form)?,
    })
}

/// Parameters that do nothing in this company, for calls.
///
/// # Errors
/// When a live call is to be changed by nothing but these.
pub(super) fn idle(operation: &Operation, form: &Form) -> Result<Vec<Warning>, Fault> {
    let (creates, updates) = (operation.name == "Calls: create", operation.name == "Calls: update");
    if !creates && !updates {
        return Ok(Vec::new());
    }
    let given = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().copied().filter(|name| form.has(name)).collect()
    };
    let (ends, fetches, speaks) = (updates && form.has("Status"), form.has("Url"), form.has("Twiml"));
    let of_url = given(&["Method", "FallbackUrl", "FallbackMethod"]);
    let idle = match (ends, fetches, speaks) {
        (true, ..) => given(&["Url", "Twiml"]).into_iter().chain(of_url).collect(),
        (false, true, _) => given(&["Twiml"]),
        (false, false, true) => of_url,
        (false, false, false) if updates => {
            let alone = |name| Fault::invalid(format!("{name} of a live call is changed together with Url"));
            return of_url.first().map_or(Ok(Vec::new()), |name| Err(alone(name)));
        }
        (false, false, false) => Vec::new(),
    };
    let by = if ends {
        "Status"
    } else if fetches {
        "Url"
    } else {
        "Twiml"
    };
    let idle = idle.into_iter().map(|name| format!("{name} does nothing beside {by}; ignored"));
    Ok(idle.map(Warning::idle).collect())
}

/// What the call shall run: `Url`, or else `Twiml`.
pub(super) fn program(form: &Form) -> Result<Option<Program>, Fault> {
    let fallback_url = form.url("FallbackUrl", 21205)?;
    let (method, fallback_method) = (form.method("Method")?, form.method("FallbackMethod")?);
    if let Some(url) = form.url("Url", 21205)? {
        return Ok(Some(Program::Fetched(Document { url, method, fallback_url, fallback_method })));
    }
    let Some(twiml) = form.one("Twiml")? else { return Ok(None) };
    if is_too_long(twiml) {
        return Err(Fault::invalid(format!("Twiml has at most {MAX_TWIML} characters")));
    }
    let parsed = twiml::Document::parse(twiml, None);
    parsed.map_err(|error| Fault::parameter(error.code(), format!("Invalid Twiml: {error}")))?;
    Ok(Some(Program::Inline(twiml.to_owned())))
}

/// Words that are no events are left out, as by Twilio: many a program names statuses. They are told by [`unknown_events`].
fn callback(form: &Form) -> Result<Option<Callback>, Fault> {
    let method = form.method("StatusCallbackMethod")?;
    let mut events: Vec<CallbackEvent> = Vec::new();
    for event in event_words(form).filter_map(|word| word.parse().ok()) {
        if !events.contains(&event) {
            events.push(event);
        }
    }
    if events.is_empty() {
        events.push(CallbackEvent::Completed);
    }
    Ok(form.url("StatusCallback", 21609)?.map(|url| Callback { url, method, events }))
}

/// The words of `StatusCallbackEvent` that are no events, for an operation that has it.
pub(super) fn unknown_events(operation: &Operation, form: &Form) -> Vec<Warning> {
    if operation.row("StatusCallbackEvent").is_none() {
        return Vec::new();
    }
    let unknown = event_words(form).filter(|word| word.parse::<CallbackEvent>().is_err());
    let warning = |word| Warning {
        code: BAD_EVENT,
        message: format!("Invalid value for StatusCallbackEvent: {}", short(word)),
    };
    unknown.take(MAX_WORDS).map(warning).collect()
}

/// `StatusCallbackEvent` comes as a repeated name, or in one value with commas or spaces between.
fn event_words(form: &Form) -> impl Iterator<Item = &str> {
    let values = form.all("StatusCallbackEvent").flat_map(|value| value.split([',', ' ']));
    values.filter(|word| !word.is_empty())
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
