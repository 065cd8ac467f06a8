//! The black box: Trunkline as strangers see it, by what they already have. The official Python and Node SDKs, SIPp, a
//! phone scripted line by line, and a web server that says what a test wants. Each test is one situation, named, and holds
//! on both stores.
//!
//! `wire.rs`: Twilio's API and webhooks. `twiml.rs`: what documents do. `times.rs`: lengths and limits. `routing.rs`: what
//! the next call sees. `sharing.rs`: carriers that share an address. `dialling.rs`: what caller and callee see of each
//! other. `sip.rs`: odd messages and dead ends. `extensions.rs`: peers that demand more of SIP. `ending.rs`: what phones
//! are told when the server itself is gone.

mod dialling;
mod ending;
mod extensions;
mod parameters;
pub mod phone;
mod routing;
mod sharing;
mod sip;
mod times;
mod twiml;
pub mod web;
mod wire;

use crate::support::{On, Sdk, Server};

/// Both stores.
const STORES: [On; 2] = [On::Sqlite, On::Postgres];

/// The official SDKs.
fn sdks(server: &Server) -> [(&'static str, Sdk); 2] {
    [("python", Sdk::python(server)), ("node", Sdk::node(server))]
}
