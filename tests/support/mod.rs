//! What the stories are told with: a whole server, phones, a customer's application, both SDKs, tones.

pub mod baresip;
pub mod customer;
pub mod lines;
pub mod own_port;
pub mod rtp;
pub mod server;
pub mod signed_up;
pub mod sipp;
pub mod sources;
pub mod tone;
pub mod wire;

pub use baresip::Baresip;
pub use customer::{Application, Sdk};
pub use server::{On, Server};
pub use signed_up::SignedUp;
pub use sipp::Phone;
