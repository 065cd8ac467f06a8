//! A call as Twilio writes it: every field present, durations as text, dates in RFC 2822.

use projections::CallRow;
use serde_json::{Value, json};

/// What Twilio has below a call.
const SUBRESOURCES: [(&str, &str); 9] = [
    ("events", "Events"),
    ("notifications", "Notifications"),
    ("payments", "Payments"),
    ("recordings", "Recordings"),
    ("siprec", "Siprec"),
    ("streams", "Streams"),
    ("transcriptions", "Transcriptions"),
    ("user_defined_message_subscriptions", "UserDefinedMessageSubscriptions"),
    ("user_defined_messages", "UserDefinedMessages"),
];

/// The addresses of what is below a resource.
pub(super) fn below(base: &str, names: &[(&str, &str)]) -> Value {
    let address = |(name, path): &(&str, &str)| ((*name).to_owned(), json!(format!("{base}/{path}.json")));
    Value::Object(names.iter().map(address).collect())
}

/// The resource.
pub(super) fn call(row: &CallRow) -> Value {
    let account = row.account.as_ref().map(domain::Sid::as_str);
    let base = format!("/2010-04-01/Accounts/{}/Calls/{}", account.unwrap_or_default(), row.sid);
    let duration = row.ended_at.map(|_| row.duration_s.unwrap_or(0).to_string());
    json!({
        "sid": row.sid.as_str(),
        "date_created": row.created_at.rfc2822(),
        "date_updated": row.updated_at.rfc2822(),
        "parent_call_sid": row.parent.as_ref().map(domain::Sid::as_str),
        "account_sid": account,
        "to": row.to,
        "to_formatted": formatted(&row.to),
        "from": row.from,
        "from_formatted": formatted(&row.from),
        "phone_number_sid": row.phone_number.as_ref().map(domain::Sid::as_str),
        "status": row.status.as_str(),
        "start_time": row.started_at.map(domain::Timestamp::rfc2822),
        "end_time": row.ended_at.map(domain::Timestamp::rfc2822),
        "duration": duration,
        "price": null,
        "price_unit": "USD",
        "direction": row.direction.as_str(),
        "answered_by": null,
        "api_version": "2010-04-01",
        "forwarded_from": null,
        "group_sid": null,
        "caller_name": null,
        "queue_time": row.queue_time_ms.to_string(),
        "trunk_sid": row.trunk.as_ref().map(domain::Sid::as_str),
        "uri": format!("{base}.json"),
        "subresource_uris": below(&base, &SUBRESOURCES),
    })
}

/// North American numbers as `(212) 555-1234`, others as they are.
pub(super) fn formatted(number: &str) -> String {
    let national = number.strip_prefix("+1").filter(|digits| digits.len() == 10 && digits.is_ascii());
    match national.and_then(|digits| Some((digits.get(..3)?, digits.get(3..6)?, digits.get(6..)?))) {
        Some((area, exchange, line)) => format!("({area}) {exchange}-{line}"),
        None => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::formatted;

    #[test]
    fn only_north_american_numbers_are_formatted() {
        assert_eq!(formatted("+12125551234"), "(212) 555-1234");
        assert_eq!(formatted("+85512345678"), "+85512345678");
        assert_eq!(formatted("1234"), "1234");
        assert_eq!(formatted("anonymous"), "anonymous");
    }
}
