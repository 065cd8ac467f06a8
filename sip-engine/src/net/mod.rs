//! Sockets: UDP and TCP carry messages to and from the SIP endpoint.
//!
//! One task owns the endpoint and sees everything in the order it arrived. Readers hand it whole datagrams and frames
//! over bounded queues; a source the filter does not know is dropped before anybody looks at its bytes.

mod config;
mod connections;
mod counters;
mod driver;
mod icmp;
mod local;
mod outbox;
mod sockets;
mod tcp;
mod udp;

#[cfg(test)]
mod tests;

pub use config::{CONNECTIONS, NetConfig};
pub use counters::Counters;
pub use driver::Sip;
pub use local::{own_towards, socket_towards};
