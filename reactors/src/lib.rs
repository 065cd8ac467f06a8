//! Facts to effects: placing calls, status callbacks, the engine's picture of trunks and numbers, and the one HTTP
//! client that talks to customers' applications.
//!
//! An effect can repeat (a crash between effect and checkpoint), so each carries what lets the receiver tell.

pub mod http;
pub mod outside;
pub mod signature;
