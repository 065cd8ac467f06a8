//! What the SIP layers must get right: each known defect of other stacks, torture messages, and two ends on a bad network.

mod answering;
mod bench;
mod broken;
mod calls;
mod challenges;
mod client;
mod digest;
mod ending;
mod farewell;
mod forged;
mod framing;
mod fuzz;
mod help;
mod in_dialog;
mod left_out;
mod network;
mod reliable;
mod responses;
mod room;
mod sdp;
mod session_timers;
mod torture;
mod wire;
