//! `Accounts`: an account sees itself.

use super::{caller::Caller, fault::Fault, form::Form, page::Asked};
use serde_json::{Value, json};

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
        "subresource_uris": {
            "calls": format!("{base}/Calls.json"),
            "incoming_phone_numbers": format!("{base}/IncomingPhoneNumbers.json"),
        },
        "type": "Full",
        "uri": format!("{base}.json"),
    })
}

/// `GET /Accounts.json`, by `FriendlyName` and `Status`.
pub(super) fn list(caller: &Caller, path: &str, form: &Form) -> Result<Value, Fault> {
    let named = form.one("FriendlyName")?.is_none_or(|name| name == caller.account.name.as_str());
    let active = form.one("Status")?.is_none_or(|status| status == "active");
    let asked = Asked::of(path, form)?;
    let first = asked.is_first();
    let rows = if named && active && first { vec![fetch(caller)] } else { vec![] };
    Ok(asked.body("accounts", rows, None))
}
