//! Whole-product stories, in one binary: the real server, real phones, real SDKs, measured audio.
#![expect(clippy::disallowed_methods, reason = "tests stand outside of what time and chance are handed to")]
#![expect(clippy::needless_pass_by_value, reason = "a story reads better without borrowed literals")]

mod support;

mod architecture;
mod calls_api;
mod carrier_api;
mod circles;
mod contributing;
mod demo;
mod dependencies;
mod dial;
mod faults;
mod inbound_call;
mod log;
mod operator;
mod outside;
mod privacy;
mod setup;
mod style;
