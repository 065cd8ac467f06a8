//! Questions answered ahead of time: every table a person sees, computed from the log and rebuildable from it.
//!
//! `tables/` has one file per noun: its row, its biography (which event changes what), its reads. They stand on `machine/`,
//! which knows none of them. `projections.rs` is the way in.

mod change;
mod machine;
mod overview;
mod progress;
mod projections;
pub mod replay;
mod runner;
mod shared;
mod system;
mod tables;
#[cfg(test)]
mod tests;

pub use change::{Change, ChangeKind, MAX_UNSEEN_CHANGES, Topic};
pub use machine::{
    biography::Nonsense,
    error::ReadError,
    needle::Needle,
    order::{By, Order},
    pieces::{Field, Text},
    reads::{Noun, Reads},
    scope::{MAX_PAGE, Page, PageOf, Scope},
    search::{MOST_COUNTED, Total},
    trouble::Trouble,
};
pub use overview::Counts;
pub use progress::{Behind, LogHealth};
pub use projections::Projections;
pub use system::{DirectoryRows, MAX_UNFINISHED, System};
pub use tables::{
    AccountFilter, AccountRow, ApiKeyFilter, ApiKeyRow, AuditFilter, AuditRow, CallFilter, CallRow,
    CarrierRow, Lane, PhoneNumberFilter, PhoneNumberRow, TimelineRow, TrunkFilter, TrunkRow, UserFilter,
    UserRow,
};
