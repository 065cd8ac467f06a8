//! How Twilio's API says no: `{"code", "message", "more_info", "status"}`, the code an integer.

use crate::problem::Refusal;
use poem::{IntoResponse, Response, http::StatusCode};
use projections::ReadError;
use serde_json::json;
use std::time::Duration;
use store::{ExecuteError, StoreError};

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    status: StatusCode,
    /// Twilio's error code.
    pub code: u32,
    message: String,
    /// One header more: `Allow`, `Retry-After` or `WWW-Authenticate`.
    header: Option<(&'static str, String)>,
}

impl Fault {
    pub fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Fault {
        Fault { status, code, message: message.into(), header: None }
    }

    /// 400 with the parameter's own code.
    pub fn parameter(code: u32, message: impl Into<String>) -> Fault {
        Fault::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 400 for a value that has no code of its own.
    pub fn invalid(message: impl Into<String>) -> Fault {
        Fault::parameter(20001, message)
    }

    /// 401, the same for every way credentials can be wrong.
    pub fn unauthenticated() -> Fault {
        let fault = Fault::new(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
        Fault { header: Some(("www-authenticate", "Basic realm=\"Twilio API\"".into())), ..fault }
    }

    /// 401 for an account that may not call.
    pub fn suspended() -> Fault {
        Fault::new(StatusCode::UNAUTHORIZED, 20005, "Account not active")
    }

    /// 404, for what is not there and for what is another's.
    pub fn not_found(path: &str) -> Fault {
        let path: String = path.chars().take(200).collect();
        Fault::new(StatusCode::NOT_FOUND, 20404, format!("The requested resource {path} was not found"))
    }

    /// 405 with the methods there are.
    pub fn method_not_allowed(allowed: &'static str) -> Fault {
        let fault = Fault::new(StatusCode::METHOD_NOT_ALLOWED, 20004, "Method not allowed");
        Fault { header: Some(("allow", allowed.into())), ..fault }
    }

    /// 429; nothing was done.
    pub fn too_many(wait: Duration) -> Fault {
        let fault = Fault::new(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests");
        Fault { header: Some(("retry-after", (wait.as_secs() + 1).to_string())), ..fault }
    }

    fn unavailable() -> Fault {
        Fault::new(StatusCode::SERVICE_UNAVAILABLE, 20503, "Service unavailable; try again in a few seconds")
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        tracing::error!(%error, request_id = crate::problem::request_id(), "the store failed");
        Fault::unavailable()
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Fault {
        match error {
            ReadError::Cursor(_) => Fault::invalid("PageToken is not one of this list"),
            error => {
                tracing::error!(%error, request_id = crate::problem::request_id(), "a read failed");
                Fault::unavailable()
            }
        }
    }
}

/// What whatever stands in front of us refuses, in Twilio's words.
impl From<&Refusal> for Fault {
    fn from(refusal: &Refusal) -> Fault {
        let code = match refusal.status.as_u16() {
            401 => 20003,
            status @ (404 | 409 | 410 | 422 | 429 | 503 | 504) => 20000 + u32::from(status),
            405 => 20004,
            400..500 => 20001,
            _ => 20500,
        };
        let fault = Fault::new(refusal.status, code, refusal.detail.clone());
        let wait = refusal.retry_after.map(|wait| ("retry-after", (wait.as_secs() + 1).to_string()));
        Fault { header: wait, ..fault }
    }
}

/// A command's failure; `refused` puts Twilio's words to what the aggregate said.
pub(super) fn of_command<E>(error: ExecuteError<E>, refused: impl FnOnce(E) -> Fault) -> Fault {
    match error {
        ExecuteError::Refused(error) => refused(error),
        ExecuteError::Taken { .. } | ExecuteError::Conflict => {
            Fault::new(StatusCode::CONFLICT, 20409, "The resource is being changed by others; try again")
        }
        ExecuteError::Reused => {
            let message = "The idempotency token was used before with another request";
            Fault::new(StatusCode::UNPROCESSABLE_ENTITY, 20422, message)
        }
        ExecuteError::Unproven => {
            let message = "The idempotency token was used before, and what for cannot be proved any more; use a new one";
            Fault::new(StatusCode::CONFLICT, 20409, message)
        }
        ExecuteError::UnknownPassword(address) => Fault::parameter(
            21205,
            format!("{address}: what stands for a password here is none; write the password itself"),
        ),
        ExecuteError::Unavailable(error) => error.into(),
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (code, status) = (self.code, self.status.as_u16());
        let more_info = format!("https://www.twilio.com/docs/errors/{code}");
        let body = json!({ "code": code, "message": self.message, "more_info": more_info, "status": status });
        let response = Response::builder().status(self.status).content_type("application/json");
        match self.header {
            Some((name, value)) => response.header(name, value),
            None => response,
        }
        .body(body.to_string())
    }
}
