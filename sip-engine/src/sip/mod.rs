//! SIP without I/O: messages, transactions, dialogs, session descriptions.
//!
//! Nothing here opens a socket, reads a clock or rolls dice: `Endpoint::handle(now, Input)` takes what happened,
//! `poll()` hands out what must be done about it, `timeout()` says when to come back.

pub(crate) mod build;
mod check;
pub mod command;
mod dialog;
mod digest;
pub mod endpoint;
pub mod event;
pub mod flow;
pub mod framing;
pub mod headers;
pub mod message;
mod multipart;
pub mod parse;
pub mod sdp;
mod session;
mod text;
pub mod timers;
mod tokens;
mod trace;
mod transaction;
pub mod uri;
pub mod values;

pub use command::{Command, Credentials, Farewell, Invite, Target};
pub use endpoint::{Counts, Endpoint, EndpointConfig, Input, Output, Transmit, TurnedAway};
pub use event::{ClosedBy, Direction, Event, IncomingCall, Party, Trace};
pub use flow::{ConnectionId, Flow, LegKey, Transport};
pub use tokens::Tokens;
pub use values::MAX_FORWARDS;

#[cfg(test)]
mod tests;
