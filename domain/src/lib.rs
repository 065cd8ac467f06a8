//! What the business believes: carriers, accounts, trunks, phone numbers, users and calls, and the rules about them.
//!
//! Pure: no I/O, no clock, no randomness, no await that waits. Time and chance are handed in (`clock`), facts come out
//! as events. One file per noun; the same noun names the same file in every other crate.

mod aggregate;
pub mod caller_id;
pub mod clock;
pub mod country;
pub mod e164;
pub mod emergency;
pub mod event;
pub mod high_risk;
pub mod limits;
pub mod name;
pub mod numbering;
pub mod outbound;
pub mod route;
pub mod share;
pub mod sid;
pub mod sip_address;
pub mod stream;
#[cfg(test)]
mod testing;
pub mod timestamp;
pub mod upcast;
pub mod url_password;
pub mod visible;
pub mod webhook_url;

pub mod account;
pub mod call;
pub mod carrier;
pub mod phone_number;
pub mod trunk;
pub mod user;

pub use clock::{Clock, Ids, Steady};
pub use e164::{E164, Number};
pub use event::EventKind;
pub use numbering::NumberType;
pub use sid::{Kind, Sid};
pub use stream::{Actor, Claim, Log, Meta, Stream, Tenant};
pub use timestamp::Timestamp;
