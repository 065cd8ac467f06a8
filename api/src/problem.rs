//! How the API says no: problem+json (RFC 9457), the same body everywhere but on Twilio's surface.

use poem::{Body, IntoResponse, Response, error::ResponseError, http::StatusCode};
use poem_openapi::{ApiResponse, Object, payload::Json};
use std::time::Duration;
use store::StoreError;

tokio::task_local! {
    /// The request's id, set by the outermost middleware.
    pub(crate) static REQUEST_ID: String;
}

/// The id of the request this task serves; `-` outside of one.
#[must_use]
pub fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_else(|_| "-".to_owned())
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub struct FieldError {
    /// Dotted path of the field, for example `outbound.host`.
    pub field: String,
    /// What to do about it.
    pub message: String,
}

/// An error, as RFC 9457 writes it.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Problem {
    /// `about:blank`: the status and `code` say what it is.
    #[oai(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: i32,
    /// A stable word to tell errors apart.
    pub code: String,
    /// What happened and what to do, for people.
    pub detail: Option<String>,
    /// Names this request in our log.
    pub request_id: String,
    /// Every field that is wrong, all at once.
    pub errors: Option<Vec<FieldError>>,
}

/// A refusal on its way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable word.
    pub code: &'static str,
    /// For people.
    pub detail: String,
    /// Every field that is wrong.
    pub errors: Vec<FieldError>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal without fields.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal { status, code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// 404, for what is not there and for what is another's.
    #[must_use]
    pub fn not_found(what: &str) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// 401: no key and no session, or one that ended.
    #[must_use]
    pub fn unauthenticated() -> Refusal {
        let detail = "Give a Carrier API key as Bearer token, or sign in.";
        Refusal::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// 403: the role does not allow it.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 403: the second factor is missing.
    #[must_use]
    pub fn two_factor_required() -> Refusal {
        let detail = "Finish signing in: set up two-factor authentication, or enter its code.";
        Refusal::new(StatusCode::FORBIDDEN, "two_factor_required", detail)
    }

    /// 422 with everything that is wrong.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Refusal {
        let detail = "Some fields are not right; see errors.";
        Refusal { errors, ..Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", detail) }
    }

    /// 422 with one field.
    #[must_use]
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Refusal {
        Refusal::invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// 409: another thing has it already.
    #[must_use]
    pub fn taken(field: impl Into<String>, message: impl Into<String>) -> Refusal {
        let (field, message) = (field.into(), message.into());
        let refusal = Refusal::new(StatusCode::CONFLICT, "taken", message.clone());
        Refusal { errors: vec![FieldError { field, message }], ..refusal }
    }

    /// 409: its state does not allow it.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 429.
    #[must_use]
    pub fn rate_limited(wait: Duration) -> Refusal {
        let detail = format!("Too many requests; try again in {} s.", seconds(wait));
        let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        Refusal { retry_after: Some(wait), ..refusal }
    }

    /// 503: the database is away or slow. The cause goes to our log only.
    #[must_use]
    pub fn unavailable() -> Refusal {
        let detail = "The platform cannot answer right now; try again in a few seconds.";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        Refusal { retry_after: Some(Duration::from_secs(2)), ..refusal }
    }

    /// 500: our fault. The cause goes to our log only.
    #[must_use]
    pub fn internal() -> Refusal {
        let detail = "Something went wrong on our side; the request id names it in our log.";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The body.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem {
            kind: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: i32::from(self.status.as_u16()),
            code: self.code.into(),
            detail: Some(self.detail.clone()),
            request_id: request_id(),
            errors: (!self.errors.is_empty()).then(|| self.errors.clone()),
        }
    }
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = poem_openapi::types::ToJSON::to_json_string(&self.problem());
        let response = Response::builder().status(self.status).content_type("application/problem+json");
        let response = match self.retry_after {
            Some(wait) => response.header("retry-after", seconds(wait).max(1)),
            None => response,
        };
        response.body(Body::from_string(body))
    }
}

impl ResponseError for Refusal {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        self.clone().into_response()
    }
}

/// A refusal as the OpenAPI document describes it: two ranges, one body.
#[derive(Debug, ApiResponse)]
pub enum ApiError {
    /// The request cannot be served as it is; `code` and `errors` say why.
    #[oai(status_range = "4XX", content_type = "application/problem+json")]
    Refused(StatusCode, Json<Problem>),
    /// The platform failed; the same request may work later.
    #[oai(status_range = "5XX", content_type = "application/problem+json")]
    Failed(StatusCode, Json<Problem>),
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let (status, problem) = (refusal.status, Json(refusal.problem()));
        if status.is_server_error() {
            ApiError::Failed(status, problem)
        } else {
            ApiError::Refused(status, problem)
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        match error {
            StoreError::OtherCarrier { .. } => Refusal::not_found("resource"),
            error => {
                tracing::error!(%error, request_id = request_id(), "the store failed");
                Refusal::unavailable()
            }
        }
    }
}
