//! Whole-product stories, in one binary: the real server, real phones, real SDKs, measured audio.
#![expect(clippy::disallowed_methods, reason = "tests stand outside of what time and chance are handed to")]

mod support;

mod architecture;
mod calls_api;
mod carrier_api;
mod dial;
mod inbound_call;
mod log;
