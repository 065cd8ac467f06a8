//! Which resource a path names. The table below is everything there is.

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
            _ => return None,
        })
    }

    /// The account whose resource it is, where the path names one.
    pub fn account(self) -> Option<&'a str> {
        match self {
            Resource::Accounts => None,
            Resource::Account(account)
            | Resource::Calls(account)
            | Resource::Call(account, _)
            | Resource::Numbers(account)
            | Resource::Number(account, _) => Some(account),
        }
    }
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
        for path in
            ["/2010-04-01", "/2010-04-01/", "/2010-04-01/Accounts/AC1/Faxes.json", "/2008-08-01/Accounts"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
