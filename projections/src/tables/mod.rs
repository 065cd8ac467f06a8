//! The tables there are: one file per noun, with its row, its biography (which event changes what) and its reads.

mod accounts;
mod api_keys;
mod audit;
mod call_timeline;
mod calls;
mod carriers;
pub(crate) mod networks;
mod phone_numbers;
mod trunks;
mod users;

pub use accounts::{AccountFilter, AccountRow};
pub use api_keys::{ApiKeyFilter, ApiKeyRow};
pub use audit::{AuditFilter, AuditRow};
pub use call_timeline::{Lane, TimelineRow};
pub use calls::{CallFilter, CallRow};
pub use carriers::CarrierRow;
pub use phone_numbers::{PhoneNumberFilter, PhoneNumberRow};
pub use trunks::{TrunkFilter, TrunkRow};
pub use users::{UserFilter, UserRow};

use crate::machine::projector::{Catalogue, entries, rows};

/// Every projection: the one list. A new table is one file and one line here.
pub(crate) fn all() -> Catalogue {
    Catalogue::new([
        rows::<CarrierRow>(),
        rows::<AccountRow>(),
        rows::<TrunkRow>(),
        rows::<PhoneNumberRow>(),
        rows::<UserRow>(),
        rows::<ApiKeyRow>(),
        entries::<AuditRow>(),
        rows::<CallRow>(),
        entries::<TimelineRow>(),
    ])
}
