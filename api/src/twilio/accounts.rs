//! `Accounts`: an account sees itself.

use super::{call_json::below, caller::Caller, fault::Fault, form::Form, page::Asked};
use serde_json::{Value, json};

/// What Twilio has below an account.
const SUBRESOURCES: [(&str, &str); 20] = [
    ("addresses", "Addresses"),
    ("applications", "Applications"),
    ("authorized_connect_apps", "AuthorizedConnectApps"),
    ("available_phone_numbers", "AvailablePhoneNumbers"),
    ("balance", "Balance"),
    ("calls", "Calls"),
    ("conferences", "Conferences"),
    ("connect_apps", "ConnectApps"),
    ("incoming_phone_numbers", "IncomingPhoneNumbers"),
    ("keys", "Keys"),
    ("messages", "Messages"),
    ("notifications", "Notifications"),
    ("outgoing_caller_ids", "OutgoingCallerIds"),
    ("queues", "Queues"),
    ("recordings", "Recordings"),
    ("short_codes", "SMS/ShortCodes"),
    ("signing_keys", "SigningKeys"),
    ("sip", "SIP"),
    ("transcriptions", "Transcriptions"),
    ("usage", "Usage"),
];
/// What an account's status may be.
const STATUSES: [&str; 3] = ["active", "suspended", "closed"];

/// `GET /Accounts/{Sid}.json`
pub(super) fn fetch(caller: &Caller) -> Value {
    let Caller { account, token } = caller;
    let base = format!("/2010-04-01/Accounts/{}", account.sid);
    json!({
        "auth_token": token,
        "date_created": account.created_at.rfc2822(),
        "date_updated": account.updated_at.rfc2822(),
        "friendly_name": account.name.as_str(),
        "owner_account_sid": account.sid.as_str(),
        "sid": account.sid.as_str(),
        "status": "active",
        "subresource_uris": below(&base, &SUBRESOURCES),
        "type": "Full",
        "uri": format!("{base}.json"),
    })
}

/// `GET /Accounts.json`, by `FriendlyName` and `Status`.
pub(super) fn list(caller: &Caller, path: &str, form: &Form) -> Result<Value, Fault> {
    let named = form.one("FriendlyName")?.is_none_or(|name| name == caller.account.name.as_str());
    let status = form.one("Status")?;
    if status.is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(Fault::invalid("Status is active, suspended or closed"));
    }
    let active = status.is_none_or(|status| status == "active");
    let asked = Asked::of(path, form)?;
    let first = asked.is_first();
    let rows = if named && active && first { vec![fetch(caller)] } else { vec![] };
    Ok(asked.body("accounts", rows, None))
}
