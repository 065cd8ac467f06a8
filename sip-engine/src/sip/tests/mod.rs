//! What the SIP layers must get right: each known defect of other stacks, torture messages, and two ends on a bad network.

mod bench;
mod calls;
mod challenges;
mod client;
mod digest;
mod framing;
mod fuzz;
mod network;
mod responses;
mod sdp;
mod server;
mod torture;
mod wire;
