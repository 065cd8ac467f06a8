//! The black box: Trunkline as strangers see it, by what they already have. The official Python and Node SDKs, SIPp, a
//! phone scripted line by line, and a web server that says what a test wants. Each test is one situation, named, and holds
//! on both stores.
//!
//! `wire.rs`: Twilio's API and webhooks. `redirects.rs`: applications that are elsewhere. `twiml.rs`: what documents do.
//! `documents.rs`: how documents and sounds may be written. `times.rs`: lengths and limits. `routing.rs`: what the next
//! call sees. `sharing.rs`: carriers that share an address. `numbers.rs`: numbers as trunks write them. `dialling.rs`: what
//! caller and callee see of each other. `failing_over.rs`: trunks that are silent, full or busy. `keys.rs`: keys, however
//! they are told. `sip.rs`: odd messages and dead ends. `refused.rs`: what is turned away before there is a call.
//! `families.rs`: IPv6, and connections. `extensions.rs`: peers that demand more of SIP. `ending.rs`: what phones are told
//! when the server itself is gone.

mod dialling;
mod documents;
mod ending;
mod extensions;
mod failing_over;
mod families;
mod keys;
mod numbers;
mod parameters;
pub mod phone;
mod redirects;
mod refused;
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

/// Tells a story on both stores at once, where it waits for seconds.
fn on_both(story: impl Fn(On) + Sync) {
    std::thread::scope(|scope| {
        for on in STORES {
            let story = &story;
            scope.spawn(move || story(on));
        }
    });
}

/// The official SDKs.
fn sdks(server: &Server) -> [(&'static str, Sdk); 2] {
    [("python", Sdk::python(server)), ("node", Sdk::node(server))]
}
