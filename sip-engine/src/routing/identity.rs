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
    /// The caller as `user` at our address `ours`. Whom we vouch for (RFC 3325) is another matter: `vouched`, if anybody.
    #[must_use]
    pub fn of(caller: &CallerId, user: &str, ours: &str, vouched: Option<&str>) -> Identity {
        let mut headers: Vec<_> = vouched.map(|user| asserted(user, ours)).into_iter().collect();
        match caller {
            CallerId::Shown(_) => Identity { from: format!("<sip:{user}@{ours}>"), headers },
            CallerId::Hidden => {
                headers.push(private());
                Identity { from: ANONYMOUS.into(), headers }
            }
        }
    }
}

fn asserted(user: &str, ours: &str) -> (String, String) {
    ("P-Asserted-Identity".into(), format!("<sip:{user}@{ours}>"))
}

fn private() -> (String, String) {
    ("Privacy".into(), "id".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(caller: &str, vouched: Option<&str>) -> (String, Vec<String>) {
        let identity = Identity::of(&CallerId::of(caller), "15551230000", "192.0.2.1:5060", vouched);
        let headers = identity.headers.into_iter().map(|(name, value)| format!("{name}: {value}"));
        (identity.from, headers.collect())
    }

    #[test]
    fn we_vouch_for_whom_we_are_told_to_and_for_nobody_else() {
        let from = "<sip:15551230000@192.0.2.1:5060>";
        let asserted = format!("P-Asserted-Identity: {from}");
        assert_eq!(said("+15551230000", Some("15551230000")), (from.into(), vec![asserted]));
        assert_eq!(said("+15551230000", None), (from.into(), vec![]));
    }

    #[test]
    fn a_hidden_caller_is_nobody_at_no_address_of_ours() {
        let anonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
        assert_eq!(said("anonymous", None), (anonymous.into(), vec!["Privacy: id".into()]));
        let asserted = "P-Asserted-Identity: <sip:15550000001@192.0.2.1:5060>";
        let known = said("anonymous", Some("15550000001"));
        assert_eq!(known, (anonymous.into(), vec![asserted.into(), "Privacy: id".into()]));
    }
}
