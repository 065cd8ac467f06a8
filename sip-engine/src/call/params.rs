//! The parameters every request to an application carries, in Twilio's words.

use super::leg::Leg;
use domain::call::Direction;

/// The version of the API these requests belong to.
const API_VERSION: &str = "2010-04-01";

/// What an application is told about its call with every request.
pub(super) fn of(leg: &Leg) -> Vec<(String, String)> {
    let status = match (leg.final_status, leg.is_answered(), leg.direction) {
        (Some(status), ..) => status.as_str(),
        (None, true, _) => "in-progress",
        (None, false, Direction::Inbound) => "ringing",
        (None, false, _) => "queued",
    };
    let account = leg.account.as_ref().map(|sid| ("AccountSid", sid.as_str()));
    let parent = leg.parent.as_ref().map(|sid| ("ParentCallSid", sid.as_str()));
    let named = [
        ("CallSid", leg.call.sid.as_str()),
        ("ApiVersion", API_VERSION),
        ("CallStatus", status),
        ("Direction", leg.direction.as_str()),
        ("From", &leg.from),
        ("To", &leg.to),
        ("Caller", &leg.from),
        ("Called", &leg.to),
    ];
    let all = account.into_iter().chain(named).chain(parent);
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
