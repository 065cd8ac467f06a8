//! The tables there are.

use crate::{
    AccountRow, ApiKeyRow, AuditRow, CallRow, CarrierRow, PhoneNumberRow, TimelineRow, TrunkRow, UserRow,
    projector::{Catalogue, entries, rows},
};

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
