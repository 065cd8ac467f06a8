//! The driver: owns SIP, media and speech, gives every call an actor, and carries out what the pure machines order.
//!
//! ```text
//! net ──events──► dispatch ──► one bounded inbox per call ──► actor: call::Machine ──orders──► net, media, Outside
//! ```
//! Nothing here decides what a call does; that is `call`. Nothing here waits for the journal longer than 250 ms, but for
//! the arrival of a call, which is kept or turned away.

mod actor;
mod carry_out;
mod config;
mod dispatch;
mod evidence;
mod farewell;
mod handle;
mod hosts;
mod journal;
mod listening;
mod names;
mod negotiate;
mod place;
mod registry;
mod reservation;
mod shared;
mod shares;
mod sounds;
mod start;
mod supervise;
#[cfg(test)]
mod tests;
mod timers;
mod turned_away;
mod wire;

pub use config::EngineConfig;
pub use handle::EngineHandle;
pub use names::{Names, Server, SystemNames};
pub use reservation::{NoRoom, Reservation};
pub use start::Engine;
pub use turned_away::Refused;
