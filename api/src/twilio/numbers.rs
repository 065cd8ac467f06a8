//! `IncomingPhoneNumbers`: an account's numbers, and what answers them.

use super::{
    call_json::formatted,
    caller::Caller,
    fault::{Fault, of_command},
    form::Form,
    page::Asked,
};
use crate::App;
use domain::{
    Kind, Log, Sid,
    name::Name,
    phone_number::{PhoneNumber, PhoneNumberCommand, PhoneNumberError, VoiceConfiguration},
    webhook_url::{Method, WebhookUrl},
};
use poem::Request;
use projections::{PhoneNumberFilter, PhoneNumberRow};
use serde_json::{Value, json};

/// `GET …/IncomingPhoneNumbers.json`
pub(super) async fn list(app: &App, caller: &Caller, path: &str, form: &Form) -> Result<Value, Fault> {
    let filter = PhoneNumberFilter {
        contains: form.one("PhoneNumber")?.map(str::to_owned),
        called: form.one("FriendlyName")?.map(|name| (name.to_owned(), unformatted(name))),
        ..PhoneNumberFilter::default()
    };
    // No number is new to the platform, so there is none that Beta could leave out.
    form.parsed::<bool>("Beta")?;
    let asked = Asked::of(path, form)?;
    if form.parsed::<Origin>("Origin")? == Some(Origin::Twilio) {
        return Ok(asked.body("incoming_phone_numbers", vec![], None));
    }
    let page = asked.read(&app.projections.phone_numbers(caller.scope()), &filter).await?;
    Ok(asked.body("incoming_phone_numbers", page.items.iter().map(number).collect(), page.next))
}

/// Where a number is from. Every one here is the carrier's own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Twilio,
    Hosted,
}

impl std::str::FromStr for Origin {
    type Err = ();
    fn from_str(text: &str) -> Result<Origin, ()> {
        match text {
            "twilio" => Ok(Origin::Twilio),
            "hosted" => Ok(Origin::Hosted),
            _ => Err(()),
        }
    }
}

/// `GET …/IncomingPhoneNumbers/{Sid}.json`
pub(super) async fn fetch(app: &App, caller: &Caller, sid: &str, path: &str) -> Result<Value, Fault> {
    find(app, caller, sid, path).await.map(|row| number(&row))
}

async fn find(app: &App, caller: &Caller, sid: &str, path: &str) -> Result<PhoneNumberRow, Fault> {
    let sid = Sid::parse_as(Kind::PhoneNumber, sid).map_err(|_| Fault::not_found(path))?;
    let row = app.projections.phone_numbers(caller.scope()).get(&sid).await?;
    row.ok_or_else(|| Fault::not_found(path))
}

/// `POST …/IncomingPhoneNumbers/{Sid}.json`: what is not named stays; an empty URL is taken away.
pub(super) async fn update(
    app: &App,
    caller: &Caller,
    request: &Request,
    sid: &str,
    form: &Form,
) -> Result<Value, Fault> {
    let path = request.uri().path();
    let row = find(app, caller, sid, path).await?;
    stays(form, &caller.account.sid)?;
    let (account, voice) = (Some(caller.account.sid.clone()), configured(row.voice, form)?);
    let mut commands = vec![PhoneNumberCommand::ConfigureVoice { account, voice }];
    if let Some(name) = form.one("FriendlyName")? {
        let name: Name = name.parse().map_err(|_| Fault::invalid("FriendlyName has 1 to 64 characters"))?;
        commands.push(PhoneNumberCommand::Rename { name });
    }
    let meta = caller.meta(app, request);
    let commands = commands.into_iter().map(|command| (command, meta.clone())).collect();
    let appended = app.store.execute_all::<PhoneNumber>(&row.sid, commands).await;
    let appended = appended.map_err(|error| of_command(error, |refusal| refused(&refusal, path)))?;
    app.settled(Log::Core, &appended).await.map_err(|refusal| Fault::from(&refusal))?;
    fetch(app, caller, sid, path).await
}

fn refused(refusal: &PhoneNumberError, path: &str) -> Fault {
    match refusal {
        PhoneNumberError::NotFound | PhoneNumberError::AnotherAccounts => Fault::not_found(path),
        other @ (PhoneNumberError::AlreadyExists | PhoneNumberError::TwimlTooLong) => {
            Fault::invalid(other.to_string())
        }
    }
}

/// A number stays with its account.
fn stays(form: &Form, account: &Sid) -> Result<(), Fault> {
    match form.one("AccountSid")? {
        Some(other) if other != account.as_str() => Err(Fault::invalid("AccountSid is not supported yet")),
        _ => Ok(()),
    }
}

/// The number that is shown like this when it has no name.
fn unformatted(name: &str) -> String {
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let number = format!("+1{digits}");
    if formatted(&number) == name { number } else { name.to_owned() }
}

fn configured(now: VoiceConfiguration, form: &Form) -> Result<VoiceConfiguration, Fault> {
    // Whoever sets a Voice URL here wants it asked: a document kept in the dashboard does not go before it.
    let asked = form.given("VoiceUrl")?.is_some_and(|url| !url.is_empty());
    Ok(VoiceConfiguration {
        twiml: now.twiml.filter(|_| !asked),
        voice_url: url(form, "VoiceUrl", now.voice_url)?,
        voice_method: method(form, "VoiceMethod", now.voice_method)?,
        voice_fallback_url: url(form, "VoiceFallbackUrl", now.voice_fallback_url)?,
        voice_fallback_method: method(form, "VoiceFallbackMethod", now.voice_fallback_method)?,
        status_callback_url: url(form, "StatusCallback", now.status_callback_url)?,
        status_callback_method: method(form, "StatusCallbackMethod", now.status_callback_method)?,
    })
}

fn url(form: &Form, name: &str, now: Option<WebhookUrl>) -> Result<Option<WebhookUrl>, Fault> {
    match form.given(name)? {
        None => Ok(now),
        Some(_) => form.url(name, 21402),
    }
}

fn method(form: &Form, name: &str, now: Method) -> Result<Method, Fault> {
    Ok(form.parsed(name)?.unwrap_or(now))
}

/// The resource.
fn number(row: &PhoneNumberRow) -> Value {
    let account = row.account.as_ref().map(Sid::as_str).unwrap_or_default();
    let text = row.number.to_string();
    let name = row.name.as_ref().map_or_else(|| formatted(&text), Name::to_string);
    let url = |url: &Option<WebhookUrl>| url.as_ref().map(WebhookUrl::to_string).unwrap_or_default();
    let voice = &row.voice;
    json!({
        "sid": row.sid.as_str(),
        "account_sid": account,
        "friendly_name": name,
        "phone_number": text,
        "api_version": "2010-04-01",
        "date_created": row.created_at.rfc2822(),
        "date_updated": row.updated_at.rfc2822(),
        "address_sid": null,
        "address_requirements": "none",
        "beta": false,
        "bundle_sid": null,
        "capabilities": { "voice": true, "sms": false, "mms": false, "fax": false },
        "emergency_status": "Inactive",
        "emergency_address_sid": null,
        "emergency_address_status": "unregistered",
        "identity_sid": null,
        "origin": "hosted",
        "sms_application_sid": "",
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": "",
        "status": "in-use",
        "status_callback": url(&voice.status_callback_url),
        "status_callback_method": voice.status_callback_method.as_str(),
        "trunk_sid": null,
        "type": null,
        "uri": format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{}.json", row.sid),
        "subresource_uris": {
            "assigned_add_ons": format!(
                "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{}/AssignedAddOns.json",
                row.sid
            ),
        },
        "voice_application_sid": "",
        "voice_caller_id_lookup": false,
        "voice_fallback_method": voice.voice_fallback_method.as_str(),
        "voice_fallback_url": url(&voice.voice_fallback_url),
        "voice_method": voice.voice_method.as_str(),
        "voice_receive_mode": "voice",
        "voice_url": url(&voice.voice_url),
    })
}
