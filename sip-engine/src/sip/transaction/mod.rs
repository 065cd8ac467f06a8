//! Transactions of RFC 3261 section 17 with the Accepted states of RFC 6026. Pure: timers are compared with a time
//! handed in, messages come back to be sent.
//!
//! ```text
//! client INVITE   Calling -> Proceeding -> Accepted (2xx) | Completed (3-6xx)
//! client other    Trying  -> Proceeding -> Completed
//! server INVITE   Proceeding -> Accepted (2xx) | Completed (3-6xx) -> Confirmed (ACK)
//! server other    Trying -> Proceeding -> Completed
//! ```

pub(crate) mod client;
pub(crate) mod server;

pub(crate) use client::{Broken, ClientKey, Clients, Outcome, Verdict};
pub(crate) use server::{ServerKey, Servers, Taken};
