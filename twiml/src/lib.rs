//! TwiML, the language of a call: a document goes in, asks come out, what happened goes back in.
//!
//! Pure: nothing here reads a clock, opens a socket or awaits. [`Document`] reads what an application answered,
//! [`Machine`] runs it, and every verb is one file in `verbs/` and one line in [`VERBS`].

mod ask;
mod document;
mod element;
mod encoding;
mod machine;
mod missing;
mod verbs;

pub use ask::{
    Ask, Callback, CallbackEvent, DialPlan, DialResult, DialStatus, DialTarget, Event, RejectReason, Request,
};
pub use document::{Document, DocumentError, MAX_DOCUMENT_BYTES, is_audio};
pub use element::{Method, Warning};
pub use machine::{MAX_DOCUMENTS, MAX_DOCUMENTS_EVER, Machine};
pub use missing::{Instead, MISSING, Missing};
pub use url::Url;
pub use verbs::{Definition, VERBS};
