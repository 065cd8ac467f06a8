//! What the SIP layers must get right: each known defect of other stacks, torture messages, and two ends on a bad network.

mod framing;
mod sdp;
mod wire;
