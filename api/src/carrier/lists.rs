//! Pages: what every list takes and gives.

use crate::problem::Refusal;
use domain::Timestamp;
use projections::{Page, PageOf};

/// Rows of a page when nothing is asked for.
const DEFAULT_LIMIT: i32 = 50;

/// Which page was asked for; endpoints bound `limit` themselves.
pub(super) fn page(cursor: Option<String>, limit: Option<i32>) -> Page {
    Page { cursor, limit: u32::try_from(limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(1) }
}

/// Rows as their views, and the next cursor.
pub(super) fn views<R, V>(page: PageOf<R>, view: impl Fn(R) -> V) -> (Vec<V>, Option<String>) {
    (page.items.into_iter().map(view).collect(), page.next)
}

/// A moment in a query.
///
/// # Errors
/// When it is not RFC 3339.
pub(super) fn moment(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|_| Refusal::field(name, "Give a time like 2026-11-23T20:00:00Z."))
}

/// A named page type: the generated clients need a name for each.
macro_rules! page_of {
    ($(#[$doc:meta])* $name:ident of $row:ty) => {
        $(#[$doc])*
        #[derive(Debug, poem_openapi::Object)]
        #[oai(skip_serializing_if_is_none)]
        struct $name {
            /// The rows.
            data: Vec<$row>,
            /// Give it as `cursor` to get the page after this one; absent on the last.
            next_cursor: Option<String>,
        }

        impl From<(Vec<$row>, Option<String>)> for $name {
            fn from((data, next_cursor): (Vec<$row>, Option<String>)) -> $name {
                $name { data, next_cursor }
            }
        }
    };
}

/// A named 201 answer.
macro_rules! created {
    ($(#[$doc:meta])* $name:ident of $row:ty) => {
        $(#[$doc])*
        #[derive(poem_openapi::ApiResponse)]
        enum $name {
            /// Created.
            #[oai(status = 201)]
            Created(poem_openapi::payload::Json<$row>),
        }
    };
}

/// A named 201 answer about a thing that can be changed.
macro_rules! created_tagged {
    ($(#[$doc:meta])* $name:ident of $row:ty) => {
        $(#[$doc])*
        #[derive(poem_openapi::ApiResponse)]
        enum $name {
            /// Created.
            #[oai(status = 201)]
            Created(
                poem_openapi::payload::Json<$row>,
                /// Its entity tag, for `If-Match`.
                #[oai(header = "ETag")]
                String,
            ),
        }
    };
}

pub(super) use {created, created_tagged, page_of};
