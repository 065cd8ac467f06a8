//! Questions answered ahead of time: every table a person sees, computed from the log and rebuildable from it.
//!
//! One file per noun: its row, its biography (which event changes what), its reads. `projections.rs` is the way in.

mod accounts;
mod api_keys;
mod audit;
mod biography;
mod building;
mod call_timeline;
mod calls;
mod carriers;
mod change;
mod column;
mod error;
mod ledger;
mod needle;
mod networks;
mod order;
mod overview;
mod page;
mod phone_numbers;
mod pieces;
mod progress;
mod projections;
mod projector;
mod reads;
mod record;
pub mod replay;
mod runner;
mod scope;
mod search;
mod shared;
mod system;
mod tables;
#[cfg(test)]
mod tests;
mod trouble;
mod trunks;
mod users;

pub use accounts::{AccountFilter, AccountRow};
pub use api_keys::{ApiKeyFilter, ApiKeyRow};
pub use audit::{AuditFilter, AuditRow};
pub use biography::Nonsense;
pub use call_timeline::{Lane, TimelineRow};
pub use calls::{CallFilter, CallRow};
pub use carriers::CarrierRow;
pub use change::{Change, ChangeKind, MAX_UNSEEN_CHANGES, Topic};
pub use error::ReadError;
pub use needle::Needle;
pub use order::{By, Order};
pub use overview::Counts;
pub use phone_numbers::{PhoneNumberFilter, PhoneNumberRow};
pub use pieces::{Field, Text};
pub use progress::{Behind, LogHealth};
pub use projections::Projections;
pub use reads::{Noun, Reads};
pub use scope::{MAX_PAGE, Page, PageOf, Scope};
pub use search::{MOST_COUNTED, Total};
pub use system::{DirectoryRows, MAX_UNFINISHED, System};
pub use trouble::Trouble;
pub use trunks::{TrunkFilter, TrunkRow};
pub use users::{UserFilter, UserRow};
