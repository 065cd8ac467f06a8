//! Which resource a path names. The table below is everything there is, beside the lists that are empty
//! (`parameters::EMPTY`).

use super::parameters::EMPTY;

/// A resource under `/2010-04-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource<'a> {
    /// `Accounts`
    Accounts,
    /// `Accounts/{sid}`
    Account(&'a str),
    /// `Accounts/{sid}/Calls`
    Calls(&'a str),
    /// `Accounts/{sid}/Calls/{sid}`
    Call(&'a str, &'a str),
    /// `Accounts/{sid}/IncomingPhoneNumbers`
    Numbers(&'a str),
    /// `Accounts/{sid}/IncomingPhoneNumbers/{sid}`
    Number(&'a str, &'a str),
    /// A list of what does not exist yet.
    Empty {
        account: &'a str,
        /// The call it would be of, where it is one's.
        call: Option<&'a str>,
        /// What its rows would be under.
        key: &'static str,
        /// Its path, as Twilio documents it.
        documented: &'static str,
    },
}

impl<'a> Resource<'a> {
    /// The resource of a path; `.json` at its end changes nothing.
    pub fn of(path: &'a str) -> Option<Resource<'a>> {
        let path = path.strip_prefix("/2010-04-01/")?;
        let path = path.strip_suffix(".json").unwrap_or(path);
        let segments: Vec<&str> = path.split('/').collect();
        Some(match segments[..] {
            ["Accounts"] => Resource::Accounts,
            ["Accounts", account] => Resource::Account(account),
            ["Accounts", account, "Calls"] => Resource::Calls(account),
            ["Accounts", account, "Calls", call] => Resource::Call(account, call),
            ["Accounts", account, "IncomingPhoneNumbers"] => Resource::Numbers(account),
            ["Accounts", account, "IncomingPhoneNumbers", number] => Resource::Number(account, number),
            _ => return Resource::empty(&segments),
        })
    }

    fn empty(segments: &[&'a str]) -> Option<Resource<'a>> {
        let list = EMPTY.iter().find(|list| matches(list.operation.path, segments))?;
        let call = (segments.get(2) == Some(&"Calls")).then(|| segments.get(3).copied()).flatten();
        let (key, documented) = (list.key, list.operation.path);
        Some(Resource::Empty { account: segments.get(1)?, call, key, documented })
    }

    /// Its path, as Twilio documents it.
    pub fn documented(self) -> &'static str {
        match self {
            Resource::Accounts => "/Accounts.json",
            Resource::Account(_) => "/Accounts/{Sid}.json",
            Resource::Calls(_) => "/Accounts/{AccountSid}/Calls.json",
            Resource::Call(..) => "/Accounts/{AccountSid}/Calls/{Sid}.json",
            Resource::Numbers(_) => "/Accounts/{AccountSid}/IncomingPhoneNumbers.json",
            Resource::Number(..) => "/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json",
            Resource::Empty { documented, .. } => documented,
        }
    }

    /// The account whose resource it is, where the path names one.
    pub fn account(self) -> Option<&'a str> {
        match self {
            Resource::Accounts => None,
            Resource::Account(account)
            | Resource::Calls(account)
            | Resource::Call(account, _)
            | Resource::Numbers(account)
            | Resource::Number(account, _)
            | Resource::Empty { account, .. } => Some(account),
        }
    }
}

/// Whether the segments are those of a documented path; `{…}` is any one.
fn matches(documented: &str, segments: &[&str]) -> bool {
    let documented = documented.trim_start_matches('/').trim_end_matches(".json").split('/');
    documented.clone().count() == segments.len()
        && documented.zip(segments).all(|(one, other)| one.starts_with('{') || one == *other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_resources_with_and_without_a_suffix() {
        let of = Resource::of;
        assert_eq!(of("/2010-04-01/Accounts.json"), Some(Resource::Accounts));
        assert_eq!(of("/2010-04-01/Accounts/AC1/Calls.json"), Some(Resource::Calls("AC1")));
        assert_eq!(of("/2010-04-01/Accounts/AC1/Calls/CA1"), Some(Resource::Call("AC1", "CA1")));
        let empty = |path| match of(path) {
            Some(Resource::Empty { account, call, key, .. }) => Some((account, call, key)),
            _ => None,
        };
        let codes = empty("/2010-04-01/Accounts/AC1/SMS/ShortCodes.json");
        assert_eq!(codes, Some(("AC1", None, "short_codes")));
        let recordings = empty("/2010-04-01/Accounts/AC1/Calls/CA1/Recordings.json");
        assert_eq!(recordings, Some(("AC1", Some("CA1"), "recordings")));
        for path in
            ["/2010-04-01", "/2010-04-01/", "/2010-04-01/Accounts/AC1/Faxes.json", "/2008-08-01/Accounts"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
