//! Calls on the wire: SIP signalling, RTP media, and the TwiML program each call runs.
//!
//! `sip`, `call` and `routing` are pure; `net` and `media` own the sockets; `speech` runs the text-to-speech programs.

pub mod call;
pub mod engine;
pub mod media;
pub mod net;
mod outside;
mod relax;
pub mod routing;
pub mod sip;
pub mod speech;

pub use engine::{
    Engine, EngineConfig, EngineHandle, Names, NoRoom, Refused, Reservation, Server, SystemNames,
};
pub use outside::{
    CallRef, DocumentRequest, Evidence, FetchFailure, Fetched, MediaFile, Outside, RecordError,
};
