//! A call as a pure machine: what happened goes in with the time, orders come out.
//!
//! ```text
//! TwiML asks ─┐                        ┌─► SIP orders      (Ring, Pickup, Place, HangUp …)
//! SIP signals ├─► Machine::handle ─────┼─► media orders    (Play, SendDigits, Bridge …)
//! media       │   (no clock, no await) ├─► web orders      (Fetch, Speak, Load)
//! API         ┘                        └─► facts           (Record)
//! ```
//! One machine has the whole family: the call that runs the program (the main leg) and the calls its `<Dial>` placed. One of
//! those that is redirected runs a program of its own ([`script`]).

mod dial;
mod ending;
mod input;
mod leg;
mod machine;
mod order;
mod params;
mod program;
mod redirect;
mod script;
mod signal;
#[cfg(test)]
mod tests;

pub use input::{Closing, Happened, Prepared, Signal};
pub use leg::LegNo;
pub use machine::{Incoming, Machine, Outgoing, Surroundings};
pub use order::{Order, Placement, TimerKey};
