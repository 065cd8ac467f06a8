//! What the business refuses, in HTTP's terms: one table for every aggregate's errors and every claim.

use crate::problem::Refusal;
use domain::{
    account::AccountError,
    call::CallError,
    carrier::CarrierError,
    phone_number::PhoneNumberError,
    trunk::{NetworkList, TrunkError},
    user::UserError,
};
use poem::http::StatusCode;
use projections::ReadError;
use store::ExecuteError;

impl From<AccountError> for Refusal {
    fn from(error: AccountError) -> Refusal {
        match error {
            AccountError::NotFound => Refusal::not_found("account"),
            AccountError::Limits(wrong) => Refusal::field("limits", wrong.to_string()),
            error => Refusal::conflict(error.to_string()),
        }
    }
}

impl From<CarrierError> for Refusal {
    fn from(error: CarrierError) -> Refusal {
        match error {
            CarrierError::NotFound => Refusal::not_found("carrier"),
            CarrierError::NoSuchApiKey => Refusal::not_found("API key"),
            error => Refusal::conflict(error.to_string()),
        }
    }
}

impl From<PhoneNumberError> for Refusal {
    fn from(error: PhoneNumberError) -> Refusal {
        match error {
            PhoneNumberError::NotFound => Refusal::not_found("phone number"),
            PhoneNumberError::TwimlTooLong => Refusal::field("voice.twiml", error.to_string()),
            error @ (PhoneNumberError::AlreadyExists | PhoneNumberError::AnotherAccounts) => {
                Refusal::conflict(error.to_string())
            }
        }
    }
}

impl From<TrunkError> for Refusal {
    fn from(error: TrunkError) -> Refusal {
        use TrunkError as E;
        let message = error.to_string();
        match error {
            E::NotFound => Refusal::not_found("trunk"),
            E::AlreadyExists => Refusal::conflict(message),
            E::NoSide => Refusal::field("inbound", message),
            E::Networks(list, _) => Refusal::field(field_of(list), message),
            E::Trusted => Refusal::field("trusted", message),
            E::DialStringPrefix => Refusal::field("outbound.dial_string_prefix", message),
            E::Username => Refusal::field("outbound.username", message),
            E::PasswordNeeded => Refusal::field("outbound.password", message),
        }
    }
}

fn field_of(list: NetworkList) -> &'static str {
    match list {
        NetworkList::Sources => "inbound.sources",
        NetworkList::InboundMedia => "inbound.media_networks",
        NetworkList::OutboundMedia => "outbound.media_networks",
    }
}

impl From<UserError> for Refusal {
    fn from(error: UserError) -> Refusal {
        match error {
            UserError::NotFound => Refusal::not_found("user"),
            error => Refusal::conflict(error.to_string()),
        }
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Refusal {
        match error {
            CallError::NotFound => Refusal::not_found("call"),
            CallError::NotInProgress | CallError::Over => Refusal::conflict("The call is over."),
            error => Refusal::conflict(error.to_string()),
        }
    }
}

/// What another one holds: the set's name before the colon, the field it is given in, and what to say.
const CLAIMS: [(&str, &str, &str); 4] = [
    ("phone_number", "number", "You have this number already."),
    (
        "trunk_source",
        "inbound.sources",
        "Another trunk of yours has this source already; with two it would be open which one calls.",
    ),
    ("user_email", "email", "Someone signs in with this address already."),
    ("subdomain", "subdomain", "Another carrier has this name."),
];

fn taken(scope: &str, key: &str) -> Refusal {
    let noun = scope.split(':').next().unwrap_or_default();
    match CLAIMS.iter().find(|(claim, ..)| *claim == noun) {
        Some(("trunk_source", field, message)) => Refusal::taken(*field, format!("{key}: {message}")),
        Some((_, field, message)) => Refusal::taken(*field, *message),
        None => Refusal::conflict("Another one has it already."),
    }
}

impl<E: Into<Refusal>> From<ExecuteError<E>> for Refusal {
    fn from(error: ExecuteError<E>) -> Refusal {
        match error {
            ExecuteError::Refused(error) => error.into(),
            ExecuteError::Taken { scope, key } => taken(&scope, &key),
            ExecuteError::Conflict => Refusal::conflict("It is being changed by others; try again."),
            ExecuteError::Reused => {
                let detail = "This Idempotency-Key was used before with another request.";
                Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
            }
            ExecuteError::Unproven => {
                let detail = "This Idempotency-Key was used before, and what for cannot be proved any more; use a new one.";
                Refusal::conflict(detail)
            }
            ExecuteError::UnknownPassword(address) => {
                let detail = format!(
                    "{address}: what stands for a password there is none. Write the password itself."
                );
                Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_password", detail)
            }
            ExecuteError::Unavailable(error) => error.into(),
        }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Refusal {
        match error {
            ReadError::Cursor(_) => {
                let refusal = Refusal::field("cursor", "Not a cursor of this list; start again without one.");
                Refusal { status: StatusCode::BAD_REQUEST, code: "bad_request", ..refusal }
            }
            ReadError::Store(error) => error.into(),
            error @ ReadError::Damaged { .. } => {
                tracing::error!(%error, request_id = crate::problem::request_id(), "a stored row is damaged");
                Refusal::internal()
            }
        }
    }
}
