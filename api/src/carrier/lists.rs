//! Pages: what every list takes and gives.

use crate::problem::Refusal;
use domain::Timestamp;
use poem_openapi::Enum;
use projections::{By, Order, Page, PageOf, Total};

/// Rows of a page when nothing is asked for.
const DEFAULT_LIMIT: i32 = 50;

/// Which page was asked for; endpoints bound `limit` themselves.
pub(super) fn page(cursor: Option<String>, limit: Option<i32>) -> Page {
    Page {
        cursor,
        order: Order::default(),
        limit: u32::try_from(limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(1),
    }
}

/// Rows as their views, and the next cursor.
pub(super) fn views<R, V>(page: PageOf<R>, view: impl Fn(R) -> V) -> (Vec<V>, Option<String>) {
    (page.items.into_iter().map(view).collect(), page.next)
}

/// A page whose rows were counted: rows as their views, the next cursor, and how many there are.
pub(super) fn counted<R, V>(
    (page, total): (PageOf<R>, Option<Total>),
    view: impl Fn(R) -> V,
) -> (Vec<V>, Option<String>, Option<Total>) {
    let (data, next) = views(page, view);
    (data, next, total)
}

/// In which order a list comes.
macro_rules! order {
    ($(#[$doc:meta])* $name:ident { $($(#[$word:meta])* $variant:ident $text:literal $by:ident $descending:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub(super) enum $name {
            $($(#[$word])* #[oai(rename = $text)] $variant),+
        }

        impl From<$name> for Order {
            fn from(order: $name) -> Order {
                match order {
                    $($name::$variant => Order { by: By::$by, descending: $descending }),+
                }
            }
        }
    };
}
order! {
    /// By age.
    AgeOrder {
        /// Oldest first.
        Oldest "created_at" Created false,
        /// Newest first.
        Newest "-created_at" Created true,
    }
}
order! {
    /// By age or name.
    NameOrder {
        /// Oldest first.
        Oldest "created_at" Created false,
        /// Newest first.
        Newest "-created_at" Created true,
        /// By name, in any case.
        Name "name" Name false,
        /// By name, the last one first.
        NameBackwards "-name" Name true,
    }
}
order! {
    /// By age, number or name.
    NumberOrder {
        /// Oldest first.
        Oldest "created_at" Created false,
        /// Newest first.
        Newest "-created_at" Created true,
        /// By number, digit by digit.
        Number "number" Number false,
        /// By number, the last one first.
        NumberBackwards "-number" Number true,
        /// By the account's name for it, in any case; those without one come last.
        Name "name" Name false,
        /// By name, the last one first.
        NameBackwards "-name" Name true,
    }
}

/// A moment in a query.
///
/// # Errors
/// When it is none.
pub(super) fn moment(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    let read = |text| {
        Timestamp::asked(text).ok_or_else(|| Refusal::field(name, "Give a time like 2026-11-23T20:00:00Z."))
    };
    text.map(read).transpose()
}

/// A named page type: the generated clients need a name for each. Of a list whose rows are `counted` it says how many.
macro_rules! page_of {
    (@ [$($doc:tt)*] $name:ident of $row:ty { $($field:tt)* }) => {
        $($doc)*
        #[derive(Debug, poem_openapi::Object)]
        #[oai(skip_serializing_if_is_none)]
        struct $name {
            /// The rows.
            data: Vec<$row>,
            $($field)*
        }
    };
    ($(#[$doc:meta])* $name:ident of $row:ty) => {
        page_of! { @ [$(#[$doc])*] $name of $row {
            /// Give it as `cursor` to get the page after this one; absent on the last.
            next_cursor: Option<String>,
        } }

        impl From<(Vec<$row>, Option<String>)> for $name {
            fn from((data, next_cursor): (Vec<$row>, Option<String>)) -> $name {
                $name { data, next_cursor }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident of $row:ty, counted) => {
        page_of! { @ [$(#[$doc])*] $name of $row {
            /// Give it as `cursor`, with the same filters and order, to get the page after this one; absent on the last.
            next_cursor: Option<String>,
            /// How many rows there are on all pages together, counted to 10,000. On the first page only.
            total: Option<i32>,
            /// Whether `total` is all of them. When it is false there may be more. On the first page only.
            total_exact: Option<bool>,
        } }

        impl From<(Vec<$row>, Option<String>, Option<projections::Total>)> for $name {
            fn from((data, next_cursor, total): (Vec<$row>, Option<String>, Option<projections::Total>)) -> $name {
                let (total, total_exact) = (total.map(|total| total.count.cast_signed()), total.map(|total| total.exact));
                $name { data, next_cursor, total, total_exact }
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
