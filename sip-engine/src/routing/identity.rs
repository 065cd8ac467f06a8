//! How an INVITE of ours says who is calling.

use domain::caller_id::CallerId;

/// The From of a caller who does not want to be known (RFC 3323 section 4.1.1.3).
const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

/// The headers that name the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// From, without its tag.
    pub from: String,
    /// `P-Asserted-Identity` and `Privacy`, as far as they are said.
    pub headers: Vec<(String, String)>,
}

impl Identity {
    /// The caller as `user` at our address `ours`. We vouch for numbers of the account (`owned`) and for nobody else
    /// (RFC 3325 section 5): who trusts us would be deceived.
    #[must_use]
    pub fn of(caller: &CallerId, user: &str, ours: &str, owned: bool) -> Identity {
        match caller {
            CallerId::Hidden => Identity { from: ANONYMOUS.into(), headers: vec![private()] },
            CallerId::Shown(_) => {
                let from = format!("<sip:{user}@{ours}>");
                let headers = owned.then(|| asserted(&from)).into_iter().collect();
                Identity { from, headers }
            }
        }
    }
}

fn asserted(address: &str) -> (String, String) {
    ("P-Asserted-Identity".into(), address.into())
}

fn private() -> (String, String) {
    ("Privacy".into(), "id".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(caller: &str, owned: bool) -> (String, Vec<String>) {
        let identity = Identity::of(&CallerId::of(caller), "15551230000", "192.0.2.1:5060", owned);
        let headers = identity.headers.into_iter().map(|(name, value)| format!("{name}: {value}"));
        (identity.from, headers.collect())
    }

    #[test]
    fn we_vouch_for_numbers_of_the_account_only() {
        let from = "<sip:15551230000@192.0.2.1:5060>";
        assert_eq!(said("+15551230000", true), (from.into(), vec![format!("P-Asserted-Identity: {from}")]));
        assert_eq!(said("+15551230000", false), (from.into(), vec![]));
    }

    #[test]
    fn a_hidden_caller_is_nobody_at_no_address_of_ours() {
        let anonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
        assert_eq!(said("anonymous", false), (anonymous.into(), vec!["Privacy: id".into()]));
    }
}
